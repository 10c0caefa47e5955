// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "internal.h"

/* From how many entries on it's cheaper to take back all that a space has. */
#define MANY	512U
/* Entries that are taken back, and mappings that are undone, at a time. */
#define BATCH	64U

/**
 * struct batch - Entries that are taken back together.
 * @slots: they
 * @nr: of them
 */
struct batch {
	struct usrpci_slot *slots[BATCH];
	unsigned int nr;
};

static struct usrpci_slot *to_slot(struct usrpci_iova *node)
{
	return node ? usrpci_container_of(node, struct usrpci_slot, node) : NULL;
}

static uint32_t index_of(const struct usrpci_pager *pager, const struct usrpci_slot *slot)
{
	return (uint32_t)(slot - pager->slots);
}

static uint64_t pages_of(const struct usrpci_slot *slot)
{
	return (slot->node.last - slot->node.first + 1) / USRPCI_SMALL_PAGE;
}

struct usrpci_slot *usrpci_slot_find(struct usrpci_pager_space *space, uint64_t addr)
{
	return to_slot(usrpci_iovas_find(&space->resident, addr));
}

/* --- the books --- */

static void add_newest(struct usrpci_pager_space *space, struct usrpci_slot *slot)
{
	slot->older = space->newest;
	slot->newer = NULL;
	if (slot->older)
		slot->older->newer = slot;
	else
		space->oldest = slot;
	space->newest = slot;
}

static void remove_aged(struct usrpci_pager_space *space, struct usrpci_slot *slot)
{
	if (slot->older)
		slot->older->newer = slot->newer;
	else
		space->oldest = slot->newer;
	if (slot->newer)
		slot->newer->older = slot->older;
	else
		space->newest = slot->older;
}

static void remove_slot(struct usrpci_slot *slot)
{
	struct usrpci_pager_space *space = slot->space;

	usrpci_iovas_give(&space->resident, &slot->node);
	remove_aged(space, slot);
	space->stats.entries--;
	space->stats.pages -= pages_of(slot);
	slot->space = NULL;
}

/* The device can't reach them any more; if it has gone it's the backend that knows. */
static void empty(struct usrpci_pager *pager, const struct batch *gone)
{
	struct usrpci_device *dev = pager->dev;
	uint32_t handles[BATCH];
	unsigned int i;

	for (i = 0; i < gone->nr; i++) {
		handles[i] = gone->slots[i]->handle;
		remove_slot(gone->slots[i]);
	}
	if (gone->nr)
		dev->backend->unmap(dev, handles, gone->nr);
}

static void fill_batch(struct usrpci_pager_space *space, uint64_t first, uint64_t last,
		       struct batch *batch)
{
	struct usrpci_iova *node = usrpci_iovas_next(&space->resident, first);

	batch->nr = 0;
	while (node && node->first <= last && batch->nr < BATCH) {
		batch->slots[batch->nr++] = to_slot(node);
		node = node->last < UINT64_MAX ?
			usrpci_iovas_next(&space->resident, node->last + 1) : NULL;
	}
}

static void empty_all(struct usrpci_pager_space *space)
{
	struct batch batch;

	for (;;) {
		fill_batch(space, 0, UINT64_MAX, &batch);
		if (!batch.nr)
			return;
		empty(space->pager, &batch);
	}
}

void usrpci_slots_drop_all(struct usrpci_pager *pager)
{
	unsigned int tag;

	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (pager->spaces[tag])
			empty_all(pager->spaces[tag]);
}

/* --- taking back --- */

/* The device doesn't do what it's told: it gets no DMA, so that nobody has anything any more. */
static int stop_device(struct usrpci_pager *pager)
{
	struct usrpci_device *dev = pager->dev;
	unsigned int tag;

	dev->backend->set_master(dev, false);
	pager->broken = true;
	pager->tell_broken = true;
	usrpci_slots_drop_all(pager);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (pager->spaces[tag])
			usrpci_pager_space_hang_up(pager->spaces[tag]);
	return -EIO;
}

/* It may take one at a time. */
static bool clear(struct usrpci_pager *pager, const struct batch *batch)
{
	bool done = true;
	unsigned int i;

	for (i = 0; i < batch->nr && done; i++) {
		usrpci_pager_clear_entry(pager, index_of(pager, batch->slots[i]));
		done = usrpci_pager_wait_cleared(pager, index_of(pager, batch->slots[i]));
	}
	return done;
}

static int take_back(struct usrpci_pager_space *space, const struct batch *batch)
{
	struct usrpci_pager *pager = space->pager;

	space->stats.invalidations += batch->nr;
	if (usrpci_pager_reaches(pager) && !clear(pager, batch))
		return stop_device(pager);
	empty(pager, batch);
	return 0;
}

/* False if they have to be taken back one by one. */
static bool take_back_all(struct usrpci_pager_space *space, int *err)
{
	struct usrpci_pager *pager = space->pager;

	if (space->stats.entries < MANY || !usrpci_pager_reaches(pager) ||
	    !usrpci_pager_clear_tag(pager, space->base.tag))
		return false;
	space->stats.invalidations += space->stats.entries;
	if (usrpci_pager_wait_cleared(pager, index_of(pager, space->oldest)))
		empty_all(space);
	else
		*err = stop_device(pager);
	return true;
}

static bool is_all(const struct usrpci_pager_space *space, uint64_t first, uint64_t last)
{
	const struct usrpci_iova *root = space->resident.root;

	return root && first <= root->low && last >= root->high;
}

int usrpci_slots_take_back(struct usrpci_pager_space *space, uint64_t first, uint64_t last)
{
	struct batch batch;
	int err = 0;

	if (is_all(space, first, last) && take_back_all(space, &err))
		return err;
	for (;;) {
		fill_batch(space, first, last, &batch);
		if (!batch.nr || err)
			return err;
		err = take_back(space, &batch);
	}
}

int usrpci_slots_take_oldest(struct usrpci_pager_space *space)
{
	const struct batch batch = { .slots = { space->oldest }, .nr = 1 };

	space->stats.evictions++;
	return take_back(space, &batch);
}

void usrpci_slot_given_up(struct usrpci_pager *pager, uint32_t index)
{
	const struct batch batch = { .slots = { &pager->slots[index] }, .nr = 1 };

	if (!batch.slots[0]->space)
		return;
	batch.slots[0]->space->stats.evictions++;
	empty(pager, &batch);
}

/* --- filling --- */

/* In turn: those that are empty are come by like the others. */
static uint32_t next_in_turn(struct usrpci_pager *pager)
{
	const uint32_t index = pager->hand;

	pager->hand = index + 1 == pager->desc.entries.nr ? 0 : index + 1;
	return index;
}

int usrpci_slot_choose(struct usrpci_pager *pager, uint32_t index, struct usrpci_slot **slotp)
{
	struct usrpci_slot *slot;
	struct batch batch;

	slot = &pager->slots[index == USRPCI_ANY_ENTRY ? next_in_turn(pager) : index];
	*slotp = slot;
	if (!slot->space)
		return 0;
	slot->space->stats.evictions++;
	batch.slots[0] = slot;
	batch.nr = 1;
	return take_back(slot->space, &batch);
}

void usrpci_slot_occupy(struct usrpci_pager_space *space, struct usrpci_slot *slot)
{
	slot->space = space;
	usrpci_iovas_take_fixed(&space->resident, &slot->node);
	add_newest(space, slot);
	space->stats.entries++;
	space->stats.pages += pages_of(slot);
	space->stats.fills++;
	usrpci_pager_write_entry(space->pager, index_of(space->pager, slot));
}
