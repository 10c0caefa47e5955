// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "record.h"

static int make_path(char *path, const char *root, const char *bdf)
{
	int len = snprintf(path, PATH_MAX, "%s/run/usrpci%s%s", root, *bdf ? "/" : "", bdf);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int make_folder(const char *root, char *path)
{
	char run[PATH_MAX];
	int ret = make_path(path, root, "");

	if (ret)
		return ret;
	snprintf(run, sizeof(run), "%s/run", root);
	if (mkdir(run, 0755) && errno != EEXIST)
		return -errno;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

int usrpci_records_lock(const char *root)
{
	char path[PATH_MAX];
	int ret = make_folder(root, path);
	int fd;

	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int usrpci_record_write(const char *root, const char *bdf, const struct usrpci_record *record)
{
	char path[PATH_MAX];
	int fd, ret = make_path(path, root, bdf);

	if (ret)
		return ret;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "driver=%s\ndriver_override=%s\n", record->driver, record->override) < 0 ||
	    (*record->type && dprintf(fd, "iommu_group_type=%s\n", record->type) < 0))
		ret = -errno;
	close(fd);
	if (ret)
		unlink(path);
	return ret;
}

/* The line's value, if it is the one of that name. */
static void get_value(char *line, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, name, len) && line[len] == '=')
		snprintf(value, size, "%s", line + len + 1);
}

int usrpci_record_read(const char *root, const char *bdf, struct usrpci_record *record)
{
	char path[PATH_MAX], line[USRPCI_DRIVER_LEN + 32];
	int ret = make_path(path, root, bdf);
	FILE *file;

	*record = (struct usrpci_record){ 0 };
	if (ret)
		return ret;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		get_value(line, "driver", record->driver, sizeof(record->driver));
		get_value(line, "driver_override", record->override, sizeof(record->override));
		get_value(line, "iommu_group_type", record->type, sizeof(record->type));
	}
	fclose(file);
	return 0;
}

void usrpci_record_remove(const char *root, const char *bdf)
{
	char path[PATH_MAX];

	if (!make_path(path, root, bdf))
		unlink(path);
}
