// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Doorbells, with and without a shadow in memory, against a controller that is memory alone. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <nvme/doorbell.h>
#include <cmocka.h>

#define QUIET	0x5a5a5a5aU

static uint32_t bar[4], shadow, event;
static const struct usrpci_regs regs = { .addr = (volatile char *)bar, .len = sizeof(bar) };
static struct nvme_doorbell doorbell;

static int make(void **state)
{
	doorbell = (struct nvme_doorbell){ .at = 8, .shadow = &shadow, .event = &event };
	shadow = 0;
	event = 0;
	return 0;
}

/* Whether the register is written, and what is. */
static bool rings(uint32_t value)
{
	memset(bar, 0x5a, sizeof(bar));
	nvme_doorbell_ring(&doorbell, &regs, value);
	assert_int_equal(bar[0], QUIET);
	assert_int_equal(bar[1], QUIET);
	assert_int_equal(bar[3], QUIET);
	if (bar[2] == QUIET)
		return false;
	assert_int_equal(le32toh(bar[2]), value);
	return true;
}

static void test_register_alone(void **state)
{
	doorbell.shadow = NULL;
	doorbell.event = NULL;
	assert_true(rings(3));
	assert_false(rings(3));	/* it knows */
	assert_true(rings(0));
	assert_int_equal(shadow, 0);
}

/* As an admin queue's. */
static void test_both(void **state)
{
	doorbell.event = NULL;
	event = htole32(77);
	assert_true(rings(3));
	assert_int_equal(le32toh(shadow), 3);
	assert_false(rings(3));
}

/* It's awake, or asleep from where it says on. */
static void test_event(void **state)
{
	assert_true(rings(1));
	assert_false(rings(2));
	assert_int_equal(le32toh(shadow), 2);
	event = htole32(2);
	assert_true(rings(5));
	event = htole32(7);
	assert_false(rings(6));
	assert_false(rings(7));
	assert_true(rings(8));
	assert_int_equal(le32toh(shadow), 8);
}

/* The entries between two places of a ring, by counting. */
static bool lies_between(uint32_t entries, uint32_t from, uint32_t to, uint32_t what)
{
	for (; from != to; from = (from + 1) % entries)
		if (from == what)
			return true;
	return false;
}

/* Wherever all three are, in queues of any length. */
static void test_round_the_end(void **state)
{
	static const uint32_t lengths[] = { 2, 3, 33, 64, 65 };
	uint32_t i, from, to, what, entries;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		entries = lengths[i];
		for (from = 0; from < entries; from++)
			for (to = 0; to < entries; to++)
				for (what = 0; what < entries; what++) {
					doorbell.value = from;
					event = htole32(what);
					assert_int_equal(rings(to),
							 lies_between(entries, from, to, what));
				}
	}
}

/* Nothing that a controller says there does more than keep it asleep. */
static void test_nonsense(void **state)
{
	static const uint32_t wild[] = { 65, 0xffff, 0x10000, 0x80000000, UINT32_MAX };
	uint32_t i;

	for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		event = htole32(wild[i]);
		rings(i + 1);
		assert_int_equal(le32toh(shadow), i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_register_alone, make),
		cmocka_unit_test_setup(test_both, make),
		cmocka_unit_test_setup(test_event, make),
		cmocka_unit_test_setup(test_round_the_end, make),
		cmocka_unit_test_setup(test_nonsense, make),
	};

	return cmocka_run_group_tests_name("doorbells", tests, NULL, NULL);
}
