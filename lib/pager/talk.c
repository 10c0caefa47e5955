// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"
#include "tlb/record.h"

/* What is waited for without sleeping. */
#define SPIN_NS	10000U

/*
 * By calls and not by a map: a register of a device that was pulled out is then an error, and no
 * SIGBUS for a program that touched nothing.
 */
static uint64_t read_reg(struct usrpci_pager *pager, const struct usrpci_ioc_reg *reg,
			 uint64_t at)
{
	struct usrpci_device *dev = pager->dev;
	uint64_t value = 0;
	int err = dev->backend->bar_read(dev, reg->bar, reg->offset + at, reg->width, &value);

	if (err == -ENODEV)
		atomic_store(&pager->gone, true);
	return err ? UINT64_MAX : value;
}

static void write_reg(struct usrpci_pager *pager, const struct usrpci_ioc_reg *reg, uint64_t at,
		      uint64_t value)
{
	struct usrpci_device *dev = pager->dev;

	if (dev->backend->bar_write(dev, reg->bar, reg->offset + at, reg->width, value) == -ENODEV)
		atomic_store(&pager->gone, true);
}

static void command(struct usrpci_pager *pager, const struct usrpci_ioc_tlb_command *cmd,
		    uint64_t arg)
{
	struct usrpci_record record = { .bits = { cmd->value } };

	if (!cmd->reg.width)
		return;
	usrpci_field_put(&record, &cmd->arg, arg);
	write_reg(pager, &cmd->reg, 0, record.bits[0]);
}

/* --- misses --- */

void usrpci_pager_acknowledge(struct usrpci_pager *pager)
{
	command(pager, &pager->desc.ack, 0);
}

/* Who can't be read reports misses for ever: one that was pulled out, or doesn't decode. */
static bool is_deaf(struct usrpci_pager *pager, const struct usrpci_record *record)
{
	struct usrpci_device *dev = pager->dev;
	uint32_t vendor = 0, decodes = 0;

	if ((uint32_t)record->bits[0] != UINT32_MAX)
		return false;
	return atomic_load(&pager->gone) ||
	       dev->backend->config_read(dev, PCI_VENDOR_ID, 2, &vendor) || vendor == 0xffff ||
	       dev->backend->config_read(dev, PCI_COMMAND, 2, &decodes) ||
	       !(decodes & PCI_COMMAND_MEMORY);
}

static bool take_fifo(struct usrpci_pager *pager, struct usrpci_record *record)
{
	const struct usrpci_ioc_tlb_misses *misses = &pager->desc.misses;
	const uint32_t width = misses->reg.width;
	uint32_t i;

	for (i = 0; i < misses->words; i++) {
		usrpci_record_set_word(record, i, width,
				       read_reg(pager, &misses->reg, i * width));
		if (!i && misses->valid.bit < width * 8 &&
		    !usrpci_field_get(record, &misses->valid))
			return false;
	}
	return usrpci_field_get(record, &misses->valid) && !is_deaf(pager, record);
}

static uint64_t ring_word(const void *at, uint32_t i, uint32_t width)
{
	if (width == 8)
		return le64toh(__atomic_load_n((const uint64_t *)at + i, __ATOMIC_RELAXED));
	return le32toh(__atomic_load_n((const uint32_t *)at + i, __ATOMIC_RELAXED));
}

static bool take_ring(struct usrpci_pager *pager, struct usrpci_record *record)
{
	const struct usrpci_ioc_tlb_misses *misses = &pager->desc.misses;
	const uint32_t width = misses->word_width, phase_word = misses->valid.bit / (width * 8);
	const uint64_t at = pager->taken & (misses->ring_entries - 1);
	const void *entry = pager->ring + at * misses->words * width;
	const bool phase = !(pager->taken & misses->ring_entries);
	struct usrpci_record first = { 0 };
	uint32_t i;

	usrpci_record_set_word(&first, phase_word, width, ring_word(entry, phase_word, width));
	if (usrpci_field_get(&first, &misses->valid) != phase)
		return false;
	/* What the device wrote before its phase. */
	usrpci_dma_rmb();
	for (i = 0; i < misses->words; i++)
		usrpci_record_set_word(record, i, width, ring_word(entry, i, width));
	pager->taken++;
	return true;
}

static bool may_write(const struct usrpci_ioc_tlb *desc, const struct usrpci_record *record)
{
	/* What can't be said of an entry can't be kept from the device. */
	if (!usrpci_field_exists(&desc->misses.write) || !usrpci_field_exists(&desc->entries.write))
		return true;
	return usrpci_field_get(record, &desc->misses.write);
}

static uint32_t entry_of(const struct usrpci_ioc_tlb *desc, const struct usrpci_record *record)
{
	const uint64_t entry = usrpci_field_get(record, &desc->misses.entry);

	if (!usrpci_field_exists(&desc->misses.entry) || entry >= desc->entries.nr)
		return USRPCI_ANY_ENTRY;
	return (uint32_t)entry;
}

bool usrpci_pager_take_miss(struct usrpci_pager *pager, struct usrpci_miss *miss)
{
	const struct usrpci_ioc_tlb *desc = &pager->desc;
	const struct usrpci_ioc_tlb_misses *misses = &desc->misses;
	struct usrpci_record record = { 0 };

	if (!(pager->ring ? take_ring(pager, &record) : take_fifo(pager, &record)))
		return false;
	*miss = (struct usrpci_miss){
		.addr = usrpci_field_get(&record, &misses->addr),
		.tag = (uint32_t)usrpci_field_get(&record, &misses->tag),
		.write = may_write(desc, &record),
		.entry = entry_of(desc, &record),
		.id = (uint32_t)usrpci_field_get(&record, usrpci_field_exists(&misses->id) ?
						 &misses->id : &misses->entry),
		.era = pager->era,
	};
	return true;
}

void usrpci_pager_taken(struct usrpci_pager *pager)
{
	if (pager->ring && pager->desc.misses.reg.width)
		write_reg(pager, &pager->desc.misses.reg, 0, pager->taken);
}

void usrpci_pager_answer(struct usrpci_pager *pager, const struct usrpci_miss *miss,
			 bool translated)
{
	/* A reset has forgotten the question. */
	if (pager->held || miss->era != pager->era)
		return;
	command(pager, translated ? &pager->desc.go_on : &pager->desc.refuse, miss->id);
}

/* --- entries --- */

bool usrpci_pager_can_hold(const struct usrpci_pager *pager, uint64_t addr, uint64_t bus)
{
	return usrpci_field_fits(&pager->desc.entries.addr, addr) &&
	       usrpci_field_fits(&pager->desc.entries.bus, bus);
}

static uint32_t valid_word(const struct usrpci_pager *pager)
{
	return pager->desc.entries.valid.bit / (pager->desc.entries.reg.width * 8);
}

static void write_word(struct usrpci_pager *pager, uint32_t index, uint32_t word,
		       const struct usrpci_record *record)
{
	const struct usrpci_ioc_tlb_entries *entries = &pager->desc.entries;

	write_reg(pager, &entries->reg,
		  (uint64_t)index * entries->stride + word * entries->reg.width,
		  usrpci_record_word(record, word, entries->reg.width));
}

void usrpci_pager_write_entry(struct usrpci_pager *pager, uint32_t index)
{
	const struct usrpci_ioc_tlb_entries *entries = &pager->desc.entries;
	const struct usrpci_slot *slot = &pager->slots[index];
	const uint32_t last = valid_word(pager);
	struct usrpci_record record = { 0 };
	uint32_t i;

	usrpci_field_put(&record, &entries->addr, slot->node.first);
	usrpci_field_put(&record, &entries->tag, slot->space->base.tag);
	usrpci_field_put(&record, &entries->bus, slot->bus);
	usrpci_field_put(&record, &entries->write, slot->write);
	usrpci_field_put(&record, &entries->large,
			 slot->node.last - slot->node.first >= USRPCI_SMALL_PAGE);
	usrpci_field_put(&record, &entries->valid, 1);
	for (i = 0; i < entries->words; i++)
		if (i != last)
			write_word(pager, index, i, &record);
	write_word(pager, index, last, &record);
}

void usrpci_pager_clear_entry(struct usrpci_pager *pager, uint32_t index)
{
	static const struct usrpci_record none;

	if (pager->desc.invalidate.reg.width)
		command(pager, &pager->desc.invalidate, index);
	else
		write_word(pager, index, valid_word(pager), &none);
}

bool usrpci_pager_clear_tag(struct usrpci_pager *pager, uint32_t tag)
{
	if (!pager->desc.invalidate_tag.reg.width)
		return false;
	command(pager, &pager->desc.invalidate_tag, tag);
	return true;
}

/* A read of an entry waits for what was written there. */
static void read_entry(struct usrpci_pager *pager, uint32_t index)
{
	const struct usrpci_ioc_tlb_entries *entries = &pager->desc.entries;

	read_reg(pager, &entries->reg, (uint64_t)index * entries->stride +
		 (entries->words - 1) * entries->reg.width);
}

static bool is_done(struct usrpci_pager *pager)
{
	const uint64_t value = read_reg(pager, &pager->desc.done, 0);

	/* Nobody is there who could use it. */
	return atomic_load(&pager->gone) ||
	       (value & pager->desc.done_mask) == pager->desc.done_value;
}

uint64_t usrpci_pager_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool usrpci_pager_wait_cleared(struct usrpci_pager *pager, uint32_t index)
{
	const uint64_t start = usrpci_pager_now_ns();
	uint64_t waited;

	if (!pager->desc.done.width) {
		read_entry(pager, index);
		return true;
	}
	for (;;) {
		/* Looked at once more after the time is up: this thread may not have run. */
		waited = usrpci_pager_now_ns() - start;
		if (is_done(pager))
			return true;
		if (waited > pager->desc.timeout_us * 1000ULL)
			return false;
		if (waited > SPIN_NS)
			usleep(20);
	}
}
