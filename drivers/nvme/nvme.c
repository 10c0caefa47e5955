// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "internal.h"

#define DEFAULT_DEPTH	64U
#define MAX_ENTRIES	1024U

static int check_class(struct nvme *nvme)
{
	struct usrpci_info info;
	int err;

	err = usrpci_info(nvme->dev, &info);
	if (err)
		return err;
	return info.class_code == NVME_PCI_CLASS ? 0 : -ENOTSUP;
}

/* The MSI-X table lies in the same BAR and may be left out of what can be mapped. */
static int map_registers(struct nvme *nvme)
{
	int err = usrpci_regs_open(nvme->dev, 0, 0, 0, &nvme->regs);

	if (err)
		return err;
	return nvme->regs.len > NVME_DOORBELLS ? 0 : -ENOTSUP;
}

static int set_up_controller(struct nvme *nvme)
{
	int err;

	err = check_class(nvme);
	if (!err)
		err = map_registers(nvme);
	if (!err)
		err = usrpci_set_dma_mask(nvme->dev, UINT64_MAX, UINT64_MAX);
	if (!err)
		err = nvme_reset(nvme);
	if (!err)
		err = usrpci_set_master(nvme->dev, true);
	return err ? err : nvme_enable(nvme);
}

/* CAP.MQES counts from 0: NVMe base 2.0 §3.1.3.1. */
static unsigned int queue_entries(const struct nvme *nvme, unsigned int depth)
{
	unsigned int entries = (depth ? depth : DEFAULT_DEPTH) + 1;
	unsigned int most = NVME_CAP_MQES(nvme->cap) + 1;

	if (entries > MAX_ENTRIES)
		entries = MAX_ENTRIES;
	return entries < most ? entries : most;
}

/* What a command can move: the least of MDTS, its PRP list, and its field of 16 bits. */
static int set_up_queue(struct nvme *nvme, unsigned int depth)
{
	uint64_t most = (uint64_t)NVME_MAX_BLOCKS << nvme->shift;
	int err;

	if (nvme->info.mdts && nvme->info.mdts < most)
		most = nvme->info.mdts;
	err = nvme_queue_alloc(nvme, &nvme->io, 1, queue_entries(nvme, depth));
	if (!err)
		err = nvme_queue_add_lists(nvme, &nvme->io, most);
	if (err)
		return err;
	if (nvme_prp_reach(nvme->io.list_len) < most)
		most = nvme_prp_reach(nvme->io.list_len);
	nvme->info.depth = nvme->io.depth;
	nvme->info.max_transfer = most >> nvme->shift << nvme->shift;
	return nvme->info.max_transfer ? 0 : -ENOTSUP;
}

static int set_up(struct nvme *nvme, const struct nvme_options *options)
{
	int err;

	err = set_up_controller(nvme);
	if (!err)
		err = nvme_identify(nvme, options->nsid);
	if (!err)
		err = nvme_setup_irq(nvme, options->irq);
	if (!err)
		err = set_up_queue(nvme, options->depth);
	if (!err)
		err = nvme_create_io_queues(nvme);
	return err ? err : nvme_bounce_alloc(nvme);
}

/* The device, if it was opened, knows more than its address. */
static void explain(struct usrpci_device *dev, const char *address, int err,
		    const struct nvme_options *options)
{
	if (!options->why)
		return;
	if (dev)
		usrpci_explain(dev, err, options->why, options->why_len);
	else
		usrpci_explain_open(address, err, options->why, options->why_len);
}

int nvme_open(struct nvme **nvmep, const char *address, const struct nvme_options *options)
{
	static const struct nvme_options defaults;
	struct nvme *nvme;
	int err;

	if (!options)
		options = &defaults;
	nvme = calloc(1, sizeof(*nvme));
	if (!nvme) {
		explain(NULL, address, -ENOMEM, options);
		return -ENOMEM;
	}
	nvme->eventfd = -1;
	err = usrpci_open(&nvme->dev, address);
	if (!err)
		err = set_up(nvme, options);
	if (err) {
		/* Before closing makes calls that can fail too. */
		explain(nvme->dev, address, err, options);
		nvme_close(nvme);
		return err == -EOPNOTSUPP ? -ENOTSUP : err;
	}
	*nvmep = nvme;
	return 0;
}

void nvme_close(struct nvme *nvme)
{
	if (!nvme)
		return;
	if (nvme->dev) {
		nvme_shutdown(nvme);
		nvme_queue_free(nvme, &nvme->io);
		nvme_queue_free(nvme, &nvme->admin);
		if (nvme->bounce.addr)
			usrpci_coherent_free(nvme->dev, &nvme->bounce);
		usrpci_close(nvme->dev);
	}
	if (nvme->eventfd >= 0)
		close(nvme->eventfd);
	free(nvme);
}

struct usrpci_device *nvme_device(struct nvme *nvme)
{
	return nvme->dev;
}

const struct nvme_info *nvme_info(const struct nvme *nvme)
{
	return &nvme->info;
}
