/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What is said to the device, in the words of its description. All of it inside the
 * gate, or with the TLB not held; entries and invalidations under tlb->lock.
 */
#ifndef USRPCI_TLB_DEVICE_H
#define USRPCI_TLB_DEVICE_H

#include <linux/types.h>

struct usrpci_slot;
struct usrpci_tlb;

/* No entry was named: the kernel chooses. */
#define USRPCI_ANY_ENTRY	U32_MAX

/**
 * struct usrpci_miss - What the device reports.
 * @addr: virtual address
 * @tag: whose
 * @write: it wants to write
 * @entry: that it has given up, or USRPCI_ANY_ENTRY
 * @id: to answer by
 */
struct usrpci_miss {
	u64 addr;
	u32 tag;
	bool write;
	u32 entry;
	u32 id;
};

/* Once its description is there, and has been checked. */
void usrpci_tlb_make_ready(struct usrpci_tlb *tlb);

/* Written before misses are looked for. */
void usrpci_tlb_acknowledge(struct usrpci_tlb *tlb);

/* The oldest one, if there is any. By the server alone. */
bool usrpci_tlb_take_miss(struct usrpci_tlb *tlb, struct usrpci_miss *miss);

/* The device has been reset: the ring begins anew. */
void usrpci_tlb_forget_misses(struct usrpci_tlb *tlb);

/* It was the last for now. */
void usrpci_tlb_taken(struct usrpci_tlb *tlb);

/* The device goes on, or it learns that there is no translation. */
void usrpci_tlb_answer(struct usrpci_tlb *tlb, u32 id, bool translated);

/* The fields have room for this translation. */
bool usrpci_tlb_can_hold(const struct usrpci_tlb *tlb, u64 addr, u64 bus);

void usrpci_tlb_write_entry(struct usrpci_tlb *tlb, u32 index);

/* Tell the device to forget an entry, or all of a tag; then wait till it has. */
void usrpci_tlb_clear_entry(struct usrpci_tlb *tlb, u32 index);
bool usrpci_tlb_clear_tag(struct usrpci_tlb *tlb, u32 tag);
bool usrpci_tlb_wait_cleared(struct usrpci_tlb *tlb, u32 index);

#endif /* USRPCI_TLB_DEVICE_H */
