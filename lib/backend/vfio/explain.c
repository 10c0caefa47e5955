// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "group.h"
#include "kvfio.h"
#include "sysfs.h"

static int explain_no_iommu(const char *bdf, char *buf, size_t len)
{
	return snprintf(buf, len, "VFIO needs an IOMMU, and there is none before %s, or it is off; "
			"usrpci's own module needs none; run: usrpci bind %s", bdf, bdf);
}

/* Whether one of this program's descriptors is of that file. */
static bool has_open(const char *root, const char *file)
{
	char path[PATH_MAX], name[300], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir = opendir("/proc/self/fd");

	snprintf(path, sizeof(path), "%s%s", root, file);
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

/**
 * struct files - What a program opens.
 * @group: the group's file
 * @own: the function's, empty without
 * @grouped: the group's is there
 */
struct files {
	char group[32];
	char own[USRPCI_KVFIO_FILE_LEN];
	bool grouped;
};

static void find_files(const char *root, const char *bdf, int group, struct files *files)
{
	snprintf(files->group, sizeof(files->group), "/dev/vfio/%d", group);
	if (usrpci_kvfio_name_file(root, bdf, files->own))
		*files->own = '\0';
	files->grouped = !*files->own || usrpci_sysfs_exists("%s%s", root, files->group);
}

static int explain_busy(const char *root, const char *bdf, int group, const struct files *files,
			char *buf, size_t len)
{
	if (has_open(root, files->group) || (*files->own && has_open(root, files->own)))
		return snprintf(buf, len, "this program has %s or another function of IOMMU group "
				"%d open already, and VFIO opens a group but once; close that, or, "
				"as root, run: usrpci bind %s", bdf, group, bdf);
	return snprintf(buf, len, "%s or another function of IOMMU group %d is open already; to "
			"see where, run: fuser -v %s%s/dev/vfio/devices/*", bdf, group,
			files->grouped ? files->group : "", files->grouped ? " " : "");
}

/* A group's container is open to all; /dev/iommu belongs to root, if nobody gave it away. */
static int explain_access(const char *root, const char *bdf, const struct files *files, char *buf,
			  size_t len)
{
	const char *shown = files->grouped ? files->group : files->own;
	char path[PATH_MAX], command[96];
	struct stat st;

	snprintf(command, sizeof(command), "usrpci bind --driver vfio-pci --group %u %s",
		 getegid(), bdf);
	snprintf(path, sizeof(path), "%s%s", root, shown);
	if (!files->grouped && !faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS)) {
		shown = "/dev/iommu";
		snprintf(command, sizeof(command), "chgrp %u %s && chmod g+rw %s", getegid(),
			 shown, shown);
		snprintf(path, sizeof(path), "%s%s", root, shown);
	}
	if (stat(path, &st))
		return 0;
	return snprintf(buf, len, "%s belongs to user %u and group %u, with mode %04o; as root, "
			"run: %s", shown, st.st_uid, st.st_gid, st.st_mode & 07777, command);
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

static int explain_permission(const char *bdf, const struct files *files, char *buf, size_t len)
{
	const char *file = files->grouped ? files->group : files->own;

	return snprintf(buf, len, "interrupts aren't remapped, so that %s could forge them, or a "
			"container's or service's device rules keep it from %s; boot with "
			"intremap=on, or run: docker run --device=%s --device=%s ...", bdf, file,
			files->grouped ? "/dev/vfio/vfio" : "/dev/iommu", file);
}

int usrpci_kvfio_explain_open(const char *root, const char *address, int err,
			      char *buf, size_t len)
{
	char bdf[USRPCI_BDF_LEN];
	struct files files;
	int group, ret;

	if (!usrpci_kvfio_serves(root, address) || usrpci_parse_bdf(address, bdf))
		return 0;
	group = usrpci_group_number(root, bdf);
	if (group < 0)
		return explain_no_iommu(bdf, buf, len);
	find_files(root, bdf, group, &files);
	/* A container gives EPERM, iommufd EBUSY. */
	ret = err == -EPERM || err == -EBUSY ? explain_siblings(root, bdf, group, buf, len) : 0;
	if (ret)
		return ret;
	switch (-err) {
	case EBUSY:
		return explain_busy(root, bdf, group, &files, buf, len);
	case EACCES:
		return explain_access(root, bdf, &files, buf, len);
	case EPERM:
		return explain_permission(bdf, &files, buf, len);
	case ENOENT:
	case ENXIO:
		return snprintf(buf, len, "%s is bound to vfio-pci, but %s isn't there (yet); "
				"run: udevadm settle", bdf,
				files.grouped ? files.group : files.own);
	case EPROTONOSUPPORT:
		return snprintf(buf, len, "the kernel's VFIO has no IOMMU driver of type 1, "
				"version 2; as root, run: modprobe vfio_iommu_type1");
	}
	return 0;
}
