// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What is done with an NVMe disk when the kill comes: many reads are under way. */
#include <stdlib.h>
#include <nvme/nvme.h>

#include "campaign.h"
#include "function.h"
#include "life.h"
#include "memory.h"

#define DEPTH		32
#define PAGES		64
#define REMAP_PAGES	8

struct reader {
	struct life *l;
	struct nvme *nvme;
	struct usrpci_mapping map;
};

static void submit(struct reader *r, const struct usrpci_mapping *map, unsigned int page,
		   unsigned int pages)
{
	uint32_t blocks = PAGE / nvme_info(r->nvme)->block_size;
	const struct nvme_command command = {
		.op = NVME_READ,
		.lba = random_below(&r->l->random, 256) * blocks,
		.blocks = pages * blocks,
		.map = map,
		.offset = page * PAGE,
		.cookie = page,
	};
	int err = nvme_submit(nvme_queue(r->nvme, 0), &command);

	if (err)
		life_fails("submit", err);
	life_moves(r->l);
}

static struct usrpci_mapping map_pages(struct reader *r, unsigned int nr)
{
	struct usrpci_mapping map = {
		.addr = pages_new(nr, 1), .len = nr * PAGE, .direction = USRPCI_DMA_FROM_DEVICE,
		.nr_sg = usrpci_sg_room(nr * PAGE),
	};
	int err;

	map.sg = calloc(map.nr_sg, sizeof(*map.sg));
	err = usrpci_map(nvme_device(r->nvme), &map, 1);
	if (err)
		life_fails("map", err);
	return map;
}

static void unmap_pages(struct reader *r, struct usrpci_mapping *map)
{
	int err = usrpci_unmap(nvme_device(r->nvme), &map->handle, 1);

	if (err)
		life_fails("unmap", err);
	pages_free(map->addr, map->len / PAGE);
	free(map->sg);
}

static struct reader open_disk(struct life *l, enum nvme_irq irq)
{
	struct nvme_options options = { .depth = DEPTH, .irq = irq };
	struct reader r = { .l = l };
	int err = nvme_open(&r.nvme, l->bdf, &options);

	if (err)
		life_fails("nvme_open", err);
	r.map = map_pages(&r, PAGES);
	life_note(l, 0, r.map.addr, PAGES);
	return r;
}

static unsigned int take(struct reader *r, struct nvme_completion *done)
{
	int i, got = nvme_wait(nvme_queue(r->nvme, 0), done, DEPTH, 5000);

	if (got < 0)
		life_fails("wait", got);
	for (i = 0; i < got; i++)
		if (done[i].error)
			life_fails("read", done[i].error);
	r->l->box->landed += got;
	return got;
}

static void read_forever(struct life *l, enum nvme_irq irq)
{
	struct reader r = open_disk(l, irq);
	struct nvme_completion done[DEPTH];
	unsigned int i, got;

	for (i = 0; i < DEPTH; i++)
		submit(&r, &r.map, 2 * i, 2);
	for (;;) {
		got = take(&r, done);
		for (i = 0; i < got; i++)
			submit(&r, &r.map, done[i].cookie, 1 + random_below(&l->random, 2));
		life_turns(l);
	}
}

void nvme_reads(struct life *l)
{
	read_forever(l, NVME_POLLED);
}

void nvme_interrupts(struct life *l)
{
	read_forever(l, NVME_MSIX);
}

/* Memory is mapped, read into and unmapped while the disk reads into other memory. */
void nvme_remaps(struct life *l)
{
	struct reader r = open_disk(l, NVME_POLLED);
	struct nvme_completion done[DEPTH];
	struct usrpci_mapping brief;
	unsigned int i, left;

	for (;;) {
		brief = map_pages(&r, REMAP_PAGES);
		life_note(l, PAGES, brief.addr, REMAP_PAGES);
		for (i = 0; i < REMAP_PAGES; i++)
			submit(&r, &brief, i, 1);
		for (i = 0; i < DEPTH - REMAP_PAGES; i++)
			submit(&r, &r.map, 2 * i, 2);
		for (left = DEPTH; left; )
			left -= take(&r, done);
		unmap_pages(&r, &brief);
		life_turns(l);
	}
}
