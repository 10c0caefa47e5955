/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_GROUP_H
#define LIB_GROUP_H

#include <stddef.h>

#define USRPCI_TYPE_LEN		32	/* bytes that hold any type of a group */
#define USRPCI_TYPE_STRICT	"DMA"

/*
 * The IOMMU group of a function: all functions that its IOMMU can't tell from it.
 * Its type says how memory is translated for them; Documentation/ABI/testing/
 * sysfs-kernel-iommu_groups in the kernel's source.
 */

/* Return: the group's number, or -ENOENT without an IOMMU. */
int usrpci_group_number(const char *root, const char *bdf);

/* Return: 0; -ENOENT without an IOMMU; other negative errno. */
int usrpci_group_type(const char *root, const char *bdf, char *type);

/*
 * Others than @bdf that do DMA, as "0000:00:05.1 (nvme), 0000:00:05.2 (no driver)";
 * bridges don't. Return: how many, or a negative errno.
 */
int usrpci_group_others(const char *root, const char *bdf, char *names, size_t len);

/* Those of them that another driver than VFIO has. */
int usrpci_group_busy(const char *root, const char *bdf, char *names, size_t len);

/* Return: enum usrpci_isolation, or a negative errno. */
int usrpci_group_isolation(const char *root, const char *bdf);

/*
 * No driver may have the function. Return: 0; -EXDEV if the kernel doesn't change
 * this group; -EACCES not allowed; other negative errno.
 */
int usrpci_group_set_type(const char *root, const char *bdf, const char *type);

#endif /* LIB_GROUP_H */
