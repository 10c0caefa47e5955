// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "mapping.h"
#include "pin.h"

#define USRPCI_PIN_BATCH	(PAGE_SIZE / sizeof(struct page *))

/**
 * struct usrpci_pin_walk - How far pinning has come.
 * @pages: room for @batch pages
 * @batch: pages to pin at once
 * @addr: of the next page
 * @offset: of the region's first byte in the next page
 * @pages_left: to be pinned
 * @max_segment: longest scatterlist entry
 */
struct usrpci_pin_walk {
	struct page **pages;
	unsigned long batch;
	unsigned long addr;
	unsigned int offset;
	unsigned long pages_left;
	unsigned int max_segment;
};

static int usrpci_pin_step(struct usrpci_mapping *m, struct usrpci_pin_walk *walk)
{
	unsigned long nr = min(walk->pages_left, walk->batch);
	unsigned long size;
	int err;
	long n;

	n = usrpci_pin(walk->addr, nr, m->dir == DMA_TO_DEVICE, walk->pages);
	if (n <= 0)
		return n ?: -EFAULT;
	/* Whole pages, since the next ones may be joined to them. */
	size = n * PAGE_SIZE - walk->offset;
	err = sg_alloc_append_table_from_pages(&m->pins, walk->pages, n, walk->offset, size,
					       walk->max_segment,
					       min_t(u64, walk->pages_left - n, INT_MAX / 2),
					       GFP_KERNEL_ACCOUNT);
	if (err) {
		unpin_user_pages(walk->pages, n);
		return err;
	}
	walk->addr += n * PAGE_SIZE;
	walk->pages_left -= n;
	walk->offset = 0;
	return 0;
}

static int usrpci_pin_walk(struct usrpci_mapping *m, struct usrpci_pin_walk *walk)
{
	int err;

	while (walk->pages_left) {
		err = usrpci_pin_step(m, walk);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	m->pins.prv->length -= m->nr_pages * PAGE_SIZE - offset_in_page(m->addr) - m->len;
	return 0;
}

int usrpci_pin_mapping(struct usrpci_mapping *m, size_t max_segment)
{
	struct page *few[8];
	struct usrpci_pin_walk walk = {
		.pages = few,
		.batch = ARRAY_SIZE(few),
		.addr = m->addr & PAGE_MASK,
		.offset = offset_in_page(m->addr),
		.pages_left = m->nr_pages,
		.max_segment = min_t(size_t, max_segment, UINT_MAX) & PAGE_MASK,
	};
	int err;

	if (m->nr_pages > walk.batch) {
		walk.pages = (struct page **)__get_free_page(GFP_KERNEL);
		if (!walk.pages)
			return -ENOMEM;
		walk.batch = USRPCI_PIN_BATCH;
	}
	err = usrpci_pin_walk(m, &walk);
	if (walk.pages != few)
		free_page((unsigned long)walk.pages);
	if (err)
		usrpci_unpin_mapping(m, false);
	return err;
}

void usrpci_unpin_mapping(struct usrpci_mapping *m, bool dirty)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&m->pins.sgt, sg, i) {
		unpin_user_page_range_dirty_lock(sg_page(sg),
						 PFN_UP(sg->offset + sg->length), dirty);
		cond_resched();
	}
	sg_free_append_table(&m->pins);
	memset(&m->pins, 0, sizeof(m->pins));
}
