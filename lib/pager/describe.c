// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <assert.h>
#include "describe.h"

static_assert(USRPCI_TLB_TAGS == USRPCI_TLB_MAX_TAGS, "the module takes as many");
static_assert(USRPCI_TLB_ENTRIES == USRPCI_TLB_MAX_ENTRIES, "the module takes as many");
static_assert(USRPCI_TLB_WORDS == USRPCI_TLB_MAX_WORDS, "the module takes as many");
static_assert(USRPCI_TLB_US == USRPCI_TLB_MAX_US, "the module waits as long");
static_assert(USRPCI_PAGE_4K == USRPCI_TLB_4K && USRPCI_PAGE_2M == USRPCI_TLB_2M, "same bits");

static struct usrpci_ioc_field field_of(struct usrpci_field from)
{
	return (struct usrpci_ioc_field){
		.bit = from.bit,
		.width = from.width,
		.shift = from.shift,
	};
}

static struct usrpci_ioc_reg reg_of(struct usrpci_reg_place from)
{
	return (struct usrpci_ioc_reg){
		.bar = from.bar,
		.width = from.width,
		.offset = from.offset,
	};
}

static struct usrpci_ioc_tlb_command command_of(const struct usrpci_tlb_command *from)
{
	return (struct usrpci_ioc_tlb_command){
		.reg = reg_of(from->reg),
		.value = from->value,
		.arg = field_of(from->arg),
	};
}

static struct usrpci_ioc_tlb_misses misses_of(const struct usrpci_tlb_misses *from)
{
	return (struct usrpci_ioc_tlb_misses){
		.reg = reg_of(from->reg),
		.words = from->words,
		.word_width = from->word_width,
		.ring = from->ring,
		.ring_entries = from->ring_entries,
		.ring_offset = from->ring_offset,
		.valid = field_of(from->valid),
		.addr = field_of(from->addr),
		.tag = field_of(from->tag),
		.write = field_of(from->write),
		.entry = field_of(from->entry),
		.id = field_of(from->id),
	};
}

static struct usrpci_ioc_tlb_entries entries_of(const struct usrpci_tlb_entries *from)
{
	return (struct usrpci_ioc_tlb_entries){
		.reg = reg_of(from->reg),
		.nr = from->nr,
		.stride = from->stride,
		.words = from->words,
		.valid = field_of(from->valid),
		.addr = field_of(from->addr),
		.tag = field_of(from->tag),
		.bus = field_of(from->bus),
		.write = field_of(from->write),
		.large = field_of(from->large),
	};
}

void usrpci_tlb_to_ioc(struct usrpci_ioc_tlb *to, const struct usrpci_tlb *from)
{
	*to = (struct usrpci_ioc_tlb){
		.size = sizeof(*to),
		.vector = from->vector,
		.tags = from->tags,
		.page_sizes = from->page_sizes,
		.timeout_us = from->timeout_us,
		.misses = misses_of(&from->misses),
		.entries = entries_of(&from->entries),
		.ack = command_of(&from->ack),
		.go_on = command_of(&from->go_on),
		.refuse = command_of(&from->refuse),
		.invalidate = command_of(&from->invalidate),
		.invalidate_tag = command_of(&from->invalidate_tag),
		.done = reg_of(from->done),
		.done_mask = from->done_mask,
		.done_value = from->done_value,
	};
}
