// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "sysfs.h"

__attribute__((format(printf, 2, 0)))
static int make_path(char *path, const char *format, va_list args)
{
	int len = vsnprintf(path, PATH_MAX, format, args);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Keep the errno of what failed from close(2)'s. */
static int close_with(int fd, int ret)
{
	close(fd);
	return ret;
}

int usrpci_sysfs_read(char *text, size_t len, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	ssize_t got;
	int fd, ret;

	*text = '\0';
	va_start(args, format);
	ret = make_path(path, format, args);
	va_end(args);
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, len);
	if (got < 0)
		ret = -errno;
	else if ((size_t)got == len && !memchr(text, '\n', len))
		ret = -EOVERFLOW;
	text[ret ? 0 : got < (ssize_t)len ? got : (ssize_t)len - 1] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return close_with(fd, ret);
}

int usrpci_sysfs_link(char *name, size_t len, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	va_list args;
	ssize_t got;
	int ret;

	va_start(args, format);
	ret = make_path(path, format, args);
	va_end(args);
	if (ret)
		return ret;
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= len)
		return -ENAMETOOLONG;
	strcpy(name, last);
	return 0;
}

int usrpci_sysfs_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	ssize_t done;
	int fd, ret;

	va_start(args, format);
	ret = make_path(path, format, args);
	va_end(args);
	if (ret)
		return ret;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	if (done < 0)
		ret = -errno;
	else if ((size_t)done != strlen(text))
		ret = -EIO;
	return close_with(fd, ret);
}

bool usrpci_sysfs_exists(const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int ret;

	va_start(args, format);
	ret = make_path(path, format, args);
	va_end(args);
	return !ret && !access(path, F_OK);
}
