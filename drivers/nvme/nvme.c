// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "internal.h"

#define DEFAULT_DEPTH	64U
#define MAX_DEPTH	1024U
#define ADMIN_ENTRIES	32U
/* Few disks take more at once, and none is faster for it. */
#define MAX_TRANSFER	(4ULL << 20)

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
	if (!err)
		err = nvme_queue_alloc(nvme, &nvme->admin, 0, ADMIN_ENTRIES);
	if (!err)
		err = nvme_leave_orders(nvme);
	return err ? err : nvme_enable(nvme);
}

/* CAP.MQES counts from 0: NVMe base 2.0 §3.1.3.1. */
static unsigned int queue_entries(const struct nvme *nvme, unsigned int depth)
{
	unsigned int most = NVME_CAP_MQES(nvme->cap) + 1;
	unsigned int entries;

	if (!depth)
		depth = DEFAULT_DEPTH;
	entries = (depth < MAX_DEPTH ? depth : MAX_DEPTH) + 1;
	return entries < most ? entries : most;
}

/* As many as the controller gives, has doorbells for that can be reached, and can interrupt for. */
static int count_queues(struct nvme *nvme, const struct nvme_options *options, unsigned int *nr)
{
	const uint64_t pair = 8ULL << NVME_CAP_DSTRD(nvme->cap);
	const uint64_t doorbells = (nvme->regs.len - NVME_DOORBELLS) / pair;
	unsigned int given;
	int err;

	if (doorbells < 2)	/* the first are the admin queue's */
		return -ENOTSUP;
	*nr = options->queues ? options->queues : 1;
	if (*nr > doorbells - 1)
		*nr = (unsigned int)doorbells - 1;
	err = nvme_set_queues(nvme, *nr, &given);
	if (err)
		return err;
	if (*nr > given)
		*nr = given;
	return nvme_setup_irq(nvme, options->irq, nr);
}

/* What a command can move: the least of MDTS, its PRP list, and its field of 16 bits. */
static int limit_transfers(struct nvme *nvme, const struct nvme_queue *queue, uint64_t most)
{
	if (nvme_prp_reach(queue->list_len) < most)
		most = nvme_prp_reach(queue->list_len);
	nvme->info.depth = queue->depth;
	nvme->info.max_transfer = most >> nvme->shift << nvme->shift;
	return nvme->info.max_transfer ? 0 : -ENOTSUP;
}

static int set_up_queue(struct nvme *nvme, struct nvme_queue *queue, unsigned int depth)
{
	const unsigned int id = (unsigned int)(queue - nvme->queues) + 1;
	uint64_t most = nvme->info.max_zero < MAX_TRANSFER ? nvme->info.max_zero : MAX_TRANSFER;
	int err;

	err = nvme_queue_alloc(nvme, queue, id, queue_entries(nvme, depth));
	if (!err)
		err = nvme_queue_add_lists(queue, most);
	if (!err)
		err = limit_transfers(nvme, queue, most);
	if (!err)
		err = nvme_bounce_alloc(queue);
	if (!err)
		err = nvme_wire_irq(queue);
	return err ? err : nvme_create_queue(queue);
}

static int set_up_queues(struct nvme *nvme, const struct nvme_options *options)
{
	unsigned int nr, i;
	int err;

	err = count_queues(nvme, options, &nr);
	if (err)
		return err;
	nvme->queues = calloc(nr, sizeof(*nvme->queues));
	if (!nvme->queues)
		return -ENOMEM;
	/* Zeroes take no memory, but some controllers have the same limit for them. */
	nvme->info.max_zero = (uint64_t)NVME_MAX_BLOCKS << nvme->shift;
	if (nvme->info.mdts && nvme->info.mdts < nvme->info.max_zero)
		nvme->info.max_zero = nvme->info.mdts >> nvme->shift << nvme->shift;
	for (i = 0; i < nr && !err; i++) {
		nvme->info.queues++;
		err = set_up_queue(nvme, &nvme->queues[i], options->depth);
	}
	return err;
}

static int set_up(struct nvme *nvme, const struct nvme_options *options)
{
	int err;

	nvme->copy = options->copy;
	nvme->timeout_ms = options->timeout_ms ? options->timeout_ms : NVME_COMMAND_MS;
	if (nvme->timeout_ms < NVME_MIN_COMMAND_MS)
		nvme->timeout_ms = NVME_MIN_COMMAND_MS;
	err = set_up_controller(nvme);
	if (!err)
		err = nvme_identify(nvme, options->nsid);
	if (!err)
		err = nvme_set_shadow(nvme);
	return err ? err : set_up_queues(nvme, options);
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
	pthread_mutex_init(&nvme->lock, NULL);
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

static void free_queues(struct nvme *nvme)
{
	unsigned int i;

	for (i = 0; i < nvme->info.queues; i++) {
		if (nvme->queues[i].eventfd >= 0)
			close(nvme->queues[i].eventfd);
		nvme_queue_free(&nvme->queues[i]);
	}
	nvme_queue_free(&nvme->admin);
	if (nvme->shadow.addr)
		usrpci_coherent_free(nvme->dev, &nvme->shadow);
	free(nvme->queues);
}

void nvme_close(struct nvme *nvme)
{
	if (!nvme)
		return;
	if (nvme->dev) {
		nvme_shutdown(nvme);
		free_queues(nvme);
		usrpci_close(nvme->dev);
	}
	pthread_mutex_destroy(&nvme->lock);
	free(nvme);
}

struct nvme_queue *nvme_queue(struct nvme *nvme, unsigned int index)
{
	return index < nvme->info.queues ? &nvme->queues[index] : NULL;
}

struct usrpci_device *nvme_device(struct nvme *nvme)
{
	return nvme->dev;
}

const struct nvme_info *nvme_info(const struct nvme *nvme)
{
	return &nvme->info;
}
