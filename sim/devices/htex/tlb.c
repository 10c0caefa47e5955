// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Entries are found by a hash of tag and page: no operation but one looks at all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"

#define LARGE_SHIFT	21U
#define NONE		HTEX_NO_ENTRY

static bool is_valid(const struct htex_entry *entry)
{
	return entry->first & HTEX_ENTRY_VALID;
}

static bool is_large(const struct htex_entry *entry)
{
	return entry->first & HTEX_ENTRY_LARGE;
}

static uint32_t tag_of(const struct htex_entry *entry)
{
	return entry->first >> HTEX_ENTRY_TAG_SHIFT & (HTEX_TAGS - 1);
}

static unsigned int shift_of(bool large)
{
	return large ? LARGE_SHIFT : HTEX_ENTRY_PAGE_SHIFT;
}

/* Fibonacci hashing: the upper bits of a product depend on all of its factors' bits. */
static uint32_t *bucket_of(const struct htex_tlb *tlb, uint32_t tag, uint64_t page, bool large)
{
	const uint64_t kind = (uint64_t)tag << 56 | (large ? 1ULL << 60 : 0);
	const uint64_t key = (page ^ kind) * 0x9e3779b97f4a7c15;

	return &tlb->buckets[key >> 32 & (tlb->nr - 1)];
}

static uint32_t *bucket_of_entry(const struct htex_tlb *tlb, const struct htex_entry *entry)
{
	bool large = is_large(entry);

	return bucket_of(tlb, tag_of(entry), entry->second >> shift_of(large), large);
}

/* --- those that are free --- */

static void add_free(struct htex_tlb *tlb, uint32_t index)
{
	struct htex_entry *entry = &tlb->entries[index];

	entry->previous = NONE;
	entry->next = tlb->free;
	if (tlb->free != NONE)
		tlb->entries[tlb->free].previous = index;
	tlb->free = index;
}

static void remove_free(struct htex_tlb *tlb, uint32_t index)
{
	struct htex_entry *entry = &tlb->entries[index];

	if (entry->previous == NONE)
		tlb->free = entry->next;
	else
		tlb->entries[entry->previous].next = entry->next;
	if (entry->next != NONE)
		tlb->entries[entry->next].previous = entry->previous;
}

/* --- those that are valid --- */

static void make_valid(struct htex_tlb *tlb, uint32_t index)
{
	struct htex_entry *entry = &tlb->entries[index];
	uint32_t *bucket = bucket_of_entry(tlb, entry);

	entry->chain = *bucket;
	*bucket = index;
	tlb->nr_large += is_large(entry);
	if (!entry->kept)
		remove_free(tlb, index);
}

static void make_invalid(struct htex_tlb *tlb, uint32_t index)
{
	struct htex_entry *entry = &tlb->entries[index];
	uint32_t *link = bucket_of_entry(tlb, entry);

	while (*link != index)
		link = &tlb->entries[*link].chain;
	*link = entry->chain;
	tlb->nr_large -= is_large(entry);
	if (!entry->kept)
		add_free(tlb, index);
}

static void set_words(struct htex_tlb *tlb, uint32_t index, uint64_t first, uint64_t second)
{
	struct htex_entry *entry = &tlb->entries[index];

	if (is_valid(entry))
		make_invalid(tlb, index);
	entry->first = first;
	entry->second = second;
	if (is_valid(entry))
		make_valid(tlb, index);
}

/* --- registers --- */

uint64_t sim_htex_tlb_read(const struct htex_tlb *tlb, uint64_t offset)
{
	const struct htex_entry *entry = &tlb->entries[offset / HTEX_ENTRY_LEN];

	if (offset / HTEX_ENTRY_LEN >= tlb->nr)
		return 0;
	return offset & 8 ? entry->second : entry->first;
}

void sim_htex_tlb_write(struct htex_tlb *tlb, uint64_t offset, uint64_t value)
{
	const uint64_t index = offset / HTEX_ENTRY_LEN;
	const struct htex_entry *entry = &tlb->entries[index];

	if (index >= tlb->nr)
		return;
	if (offset & 8)
		set_words(tlb, (uint32_t)index, entry->first, value);
	else
		set_words(tlb, (uint32_t)index, value, entry->second);
}

/* --- translating --- */

static bool look_up(const struct htex_tlb *tlb, uint32_t tag, uint64_t address, bool large,
		    uint64_t wanted, uint64_t *bus)
{
	const uint64_t offset = (1ULL << shift_of(large)) - 1;
	const uint64_t page = address >> shift_of(large);
	const struct htex_entry *entry;
	uint32_t index = *bucket_of(tlb, tag, page, large);

	for (; index != NONE; index = entry->chain) {
		entry = &tlb->entries[index];
		if (is_large(entry) != large || tag_of(entry) != tag ||
		    entry->second >> shift_of(large) != page || (entry->first & wanted) != wanted)
			continue;
		*bus = (entry->first & ~offset) | (address & offset);
		return true;
	}
	return false;
}

bool sim_htex_tlb_translate(const struct htex_tlb *tlb, uint32_t tag, uint64_t address,
			    bool write, uint64_t *bus)
{
	const uint64_t wanted = HTEX_ENTRY_VALID | (write ? HTEX_ENTRY_WRITE : 0);

	return look_up(tlb, tag, address, false, wanted, bus) ||
	       (tlb->nr_large && look_up(tlb, tag, address, true, wanted, bus));
}

/* --- forgetting --- */

void sim_htex_tlb_forget(struct htex_tlb *tlb, uint32_t index)
{
	if (index < tlb->nr)
		set_words(tlb, index, 0, tlb->entries[index].second);
}

void sim_htex_tlb_forget_tag(struct htex_tlb *tlb, uint32_t tag)
{
	uint32_t i;

	for (i = 0; i < tlb->nr; i++)
		if (is_valid(&tlb->entries[i]) && tag_of(&tlb->entries[i]) == tag)
			sim_htex_tlb_forget(tlb, i);
}

/* At most as many are kept as there are engines, so that this ends soon. */
static uint32_t choose_victim(struct htex_tlb *tlb)
{
	uint32_t tries, index;

	for (tries = 0; tries < tlb->nr; tries++) {
		index = tlb->victim;
		tlb->victim = (index + 1) & (tlb->nr - 1);
		if (!tlb->entries[index].kept)
			return index;
	}
	return NONE;
}

uint32_t sim_htex_tlb_give_up(struct htex_tlb *tlb)
{
	uint32_t index = tlb->free != NONE ? tlb->free : choose_victim(tlb);

	if (index == NONE)
		return NONE;
	sim_htex_tlb_forget(tlb, index);
	remove_free(tlb, index);
	tlb->entries[index].kept = true;
	return index;
}

void sim_htex_tlb_settle(struct htex_tlb *tlb, uint32_t index)
{
	tlb->entries[index].kept = false;
	if (!is_valid(&tlb->entries[index]))
		add_free(tlb, index);
}

/* --- all of it --- */

void sim_htex_tlb_reset(struct htex_tlb *tlb)
{
	uint32_t i;

	memset(tlb->entries, 0, tlb->nr * sizeof(*tlb->entries));
	memset(tlb->buckets, 0xff, tlb->nr * sizeof(*tlb->buckets));
	tlb->free = NONE;
	tlb->victim = 0;
	tlb->nr_large = 0;
	for (i = tlb->nr; i--; )
		add_free(tlb, i);
}

int sim_htex_tlb_create(struct htex_tlb *tlb, uint32_t nr)
{
	tlb->nr = nr;
	tlb->entries = calloc(nr, sizeof(*tlb->entries));
	tlb->buckets = calloc(nr, sizeof(*tlb->buckets));
	return tlb->entries && tlb->buckets ? 0 : -ENOMEM;
}

void sim_htex_tlb_destroy(struct htex_tlb *tlb)
{
	free(tlb->entries);
	free(tlb->buckets);
}
