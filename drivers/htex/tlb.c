// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The device's TLB, in the words of <usrpci/tlb.h>. */
#include "internal.h"

static struct usrpci_reg_place place(unsigned int reg, unsigned int width)
{
	return (struct usrpci_reg_place){ .bar = 0, .width = width, .offset = reg };
}

/* A register that takes a number and nothing else. */
static struct usrpci_tlb_command command(unsigned int reg)
{
	return (struct usrpci_tlb_command){ .reg = place(reg, 4), .arg = { .width = 32 } };
}

static struct usrpci_tlb_misses misses(const struct htex *htex)
{
	struct usrpci_tlb_misses misses = {
		.reg = place(HTEX_MISS, 8),
		.words = HTEX_MISS_WORDS,
		.word_width = 8,
		.valid = { .bit = 0, .width = 1 },
		.write = { .bit = 1, .width = 1 },
		.tag = { .bit = HTEX_MISS_TAG_SHIFT, .width = 4 },
		.id = { .bit = HTEX_MISS_ENGINE_SHIFT, .width = 8 },
		.addr = { .bit = 64, .width = 64 },
	};

	if (!(htex->flags & HTEX_CHOOSE_ENTRIES))
		misses.entry = (struct usrpci_field){ .bit = HTEX_MISS_ENTRY_SHIFT, .width = 32 };
	if (htex->flags & HTEX_USE_RING) {
		misses.reg = place(HTEX_RING_TAKEN, 4);
		misses.ring = htex->ring.handle;
		misses.ring_entries = htex->ring_size;
	}
	return misses;
}

static struct usrpci_tlb_entries entries(const struct htex *htex)
{
	const uint8_t shift = HTEX_ENTRY_PAGE_SHIFT;

	return (struct usrpci_tlb_entries){
		.reg = { .bar = HTEX_TLB_BAR, .width = 8 },
		.nr = htex->entries,
		.stride = HTEX_ENTRY_LEN,
		.words = 2,
		.valid = { .bit = 0, .width = 1 },
		.write = { .bit = 1, .width = 1 },
		.large = { .bit = 2, .width = 1 },
		.tag = { .bit = HTEX_ENTRY_TAG_SHIFT, .width = 4 },
		.bus = { .bit = shift, .width = 64 - shift, .shift = shift },
		.addr = { .bit = 64 + shift, .width = 64 - shift, .shift = shift },
	};
}

void htex_tlb(const struct htex *htex, struct usrpci_tlb *tlb)
{
	*tlb = (struct usrpci_tlb){
		.vector = HTEX_VECTOR_MISS,
		.tags = HTEX_TAGS,
		.page_sizes = USRPCI_PAGE_4K | USRPCI_PAGE_2M,
		.misses = misses(htex),
		.entries = entries(htex),
		.ack = { .reg = place(HTEX_IRQ, 4), .value = HTEX_IRQ_MISS },
		.go_on = command(HTEX_GO_ON),
		.refuse = command(HTEX_REFUSE),
		.invalidate = command(HTEX_INVALIDATE),
		.invalidate_tag = command(HTEX_INVALIDATE_TAG),
		.done = place(HTEX_BUSY, 4),
		.done_mask = 1,
		.done_value = 0,
		.timeout_us = USRPCI_TLB_US,
	};
}
