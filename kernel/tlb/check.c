// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* Copyright (C) 2026 The usrpci authors */

#include "check.h"
#include "record.h"

/* Of the smallest page, whatever the machine's is. */
#define USRPCI_PAGE_SHIFT	12
#define USRPCI_U32_MAX		0xffffffffU

static bool usrpci_reg_valid(const struct usrpci_ioc_reg *reg)
{
	if (!reg->width)
		return !reg->bar && !reg->offset;
	return reg->bar < USRPCI_NR_BARS && (reg->width == 4 || reg->width == 8) &&
	       !(reg->offset & (reg->width - 1));
}

static bool usrpci_command_valid(const struct usrpci_ioc_tlb_command *cmd)
{
	if (cmd->reserved || !usrpci_reg_valid(&cmd->reg))
		return false;
	if (!cmd->reg.width)
		return !cmd->value && !cmd->arg.width;
	return usrpci_field_valid(&cmd->arg, cmd->reg.width * 8) &&
	       !(cmd->reg.width == 4 && cmd->value > USRPCI_U32_MAX);
}

/* It takes all numbers below @nr. */
static bool usrpci_field_counts(const struct usrpci_ioc_field *f, __u64 nr)
{
	return usrpci_field_exists(f) && !f->shift && usrpci_field_fits(f, nr - 1);
}

static bool usrpci_is_flag(const struct usrpci_ioc_field *f)
{
	return f->width == 1 && !f->shift;
}

static bool usrpci_is_flag_or_none(const struct usrpci_ioc_field *f)
{
	return !usrpci_field_exists(f) || usrpci_is_flag(f);
}

/* A page's address, as far as user memory goes. */
static bool usrpci_holds_page(const struct usrpci_ioc_field *f)
{
	return usrpci_field_exists(f) && f->shift <= USRPCI_PAGE_SHIFT;
}

static bool usrpci_miss_fields_valid(const struct usrpci_ioc_tlb_misses *m)
{
	unsigned int bits = m->words * m->word_width * 8;

	return usrpci_field_valid(&m->valid, bits) && usrpci_field_valid(&m->addr, bits) &&
	       usrpci_field_valid(&m->tag, bits) && usrpci_field_valid(&m->write, bits) &&
	       usrpci_field_valid(&m->entry, bits) && usrpci_field_valid(&m->id, bits) &&
	       usrpci_is_flag(&m->valid) && usrpci_holds_page(&m->addr) &&
	       usrpci_is_flag_or_none(&m->write) && !m->tag.shift && !m->entry.shift &&
	       m->entry.width <= 32 && m->id.width <= 32 && m->tag.width <= 32 && !m->id.shift &&
	       (usrpci_field_exists(&m->entry) || usrpci_field_exists(&m->id));
}

/* No bit of an entry is of two fields. */
static bool usrpci_entry_fields_apart(const struct usrpci_ioc_tlb_entries *e)
{
	const struct usrpci_ioc_field *fields[] = {
		&e->valid, &e->addr, &e->tag, &e->bus, &e->write, &e->large, NULL,
	};
	const struct usrpci_ioc_field **f, **g;

	for (f = fields; *f; f++)
		for (g = f + 1; *g; g++)
			if ((*f)->bit < (*g)->bit + (*g)->width &&
			    (*g)->bit < (*f)->bit + (*f)->width)
				return false;
	return true;
}

static bool usrpci_entry_fields_valid(const struct usrpci_ioc_tlb_entries *e)
{
	unsigned int bits = e->words * e->reg.width * 8;

	return usrpci_field_valid(&e->valid, bits) && usrpci_field_valid(&e->addr, bits) &&
	       usrpci_field_valid(&e->tag, bits) && usrpci_field_valid(&e->bus, bits) &&
	       usrpci_field_valid(&e->write, bits) && usrpci_field_valid(&e->large, bits) &&
	       usrpci_is_flag(&e->valid) && usrpci_holds_page(&e->addr) &&
	       usrpci_holds_page(&e->bus) && usrpci_is_flag_or_none(&e->write) &&
	       usrpci_is_flag_or_none(&e->large) && usrpci_entry_fields_apart(e);
}

static bool usrpci_misses_valid(const struct usrpci_ioc_tlb_misses *m)
{
	if (!usrpci_reg_valid(&m->reg) || !m->words || m->words > USRPCI_TLB_MAX_WORDS)
		return false;
	if (m->word_width != 4 && m->word_width != 8)
		return false;
	return m->ring || m->reg.width == m->word_width;
}

static bool usrpci_ring_valid(const struct usrpci_ioc_tlb_misses *m)
{
	if (!m->ring)
		return !m->ring_entries && !m->ring_offset;
	return m->ring_entries && !(m->ring_entries & (m->ring_entries - 1)) &&
	       m->ring_entries <= USRPCI_TLB_MAX_RING && !(m->ring_offset & (m->word_width - 1));
}

static bool usrpci_entries_valid(const struct usrpci_ioc_tlb_entries *e)
{
	return e->reg.width && usrpci_reg_valid(&e->reg) && !e->reserved && e->nr &&
	       e->nr <= USRPCI_TLB_MAX_ENTRIES && e->words && e->words <= USRPCI_TLB_MAX_WORDS &&
	       e->stride >= e->words * e->reg.width && !(e->stride & (e->reg.width - 1));
}

static bool usrpci_tags_valid(const struct usrpci_ioc_tlb *d)
{
	if (!d->tags || d->tags > USRPCI_TLB_MAX_TAGS)
		return false;
	return d->tags == 1 || (usrpci_field_counts(&d->misses.tag, d->tags) &&
				usrpci_field_counts(&d->entries.tag, d->tags));
}

static bool usrpci_pages_valid(const struct usrpci_ioc_tlb *d)
{
	if (!d->page_sizes || d->page_sizes & ~(USRPCI_TLB_4K | USRPCI_TLB_2M))
		return false;
	return d->page_sizes != (USRPCI_TLB_4K | USRPCI_TLB_2M) ||
	       usrpci_field_exists(&d->entries.large);
}

/* An answer has room for what names a miss, or it would be another's. */
static bool usrpci_names_miss(const struct usrpci_ioc_tlb_command *c,
			      const struct usrpci_ioc_tlb_misses *m)
{
	const struct usrpci_ioc_field *id = usrpci_field_exists(&m->id) ? &m->id : &m->entry;

	return c->reg.width && !c->arg.shift &&
	       (!usrpci_field_exists(&c->arg) || c->arg.width >= id->width);
}

static bool usrpci_commands_valid(const struct usrpci_ioc_tlb *d)
{
	if (!usrpci_command_valid(&d->ack) || !usrpci_command_valid(&d->go_on) ||
	    !usrpci_command_valid(&d->refuse) || !usrpci_command_valid(&d->invalidate) ||
	    !usrpci_command_valid(&d->invalidate_tag))
		return false;
	if (!usrpci_names_miss(&d->go_on, &d->misses) ||
	    !usrpci_names_miss(&d->refuse, &d->misses))
		return false;
	if (d->invalidate.reg.width && !usrpci_field_counts(&d->invalidate.arg, d->entries.nr))
		return false;
	return !d->invalidate_tag.reg.width || d->tags == 1 ||
	       usrpci_field_counts(&d->invalidate_tag.arg, d->tags);
}

static bool usrpci_done_valid(const struct usrpci_ioc_tlb *d)
{
	if (!usrpci_reg_valid(&d->done) || !d->timeout_us || d->timeout_us > USRPCI_TLB_MAX_US ||
	    d->done_value & ~d->done_mask)
		return false;
	if (!d->done.width)
		return !d->done_mask;
	return d->done_mask && !(d->done.width == 4 && d->done_mask > USRPCI_U32_MAX);
}

enum usrpci_tlb_fault usrpci_tlb_check(const struct usrpci_ioc_tlb *d)
{
	if (!usrpci_misses_valid(&d->misses))
		return USRPCI_TLB_FAULT_MISSES;
	if (!usrpci_ring_valid(&d->misses))
		return USRPCI_TLB_FAULT_RING;
	if (!usrpci_miss_fields_valid(&d->misses))
		return USRPCI_TLB_FAULT_MISS_FIELD;
	if (!usrpci_entries_valid(&d->entries))
		return USRPCI_TLB_FAULT_ENTRIES;
	if (!usrpci_entry_fields_valid(&d->entries))
		return USRPCI_TLB_FAULT_ENTRY_FIELD;
	if (!usrpci_tags_valid(d))
		return USRPCI_TLB_FAULT_TAGS;
	if (!usrpci_pages_valid(d))
		return USRPCI_TLB_FAULT_PAGES;
	if (!usrpci_commands_valid(d))
		return USRPCI_TLB_FAULT_COMMAND;
	return usrpci_done_valid(d) ? USRPCI_TLB_FAULT_NONE : USRPCI_TLB_FAULT_DONE;
}
