// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The htex model's TLB against one that looks at every entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "devices/htex/model.h"

#define MOST		64U
#define ROUNDS		200000U
/* Few pages, so that they meet. */
#define PAGES		24U
#define LARGE		(2ULL << 20)

/** struct plain - The same, plainly. */
struct plain {
	uint32_t nr;
	uint64_t first[MOST];
	uint64_t second[MOST];
	bool kept[MOST];
};

static struct htex_tlb tlb;
static struct plain plain;

static int setup(void **state)
{
	const uint32_t nr = *(const uint32_t *)*state;

	plain = (struct plain){ .nr = nr };
	srandom(nr);
	if (sim_htex_tlb_create(&tlb, nr))
		return -1;
	sim_htex_tlb_reset(&tlb);
	return 0;
}

static int teardown(void **state)
{
	sim_htex_tlb_destroy(&tlb);
	return 0;
}

static uint64_t draw(uint64_t below)
{
	return (uint64_t)random() % below;
}

/* Around the border of two large pages. */
static uint64_t draw_address(void)
{
	return 7 * LARGE + (draw(PAGES) - PAGES / 2) * HTEX_PAGE + draw(HTEX_PAGE);
}

static bool translates(uint32_t index, uint32_t tag, uint64_t address, bool write)
{
	const uint64_t len = plain.first[index] & HTEX_ENTRY_LARGE ? LARGE : HTEX_PAGE;

	return plain.first[index] & HTEX_ENTRY_VALID &&
	       (!write || plain.first[index] & HTEX_ENTRY_WRITE) &&
	       (plain.first[index] >> HTEX_ENTRY_TAG_SHIFT & 0xf) == tag &&
	       plain.second[index] / len == address / len;
}

/* One of the entries that translate it, or none if there's none. */
static void compare_translation(void)
{
	const uint64_t address = draw_address();
	const uint32_t tag = (uint32_t)draw(3);
	const bool write = draw(2);
	bool there = false, right = false;
	uint64_t bus = 0, len;
	uint32_t i;

	const bool found = sim_htex_tlb_translate(&tlb, tag, address, write, &bus);

	for (i = 0; i < plain.nr; i++) {
		if (!translates(i, tag, address, write))
			continue;
		len = plain.first[i] & HTEX_ENTRY_LARGE ? LARGE : HTEX_PAGE;
		there = true;
		right |= bus == plain.first[i] / len * len + address % len;
	}
	assert_int_equal(found, there);
	assert_true(right || !found);
}

static void write_entry(void)
{
	const uint32_t index = (uint32_t)draw(plain.nr);
	const bool second = draw(2);
	uint64_t value = draw_address();

	if (second) {
		plain.second[index] = value;
	} else {
		value = draw(1000) * LARGE | draw(512) << 12 | draw(3) << HTEX_ENTRY_TAG_SHIFT |
			draw(8);
		plain.first[index] = value;
	}
	sim_htex_tlb_write(&tlb, index * HTEX_ENTRY_LEN + 8 * second, value);
}

static bool has_tag(uint32_t index, uint32_t tag)
{
	return plain.first[index] & HTEX_ENTRY_VALID &&
	       (plain.first[index] >> HTEX_ENTRY_TAG_SHIFT & 0xf) == tag;
}

static void forget(void)
{
	const uint32_t tag = (uint32_t)draw(100), index = (uint32_t)draw(plain.nr + 1);
	uint32_t i;

	if (tag < 3)
		sim_htex_tlb_forget_tag(&tlb, tag);
	else
		sim_htex_tlb_forget(&tlb, index);
	for (i = 0; i < plain.nr; i++)
		if (tag < 3 ? has_tag(i, tag) : i == index)
			plain.first[i] = 0;
}

/* None that's kept, and none that's valid while another is free. */
static void give_up(void)
{
	const uint32_t index = sim_htex_tlb_give_up(&tlb);
	uint32_t i, nr_free = 0, nr_kept = 0;

	for (i = 0; i < plain.nr; i++) {
		nr_free += !plain.kept[i] && !(plain.first[i] & HTEX_ENTRY_VALID);
		nr_kept += plain.kept[i];
	}
	if (nr_kept == plain.nr) {
		assert_int_equal(index, HTEX_NO_ENTRY);
		return;
	}
	assert_true(index < plain.nr);
	assert_false(plain.kept[index]);
	if (nr_free)
		assert_false(plain.first[index] & HTEX_ENTRY_VALID);
	plain.kept[index] = true;
	plain.first[index] = 0;
}

static void settle(void)
{
	const uint32_t index = (uint32_t)draw(plain.nr);

	if (!plain.kept[index])
		return;
	plain.kept[index] = false;
	sim_htex_tlb_settle(&tlb, index);
}

static void test_anything(void **state)
{
	static void (*const acts[])(void) = {
		write_entry, write_entry, compare_translation, compare_translation, forget,
		give_up, settle, settle,
	};
	uint32_t i, j;

	for (i = 0; i < ROUNDS; i++) {
		acts[draw(sizeof(acts) / sizeof(acts[0]))]();
		j = i % plain.nr;
		assert_int_equal(sim_htex_tlb_read(&tlb, j * HTEX_ENTRY_LEN), plain.first[j]);
		assert_int_equal(sim_htex_tlb_read(&tlb, j * HTEX_ENTRY_LEN + 8), plain.second[j]);
	}
}

/* All are full: it's each one's turn. */
static void test_turns(void **state)
{
	uint32_t i, index, seen = 0;

	for (i = 0; i < plain.nr; i++)
		sim_htex_tlb_write(&tlb, i * HTEX_ENTRY_LEN, HTEX_ENTRY_VALID | (uint64_t)i << 12);
	for (i = 0; i < 3 * plain.nr; i++) {
		index = sim_htex_tlb_give_up(&tlb);
		seen += index == i % plain.nr;
		sim_htex_tlb_write(&tlb, index * HTEX_ENTRY_LEN, HTEX_ENTRY_VALID);
		sim_htex_tlb_settle(&tlb, index);
	}
	assert_int_equal(seen, 3 * plain.nr);
}

#define ON(test, nr)	{ #test " " #nr, test, setup, teardown, (void *)&(nr) }

static const uint32_t few = 16, many = 64;

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(test_anything, few),
		ON(test_anything, many),
		ON(test_turns, few),
		ON(test_turns, many),
	};

	return cmocka_run_group_tests_name("the htex model's TLB", tests, NULL, NULL);
}
