// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "function.h"
#include "kernel.h"
#include "sysfs.h"

#define SYS_CLASS "%s/sys/class/usrpci/%s"
#define REQUIRE_STRICT "/sys/module/usrpci/parameters/require_strict"

static int explain_busy(const char *root, const char *bdf, char *buf, size_t len)
{
	char opener[64], *command = opener, *c;
	long pid = 0;

	if (!usrpci_sysfs_read(opener, sizeof(opener), SYS_CLASS "/opener", root, bdf))
		pid = strtol(opener, &command, 10);
	/* A process names itself: keep its control characters off terminals. */
	for (c = command; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	if (pid > 0)
		return snprintf(buf, len, "%s is open in process %ld (%s); to end that, "
				"run: kill %ld", bdf, pid, command + strspn(command, " "), pid);
	return snprintf(buf, len, "%s, or one of its BARs, is claimed, by none that can be seen "
			"from here; run: fuser -v /dev/usrpci/%s; grep -A1 %s /proc/iomem",
			bdf, bdf, bdf);
}

static int explain_access(const char *root, const char *bdf, char *buf, size_t len)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/dev/usrpci/%s", root, bdf);
	if (stat(path, &st))
		return 0;
	return snprintf(buf, len, "/dev/usrpci/%s belongs to user %u and group %u, with mode %04o; "
			"as root, run: usrpci bind --group %u %s", bdf, st.st_uid, st.st_gid,
			st.st_mode & 07777, getegid(), bdf);
}

/* Whether the module refuses whatever isn't strict, to root too. */
static bool requires_strict(const char *root)
{
	char value[8];

	return !usrpci_sysfs_read(value, sizeof(value), "%s" REQUIRE_STRICT, root) &&
	       !strcmp(value, "Y");
}

static int explain_permission(const char *root, const char *bdf, char *buf, size_t len)
{
	char isolation[32], program[PATH_MAX] = "PROGRAM";
	ssize_t got;

	if (usrpci_sysfs_read(isolation, sizeof(isolation), SYS_CLASS "/isolation", root, bdf))
		return 0;
	if (!strcmp(isolation, usrpci_isolation_name(USRPCI_STRICT)))
		return snprintf(buf, len, "a container's or service's device rules keep it from "
				"/dev/usrpci/%s, or its interrupts aren't remapped and it isn't root; "
				"boot with intremap=on, or run: docker run --device=/dev/usrpci/%s ...",
				bdf, bdf);
	if (requires_strict(root))
		return snprintf(buf, len, "isolation of %s is \"%s\", and the usrpci module's "
				"parameter require_strict forbids that, even to root; as root, run: "
				"usrpci bind --strict %s, or: echo N >" REQUIRE_STRICT,
				bdf, isolation, bdf);
	got = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (got > 0)
		program[got] = '\0';
	return snprintf(buf, len, "isolation of %s is \"%s\": the device can reach memory that it "
			"wasn't handed, so opening it needs CAP_SYS_RAWIO; run it as root, or put "
			"the device behind an IOMMU and boot with iommu.strict=1, or as root, run: "
			"setcap cap_sys_rawio+ep %s", bdf, isolation, program);
}

int usrpci_kernel_explain_open(const char *root, const char *address, int err,
			       char *buf, size_t len)
{
	char bdf[USRPCI_BDF_LEN];

	if (!usrpci_kernel_serves(root, address) || usrpci_parse_bdf(address, bdf))
		return 0;
	switch (-err) {
	case EBUSY:
		return explain_busy(root, bdf, buf, len);
	case EACCES:
		return explain_access(root, bdf, buf, len);
	case EPERM:
		return explain_permission(root, bdf, buf, len);
	case ENOENT:
	case ENXIO:
		return snprintf(buf, len, "%s is bound to usrpci, but /dev/usrpci/%s isn't there "
				"(yet); run: udevadm settle", bdf, bdf);
	case EIO:
		return snprintf(buf, len, "%s couldn't be reset, or its link failed and hasn't "
				"recovered; as root, run: echo 1 >/sys/bus/pci/devices/%s/remove; "
				"echo 1 >/sys/bus/pci/rescan; usrpci bind %s", bdf, bdf, bdf);
	case EPROTONOSUPPORT:
		return snprintf(buf, len, "the usrpci module is of another version than this "
				"program; as root, run: modprobe -r usrpci; modprobe usrpci");
	default:
		return 0;
	}
}
