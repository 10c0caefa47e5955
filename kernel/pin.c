// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mapping.h"
#include "pin.h"

/* So many that a chunk and what the slab adds to it are a page. */
#define USRPCI_CHUNK_ENTRIES	127U

/**
 * struct usrpci_chunk - A part of a scatterlist.
 * @next: the one made before
 * @nr: entries that it has room for, a link to the next chunk included
 * @sg: they
 */
struct usrpci_chunk {
	struct usrpci_chunk *next;
	unsigned int nr;
	struct scatterlist sg[];
};

#define USRPCI_CHUNK_SIZE	offsetof(struct usrpci_chunk, sg[USRPCI_CHUNK_ENTRIES])
#define USRPCI_PIN_BATCH	(USRPCI_CHUNK_SIZE / sizeof(struct page *))

/* Pages whose addresses fit on the stack. */
#define USRPCI_PIN_FEW		32

/* Chunks that are full size, and, while pages are pinned, room for their addresses. */
static struct kmem_cache *usrpci_chunks;

/**
 * struct usrpci_pin_walk - How far pinning has come.
 * @pages: room for @batch pages
 * @batch: pages to pin at once
 * @addr: of the next page
 * @pages_left: to be pinned, or to be put into the scatterlist
 * @max_segment: longest scatterlist entry
 * @sg: the last entry, or NULL
 * @room: entries that are free behind it
 * @pfn: of the page that would follow it
 */
struct usrpci_pin_walk {
	struct page **pages;
	unsigned long batch;
	unsigned long addr;
	unsigned long pages_left;
	unsigned int max_segment;
	struct scatterlist *sg;
	unsigned int room;
	unsigned long pfn;
};

/* Nothing is to be made, but what has a constructor isn't zeroed at each allocation. */
static void usrpci_chunk_init(void *chunk)
{
}

int usrpci_pin_init(void)
{
	usrpci_chunks = kmem_cache_create("usrpci_chunk", USRPCI_CHUNK_SIZE, 0,
					  SLAB_ACCOUNT, usrpci_chunk_init);
	return usrpci_chunks ? 0 : -ENOMEM;
}

void usrpci_pin_exit(void)
{
	kmem_cache_destroy(usrpci_chunks);
}

/* For up to @nr entries, one more if they all fit. */
static struct usrpci_chunk *usrpci_chunk_alloc(unsigned long nr)
{
	struct usrpci_chunk *chunk;

	if (nr < USRPCI_CHUNK_ENTRIES) {
		chunk = kmalloc(struct_size(chunk, sg, nr), GFP_KERNEL_ACCOUNT);
	} else {
		chunk = kmem_cache_alloc(usrpci_chunks, GFP_KERNEL);
		nr = USRPCI_CHUNK_ENTRIES;
	}
	if (chunk)
		chunk->nr = nr;
	return chunk;
}

static void usrpci_chunk_free(struct usrpci_chunk *chunk)
{
	if (chunk->nr < USRPCI_CHUNK_ENTRIES)
		kfree(chunk);
	else
		kmem_cache_free(usrpci_chunks, chunk);
}

/* Room for the next entry in a chunk of its own; the one before has room for a link. */
static struct scatterlist *usrpci_pin_extend(struct usrpci_pinned *pins,
					     struct usrpci_pin_walk *walk)
{
	struct usrpci_chunk *chunk = usrpci_chunk_alloc(walk->pages_left);

	if (!chunk)
		return NULL;
	chunk->next = pins->chunks;
	pins->chunks = chunk;
	/* All that is left fits, or the last is for a link. */
	walk->room = chunk->nr - (walk->pages_left > chunk->nr) - 1;
	sg_chain(walk->sg, 2, chunk->sg);
	return chunk->sg;
}

/* An entry for what begins with @page. */
static int usrpci_pin_begin(struct usrpci_pinned *pins, struct usrpci_pin_walk *walk,
			    struct page *page, unsigned int len, unsigned int offset)
{
	struct scatterlist *sg = pins->first;

	if (walk->room) {
		walk->room--;
		sg = walk->sg + 1;
	} else if (walk->sg) {
		sg = usrpci_pin_extend(pins, walk);
	}
	if (!sg)
		return -ENOMEM;
	*sg = (struct scatterlist){};
	sg_set_page(sg, page, len, offset);
	walk->sg = sg;
	pins->sgt.orig_nents++;
	return 0;
}

/* Of @nr pages from @pfn on, how many become part of the last entry. */
static unsigned long usrpci_pin_join(struct usrpci_pin_walk *walk, unsigned long pfn,
				     unsigned long nr)
{
	unsigned int len;

	if (!walk->sg || pfn != walk->pfn)
		return 0;
	len = walk->sg->offset + walk->sg->length;
	if (len >= walk->max_segment)
		return 0;
	nr = min_t(unsigned long, nr, (walk->max_segment - len) >> PAGE_SHIFT);
	walk->sg->length += nr << PAGE_SHIFT;
	return nr;
}

/* @nr pages that lie side by side. Whole, since the next ones may be joined to them. */
static int usrpci_pin_append(struct usrpci_pinned *pins, struct usrpci_pin_walk *walk,
			     unsigned long pfn, unsigned long nr)
{
	unsigned long n = usrpci_pin_join(walk, pfn, nr);
	unsigned int offset;
	int err;

	for (;;) {
		walk->addr += n << PAGE_SHIFT;
		walk->pages_left -= n;
		pfn += n;
		nr -= n;
		walk->pfn = pfn;
		if (!nr)
			return 0;
		offset = offset_in_page(walk->addr);
		n = min_t(unsigned long, nr, walk->max_segment >> PAGE_SHIFT);
		err = usrpci_pin_begin(pins, walk, pfn_to_page(pfn),
				       (n << PAGE_SHIFT) - offset, offset);
		if (err)
			return err;
		walk->addr -= offset;
	}
}

/* How many of @nr pages, from the first, lie side by side. */
static unsigned long usrpci_pin_adjacent(struct page **pages, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(pages[0]), n = 1;

	while (n < nr && page_to_pfn(pages[n]) == pfn + n)
		n++;
	return n;
}

static int usrpci_pin_step(struct usrpci_mapping *m, struct usrpci_pin_walk *walk)
{
	unsigned long i, run;
	int err;
	long n;

	n = usrpci_pin(walk->addr & PAGE_MASK, min(walk->pages_left, walk->batch),
		       m->dir == DMA_TO_DEVICE, walk->pages);
	if (n <= 0)
		return n ?: -EFAULT;
	for (i = 0; i < n; i += run) {
		unsigned long left = walk->pages_left;

		run = usrpci_pin_adjacent(walk->pages + i, n - i);
		err = usrpci_pin_append(&m->pins, walk, page_to_pfn(walk->pages[i]), run);
		if (err) {
			i += left - walk->pages_left;
			unpin_user_pages(walk->pages + i, n - i);
			return err;
		}
	}
	return 0;
}

/*
 * How much would be joined wasn't known when the last chunk was made. A GiB in huge pages
 * has five chunks, with the last one almost empty.
 */
static void usrpci_pin_trim(struct usrpci_pinned *pins, struct usrpci_pin_walk *walk)
{
	struct usrpci_chunk *chunk = pins->chunks, *less;
	struct scatterlist *link;
	unsigned int used;

	if (!chunk || chunk->nr < USRPCI_CHUNK_ENTRIES)
		return;
	used = walk->sg + 1 - chunk->sg;
	if (used > USRPCI_CHUNK_ENTRIES / 2)
		return;
	/* If there is none it stays as it is. */
	less = usrpci_chunk_alloc(used);
	if (!less)
		return;
	memcpy(less->sg, chunk->sg, used * sizeof(*less->sg));
	less->next = chunk->next;
	link = less->next ? &less->next->sg[less->next->nr - 1] : &pins->first[1];
	sg_chain(link, 1, less->sg);
	pins->chunks = less;
	walk->sg = &less->sg[used - 1];
	usrpci_chunk_free(chunk);
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
	usrpci_pin_trim(&m->pins, walk);
	walk->sg->length -= m->nr_pages * PAGE_SIZE - offset_in_page(m->addr) - m->len;
	return 0;
}

int usrpci_pin_mapping(struct usrpci_mapping *m, unsigned int max_segment)
{
	struct page *few[USRPCI_PIN_FEW] __uninitialized;
	struct usrpci_pin_walk walk = {
		.pages = few,
		.batch = ARRAY_SIZE(few),
		.addr = m->addr,
		.pages_left = m->nr_pages,
		.max_segment = max_segment,
	};
	int err;

	m->pins.sgt.sgl = m->pins.first;
	if (m->nr_pages > walk.batch) {
		walk.pages = kmem_cache_alloc(usrpci_chunks, GFP_KERNEL);
		if (!walk.pages)
			return -ENOMEM;
		walk.batch = USRPCI_PIN_BATCH;
	}
	err = usrpci_pin_walk(m, &walk);
	if (walk.pages != few)
		kmem_cache_free(usrpci_chunks, walk.pages);
	if (walk.sg)
		sg_mark_end(walk.sg);
	return err;
}

void usrpci_unpin_mapping(struct usrpci_mapping *m, bool dirty)
{
	struct scatterlist *sg;
	unsigned int i;

	usrpci_for_each_sg(&m->pins, sg, i) {
		unpin_user_page_range_dirty_lock(sg_page(sg),
						 PFN_UP(sg->offset + sg->length), dirty);
		cond_resched();
	}
}

void usrpci_pinned_free(struct usrpci_pinned *pins)
{
	struct usrpci_chunk *chunk;

	while ((chunk = pins->chunks)) {
		pins->chunks = chunk->next;
		usrpci_chunk_free(chunk);
	}
}
