// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/pci.h>

#include "file.h"
#include "device.h"
#include "space.h"
#include "tlb.h"

/* What is waited for without sleeping. */
#define USRPCI_TLB_SPIN_NS	10000

/* What it describes lies in memory BARs, and has 4 or 8 bytes. */
static u64 usrpci_tlb_read(void __iomem *reg, u32 width)
{
	return width == 8 ? readq(reg) : readl(reg);
}

static void usrpci_tlb_write(void __iomem *reg, u32 width, u64 value)
{
	if (width == 8)
		writeq(value, reg);
	else
		writel(value, reg);
}

static void usrpci_command_make_ready(struct usrpci_tlb_command *cmd,
				      const struct usrpci_ioc_tlb_command *desc)
{
	cmd->arg = usrpci_bits_of(&desc->arg);
	cmd->value = desc->value & ~cmd->arg.mask;
}

void usrpci_tlb_make_ready(struct usrpci_tlb *tlb)
{
	const struct usrpci_ioc_tlb_entries *entries = &tlb->desc.entries;
	const struct usrpci_ioc_tlb_misses *misses = &tlb->desc.misses;

	tlb->miss_bits = (struct usrpci_miss_bits){
		.valid = usrpci_bits_of(&misses->valid),
		.addr = usrpci_bits_of(&misses->addr),
		.tag = usrpci_bits_of(&misses->tag),
		.write = usrpci_bits_of(&misses->write),
		.entry = usrpci_bits_of(&misses->entry),
		.id = usrpci_bits_of(usrpci_field_exists(&misses->id) ? &misses->id :
									&misses->entry),
	};
	tlb->entry_bits = (struct usrpci_entry_bits){
		.valid = usrpci_bits_of(&entries->valid),
		.addr = usrpci_bits_of(&entries->addr),
		.tag = usrpci_bits_of(&entries->tag),
		.bus = usrpci_bits_of(&entries->bus),
		.write = usrpci_bits_of(&entries->write),
		.large = usrpci_bits_of(&entries->large),
	};
	usrpci_command_make_ready(&tlb->ack, &tlb->desc.ack);
	usrpci_command_make_ready(&tlb->go_on, &tlb->desc.go_on);
	usrpci_command_make_ready(&tlb->refuse, &tlb->desc.refuse);
	usrpci_command_make_ready(&tlb->invalidate, &tlb->desc.invalidate);
	usrpci_command_make_ready(&tlb->invalidate_tag, &tlb->desc.invalidate_tag);
}

static void usrpci_tlb_command(const struct usrpci_tlb_command *cmd, u64 arg)
{
	struct usrpci_record record = { .bits[0] = cmd->value };

	if (!cmd->to.reg)
		return;
	usrpci_bits_put(&record, &cmd->arg, arg);
	usrpci_tlb_write(cmd->to.reg, cmd->to.width, record.bits[0]);
}

void usrpci_tlb_acknowledge(struct usrpci_tlb *tlb)
{
	usrpci_tlb_command(&tlb->ack, 0);
}

void usrpci_tlb_answer(struct usrpci_tlb *tlb, u32 id, bool translated)
{
	usrpci_tlb_command(translated ? &tlb->go_on : &tlb->refuse, id);
}

/* A device that was pulled out answers with misses for ever. */
static bool usrpci_tlb_has_gone(struct usrpci_tlb *tlb, const struct usrpci_record *record)
{
	return (u32)record->bits[0] == U32_MAX && !pci_device_is_present(usrpci_pdev(tlb->file));
}

/* Of what isn't there no more is read than says so. */
static bool usrpci_tlb_take_fifo(struct usrpci_tlb *tlb, struct usrpci_record *record)
{
	const struct usrpci_ioc_tlb_misses *misses = &tlb->desc.misses;
	const struct usrpci_bits *valid = &tlb->miss_bits.valid;
	u32 i, width = tlb->miss.width;

	usrpci_record_set_word(record, 0, width, usrpci_tlb_read(tlb->miss.reg, width));
	if (misses->valid.bit < width * 8 && !usrpci_bits_is_set(record, valid))
		return false;
	for (i = 1; i < misses->words; i++)
		usrpci_record_set_word(record, i, width,
				       usrpci_tlb_read(tlb->miss.reg + i * width, width));
	return usrpci_bits_is_set(record, valid) && !usrpci_tlb_has_gone(tlb, record);
}

static u64 usrpci_tlb_ring_word(const void *at, u32 i, u32 width)
{
	return width == 8 ? le64_to_cpu(READ_ONCE(((const __le64 *)at)[i])) :
			    le32_to_cpu(READ_ONCE(((const __le32 *)at)[i]));
}

/* The program may write there as well: each word is read once, and all of it checked. */
static bool usrpci_tlb_take_ring(struct usrpci_tlb *tlb, struct usrpci_record *record)
{
	const struct usrpci_ioc_tlb_misses *misses = &tlb->desc.misses;
	u32 width = misses->word_width, phase_word = misses->valid.bit / (width * 8);
	u32 at = tlb->taken & (misses->ring_entries - 1);
	const void *entry = tlb->ring_at + at * misses->words * width;
	bool phase = !(tlb->taken & misses->ring_entries);
	struct usrpci_record first = {};
	u32 i;

	usrpci_record_set_word(&first, phase_word, width,
			       usrpci_tlb_ring_word(entry, phase_word, width));
	if (usrpci_bits_is_set(&first, &tlb->miss_bits.valid) != phase)
		return false;
	/* What the device wrote before its phase. */
	dma_rmb();
	for (i = 0; i < misses->words; i++)
		usrpci_record_set_word(record, i, width, i == phase_word ?
				       usrpci_record_word(&first, i, width) :
				       usrpci_tlb_ring_word(entry, i, width));
	tlb->taken++;
	return true;
}

bool usrpci_tlb_take_miss(struct usrpci_tlb *tlb, struct usrpci_miss *miss)
{
	const struct usrpci_miss_bits *bits = &tlb->miss_bits;
	struct usrpci_record record = {};
	bool taken = tlb->ring ? usrpci_tlb_take_ring(tlb, &record) :
				 usrpci_tlb_take_fifo(tlb, &record);
	u64 entry;

	if (!taken)
		return false;
	miss->addr = usrpci_bits_get(&record, &bits->addr);
	miss->tag = usrpci_bits_get(&record, &bits->tag);
	/* An entry that can't say that it's for reading alone is for writing. */
	miss->write = !bits->write.mask || !tlb->entry_bits.write.mask ||
		      usrpci_bits_is_set(&record, &bits->write);
	entry = usrpci_bits_get(&record, &bits->entry);
	miss->entry = bits->entry.mask && entry < tlb->desc.entries.nr ? entry : USRPCI_ANY_ENTRY;
	miss->id = usrpci_bits_get(&record, &bits->id);
	return true;
}

void usrpci_tlb_forget_misses(struct usrpci_tlb *tlb)
{
	const struct usrpci_ioc_tlb_misses *misses = &tlb->desc.misses;

	tlb->taken = 0;
	if (tlb->ring)
		memset(tlb->ring_at, 0,
		       (size_t)misses->ring_entries * misses->words * misses->word_width);
}

void usrpci_tlb_taken(struct usrpci_tlb *tlb)
{
	if (tlb->ring && tlb->miss.reg)
		usrpci_tlb_write(tlb->miss.reg, tlb->miss.width, tlb->taken);
}

bool usrpci_tlb_can_hold(const struct usrpci_tlb *tlb, u64 addr, u64 bus)
{
	return usrpci_bits_fit(&tlb->entry_bits.addr, addr) &&
	       usrpci_bits_fit(&tlb->entry_bits.bus, bus);
}

static void __iomem *usrpci_tlb_entry(struct usrpci_tlb *tlb, u32 index)
{
	return tlb->entries.reg + (u64)index * tlb->desc.entries.stride;
}

static u32 usrpci_tlb_valid_word(struct usrpci_tlb *tlb)
{
	return tlb->desc.entries.valid.bit / (tlb->entries.width * 8);
}

static void usrpci_tlb_write_word(struct usrpci_tlb *tlb, void __iomem *entry, u32 word,
				  const struct usrpci_record *record)
{
	u32 width = tlb->entries.width;

	usrpci_tlb_write(entry + word * width, width, usrpci_record_word(record, word, width));
}

void usrpci_tlb_write_entry(struct usrpci_tlb *tlb, u32 index)
{
	void __iomem *entry = usrpci_tlb_entry(tlb, index);
	const struct usrpci_entry_bits *bits = &tlb->entry_bits;
	const struct usrpci_slot *slot = &tlb->slots[index];
	u32 i, last = usrpci_tlb_valid_word(tlb);
	struct usrpci_record record = {};

	usrpci_bits_put(&record, &bits->addr, slot->node.start);
	usrpci_bits_put(&record, &bits->tag, slot->space->tag);
	usrpci_bits_put(&record, &bits->bus, slot->bus);
	usrpci_bits_put(&record, &bits->write, slot->write);
	usrpci_bits_put(&record, &bits->large, slot->large);
	usrpci_bits_put(&record, &bits->valid, 1);
	for (i = 0; i < tlb->desc.entries.words; i++)
		if (i != last)
			usrpci_tlb_write_word(tlb, entry, i, &record);
	usrpci_tlb_write_word(tlb, entry, last, &record);
}

void usrpci_tlb_clear_entry(struct usrpci_tlb *tlb, u32 index)
{
	static const struct usrpci_record none;

	if (tlb->invalidate.to.reg)
		usrpci_tlb_command(&tlb->invalidate, index);
	else
		usrpci_tlb_write_word(tlb, usrpci_tlb_entry(tlb, index),
				      usrpci_tlb_valid_word(tlb), &none);
}

bool usrpci_tlb_clear_tag(struct usrpci_tlb *tlb, u32 tag)
{
	if (!tlb->invalidate_tag.to.reg)
		return false;
	usrpci_tlb_command(&tlb->invalidate_tag, tag);
	return true;
}

static bool usrpci_tlb_is_done(struct usrpci_tlb *tlb)
{
	u64 value = usrpci_tlb_read(tlb->done.reg, tlb->done.width);

	return (value & tlb->desc.done_mask) == tlb->desc.done_value;
}

bool usrpci_tlb_wait_cleared(struct usrpci_tlb *tlb, u32 index)
{
	u64 now, start = ktime_get_ns();
	bool late;

	if (!tlb->done.reg) {
		usrpci_tlb_read(usrpci_tlb_entry(tlb, index) +
				     (tlb->desc.entries.words - 1) * tlb->entries.width,
				     tlb->entries.width);
		return true;
	}
	for (;;) {
		now = ktime_get_ns();
		late = now - start > tlb->desc.timeout_us * NSEC_PER_USEC;
		if (usrpci_tlb_is_done(tlb))
			return true;
		if (late)
			return false;
		if (now - start > USRPCI_TLB_SPIN_NS)
			usleep_range(10, 50);
		else
			cpu_relax();
	}
}
