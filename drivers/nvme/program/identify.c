// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <inttypes.h>
#include <stdio.h>
#include "commands.h"
#include "disk.h"
#include "irq.h"
#include "json.h"

static void print_json(const struct nvme_info *info, const struct usrpci_info *pci,
		       const char *version)
{
	struct json_object *json = json_object_new_object();

	json_add_text(json, "device", pci->bdf);
	json_add_text(json, "model", info->model);
	json_add_text(json, "serial", info->serial);
	json_add_text(json, "firmware", info->firmware);
	json_add_text(json, "version", version);
	json_add_number(json, "namespace", info->nsid);
	json_add_number(json, "block_size", info->block_size);
	json_add_number(json, "blocks", info->blocks);
	json_add_number(json, "bytes", info->blocks * info->block_size);
	json_add_number(json, "mdts", info->mdts);
	json_add_number(json, "max_transfer", info->max_transfer);
	json_add_number(json, "depth", info->depth);
	json_add_text(json, "irq", irq_name(info->irq));
	json_add_text(json, "isolation", usrpci_isolation_name(pci->isolation));
	json_print(json);
}

static void print_text(const struct nvme_info *info, const struct usrpci_info *pci,
		       const char *version)
{
	printf("disk        %s at %s\n", info->model, pci->bdf);
	printf("serial      %s\n", info->serial);
	printf("firmware    %s\n", info->firmware);
	printf("NVMe        %s\n", version);
	printf("namespace   %u: %" PRIu64 " blocks of %u bytes, %.1f MiB\n", info->nsid,
	       info->blocks, info->block_size,
	       (double)(info->blocks * info->block_size) / (1 << 20));
	printf("a command   up to %" PRIu64 " KiB, %u at once\n", info->max_transfer >> 10,
	       info->depth);
	printf("interrupts  %s\n", irq_name(info->irq));
	printf("isolation   %s\n", usrpci_isolation_name(pci->isolation));
}

static enum status run(struct nvme *nvme, const struct options *options)
{
	const struct nvme_info *info = nvme_info(nvme);
	struct usrpci_info pci;
	char version[24];
	int err;

	err = usrpci_info(nvme_device(nvme), &pci);
	if (err)
		return disk_complain(nvme, "identify", err);
	snprintf(version, sizeof(version), "%u.%u.%u", info->version >> 16,
		 info->version >> 8 & 0xff, info->version & 0xff);
	if (options->json)
		print_json(info, &pci, version);
	else
		print_text(info, &pci, version);
	return STATUS_OK;
}

const struct subcommand identify_command = {
	.name = "identify",
	.takes = "dipj",
	.run = run,
};
