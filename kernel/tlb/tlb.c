// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/pci.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "coherent.h"
#include "file.h"
#include "device.h"
#include "page.h"
#include "server.h"
#include "slot.h"
#include "space.h"
#include "tlb.h"

static void usrpci_tlb_free(struct kref *ref)
{
	struct usrpci_tlb *tlb = container_of(ref, struct usrpci_tlb, ref);

	usrpci_slots_destroy(tlb);
	usrpci_pins_free(tlb);
	kfree(tlb->scratch);
	kfree(tlb);
}

void usrpci_tlb_put(struct usrpci_tlb *tlb)
{
	kref_put(&tlb->ref, usrpci_tlb_free);
}

void usrpci_tlb_detach(struct usrpci_tlb *tlb)
{
	usrpci_server_stop(tlb);
	if (tlb->ring)
		usrpci_coherent_put(tlb->ring);
	tlb->ring = NULL;
	/* Whoever waits for memory yet keeps the rest, but not these. */
	usrpci_slots_destroy(tlb);
}

/* Under tlb->lock. */
static void usrpci_tlb_take_all_back(struct usrpci_tlb *tlb)
{
	u32 tag;

	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (tlb->spaces[tag])
			usrpci_slots_take_back(tlb->spaces[tag], 0, ULONG_MAX);
}

void usrpci_tlb_hold(struct usrpci_file *file, enum usrpci_hold why)
{
	struct usrpci_tlb *tlb = file->tlb;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	if (!tlb->holds)
		usrpci_tlb_take_all_back(tlb);
	tlb->holds |= BIT(why);
	mutex_unlock(&tlb->lock);
}

void usrpci_tlb_release(struct usrpci_file *file, enum usrpci_hold why)
{
	struct usrpci_tlb *tlb = file->tlb;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	if (why == USRPCI_HOLD_RESET) {
		tlb->era++;
		usrpci_tlb_forget_misses(tlb);
		/* Those that wait from before. */
		WRITE_ONCE(tlb->unbound, true);
	}
	tlb->holds &= ~BIT(why);
	mutex_unlock(&tlb->lock);
	usrpci_server_wake(tlb);
}

void usrpci_tlb_follow_decode(struct usrpci_file *file)
{
	if (file->decode & IORESOURCE_MEM)
		usrpci_tlb_release(file, USRPCI_HOLD_DECODE);
	else
		usrpci_tlb_hold(file, USRPCI_HOLD_DECODE);
}

void usrpci_tlb_forget_reset(struct usrpci_file *file)
{
	usrpci_tlb_hold(file, USRPCI_HOLD_RESET);
	usrpci_tlb_release(file, USRPCI_HOLD_RESET);
}

void usrpci_tlb_give_up(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	if (!tlb->broken)
		usrpci_tlb_stop(tlb);
	mutex_unlock(&tlb->lock);
}

int usrpci_tlb_start_master(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;
	int err = 0;

	if (tlb)
		mutex_lock(&tlb->lock);
	if (tlb && tlb->broken)
		err = -EIO;
	else
		pci_set_master(usrpci_pdev(file));
	if (tlb)
		mutex_unlock(&tlb->lock);
	return err;
}

bool usrpci_tlb_broken(struct usrpci_file *file)
{
	return file->tlb && READ_ONCE(file->tlb->broken);
}

bool usrpci_tlb_in_use(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;
	bool any = false;
	u32 tag;

	if (!tlb)
		return false;
	mutex_lock(&tlb->lock);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		any |= tlb->spaces[tag] && tlb->spaces[tag]->stats.entries;
	mutex_unlock(&tlb->lock);
	return any;
}

void usrpci_tlb_retire(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	if (!tlb->holds)
		usrpci_tlb_take_all_back(tlb);
	tlb->stopped = true;
	mutex_unlock(&tlb->lock);
}

void usrpci_tlb_destroy(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;
	u32 tag;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	tlb->stopped = true;
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (tlb->spaces[tag])
			usrpci_space_unbind(tlb->spaces[tag]);
	mutex_unlock(&tlb->lock);
	usrpci_tlb_detach(tlb);
	file->tlb = NULL;
	usrpci_tlb_put(tlb);
}
