/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a device's own TLB
 *
 * A device that computes on virtual addresses keeps translations of its own, and
 * reports an address that it has none for: a miss. Here it is said where its
 * registers are and what they mean, so that misses can be answered without a line of
 * code for the device. docs/translation.md has one filled in.
 *
 * Misses and entries are records: some words of the same width, one after the other.
 * A record's bits are counted from bit 0 of its first word.
 */
#ifndef USRPCI_TLB_H
#define USRPCI_TLB_H

#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most processes that share a device. */
#define USRPCI_TLB_TAGS		16U
/** Most entries. */
#define USRPCI_TLB_ENTRIES	(1U << 20)
/** Most words of a record. */
#define USRPCI_TLB_WORDS	4U
/** Longest that an invalidation may take, in microseconds. */
#define USRPCI_TLB_US		10000U

/* usrpci_tlb.page_sizes */
#define USRPCI_PAGE_4K		(1U << 0)
#define USRPCI_PAGE_2M		(1U << 1)

/**
 * struct usrpci_field - Bits of a record or a register.
 * @bit: the lowest
 * @width: how many, up to 64; 0: there is no such field
 * @shift: the value is shifted right by so many bits to be stored, and left to be read; with
 *	@width at most 64. Of an address at most 12, of a tag, an entry's number and an id 0
 */
struct usrpci_field {
	uint8_t bit;
	uint8_t width;
	uint8_t shift;
};

/**
 * struct usrpci_reg_place - Where a register is.
 * @bar: 0 to 5
 * @width: bytes, 4 or 8; 0: there is no such register
 * @offset: from the BAR's start, a multiple of @width
 */
struct usrpci_reg_place {
	uint32_t bar;
	uint32_t width;
	uint64_t offset;
};

/**
 * struct usrpci_tlb_command - A register write that says something to the device.
 * @reg: what is written
 * @value: that is written, but that the bits of @arg are the number's
 * @arg: where the number goes that the command is about, with no shift; none: the write alone
 *	says it, as of a device that has one miss at a time
 */
struct usrpci_tlb_command {
	struct usrpci_reg_place reg;
	uint64_t value;
	struct usrpci_field arg;
};

/**
 * struct usrpci_tlb_misses - How the device reports misses.
 * @reg: FIFO: its first word, whose reading takes a miss from it; the others follow. Its width
 *	is @word_width.
 *	Ring: where the device is told how many were taken since the start, modulo 2 to the
 *	register's bits; may be none
 * @words: of a record
 * @word_width: bytes of a word, 4 or 8
 * @ring: handle of the coherent buffer that the ring lies in; 0: it's a FIFO
 * @ring_entries: of the ring, a power of two up to 65536
 * @ring_offset: bytes from the buffer's start, a multiple of @word_width
 * @valid: FIFO: 1 if there was one. Ring: the phase, 1 in the first round, then 0, and so on.
 *	The word with it must be seen after all others of its record: let it be the last one, or
 *	write it by a transaction that comes after theirs. The next record is looked at without
 *	waiting for an interrupt
 * @addr: virtual address
 * @tag: whose, up to 32 bits; none: there's only tag 0
 * @write: 1 if the device wants to write; none: it always may
 * @entry: up to 32 bits: the entry that the device has given up for this translation, and uses
 *	no more; none, or not below the number of entries: the driver chooses
 * @id: up to 32 bits: what names the miss in an answer, which has room for it; none: @entry does
 *
 * The ring has to be zero before the device is told of it, as it is when it was allocated. After
 * a reset the module zeroes it; where the library serves, the program has to.
 */
struct usrpci_tlb_misses {
	struct usrpci_reg_place reg;
	uint32_t words;
	uint32_t word_width;
	uint32_t ring;
	uint32_t ring_entries;
	uint64_t ring_offset;
	struct usrpci_field valid;
	struct usrpci_field addr;
	struct usrpci_field tag;
	struct usrpci_field write;
	struct usrpci_field entry;
	struct usrpci_field id;
};

/**
 * struct usrpci_tlb_entries - Where entries are and what is in them.
 * @reg: first word of the first entry, and the width of a word
 * @nr: how many, up to USRPCI_TLB_ENTRIES
 * @stride: bytes from one to the next
 * @words: of an entry, whose fields share no bit. The word with @valid is written last
 * @valid: one bit
 * @addr: virtual address
 * @tag: whose; none: there's only tag 0
 * @bus: bus address
 * @write: one bit: the device may write; none: then all memory that it gets is writable
 * @large: one bit: translates 2 MiB
 */
struct usrpci_tlb_entries {
	struct usrpci_reg_place reg;
	uint32_t nr;
	uint32_t stride;
	uint32_t words;
	struct usrpci_field valid;
	struct usrpci_field addr;
	struct usrpci_field tag;
	struct usrpci_field bus;
	struct usrpci_field write;
	struct usrpci_field large;
};

/**
 * struct usrpci_tlb - A device's TLB.
 * @vector: that tells of a miss; MSI or MSI-X, set up before
 * @tags: how many the device tells apart, 1 to USRPCI_TLB_TAGS
 * @page_sizes: USRPCI_PAGE_*
 * @misses: how they are reported
 * @entries: of the TLB
 * @ack: written before misses are looked for; may be none
 * @go_on: with a miss's id: the translation is there
 * @refuse: with a miss's id: there's none
 * @invalidate: with an entry's number; none: writing 0 to its word with @entries.valid does it
 * @invalidate_tag: with a tag: all its entries; may be none
 * @done: read after an invalidation till the bits of @done_mask are @done_value; none: a
 *	read of the entry's word at the highest address has to wait for it
 * @done_mask: which bits
 * @done_value: no bit outside of @done_mask
 * @timeout_us: how long that may take, 1 to USRPCI_TLB_US; then the device is stopped. Also
 *	to be set without @done
 */
struct usrpci_tlb {
	uint32_t vector;
	uint32_t tags;
	uint32_t page_sizes;
	struct usrpci_tlb_misses misses;
	struct usrpci_tlb_entries entries;
	struct usrpci_tlb_command ack;
	struct usrpci_tlb_command go_on;
	struct usrpci_tlb_command refuse;
	struct usrpci_tlb_command invalidate;
	struct usrpci_tlb_command invalidate_tag;
	struct usrpci_reg_place done;
	uint64_t done_mask;
	uint64_t done_value;
	uint32_t timeout_us;
};

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_TLB_H */
