// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <usrpci.h>
#include "function.h"
#include "group.h"
#include "sysfs.h"

#define SYS_GROUP	USRPCI_SYS_FUNCTION "/iommu_group"

int usrpci_group_number(const char *root, const char *bdf)
{
	char name[16];
	int ret = usrpci_sysfs_link(name, sizeof(name), SYS_GROUP, root, bdf);

	return ret ? ret : atoi(name);
}

int usrpci_group_type(const char *root, const char *bdf, char *type)
{
	return usrpci_sysfs_read(type, USRPCI_TYPE_LEN, SYS_GROUP "/type", root, bdf);
}

static bool is_bridge(const char *root, const char *name)
{
	char class[16];

	/* To PCI, and to CardBus. What has no class is no PCI function, but may do DMA. */
	return !usrpci_sysfs_read(class, sizeof(class), USRPCI_SYS_FUNCTION "/class", root, name) &&
	       (!strncmp(class, "0x0604", 6) || !strncmp(class, "0x0607", 6));
}

static void add_name(const char *root, const char *name, char *names, size_t len)
{
	char driver[USRPCI_DRIVER_LEN] = "";
	size_t used = strlen(names);

	usrpci_function_driver(root, name, driver, sizeof(driver));
	snprintf(names + used, len - used, "%s%s (%s)", used ? ", " : "", name,
		 *driver ? driver : "no driver");
}

/* As VFIO wants the others: with it, or with nobody who could use them. */
static bool is_idle(const char *root, const char *name)
{
	static const char *const idle[] = { "", USRPCI_VFIO_DRIVER, "pci-stub" };
	char driver[USRPCI_DRIVER_LEN] = "";
	unsigned int i;

	usrpci_function_driver(root, name, driver, sizeof(driver));
	for (i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		if (!strcmp(driver, idle[i]))
			return true;
	}
	return false;
}

static int list_others(const char *root, const char *bdf, bool and_idle, char *names, size_t len)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	*names = '\0';
	snprintf(path, sizeof(path), SYS_GROUP "/devices", root, bdf);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, bdf) ||
		    is_bridge(root, entry->d_name) ||
		    (!and_idle && is_idle(root, entry->d_name)))
			continue;
		add_name(root, entry->d_name, names, len);
		nr++;
	}
	closedir(dir);
	return nr;
}

int usrpci_group_others(const char *root, const char *bdf, char *names, size_t len)
{
	return list_others(root, bdf, true, names, len);
}

int usrpci_group_busy(const char *root, const char *bdf, char *names, size_t len)
{
	return list_others(root, bdf, false, names, len);
}

int usrpci_group_isolation(const char *root, const char *bdf)
{
	char type[USRPCI_TYPE_LEN], names[2];
	int ret = usrpci_group_number(root, bdf);

	if (ret == -ENOENT)
		return USRPCI_NO_ISOLATION;
	if (ret >= 0)
		ret = usrpci_group_others(root, bdf, names, sizeof(names));
	if (ret > 0)
		return USRPCI_NO_ISOLATION;
	if (!ret)
		ret = usrpci_group_type(root, bdf, type);
	if (ret)
		return ret;
	if (!strcmp(type, USRPCI_TYPE_STRICT))
		return USRPCI_STRICT;
	return strcmp(type, "DMA-FQ") ? USRPCI_PASSTHROUGH : USRPCI_LAZY;
}

int usrpci_group_set_type(const char *root, const char *bdf, const char *type)
{
	int ret = usrpci_sysfs_write(type, SYS_GROUP "/type", root, bdf);

	switch (ret) {
	case -EINVAL:	/* Linux 6.1: of more than one device; the IOMMU wants another type */
	case -EBUSY:	/* 6.1: a driver has the device */
	case -EPERM:	/* 6.5: a driver has one of the devices */
	case -ENOENT:
		return -EXDEV;
	default:
		return ret;
	}
}
