// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "sysfs.h"

int sysfs_text(char *text, size_t len, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	FILE *file;
	int ret = 0;

	*text = '\0';
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	if (!fgets(text, (int)len, file) && ferror(file))
		ret = errno ? -errno : -EIO;
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
	return ret;
}

int sysfs_link(char *name, size_t len, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	va_list args;
	ssize_t ret;

	*name = '\0';
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	ret = readlink(path, target, sizeof(target) - 1);
	if (ret < 0)
		return -errno;
	target[ret] = '\0';
	last = strrchr(target, '/');
	snprintf(name, len, "%s", last ? last + 1 : target);
	return 0;
}
