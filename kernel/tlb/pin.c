// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "account.h"
#include "page.h"
#include "space.h"
#include "tlb.h"

/**
 * struct usrpci_pins - Pins that were allocated together.
 * @next: others; all of them go with their TLB
 * @pins: they
 */
struct usrpci_pins {
	struct usrpci_pins *next;
	struct usrpci_pin pins[(PAGE_SIZE - sizeof(void *)) / sizeof(struct usrpci_pin)];
};

static struct usrpci_pin *usrpci_pin_take(struct usrpci_tlb *tlb)
{
	struct usrpci_pin *pin;

	spin_lock(&tlb->queue_lock);
	pin = tlb->spare;
	if (pin)
		tlb->spare = pin->next;
	spin_unlock(&tlb->queue_lock);
	return pin;
}

static void usrpci_pin_give_back(struct usrpci_tlb *tlb, struct usrpci_pin *pin)
{
	spin_lock(&tlb->queue_lock);
	pin->next = tlb->spare;
	tlb->spare = pin;
	spin_unlock(&tlb->queue_lock);
}

/* All but one are spare then. */
static struct usrpci_pin *usrpci_pins_new(struct usrpci_tlb *tlb)
{
	struct usrpci_pins *pins = kmalloc(sizeof(*pins), GFP_KERNEL);
	unsigned int i;

	if (!pins)
		return NULL;
	spin_lock(&tlb->queue_lock);
	pins->next = tlb->pins;
	tlb->pins = pins;
	for (i = 1; i < ARRAY_SIZE(pins->pins); i++) {
		pins->pins[i].next = tlb->spare;
		tlb->spare = &pins->pins[i];
	}
	spin_unlock(&tlb->queue_lock);
	return &pins->pins[0];
}

void usrpci_pins_free(struct usrpci_tlb *tlb)
{
	struct usrpci_pins *pins;

	while ((pins = tlb->pins)) {
		tlb->pins = pins->next;
		kfree(pins);
	}
}

struct usrpci_pin *usrpci_pin_new(struct usrpci_space *space, bool write)
{
	struct usrpci_pin *pin = usrpci_pin_take(space->tlb) ?: usrpci_pins_new(space->tlb);

	if (!pin)
		return NULL;
	pin->nr = 0;
	pin->dirty = write;
	pin->mm = space->mm;
	mmgrab(pin->mm);
	return pin;
}

void usrpci_pin_free(struct usrpci_tlb *tlb, struct usrpci_pin *pin)
{
	if (pin->nr) {
		unpin_user_page_range_dirty_lock(pin->page, pin->nr, pin->dirty);
		usrpci_uncharge(pin->mm, pin->nr);
	}
	mmdrop(pin->mm);
	usrpci_pin_give_back(tlb, pin);
}
