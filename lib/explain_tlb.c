// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What is wrong with the description of a TLB, field by field. Who serves its misses refused it
 * (kernel/tlb/check.c says what has to hold); here the first cause is found and put into words.
 */
#include <stdarg.h>
#include <stdio.h>
#include "explain.h"

/* Of the smallest page. */
#define PAGE_SHIFT	12
#define RING_MOST	65536U

/**
 * struct cause - What was found.
 * @dev: whose TLB it is
 * @buf: where it's written
 * @len: bytes of @buf
 */
struct cause {
	struct usrpci_device *dev;
	char *buf;
	size_t len;
};

/* True, so that it can be returned. */
__attribute__((format(printf, 2, 3)))
static bool found(const struct cause *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->buf, c->len, format, args);
	va_end(args);
	return true;
}

/* --- registers --- */

static bool reg_width(const struct cause *c, const char *name, const struct usrpci_reg_place *reg)
{
	if (reg->width == 4 || reg->width == 8)
		return false;
	if (reg->width)
		return found(c, "%s.width is %u: a register has 4 or 8 bytes", name, reg->width);
	return found(c, "%s is missing: its width is 0", name);
}

/* @len bytes from @reg on. */
static bool reg_place(const struct cause *c, const char *name, const struct usrpci_reg_place *reg,
		      uint64_t len)
{
	struct usrpci_bar bar = { .type = USRPCI_NO_BAR };

	if (reg_width(c, name, reg))
		return true;
	if (reg->bar >= USRPCI_BARS || c->dev->backend->bar_info(c->dev, reg->bar, &bar) ||
	    bar.type == USRPCI_NO_BAR)
		return found(c, "%s.bar is %u, and there is no BAR %u", name, reg->bar, reg->bar);
	if (bar.type == USRPCI_PORT_BAR)
		return found(c, "%s.bar is %u, which has I/O ports, not memory", name, reg->bar);
	if (reg->offset % reg->width)
		return found(c, "%s.offset is 0x%llx, no multiple of its width %u", name,
			     (unsigned long long)reg->offset, reg->width);
	if (reg->offset > bar.len || len > bar.len - reg->offset)
		return found(c, "%s begins at 0x%llx and takes 0x%llx bytes; BAR %u has 0x%llx",
			     name, (unsigned long long)reg->offset, (unsigned long long)len,
			     reg->bar, (unsigned long long)bar.len);
	return false;
}

/* One that may be none. */
static bool reg_or_none(const struct cause *c, const char *name, const struct usrpci_reg_place *reg)
{
	if (reg->width)
		return reg_place(c, name, reg, reg->width);
	if (reg->bar || reg->offset)
		return found(c, "%s.width is 0, though a BAR or an offset is set", name);
	return false;
}

/* --- fields --- */

/* One that there may be, within @bits bits. */
static bool field_or_none(const struct cause *c, const char *name, struct usrpci_field f,
			  unsigned int bits)
{
	if (f.width > 64)
		return found(c, "%s.width is %u, at most 64", name, f.width);
	if (f.width + f.shift > 64)
		return found(c, "%s.width and shift are %u together, at most 64", name,
			     f.width + f.shift);
	if (f.width && f.bit + f.width > bits)
		return found(c, "%s ends before bit %u, and there are %u bits", name,
			     f.bit + f.width, bits);
	if (!f.width && (f.bit || f.shift))
		return found(c, "%s.width is 0, though a bit or a shift is set", name);
	return false;
}

static bool field(const struct cause *c, const char *name, struct usrpci_field f, unsigned int bits)
{
	if (!f.width)
		return found(c, "%s is missing: its width is 0", name);
	return field_or_none(c, name, f, bits);
}

static bool flag_or_none(const struct cause *c, const char *name, struct usrpci_field f,
			 unsigned int bits)
{
	if (f.width > 1 || f.shift)
		return found(c, "%s has %u bits and a shift of %u; it is one bit, with none", name,
			     f.width, f.shift);
	return field_or_none(c, name, f, bits);
}

static bool page(const struct cause *c, const char *name, struct usrpci_field f, unsigned int bits)
{
	if (field(c, name, f, bits))
		return true;
	if (f.shift > PAGE_SHIFT)
		return found(c, "%s.shift is %u, at most %u", name, f.shift, PAGE_SHIFT);
	return false;
}

/* A number of a miss or an entry. */
static bool number_or_none(const struct cause *c, const char *name, struct usrpci_field f,
			   unsigned int bits)
{
	if (f.shift)
		return found(c, "%s.shift is %u; it has to be 0", name, f.shift);
	if (f.width > 32)
		return found(c, "%s.width is %u, at most 32", name, f.width);
	return field_or_none(c, name, f, bits);
}

/* It has to take all numbers below @nr. */
static bool counts(const struct cause *c, const char *name, struct usrpci_field f, unsigned int nr,
		   const char *of)
{
	if (f.shift)
		return found(c, "%s.shift is %u; it has to be 0", name, f.shift);
	if (!f.width)
		return found(c, "%s is missing: there are %u %s", name, nr, of);
	if (f.width < 32 && nr > 1U << f.width)
		return found(c, "%s has %u bits, too few for %u %s", name, f.width, nr, of);
	return false;
}

/* --- parts of it --- */

static bool words(const struct cause *c, const char *name, unsigned int nr)
{
	if (nr && nr <= USRPCI_TLB_WORDS)
		return false;
	return found(c, "%s is %u, of 1 to %u", name, nr, USRPCI_TLB_WORDS);
}

static bool misses(const struct cause *c, const struct usrpci_tlb_misses *m)
{
	if (words(c, "misses.words", m->words))
		return true;
	if (m->word_width != 4 && m->word_width != 8)
		return found(c, "misses.word_width is %u: a word has 4 or 8 bytes", m->word_width);
	if (m->ring)
		return reg_or_none(c, "misses.reg", &m->reg);
	if (reg_width(c, "misses.reg", &m->reg))
		return true;
	if (m->reg.width != m->word_width)
		return found(c, "misses.reg.width is %u and word_width %u; of a FIFO they are the "
			     "same", m->reg.width, m->word_width);
	return reg_place(c, "misses.reg", &m->reg, (uint64_t)m->words * m->word_width);
}

static bool ring(const struct cause *c, const struct usrpci_tlb_misses *m)
{
	if (!m->ring)
		return found(c, "misses.ring is 0, which means a FIFO, though ring_entries or "
			     "ring_offset is set");
	if (!m->ring_entries || m->ring_entries & (m->ring_entries - 1) ||
	    m->ring_entries > RING_MOST)
		return found(c, "misses.ring_entries is %u: a power of two, up to %u",
			     m->ring_entries, RING_MOST);
	if (m->ring_offset % m->word_width)
		return found(c, "misses.ring_offset is no multiple of word_width");
	return found(c, "misses.ring is %u, no coherent buffer that has 0x%llx bytes at 0x%llx",
		     m->ring, (unsigned long long)m->ring_entries * m->words * m->word_width,
		     (unsigned long long)m->ring_offset);
}

static bool miss_fields(const struct cause *c, const struct usrpci_tlb_misses *m)
{
	unsigned int bits = m->words * m->word_width * 8;

	if (!m->entry.width && !m->id.width)
		return found(c, "misses.id is missing, and so is misses.entry: one of them has to "
			     "name a miss in its answer");
	return field(c, "misses.valid", m->valid, bits) ||
	       flag_or_none(c, "misses.valid", m->valid, bits) ||
	       page(c, "misses.addr", m->addr, bits) ||
	       number_or_none(c, "misses.tag", m->tag, bits) ||
	       flag_or_none(c, "misses.write", m->write, bits) ||
	       number_or_none(c, "misses.entry", m->entry, bits) ||
	       number_or_none(c, "misses.id", m->id, bits);
}

static bool entries(const struct cause *c, const struct usrpci_tlb_entries *e)
{
	unsigned int len = e->words * e->reg.width;

	if (words(c, "entries.words", e->words) || reg_width(c, "entries.reg", &e->reg))
		return true;
	if (!e->nr || e->nr > USRPCI_TLB_ENTRIES)
		return found(c, "entries.nr is %u, of 1 to %u", e->nr, USRPCI_TLB_ENTRIES);
	if (e->stride < len)
		return found(c, "entries.stride is %u, less than an entry's %u bytes", e->stride,
			     len);
	if (e->stride % e->reg.width)
		return found(c, "entries.stride is %u, no multiple of entries.reg.width %u",
			     e->stride, e->reg.width);
	return reg_place(c, "entries.reg", &e->reg, (uint64_t)(e->nr - 1) * e->stride + len);
}

static bool overlap(const struct cause *c, const struct usrpci_tlb_entries *e)
{
	const struct {
		const char *name;
		struct usrpci_field f;
	} fields[] = {
		{ "valid", e->valid }, { "addr", e->addr }, { "tag", e->tag },
		{ "bus", e->bus }, { "write", e->write }, { "large", e->large },
	};
	const size_t nr = sizeof(fields) / sizeof(fields[0]);
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = i + 1; j < nr; j++)
			if (fields[i].f.bit < fields[j].f.bit + fields[j].f.width &&
			    fields[j].f.bit < fields[i].f.bit + fields[i].f.width)
				return found(c, "entries.%s and entries.%s overlap",
					     fields[i].name, fields[j].name);
	return false;
}

static bool entry_fields(const struct cause *c, const struct usrpci_tlb_entries *e)
{
	unsigned int bits = e->words * e->reg.width * 8;

	return field(c, "entries.valid", e->valid, bits) ||
	       flag_or_none(c, "entries.valid", e->valid, bits) ||
	       page(c, "entries.addr", e->addr, bits) ||
	       field_or_none(c, "entries.tag", e->tag, bits) ||
	       page(c, "entries.bus", e->bus, bits) ||
	       flag_or_none(c, "entries.write", e->write, bits) ||
	       flag_or_none(c, "entries.large", e->large, bits) || overlap(c, e);
}

static bool tags(const struct cause *c, const struct usrpci_tlb *tlb)
{
	if (!tlb->tags || tlb->tags > USRPCI_TLB_TAGS)
		return found(c, "tags is %u, of 1 to %u", tlb->tags, USRPCI_TLB_TAGS);
	return counts(c, "misses.tag", tlb->misses.tag, tlb->tags, "tags") ||
	       counts(c, "entries.tag", tlb->entries.tag, tlb->tags, "tags");
}

static bool sizes(const struct cause *c, const struct usrpci_tlb *tlb)
{
	if (!tlb->page_sizes || tlb->page_sizes & ~(USRPCI_PAGE_4K | USRPCI_PAGE_2M))
		return found(c, "page_sizes is 0x%x: USRPCI_PAGE_4K, USRPCI_PAGE_2M, or both",
			     tlb->page_sizes);
	return found(c, "entries.large is missing: there are two page_sizes");
}

static bool command(const struct cause *c, const char *name, const struct usrpci_tlb_command *cmd)
{
	char reg[32], arg[32];

	snprintf(reg, sizeof(reg), "%s.reg", name);
	snprintf(arg, sizeof(arg), "%s.arg", name);
	if (reg_or_none(c, reg, &cmd->reg))
		return true;
	if (!cmd->reg.width && (cmd->value || cmd->arg.width))
		return found(c, "%s is missing, though %s has a value or an argument", reg, name);
	if (cmd->reg.width == 4 && cmd->value > UINT32_MAX)
		return found(c, "%s.value has more than the register's 32 bits", name);
	return field_or_none(c, arg, cmd->arg, cmd->reg.width * 8);
}

/* A command that names a miss by all that the device named it by. */
static bool answer(const struct cause *c, const char *name, const struct usrpci_tlb_command *cmd,
		   const struct usrpci_tlb_misses *m)
{
	const struct usrpci_field *id = m->id.width ? &m->id : &m->entry;

	if (!cmd->reg.width)
		return found(c, "%s.reg is missing: a miss has to be answered", name);
	if (command(c, name, cmd))
		return true;
	if (cmd->arg.shift)
		return found(c, "%s.arg.shift is %u; it has to be 0", name, cmd->arg.shift);
	if (cmd->arg.width && cmd->arg.width < id->width)
		return found(c, "%s.arg has %u bits, misses.%s has %u", name, cmd->arg.width,
			     m->id.width ? "id" : "entry", id->width);
	return false;
}

static bool commands(const struct cause *c, const struct usrpci_tlb *tlb)
{
	if (command(c, "ack", &tlb->ack) || answer(c, "go_on", &tlb->go_on, &tlb->misses) ||
	    answer(c, "refuse", &tlb->refuse, &tlb->misses) ||
	    command(c, "invalidate", &tlb->invalidate) ||
	    command(c, "invalidate_tag", &tlb->invalidate_tag))
		return true;
	if (tlb->invalidate.reg.width &&
	    counts(c, "invalidate.arg", tlb->invalidate.arg, tlb->entries.nr, "entries"))
		return true;
	return tlb->invalidate_tag.reg.width &&
	       counts(c, "invalidate_tag.arg", tlb->invalidate_tag.arg, tlb->tags, "tags");
}

static bool done(const struct cause *c, const struct usrpci_tlb *tlb)
{
	if (!tlb->timeout_us || tlb->timeout_us > USRPCI_TLB_US)
		return found(c, "timeout_us is %u, of 1 to %u", tlb->timeout_us, USRPCI_TLB_US);
	if (reg_or_none(c, "done", &tlb->done))
		return true;
	if (tlb->done_value & ~tlb->done_mask)
		return found(c, "done_value has bits that done_mask lacks");
	if (!tlb->done.width)
		return found(c, "done_mask is set, though done is missing: its width is 0");
	if (!tlb->done_mask)
		return found(c, "done_mask is 0: it says which bits of done are looked at");
	return found(c, "done_mask has more than the register's 32 bits");
}

bool usrpci_explain_tlb(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			enum usrpci_tlb_fault fault, char *buf, size_t len)
{
	const struct cause c = { .dev = dev, .buf = buf, .len = len };

	switch (fault) {
	case USRPCI_TLB_FAULT_VECTOR:
		return found(&c, "vector %u isn't set up, or is no vector of MSI or MSI-X: call "
			     "usrpci_irq_setup() first", tlb->vector);
	case USRPCI_TLB_FAULT_TAGS:
		return tags(&c, tlb);
	case USRPCI_TLB_FAULT_PAGES:
		return sizes(&c, tlb);
	case USRPCI_TLB_FAULT_MISSES:
		return misses(&c, &tlb->misses);
	case USRPCI_TLB_FAULT_RING:
		return ring(&c, &tlb->misses);
	case USRPCI_TLB_FAULT_MISS_FIELD:
		return miss_fields(&c, &tlb->misses);
	case USRPCI_TLB_FAULT_ENTRIES:
		return entries(&c, &tlb->entries);
	case USRPCI_TLB_FAULT_ENTRY_FIELD:
		return entry_fields(&c, &tlb->entries);
	case USRPCI_TLB_FAULT_COMMAND:
		return commands(&c, tlb);
	case USRPCI_TLB_FAULT_DONE:
		return done(&c, tlb);
	case USRPCI_TLB_FAULT_NONE:
		break;
	}
	return false;
}
