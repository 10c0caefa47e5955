// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What usrpci-nvme bench says of how long commands took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <nvme/latency.h>

static struct latencies all, part;

static int forget(void **state)
{
	memset(&all, 0, sizeof(all));
	memset(&part, 0, sizeof(part));
	return 0;
}

/* Not below @exact, nor 1/32 above it. */
static void about(uint64_t got, uint64_t exact)
{
	assert_in_range(got, exact, exact + exact / 32);
}

static void test_none(void **state)
{
	latencies_merge(&all, &part);
	assert_int_equal(all.count, 0);
	assert_int_equal(all.min, 0);
	assert_int_equal(latencies_rank(&all, 999), 0);
}

static void test_one(void **state)
{
	static const uint64_t each[] = { 0, 1, 31, 32, 33, 63, 64, 1000, 123456789, UINT64_MAX };
	unsigned int i;

	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		forget(state);
		latencies_add(&all, each[i]);
		assert_int_equal(latencies_rank(&all, 1), each[i]);
		assert_int_equal(latencies_rank(&all, 1000), each[i]);
		assert_int_equal(all.min, each[i]);
		assert_int_equal(all.max, each[i]);
	}
}

static void test_ranks(void **state)
{
	uint64_t i;

	for (i = 10000; i; i--)
		latencies_add(&all, i * 1000);
	about(latencies_rank(&all, 500), 5000000);
	about(latencies_rank(&all, 900), 9000000);
	about(latencies_rank(&all, 999), 9990000);
	assert_int_equal(latencies_rank(&all, 1000), 10000000);
	assert_int_equal(all.min, 1000);
	assert_int_equal(all.sum / all.count, 5000500);
}

/* It's the same as if all had been seen by one. */
static void test_merged(void **state)
{
	struct latencies other = { };
	uint64_t i;

	for (i = 1; i <= 1000; i++) {
		latencies_add(&all, i * i);
		latencies_add(i % 3 ? &part : &other, i * i);
	}
	latencies_merge(&other, &part);
	assert_memory_equal(&other, &all, sizeof(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, forget),
		cmocka_unit_test_setup(test_one, forget),
		cmocka_unit_test_setup(test_ranks, forget),
		cmocka_unit_test_setup(test_merged, forget),
	};

	return cmocka_run_group_tests_name("latencies", tests, NULL, NULL);
}
