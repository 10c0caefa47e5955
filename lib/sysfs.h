/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_SYSFS_H
#define LIB_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define USRPCI_SYS_FUNCTION	"%s/sys/bus/pci/devices/%s"
#define USRPCI_SYS_DRIVER	"%s/sys/bus/pci/drivers/%s"

/* Each takes a path as printf does, and returns 0 or a negative errno. */

/* The first line, without its newline; -EOVERFLOW if @text is too small. */
__attribute__((format(printf, 3, 4)))
int usrpci_sysfs_read(char *text, size_t len, const char *format, ...);

/* The last part of what a link points to; -ENAMETOOLONG if @name is too small. */
__attribute__((format(printf, 3, 4)))
int usrpci_sysfs_link(char *name, size_t len, const char *format, ...);

/* All of @text by one write(2) to a file that exists. */
__attribute__((format(printf, 2, 3)))
int usrpci_sysfs_write(const char *text, const char *format, ...);

__attribute__((format(printf, 1, 2)))
bool usrpci_sysfs_exists(const char *format, ...);

#endif /* LIB_SYSFS_H */
