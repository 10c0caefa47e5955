// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "group.h"
#include "kvfio.h"

static int explain_no_iommu(const char *bdf, char *buf, size_t len)
{
	return snprintf(buf, len, "VFIO needs an IOMMU, and there is none before %s, or it is off; "
			"usrpci's own module needs none; run: usrpci bind %s", bdf, bdf);
}

/* Whether one of this program's descriptors is of the file at @path. */
static bool has_open(const char *path)
{
	char name[300], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir = opendir("/proc/self/fd");

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "/proc/self/fd/%s", entry->d_name);
		len = readlink(name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		found = !strcmp(target, path);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int explain_busy(const char *bdf, int group, const char *path, char *buf, size_t len)
{
	if (has_open(path))
		return snprintf(buf, len, "this program has %s or another function of IOMMU group "
				"%d open already, and VFIO opens a group but once; close that, or, "
				"as root, run: usrpci bind %s", bdf, group, bdf);
	return snprintf(buf, len, "%s or another function of IOMMU group %d is open already; to "
			"see where, run: fuser -v /dev/vfio/%d /dev/vfio/devices/*",
			bdf, group, group);
}

static int explain_access(const char *bdf, const char *path, const char *shown, char *buf,
			  size_t len)
{
	struct stat st;

	if (stat(path, &st))
		return 0;
	return snprintf(buf, len, "%s belongs to user %u and group %u, with mode %04o; as root, "
			"run: usrpci bind --driver vfio-pci --group %u %s", shown, st.st_uid,
			st.st_gid, st.st_mode & 07777, getegid(), bdf);
}

/* 0 unless it's that. */
static int explain_siblings(const char *root, const char *bdf, int group, char *buf, size_t len)
{
	char others[256];

	if (usrpci_group_busy(root, bdf, others, sizeof(others)) <= 0)
		return 0;
	return snprintf(buf, len, "VFIO opens IOMMU group %d with %s only if no other driver has a "
			"part of it, but there is %s; as root, for each of them, run: usrpci bind "
			"--driver vfio-pci DDDD:BB:DD.F", group, bdf, others);
}

static int explain_permission(const char *bdf, int group, char *buf, size_t len)
{
	return snprintf(buf, len, "interrupts aren't remapped, so that %s could forge them, or a "
			"container's or service's device rules keep it from /dev/vfio/%d; boot "
			"with intremap=on, or run: docker run --device=/dev/vfio/vfio "
			"--device=/dev/vfio/%d ...", bdf, group, group);
}

int usrpci_kvfio_explain_open(const char *root, const char *address, int err,
			      char *buf, size_t len)
{
	char bdf[USRPCI_BDF_LEN], path[PATH_MAX];
	const char *shown = path + strlen(root);
	int group, ret;

	if (!usrpci_kvfio_serves(root, address) || usrpci_parse_bdf(address, bdf))
		return 0;
	group = usrpci_group_number(root, bdf);
	if (group < 0)
		return explain_no_iommu(bdf, buf, len);
	snprintf(path, sizeof(path), "%s/dev/vfio/%d", root, group);
	/* A container gives EPERM, iommufd EBUSY. */
	ret = err == -EPERM || err == -EBUSY ? explain_siblings(root, bdf, group, buf, len) : 0;
	if (ret)
		return ret;
	switch (-err) {
	case EBUSY:
		return explain_busy(bdf, group, path, buf, len);
	case EACCES:
		return explain_access(bdf, path, shown, buf, len);
	case EPERM:
		return explain_permission(bdf, group, buf, len);
	case ENOENT:
	case ENXIO:
		return snprintf(buf, len, "%s is bound to vfio-pci, but %s isn't there (yet); "
				"run: udevadm settle", bdf, shown);
	case EPROTONOSUPPORT:
		return snprintf(buf, len, "the kernel's VFIO has no IOMMU driver of type 1, "
				"version 2; as root, run: modprobe vfio_iommu_type1");
	}
	return 0;
}
