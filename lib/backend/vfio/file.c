// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "kvfio.h"

/* A kernel that always wants more than it was given is not waited for. */
#define MOST_TRIES	8
#define MOST_BYTES	(1U << 20)

int usrpci_kvfio_open_file(const char *root, const char *path)
{
	char whole[PATH_MAX];
	int len = snprintf(whole, sizeof(whole), "%s%s", root, path);
	int fd;

	if (len < 0 || (size_t)len >= sizeof(whole))
		return -ENAMETOOLONG;
	fd = open(whole, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int usrpci_kvfio_ioctl(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int usrpci_kvfio_get(int fd, unsigned long request, const void *ask, uint32_t len, void **answer)
{
	unsigned int tries = MOST_TRIES;
	uint32_t room = len, wanted;
	void *info;
	int err;

	while (tries--) {
		info = calloc(1, room);
		if (!info)
			return -ENOMEM;
		memcpy(info, ask, len);
		memcpy(info, &room, sizeof(room));
		err = usrpci_kvfio_ioctl(fd, request, info);
		memcpy(&wanted, info, sizeof(wanted));
		if (err >= 0 && wanted <= room) {
			memcpy(info, &room, sizeof(room));
			*answer = info;
			return 0;
		}
		free(info);
		if (err < 0)
			return err;
		if (wanted > MOST_BYTES)
			break;
		room = wanted;
	}
	return -EPROTO;
}
