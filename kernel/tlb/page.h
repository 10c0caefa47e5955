/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The memory that a translation leads to.
 */
#ifndef USRPCI_TLB_PAGE_H
#define USRPCI_TLB_PAGE_H

#include <linux/types.h>

struct page;
struct usrpci_pin;
struct usrpci_slot;
struct usrpci_space;
struct usrpci_tlb;

/**
 * struct usrpci_target - What a miss is to be translated to.
 * @addr: virtual address, of a page of that size
 * @write: the device may write
 * @extra: it wasn't missed, and isn't worth another's place
 * @page: the first, held
 * @nr: pages of 4 KiB
 * @pin: if it's to be pinned: till an entry has it
 */
struct usrpci_target {
	u64 addr;
	bool write;
	bool extra;
	struct page *page;
	unsigned int nr;
	struct usrpci_pin *pin;
};

/*
 * Find what is at the addresses of @nr @targets, which are pages that follow one another, as far
 * as it is there: waits for nobody. Of them @addr, @write and @extra are given. With the space's
 * memory in use, by the server. 0, and @nr is how many have been found, from the first; or, if
 * that's none, -EAGAIN the first has to be brought in, or enum usrpci_refusal_code.
 */
int usrpci_targets_get(struct usrpci_space *space, struct usrpci_target *targets,
		       unsigned int *nr);
void usrpci_target_put(struct usrpci_space *space, struct usrpci_target *target);

/* Give it a bus address; fills in @slot. Under tlb->lock. 0 or enum usrpci_refusal_code. */
int usrpci_target_map(struct usrpci_tlb *tlb, struct usrpci_target *target,
		      struct usrpci_slot *slot);

/*
 * The same of one, bringing it in for as long as that takes. 0; -EAGAIN it has gone again; or enum
 * usrpci_refusal_code.
 */
int usrpci_target_bring_in(struct usrpci_space *space, struct usrpci_target *target);

/*
 * What is held till the device can't reach it any more: a pin without a page, at first. Of a
 * TLB there are as many as ever were needed at a time.
 */
struct usrpci_pin *usrpci_pin_new(struct usrpci_space *space, bool write);
void usrpci_pin_free(struct usrpci_tlb *tlb, struct usrpci_pin *pin);
void usrpci_pins_free(struct usrpci_tlb *tlb);

#endif /* USRPCI_TLB_PAGE_H */
