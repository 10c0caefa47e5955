// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "explain.h"
#include "function.h"
#include "group.h"
#include "public.h"
#include "sysfs.h"

/* An address is somebody's text: keep it short and its control characters out. */
static void make_printable(char *text, size_t len, const char *address)
{
	snprintf(text, len, "%s", address ? address : "");
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static int explain_address(const char *address, char *buf, size_t len)
{
	char text[64];

	make_printable(text, sizeof(text), address);
	return snprintf(buf, len, "\"%s\" isn't the name of a PCI function, as 0000:00:04.0 is; "
			"run: lspci -D", text);
}

static int explain_refused(const char *root, const char *bdf, char *buf, size_t len)
{
	char class[16];

	if (!usrpci_sysfs_exists(USRPCI_SYS_DRIVER, root, USRPCI_DRIVER))
		return snprintf(buf, len, "the usrpci module isn't loaded; run: modprobe usrpci");
	if (!usrpci_sysfs_read(class, sizeof(class), USRPCI_SYS_FUNCTION "/class", root, bdf) &&
	    !strncmp(class, "0x0604", 6))
		return snprintf(buf, len, "%s is a bridge, which usrpci doesn't drive; for others, "
				"run: usrpci list", bdf);
	return snprintf(buf, len, "usrpci can't take %s; run: dmesg | grep %s", bdf, bdf);
}

/* Why usrpci_bind_strict() can't make it strict, as things stand now. */
static int explain_strict(const char *root, const char *bdf, char *buf, size_t len)
{
	char others[256], type[USRPCI_TYPE_LEN];
	int group = usrpci_group_number(root, bdf);

	if (group < 0)
		return snprintf(buf, len, "%s can't be isolated: there is no IOMMU before it, or "
				"it is off; turn it on in the firmware's setup, and boot with "
				"intel_iommu=on", bdf);
	if (usrpci_group_others(root, bdf, others, sizeof(others)) > 0)
		return snprintf(buf, len, "%s can't be isolated: it shares IOMMU group %d with %s; "
				"put it into another slot, or as root, for each of the others, "
				"run: echo 1 >/sys/bus/pci/devices/DDDD:BB:DD.F/remove",
				bdf, group, others);
	usrpci_group_type(root, bdf, type);
	return snprintf(buf, len, "%s can't be isolated strictly: the kernel keeps its IOMMU group "
			"%d at %s; boot with iommu.passthrough=0 iommu.strict=1", bdf, group, type);
}

/* What goes wrong with a function that isn't usrpci's, or not for that. */
static int explain_other(const char *root, const char *bdf, const char *driver, int err,
			 char *buf, size_t len)
{
	switch (err) {
	case -ENXIO:
		return snprintf(buf, len, "%s is bound to %s; run: usrpci bind %s", bdf,
				*driver ? driver : "no driver", bdf);
	case -ENODEV:
		return explain_refused(root, bdf, buf, len);
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return snprintf(buf, len, "%s can't be taken from %s without the right to write to "
				"/sys and /run; as root, run: usrpci bind %s", bdf,
				*driver ? driver : "no driver", bdf);
	case -EBUSY:
		return snprintf(buf, len, "%s is claimed by %s; run: usrpci bind %s", bdf,
				*driver ? driver : "another driver", bdf);
	case -EXDEV:
		return explain_strict(root, bdf, buf, len);
	case -EOPNOTSUPP:
		return snprintf(buf, len, "%s doesn't let %s go; as root, run: modprobe -r %s",
				*driver ? driver : "its driver", bdf, *driver ? driver : "DRIVER");
	}
	return usrpci_explain_errno(bdf, err, buf, len);
}

/* The same of one that vfio-pci was to get. */
static int explain_vfio(const char *root, const char *bdf, const char *driver, int err,
			char *buf, size_t len)
{
	switch (err) {
	case -EXDEV:
		return snprintf(buf, len, "vfio-pci needs an IOMMU, and there is none before %s, "
				"or it is off; usrpci's own module needs none; run: usrpci bind %s",
				bdf, bdf);
	case -ENODEV:
		if (!usrpci_sysfs_exists(USRPCI_SYS_DRIVER, root, USRPCI_VFIO_DRIVER))
			return snprintf(buf, len, "the module vfio-pci isn't loaded; run: "
					"modprobe vfio-pci");
		return snprintf(buf, len, "vfio-pci can't take %s; run: dmesg | grep %s", bdf, bdf);
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return snprintf(buf, len, "%s can't be taken from %s without the right to write to "
				"/sys and /run; as root, run: usrpci bind --driver vfio-pci %s",
				bdf, *driver ? driver : "no driver", bdf);
	}
	return explain_other(root, bdf, driver, err, buf, len);
}

int usrpci_explain_bind_from(const struct usrpci_backend *const *backends, const char *root,
			     const char *address, const char *to, int err, char *buf, size_t len)
{
	char driver[USRPCI_DRIVER_LEN], bdf[USRPCI_BDF_LEN], text[64];

	if (!to || (strcmp(to, USRPCI_DRIVER) && strcmp(to, USRPCI_VFIO_DRIVER))) {
		make_printable(text, sizeof(text), to);
		return snprintf(buf, len, "\"%s\" is no driver that functions are given to; run: "
				"usrpci help bind", text);
	}
	/* Backends know of those that are theirs already. */
	if (usrpci_parse_bdf(address, bdf) ||
	    usrpci_function_driver(root, bdf, driver, sizeof(driver)) || !strcmp(driver, to))
		return usrpci_explain_open_from(backends, root, address, err, buf, len);
	if (strcmp(to, USRPCI_DRIVER))
		return explain_vfio(root, bdf, driver, err, buf, len);
	return explain_other(root, bdf, driver, err, buf, len);
}

USRPCI_PUBLIC int usrpci_explain_bind(const char *address, const char *driver, int err, char *buf,
				      size_t len)
{
	return usrpci_explain_bind_from(usrpci_backends, "", address, driver, err, buf, len);
}

int usrpci_explain_open_from(const struct usrpci_backend *const *backends, const char *root,
			     const char *address, int err, char *buf, size_t len)
{
	char driver[USRPCI_DRIVER_LEN], bdf[USRPCI_BDF_LEN];
	int ret;

	for (; address && *backends; backends++) {
		if (!(*backends)->explain_open)
			continue;
		ret = (*backends)->explain_open(root, address, err, buf, len);
		if (ret)
			return ret;
	}
	if (usrpci_parse_bdf(address, bdf))
		return explain_address(address, buf, len);
	ret = usrpci_function_driver(root, bdf, driver, sizeof(driver));
	if (ret == -ENOENT)
		return snprintf(buf, len, "there is no PCI function %s; run: lspci -D", bdf);
	if (ret)
		return usrpci_explain_errno(bdf, err, buf, len);
	return explain_other(root, bdf, driver, err, buf, len);
}

USRPCI_PUBLIC int usrpci_explain_open(const char *address, int err, char *buf, size_t len)
{
	return usrpci_explain_open_from(usrpci_backends, "", address, err, buf, len);
}
