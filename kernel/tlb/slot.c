// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "event.h"
#include "file.h"
#include "trace.h"
#include "device.h"
#include "server.h"
#include "slot.h"
#include "space.h"
#include "tlb.h"

/* From how many entries on it's cheaper to take back all that a space has. */
#define USRPCI_MANY_ENTRIES	512
/* Who changes memory waits for so long at most, in jiffies; then the device is stopped. */
#define USRPCI_CLEAR_MOST	(5 * HZ)

int usrpci_slots_init(struct usrpci_tlb *tlb)
{
	tlb->slots = kvcalloc(tlb->desc.entries.nr, sizeof(*tlb->slots), GFP_KERNEL_ACCOUNT);
	return tlb->slots ? 0 : -ENOMEM;
}

void usrpci_slots_destroy(struct usrpci_tlb *tlb)
{
	kvfree(tlb->slots);
	tlb->slots = NULL;
}

static struct usrpci_slot *to_slot(struct interval_tree_node *node)
{
	return node ? container_of(node, struct usrpci_slot, node) : NULL;
}

struct usrpci_slot *usrpci_slot_find(struct usrpci_space *space, u64 addr)
{
	return to_slot(interval_tree_iter_first(&space->resident, addr, addr));
}

static size_t usrpci_slot_len(const struct usrpci_slot *slot)
{
	return slot->node.last - slot->node.start + 1;
}

/* The device doesn't use it any more; its page is let go once the IOTLB has been flushed. */
static void usrpci_slot_empty(struct usrpci_tlb *tlb, struct usrpci_slot *slot,
			      struct list_head *pins)
{
	struct usrpci_space *space = slot->space;

	dma_unmap_page(usrpci_dma_device(tlb->file), slot->bus, usrpci_slot_len(slot),
		       slot->write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE);
	interval_tree_remove(&slot->node, &space->resident);
	list_del(&slot->age);
	space->stats.entries--;
	slot->space = NULL;
	if (slot->pin) {
		space->stats.pages -= slot->pin->nr;
		list_add_tail(&slot->pin->list, pins);
	}
	slot->pin = NULL;
}

void usrpci_tlb_stop(struct usrpci_tlb *tlb)
{
	struct pci_dev *pdev = usrpci_pdev(tlb->file);
	u32 tag;

	/* From here on nobody switches it on again. */
	tlb->broken = true;
	pci_clear_master(pdev);
	if (!pci_wait_for_pending_transaction(pdev))
		pci_err(pdev, "accesses of it haven't ended, and may reach memory that it has no more\n");
	usrpci_event_add(tlb->file, USRPCI_EVENT_DEAF, 0);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (tlb->spaces[tag])
			wake_up_interruptible_all(&tlb->spaces[tag]->wait);
}

/* The device may take one at a time, but not all the time that there is. */
static bool usrpci_slots_clear(struct usrpci_tlb *tlb, struct list_head *gone, u32 nr,
			       struct usrpci_space *all_of)
{
	unsigned long deadline = jiffies + USRPCI_CLEAR_MOST;
	struct usrpci_slot *slot;

	if (tlb->broken)
		return false;
	if (nr >= USRPCI_MANY_ENTRIES && all_of && usrpci_tlb_clear_tag(tlb, all_of->tag)) {
		slot = list_last_entry(gone, struct usrpci_slot, gone);
		return usrpci_tlb_wait_cleared(tlb, slot - tlb->slots);
	}
	list_for_each_entry(slot, gone, gone) {
		usrpci_tlb_clear_entry(tlb, slot - tlb->slots);
		if (!usrpci_tlb_wait_cleared(tlb, slot - tlb->slots) ||
		    time_after(jiffies, deadline))
			return false;
		cond_resched();
	}
	return true;
}

/* Whether or not the device obeyed. */
static void usrpci_slots_empty(struct usrpci_tlb *tlb, struct list_head *gone)
{
	struct usrpci_slot *slot;
	LIST_HEAD(pins);

	list_for_each_entry(slot, gone, gone) {
		usrpci_slot_empty(tlb, slot, &pins);
		cond_resched();
	}
	usrpci_flush_iotlb(usrpci_dma_device(tlb->file));
	usrpci_server_unpin_later(tlb, &pins);
	tlb->took_back = true;
}

static int usrpci_slots_drop(struct usrpci_space *space, struct list_head *gone, u32 nr, bool all)
{
	struct usrpci_tlb *tlb = space->tlb;
	int err = 0;

	if (list_empty(gone))
		return 0;
	/* Nobody could tell the device, which is stopped. */
	if (!tlb->stopped && !usrpci_slots_clear(tlb, gone, nr, all ? space : NULL)) {
		err = -EIO;
		if (!tlb->broken)
			usrpci_tlb_stop(tlb);
	}
	space->stats.invalidations += nr;
	usrpci_slots_empty(tlb, gone);
	return err;
}

int usrpci_slots_take_back(struct usrpci_space *space, u64 start, u64 last)
{
	struct interval_tree_node *node;
	LIST_HEAD(gone);
	u32 nr = 0;

	for (node = interval_tree_iter_first(&space->resident, start, last); node;
	     node = interval_tree_iter_next(node, start, last)) {
		list_add_tail(&to_slot(node)->gone, &gone);
		nr++;
	}
	return usrpci_slots_drop(space, &gone, nr, nr == space->stats.entries);
}

static int usrpci_slot_evict(struct usrpci_slot *slot)
{
	LIST_HEAD(gone);

	list_add(&slot->gone, &gone);
	slot->space->stats.evictions++;
	return usrpci_slots_drop(slot->space, &gone, 1, false);
}

int usrpci_slots_take_oldest(struct usrpci_space *space)
{
	return usrpci_slot_evict(list_first_entry(&space->oldest, struct usrpci_slot, age));
}

/* In turn: those that are empty are come by like the others. */
static struct usrpci_slot *usrpci_slot_choose(struct usrpci_tlb *tlb)
{
	u32 index = tlb->hand;

	tlb->hand = index + 1 == tlb->desc.entries.nr ? 0 : index + 1;
	return &tlb->slots[index];
}

void usrpci_slot_given_up(struct usrpci_tlb *tlb, u32 index)
{
	struct usrpci_slot *slot = &tlb->slots[index];
	LIST_HEAD(gone);

	if (!slot->space)
		return;
	slot->space->stats.evictions++;
	list_add(&slot->gone, &gone);
	usrpci_slots_empty(tlb, &gone);
}

int usrpci_slot_vacate(struct usrpci_tlb *tlb, u32 index, struct usrpci_slot **slotp)
{
	struct usrpci_slot *slot;

	/* One that the device gave up may have been filled for another miss of its since. */
	slot = index == USRPCI_ANY_ENTRY ? usrpci_slot_choose(tlb) : &tlb->slots[index];
	*slotp = slot;
	return slot->space ? usrpci_slot_evict(slot) : 0;
}

void usrpci_slot_occupy(struct usrpci_slot *slot)
{
	struct usrpci_space *space = slot->space;

	interval_tree_insert(&slot->node, &space->resident);
	list_add_tail(&slot->age, &space->oldest);
	space->stats.entries++;
	if (slot->pin)
		space->stats.pages += slot->pin->nr;
	space->stats.fills++;
}
