// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "eventfd.h"

/* Else whoever signals would write to whatever it is. */
int usrpci_check_eventfd(int fd)
{
	char path[32], target[32] = "";

	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return -errno;
	return strcmp(target, "anon_inode:[eventfd]") ? -EINVAL : 0;
}
