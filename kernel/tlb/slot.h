/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Which translations the device has. All of it under tlb->lock.
 */
#ifndef USRPCI_TLB_SLOT_H
#define USRPCI_TLB_SLOT_H

#include <linux/types.h>

struct usrpci_slot;
struct usrpci_space;
struct usrpci_tlb;

int usrpci_slots_init(struct usrpci_tlb *tlb);
void usrpci_slots_destroy(struct usrpci_tlb *tlb);

/* The one that translates @addr, or NULL. */
struct usrpci_slot *usrpci_slot_find(struct usrpci_space *space, u64 addr);

/*
 * Take back what overlaps @start to @last, all that @space has, or its oldest. When
 * they return the device can't reach that memory any more: if it doesn't obey it
 * gets no DMA at all, and they give -EIO.
 */
int usrpci_slots_take_back(struct usrpci_space *space, u64 start, u64 last);
int usrpci_slots_take_oldest(struct usrpci_space *space);

/* The device has it no more, as it said itself. */
void usrpci_slot_given_up(struct usrpci_tlb *tlb, u32 index);

/*
 * Make an entry empty for another: @index, that the device has given up, or any if
 * that is USRPCI_ANY_ENTRY. -EIO as above.
 */
int usrpci_slot_vacate(struct usrpci_tlb *tlb, u32 index, struct usrpci_slot **slotp);

/*
 * It was told to forget memory, and didn't say that it has, or can't be told: without bus
 * mastering it reaches none.
 */
void usrpci_tlb_stop(struct usrpci_tlb *tlb);

/* @slot, filled in and written to the device, is its space's from now on. */
void usrpci_slot_occupy(struct usrpci_slot *slot);

#endif /* USRPCI_TLB_SLOT_H */
