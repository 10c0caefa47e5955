/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_SYSFS_H
#define TOOLS_SYSFS_H

#include <stddef.h>

/**
 * sysfs_text() - Read a one-line file.
 * @text: set to the line without its newline, empty on failure
 * @len: bytes of @text; a longer line is cut
 * @format: path, as printf()'s
 *
 * Return: 0 or a negative errno.
 */
int sysfs_text(char *text, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * sysfs_link() - Read the last part of where a link points.
 * @name: set to it, empty on failure
 * @len: bytes of @name
 * @format: path, as printf()'s
 *
 * Return: 0 or a negative errno.
 */
int sysfs_link(char *name, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* TOOLS_SYSFS_H */
