// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "disk.h"

enum status disk_open(struct nvme **nvmep, const struct options *options)
{
	struct nvme_options how = options->open;
	const char *address = options->address;
	char why[512], bdf[USRPCI_BDF_LEN];

	how.why = why;
	how.why_len = sizeof(why);
	switch (nvme_open(nvmep, address, &how)) {
	case 0:
		return STATUS_OK;
	case -ENOTSUP:
		return complain(STATUS_FAILED, "%s is no NVMe disk of a known kind, or has no such "
				"interrupt; run: %s", address,
				usrpci_parse_bdf(address, bdf) ? "usrpci-sim --list" :
								 "usrpci list");
	case -ETIMEDOUT:
	case -EIO:
		return complain(STATUS_FAILED, "%s doesn't become ready; run: usrpci info %s",
				address, address);
	default:
		return complain(STATUS_FAILED, "%s", why);
	}
}

enum status disk_complain(struct nvme *nvme, const char *what, int err)
{
	struct usrpci_info pci = { };
	char why[512];

	usrpci_info(nvme_device(nvme), &pci);
	switch (err) {
	case -EINVAL:
		return complain(STATUS_FAILED, "%s: past the end of the disk; run: "
				"usrpci-nvme identify %s", what, pci.bdf);
	case -EROFS:
		return complain(STATUS_FAILED, "%s: the disk is write-protected; run: "
				"usrpci-nvme identify %s", what, pci.bdf);
	default:
		usrpci_explain(nvme_device(nvme), err, why, sizeof(why));
		return complain(STATUS_FAILED, "%s: %s", what, why);
	}
}

uint64_t disk_size(const struct nvme *nvme)
{
	return nvme_info(nvme)->blocks * nvme_info(nvme)->block_size;
}

enum status disk_check_range(struct nvme *nvme, const struct options *options, uint64_t *length)
{
	uint64_t size = disk_size(nvme);

	*length = options->length;
	if (options->offset > size ||
	    (*length != UINT64_MAX && *length > size - options->offset))
		return disk_complain(nvme, "--offset and --length", -EINVAL);
	if (*length == UINT64_MAX)
		*length = size - options->offset;
	return STATUS_OK;
}
