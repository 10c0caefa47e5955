// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What docs/htex.md promises of the simulated htex, served by hand. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include "bare_htex.h"

#define ALL		(HTEX_ENTRY_VALID | HTEX_ENTRY_WRITE)
#define ONES		UINT32_MAX
#define LARGE		(2ULL << 20)
#define IRQS		(HTEX_IRQ_AT_MISS | HTEX_IRQ_AT_END)
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

static struct bare_htex hw;

static int open_hw(void **state)
{
	hw_open(&hw, *state ? *state : "sim:htex", 0);
	return 0;
}

static int close_hw(void **state)
{
	hw_close(&hw);
	return 0;
}

static unsigned int state_of(unsigned int engine)
{
	return hw_get(&hw, HTEX_ENGINE(engine) + HTEX_STATE);
}

/* --- lists --- */

/* @nr nodes of which each is @stride bytes after the last; the values are 1, 2, 3 and so on. */
static struct hw_job make_list(uint64_t source, uint64_t nr, uint64_t stride)
{
	uint64_t i, at, node[2];

	for (i = 0; i < nr; i++) {
		at = source + i * stride;
		node[0] = htole64(i + 1 < nr ? at + stride : 0);
		node[1] = htole64(i + 1);
		hw_put(&hw, at, node, sizeof(node));
	}
	return (struct hw_job){ .job = HTEX_JOB_LIST, .source = source };
}

static uint64_t sum_to(uint64_t nr)
{
	return nr * (nr + 1) / 2;
}

static void link_nodes(uint64_t from, uint64_t to)
{
	const uint64_t next = htole64(to);

	hw_put(&hw, from, &next, sizeof(next));
}

/* It ends by itself only if somebody mends it. */
static struct hw_job make_circle(uint64_t source, uint64_t nr, uint64_t stride)
{
	struct hw_job job = make_list(source, nr, stride);

	link_nodes(source + (nr - 1) * stride, source);
	return job;
}

static void is_result(unsigned int engine, uint64_t result, uint64_t progress)
{
	assert_int_equal(hw_engine(&hw, engine, HTEX_RESULT), result);
	assert_int_equal(hw_engine(&hw, engine, HTEX_PROGRESS), progress);
}

/* An engine does its work, whatever was done to the device before. */
static void is_well(void)
{
	const struct hw_job job = make_list(HW_IN + 200 * HW_PAGE, 9, HW_PAGE);

	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	is_result(0, sum_to(9), 9);
}

/* --- registers --- */

static void test_registers(void **state)
{
	assert_int_equal(hw_get(&hw, HTEX_ID), HTEX_ID_VALUE);
	assert_int_equal(hw_get(&hw, HTEX_VERSION), 1);
	assert_int_equal(hw_get(&hw, HTEX_CONTROL), HTEX_TRANSLATE);
	assert_int_equal(hw_get(&hw, HTEX_ENTRIES), 64);
	assert_int_equal(hw_get(&hw, HTEX_ENGINES), 8);
	hw_set(&hw, HTEX_ID, 0);
	hw_set(&hw, HTEX_ENTRIES, 1);
	hw_set(&hw, HTEX_CONTROL, ONES);
	assert_int_equal(hw_get(&hw, HTEX_ID), HTEX_ID_VALUE);
	assert_int_equal(hw_get(&hw, HTEX_ENTRIES), 64);
	assert_int_equal(hw_get(&hw, HTEX_CONTROL), 0x1f);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE);
	hw_write(&hw, 0, HTEX_RING, 8, 0x123456789abcdef5);
	assert_int_equal(hw_read(&hw, 0, HTEX_RING, 8), 0x123456789abcdef0);
	hw_set(&hw, HTEX_RING_SIZE, 48);
	assert_int_equal(hw_get(&hw, HTEX_RING_SIZE), 0);
	hw_set(&hw, HTEX_RING_SIZE, 131072);
	assert_int_equal(hw_get(&hw, HTEX_RING_SIZE), 0);
	hw_set(&hw, HTEX_RING_SIZE, 65536);
	assert_int_equal(hw_get(&hw, HTEX_RING_SIZE), 65536);
	hw_set(&hw, HTEX_ENGINE(7) + HTEX_TAG, 0x35);
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(7) + HTEX_TAG), 5);
	is_well();
	assert_int_equal(usrpci_reset(hw.dev), 0);
	assert_int_equal(hw_get(&hw, HTEX_CONTROL), 0);
	assert_int_equal(hw_get(&hw, HTEX_RING_SIZE), 0);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 0);
	assert_int_equal(hw_engine(&hw, 0, HTEX_RESULT), 0);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, 0, 8), 0);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE);
	is_well();
}

/* A part of a register is no register; what isn't listed is 0. */
static void test_widths(void **state)
{
	assert_int_equal(hw_read(&hw, 0, HTEX_ID, 1), 0xff);
	assert_int_equal(hw_read(&hw, 0, HTEX_ID + 2, 2), 0xffff);
	assert_int_equal(hw_read(&hw, 0, HTEX_ID, 8), UINT64_MAX);
	assert_int_equal(hw_get(&hw, HTEX_RING), ONES);
	assert_int_equal(hw_get(&hw, HTEX_RING + 4), ONES);
	assert_int_equal(hw_read(&hw, 0, HTEX_WAITING, 8), UINT64_MAX);
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(1) + HTEX_SOURCE), ONES);
	assert_int_equal(hw_get(&hw, 0x18), 0);
	assert_int_equal(hw_read(&hw, 0, 0x58, 8), 0);
	assert_int_equal(hw_get(&hw, HTEX_GO_ON), 0);
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(8)), 0);
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(0) + 0x50), 0);
	assert_int_equal(hw_read(&hw, 0, (64 << 10) - 8, 8), 0);
	hw_set(&hw, HTEX_ENGINE(1) + HTEX_SOURCE, 8);
	assert_int_equal(hw_engine(&hw, 1, HTEX_SOURCE), 0);
	hw_write(&hw, 0, HTEX_CONTROL, 1, 0);
	assert_int_equal(hw_get(&hw, HTEX_CONTROL), HTEX_TRANSLATE);
	hw_write(&hw, HTEX_TLB_BAR, 0, 4, ONES);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, 0, 8), 0);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, 0, 4), ONES);
	hw_write(&hw, HTEX_TLB_BAR, 63 * 16, 8, UINT64_MAX);
	hw_write(&hw, HTEX_TLB_BAR, 64 * 16, 8, UINT64_MAX);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, 63 * 16, 8), UINT64_MAX);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, 64 * 16, 8), 0);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, LARGE - 8, 8), 0);
	is_well();
}

/* Half of MISS doesn't take one. */
static void test_half_of_a_miss(void **state)
{
	hw_start(&hw, 0, make_list(HW_IN, 1, 16));
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	assert_int_equal(hw_get(&hw, HTEX_MISS), ONES);
	assert_int_equal(hw_get(&hw, HTEX_MISS + 4), ONES);
	assert_int_equal(hw_get(&hw, HTEX_WAITING), 1);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
}

/* --- jobs --- */

static void test_lists(void **state)
{
	static const uint64_t strides[] = { 16, 24, 64, 72, 4080, 4096, 4104, 12344 };
	struct hw_job job;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(strides); i++) {
		job = make_list(HW_IN + 8, 80, strides[i]);
		assert_int_equal(hw_run(&hw, i, job), HTEX_STATE_DONE);
		is_result(i, sum_to(80), 80);
	}
	/* It has come to the limit first. */
	job.length = 7;
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	is_result(0, sum_to(7), 7);
	job.length = 80;
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	is_result(0, sum_to(80), 80);
	job.source = 0;
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	is_result(0, 0, 0);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 0);
}

/* A node lies in two pages: neither of them needs the other's entry. */
static void test_straddling_node(void **state)
{
	const uint64_t at = HW_IN + 5 * HW_PAGE - 8;
	struct hw_miss miss;

	hw_start(&hw, 2, make_list(at, 1, 16));
	miss = hw_await(&hw);
	assert_int_equal(miss.address, at);
	hw_serve(&hw, &miss);
	miss = hw_await(&hw);
	assert_int_equal(miss.address, at + 8);
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
	hw_serve(&hw, &miss);
	assert_int_equal(hw_settle(&hw, 2), HTEX_STATE_DONE);
	is_result(2, 1, 1);
	assert_int_equal(hw_engine(&hw, 2, HTEX_MISSES), 2);
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * i * 31 + (i >> 8) * 7 + seed);
}

static void copies(uint64_t from, uint64_t to, size_t len)
{
	unsigned char *in = malloc(len + 1), *out = malloc(len + 16);

	fill(in, len, (unsigned int)len);
	hw_put(&hw, HW_IN + from, in, len);
	memset(out, 0xa5, len + 16);
	hw_put(&hw, HW_OUT + to - 8, out, len + 16);
	assert_int_equal(hw_run(&hw, 1, (struct hw_job){
		.job = HTEX_JOB_COPY, .source = HW_IN + from, .target = HW_OUT + to,
		.length = len,
	}), HTEX_STATE_DONE);
	is_result(1, len, len);
	hw_take(&hw, HW_OUT + to - 8, out, len + 16);
	assert_memory_equal(out + 8, in, len);
	assert_memory_equal(out, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8);
	assert_memory_equal(out + 8 + len, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8);
	free(in);
	free(out);
}

static void test_copies(void **state)
{
	copies(0, 8, 0);
	copies(0, HW_PAGE, HW_PAGE);
	copies(17, 4001, 1);
	copies(4095, 4095, 2);
	copies(1, 8190, 300000);
	copies(4000, 100, 3 * HW_PAGE);
}

static void histogram(uint64_t from, uint64_t to, size_t len)
{
	unsigned char *in = malloc(len + 1);
	uint64_t expected[256] = { 0 }, counts[256];
	size_t i;

	fill(in, len, 3);
	for (i = 0; i < len; i++)
		expected[in[i]]++;
	for (i = 0; i < 256; i++)
		expected[i] = htole64(expected[i]);
	hw_put(&hw, HW_IN + from, in, len);
	assert_int_equal(hw_run(&hw, 7, (struct hw_job){
		.job = HTEX_JOB_HISTOGRAM, .source = HW_IN + from, .target = HW_OUT + to,
		.length = len,
	}), HTEX_STATE_DONE);
	is_result(7, len, len);
	hw_take(&hw, HW_OUT + to, counts, sizeof(counts));
	assert_memory_equal(counts, expected, sizeof(counts));
	free(in);
}

static void test_histograms(void **state)
{
	histogram(0, 0, 0);
	histogram(5, 8, 1);
	histogram(4090, 3000, 100000);
	histogram(0, 2048, 4096);
}

/* Numbers big enough for their products to be cut. */
static uint32_t *make_matrix(uint64_t at, uint64_t n, uint32_t seed)
{
	uint32_t *m = calloc(n * n + 1, sizeof(*m));
	uint64_t i;

	for (i = 0; i < n * n; i++)
		m[i] = htole32((uint32_t)((i + seed) * 2654435761U));
	hw_put(&hw, at, m, n * n * 4);
	return m;
}

static uint32_t dot(const uint32_t *a, const uint32_t *b, uint64_t n, uint64_t row,
		    uint64_t column)
{
	uint32_t sum = 0;
	uint64_t k;

	for (k = 0; k < n; k++)
		sum += le32toh(a[row * n + k]) * le32toh(b[k * n + column]);
	return htole32(sum);
}

static void multiplies(uint64_t n, uint64_t offset)
{
	const uint64_t first = HW_IN + offset, second = HW_IN + 100 * HW_PAGE + offset;
	uint32_t *a = make_matrix(first, n, 1), *b = make_matrix(second, n, 77);
	uint32_t *c = malloc(n * n * 4 + 1);
	uint64_t i, j;

	assert_int_equal(hw_run(&hw, 3, (struct hw_job){
		.job = HTEX_JOB_MATRIX, .source = first, .second = second,
		.target = HW_OUT + offset, .length = n,
	}), HTEX_STATE_DONE);
	is_result(3, n, n);
	hw_take(&hw, HW_OUT + offset, c, n * n * 4);
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			assert_int_equal(c[i * n + j], dot(a, b, n, i, j));
	free(a);
	free(b);
	free(c);
}

static void test_matrices(void **state)
{
	multiplies(0, 0);
	multiplies(1, 4092);
	multiplies(3, 4088);
	multiplies(64, 0);
	multiplies(129, 12);
}

/* A row is longer than the engine's room: the first must be right, the others get no memory. */
static void test_long_rows(void **state)
{
	const uint64_t n = 1030, second = HW_IN + 17;
	struct hw_job job = {
		.job = HTEX_JOB_MATRIX, .source = HW_IN + 4, .second = second & ~3ULL,
		.target = HW_OUT + 8, .length = n,
	};
	uint32_t *a = malloc(n * 4), *b = malloc(n * n * 4), *c = malloc(n * 4), *all;
	struct hw_miss miss;
	uint64_t i;

	all = make_matrix(HW_IN, 500, 5);
	hw_take(&hw, job.source, a, n * 4);
	hw_take(&hw, job.second, b, n * n * 4);
	hw_start(&hw, 0, job);
	for (;;) {
		miss = hw_await(&hw);
		if (miss.address >= HW_OUT + 2 * HW_PAGE)
			break;
		hw_serve(&hw, &miss);
	}
	assert_int_equal(hw_engine(&hw, 0, HTEX_PROGRESS), 1);
	hw_take(&hw, job.target, c, n * 4);
	for (i = 0; i < n; i++)
		assert_int_equal(c[i], dot(a, b, n, 0, i));
	free(a);
	free(b);
	free(c);
	free(all);
}

static void is_unaligned(struct hw_job job, uint64_t address, uint64_t progress)
{
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(hw_engine(&hw, 0, HTEX_ADDRESS), address);
	assert_int_equal(hw_engine(&hw, 0, HTEX_PROGRESS), progress);
}

static void test_unaligned(void **state)
{
	struct hw_job job = make_list(HW_IN, 4, 64);

	link_nodes(HW_IN + 64, HW_IN + 132);
	is_unaligned(job, HW_IN + 132, 2);
	job.source = HW_IN + 4;
	is_unaligned(job, HW_IN + 4, 0);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 0);
	job = (struct hw_job){
		.job = HTEX_JOB_HISTOGRAM, .source = HW_IN + 1, .target = HW_OUT + 4,
		.length = 9,
	};
	is_unaligned(job, HW_OUT + 4, 0);
	job = (struct hw_job){
		.job = HTEX_JOB_MATRIX, .source = HW_IN + 2, .second = HW_IN, .target = HW_OUT,
		.length = 2,
	};
	is_unaligned(job, HW_IN + 2, 0);
	job.source = HW_IN;
	job.second = HW_IN + 1;
	is_unaligned(job, HW_IN + 1, 0);
	job.second = HW_IN;
	job.target = HW_OUT + 3;
	is_unaligned(job, HW_OUT + 3, 0);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 0);
	is_well();
}

/* --- engines --- */

/* It holds still while it works, and takes no job that there isn't. */
static void test_engine_limits(void **state)
{
	struct hw_job job = make_circle(HW_IN, 3, 16);

	job.tag = 4;
	hw_start(&hw, 0, job);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	hw_start(&hw, 0, (struct hw_job){ .job = HTEX_JOB_COPY, .source = 1, .length = 5 });
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(0) + HTEX_JOB), HTEX_JOB_LIST);
	assert_int_equal(hw_get(&hw, HTEX_ENGINE(0) + HTEX_TAG), 4);
	assert_int_equal(hw_engine(&hw, 0, HTEX_SOURCE), HW_IN);
	assert_int_equal(hw_engine(&hw, 0, HTEX_LENGTH), 0);
	hw_set(&hw, HTEX_ENGINE(0) + HTEX_STOP, 0);
	assert_int_equal(state_of(0), HTEX_STATE_IDLE);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 0);
	hw_start(&hw, 1, (struct hw_job){ .job = 5, .source = HW_IN });
	hw_start(&hw, 2, (struct hw_job){ .job = 0, .source = HW_IN });
	assert_int_equal(state_of(1), HTEX_STATE_IDLE);
	assert_int_equal(state_of(2), HTEX_STATE_IDLE);
	hw_start(&hw, 8, job);
	hw_set(&hw, HTEX_GO_ON, 8);
	hw_set(&hw, HTEX_REFUSE, ONES);
	hw_set(&hw, HTEX_GO_ON, 1);
	hw_set(&hw, HTEX_INVALIDATE, 64);
	assert_int_equal(state_of(8), 0);
	assert_int_equal(state_of(1), HTEX_STATE_IDLE);
	is_well();
}

static void test_done(void **state)
{
	const struct hw_job job = make_list(HW_IN, 3, 16);
	unsigned int i;

	for (i = 1; i < 8; i += 2)
		assert_int_equal(hw_run(&hw, i, job), HTEX_STATE_DONE);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 0xaa);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 0);
	hw_set(&hw, HTEX_ENGINE(3) + HTEX_STOP, 1);
	assert_int_equal(state_of(3), HTEX_STATE_IDLE);
	assert_int_equal(hw_engine(&hw, 3, HTEX_RESULT), 6);
}

/* A program's list that it changes while the device goes round in it. */
static void test_stop(void **state)
{
	const struct hw_job job = make_circle(HW_IN, 4, 8 * HW_PAGE);

	hw_start(&hw, 5, job);
	while (hw_engine(&hw, 5, HTEX_PROGRESS) < 1000) {
		struct hw_miss miss;

		if (hw_next(&hw, &miss))
			hw_serve(&hw, &miss);
	}
	assert_int_equal(state_of(5), HTEX_STATE_RUNNING);
	hw_set(&hw, HTEX_ENGINE(5) + HTEX_STOP, 1);
	assert_int_equal(state_of(5), HTEX_STATE_IDLE);
	hw_start(&hw, 5, job);
	link_nodes(HW_IN + 24 * HW_PAGE, 0);
	assert_int_equal(hw_finish(&hw, 5), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 5, HTEX_PROGRESS) % 4, 0);
}

/* Both nodes lie side by side, so that an engine has them both at hand. */
static void test_list_is_read_again(void **state)
{
	hw_start(&hw, 5, make_circle(HW_IN, 2, 16));
	while (hw_engine(&hw, 5, HTEX_PROGRESS) < 1000) {
		struct hw_miss miss;

		if (hw_next(&hw, &miss))
			hw_serve(&hw, &miss);
	}
	link_nodes(HW_IN + 16, 0);
	assert_int_equal(hw_settle(&hw, 5), HTEX_STATE_DONE);
}

/* --- misses --- */

static void test_fifo(void **state)
{
	struct hw_job job = make_list(HW_IN + 8, 3, 16);
	struct hw_miss miss;
	unsigned int i;

	assert_int_equal(hw_read(&hw, 0, HTEX_MISS, 8), 0);
	for (i = 0; i < 8; i++) {
		job.tag = 15 - i;
		hw_start(&hw, i, job);
		assert_int_equal(hw_settle(&hw, i), HTEX_STATE_WAITING);
		assert_int_equal(hw_engine(&hw, i, HTEX_ADDRESS), HW_IN + 8);
	}
	assert_int_equal(hw_get(&hw, HTEX_WAITING), 8);
	for (i = 0; i < 8; i++) {
		miss = hw_await(&hw);
		assert_int_equal(miss.address, HW_IN + 8);
		assert_int_equal(miss.engine, i);
		assert_int_equal(miss.tag, 15 - i);
		assert_false(miss.write);
		assert_int_equal(miss.entry, i);
		assert_int_equal(hw_get(&hw, HTEX_WAITING), 7 - i);
		assert_int_equal(hw_read(&hw, 0, HTEX_MISS_ADDRESS, 8), miss.address);
	}
	assert_int_equal(hw_read(&hw, 0, HTEX_MISS, 8), 0);
	for (i = 0; i < 8; i++)
		hw_set(&hw, HTEX_REFUSE, i);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 0xff);
}

/* Each of several that miss the same page says so, and each is told. */
static void test_same_page(void **state)
{
	const struct hw_job job = make_list(HW_IN, 3, 16);
	struct hw_miss misses[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		hw_start(&hw, i, job);
	for (i = 0; i < 8; i++)
		misses[i] = hw_await(&hw);
	hw_serve(&hw, &misses[3]);
	assert_int_equal(hw_settle(&hw, misses[3].engine), HTEX_STATE_DONE);
	/* The translation is there: it is enough to say so. */
	for (i = 0; i < 8; i++)
		if (i != 3)
			hw_set(&hw, HTEX_GO_ON, misses[i].engine);
	for (i = 0; i < 8; i++) {
		assert_int_equal(hw_settle(&hw, i), HTEX_STATE_DONE);
		is_result(i, 6, 3);
		assert_int_equal(hw_engine(&hw, i, HTEX_MISSES), 1);
	}
}

/* Told to look again where there's nothing new, it misses again. */
static void test_nothing_there(void **state)
{
	struct hw_miss miss;
	unsigned int i;

	hw_start(&hw, 6, make_list(HW_IN, 3, 16));
	for (i = 0; i < 5; i++) {
		miss = hw_await(&hw);
		assert_int_equal(miss.engine, 6);
		hw_set(&hw, HTEX_GO_ON, 6);
	}
	assert_int_equal(hw_finish(&hw, 6), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 6, HTEX_MISSES), 6);
}

static void test_refusal(void **state)
{
	struct hw_job job = make_list(HW_IN, 3, HW_PAGE);
	struct hw_miss miss;

	link_nodes(HW_IN + HW_PAGE, HW_NOWHERE + 8);
	assert_int_equal(hw_run(&hw, 4, job), HTEX_STATE_UNTRANSLATED);
	is_result(4, 3, 2);
	assert_int_equal(hw_engine(&hw, 4, HTEX_ADDRESS), HW_NOWHERE + 8);
	assert_int_equal(hw_engine(&hw, 4, HTEX_MISSES), 3);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 1 << 4);
	/* The others aren't concerned. */
	hw_start(&hw, 1, make_list(HW_IN + 9 * HW_PAGE, 1, 16));
	hw_start(&hw, 2, make_list(HW_IN + 10 * HW_PAGE, 1, 16));
	assert_int_equal(hw_settle(&hw, 2), HTEX_STATE_WAITING);
	miss = hw_await(&hw);
	hw_set(&hw, HTEX_REFUSE, miss.engine);
	assert_int_equal(state_of(miss.engine), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(state_of(3 - miss.engine), HTEX_STATE_WAITING);
	assert_int_equal(hw_finish(&hw, 3 - miss.engine), HTEX_STATE_DONE);
}

/* What answers a job that was stopped is no answer for the next one. */
static void test_late_answers(void **state)
{
	const struct hw_job job = make_list(HW_IN, 3, 16);
	struct hw_miss old, miss;

	hw_start(&hw, 0, job);
	old = hw_await(&hw);
	hw_set(&hw, HTEX_ENGINE(0) + HTEX_STOP, 1);
	hw_start(&hw, 0, job);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	assert_int_equal(hw_get(&hw, HTEX_WAITING), 0);
	/* Others go on; none is given what the old one was. */
	hw_start(&hw, 1, make_list(HW_IN + HW_PAGE, 1, 16));
	miss = hw_await(&hw);
	assert_int_equal(miss.engine, 1);
	assert_int_not_equal(miss.entry, old.entry);
	hw_serve(&hw, &miss);
	hw_set(&hw, HTEX_REFUSE, 0);
	assert_int_equal(state_of(0), HTEX_STATE_WAITING);
	miss = hw_await(&hw);
	assert_int_equal(miss.engine, 0);
	hw_serve(&hw, &miss);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_DONE);
	is_result(0, 6, 3);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 1);
	/* One that had no room is forgotten with its job. */
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
	hw_start(&hw, 0, job);
	hw_await(&hw);
	hw_set(&hw, HTEX_ENGINE(0) + HTEX_STOP, 1);
	hw_start(&hw, 0, job);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	hw_set(&hw, HTEX_ENGINE(0) + HTEX_STOP, 1);
	hw_set(&hw, HTEX_GO_ON, 0);
	assert_int_equal(hw_get(&hw, HTEX_WAITING), 0);
	assert_int_equal(state_of(0), HTEX_STATE_IDLE);
	is_well();
}

static void test_no_translation_at_all(void **state)
{
	const struct hw_job job = make_list(HW_IN, 3, 16);
	struct hw_miss miss;

	hw_start(&hw, 0, job);
	hw_start(&hw, 1, job);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	assert_int_equal(hw_settle(&hw, 1), HTEX_STATE_WAITING);
	hw_await(&hw);
	hw_set(&hw, HTEX_CONTROL, 0);
	assert_int_equal(state_of(0), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(state_of(1), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(hw_engine(&hw, 1, HTEX_ADDRESS), HW_IN);
	assert_false(hw_next(&hw, &miss));
	hw_start(&hw, 2, job);
	assert_int_equal(hw_settle(&hw, 2), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(hw_engine(&hw, 2, HTEX_MISSES), 0);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE);
	is_well();
}

/* --- the ring --- */

static void set_ring(uint32_t size, uint32_t more)
{
	memset(hw.ring.addr, 0, hw.ring.len);
	hw_write(&hw, 0, HTEX_RING, 8, hw.ring.bus_addr);
	hw_set(&hw, HTEX_RING_SIZE, size);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_TO_RING | more);
}

/* The @nr-th since it was set. */
static bool in_ring(uint32_t nr, uint32_t size, struct hw_miss *miss)
{
	const volatile uint64_t *entry = (uint64_t *)hw.ring.addr + 2 * (nr % size);
	const uint64_t phase = nr / size % 2 ? 0 : HTEX_MISS_VALID, first = le64toh(entry[0]);

	if ((first & HTEX_MISS_VALID) != phase || (!phase && !first))
		return false;
	*miss = hw_decode(first, le64toh(entry[1]));
	return true;
}

static void await_ring(uint32_t nr, uint32_t size, struct hw_miss *miss)
{
	unsigned int tries;

	for (tries = 0; tries < 100000; tries++) {
		if (in_ring(nr, size, miss))
			return;
		usleep(100);
	}
	fail_msg("the ring stays empty");
}

static void ring_goes_round(uint32_t size)
{
	const uint64_t nodes = 5ULL * size + 1;
	struct hw_miss miss;
	uint32_t i;

	set_ring(size, 0);
	hw_start(&hw, 3, make_list(HW_IN, nodes, HW_PAGE));
	for (i = 0; i < nodes; i++) {
		await_ring(i, size, &miss);
		assert_int_equal(miss.address, HW_IN + i * HW_PAGE);
		assert_int_equal(miss.engine, 3);
		assert_int_equal(hw_get(&hw, HTEX_WAITING), 0);
		hw_set(&hw, HTEX_RING_TAKEN, i + 1);
		hw_serve(&hw, &miss);
	}
	assert_int_equal(hw_settle(&hw, 3), HTEX_STATE_DONE);
	is_result(3, sum_to(nodes), nodes);
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
}

static void test_ring(void **state)
{
	ring_goes_round(1);
	ring_goes_round(4);
	ring_goes_round(32);
}

static void test_full_ring(void **state)
{
	const struct hw_job job = make_list(HW_IN, 3, 16);
	struct hw_miss miss;
	unsigned int i;

	set_ring(2, 0);
	for (i = 0; i < 5; i++) {
		hw_start(&hw, i, job);
		assert_int_equal(hw_settle(&hw, i), HTEX_STATE_WAITING);
	}
	for (i = 0; i < 2; i++) {
		assert_true(in_ring(i, 2, &miss));
		assert_int_equal(miss.engine, i);
	}
	/* Answered isn't taken. */
	hw_serve(&hw, &miss);
	assert_int_equal(hw_settle(&hw, 1), HTEX_STATE_DONE);
	assert_false(in_ring(2, 2, &miss));
	hw_set(&hw, HTEX_RING_TAKEN, 1);
	assert_true(in_ring(2, 2, &miss));
	assert_int_equal(miss.engine, 2);
	assert_false(in_ring(3, 2, &miss));
	hw_set(&hw, HTEX_ENGINE(3) + HTEX_STOP, 1);
	hw_set(&hw, HTEX_RING_TAKEN, 2);
	assert_true(in_ring(3, 2, &miss));
	assert_int_equal(miss.engine, 4);
	for (i = 0; i < 5; i++)
		hw_set(&hw, HTEX_GO_ON, i);
	assert_int_equal(hw_settle(&hw, 4), HTEX_STATE_DONE);
	is_result(4, 6, 3);
	assert_int_equal(state_of(3), HTEX_STATE_IDLE);
	/* Without one there's no room at all; the FIFO has some. */
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
	hw_set(&hw, HTEX_RING_SIZE, 0);
	hw_start(&hw, 6, job);
	assert_int_equal(hw_settle(&hw, 6), HTEX_STATE_WAITING);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE);
	assert_int_equal(hw_finish(&hw, 6), HTEX_STATE_DONE);
}

static void test_ring_nowhere(void **state)
{
	hw_write(&hw, 0, HTEX_RING, 8, HW_NOWHERE);
	hw_set(&hw, HTEX_RING_SIZE, 4);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_TO_RING);
	hw_start(&hw, 0, make_list(HW_IN + 8, 3, 16));
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_BUS_ERROR);
	assert_int_equal(hw_engine(&hw, 0, HTEX_ADDRESS), HW_IN + 8);
	set_ring(4, 0);
	ring_goes_round(4);
}

/* --- the TLB --- */

static void test_read_only(void **state)
{
	const struct hw_job job = {
		.job = HTEX_JOB_COPY, .source = HW_OUT + 100, .target = HW_OUT + 3000,
		.length = 64,
	};
	struct hw_miss miss;

	memcpy(hw_at(&hw, HW_OUT + 100), "read", 5);
	memset(hw_at(&hw, HW_OUT + 3000), 0, 64);
	hw_start(&hw, 2, job);
	miss = hw_await(&hw);
	assert_false(miss.write);
	hw_fill(&hw, miss.entry, 0, HW_OUT, hw_bus(&hw, HW_OUT), HTEX_ENTRY_VALID);
	hw_set(&hw, HTEX_GO_ON, 2);
	miss = hw_await(&hw);
	assert_true(miss.write);
	assert_int_equal(miss.address, HW_OUT + 3000);
	assert_string_equal(hw_at(&hw, HW_OUT + 3000), "");
	/* The one that may be read is in nobody's way. */
	hw_serve(&hw, &miss);
	assert_int_equal(hw_settle(&hw, 2), HTEX_STATE_DONE);
	assert_string_equal(hw_at(&hw, HW_OUT + 3000), "read");
	assert_int_equal(hw_engine(&hw, 2, HTEX_MISSES), 2);
}

static void test_tags(void **state)
{
	struct hw_job job = make_list(HW_IN, 1, 16);
	unsigned int i;

	make_list(HW_IN + 5 * HW_PAGE, 1, 16);
	((uint64_t *)hw_at(&hw, HW_IN + 5 * HW_PAGE))[1] = htole64(1234);
	hw_fill(&hw, 9, 1, HW_IN, hw_bus(&hw, HW_IN + 5 * HW_PAGE), ALL);
	hw_fill(&hw, 10, 15, HW_IN, hw_bus(&hw, HW_IN), ALL);
	for (i = 0; i < 2; i++) {
		job.tag = i ? 15 : 1;
		assert_int_equal(hw_run(&hw, i, job), HTEX_STATE_DONE);
		is_result(i, i ? 1 : 1234, 1);
		assert_int_equal(hw_engine(&hw, i, HTEX_MISSES), 0);
	}
	hw_set(&hw, HTEX_INVALIDATE_TAG, 15);
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 1);
	job.tag = 1;
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 0);
}

static void forget_by_number(uint32_t entry)
{
	hw_set(&hw, HTEX_INVALIDATE, entry);
}

static void forget_by_tag(uint32_t entry)
{
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
}

static void forget_by_write(uint32_t entry)
{
	hw_write(&hw, HTEX_TLB_BAR, entry * 16, 8, 0);
}

static void forget_by_page(uint32_t entry)
{
	hw_write(&hw, HTEX_TLB_BAR, entry * 16 + 8, 8, HW_NOWHERE);
}

/* Goes round in two pages; one is taken away, and another takes its place. */
static void invalidated_amid(void (*forget)(uint32_t entry))
{
	const uint64_t page = HW_IN + HW_PAGE, other = HW_IN + 2 * HW_PAGE;
	struct hw_miss miss;
	uint64_t before;

	hw_fill(&hw, 20, 0, HW_IN, hw_bus(&hw, HW_IN), ALL);
	hw_fill(&hw, 21, 0, page, hw_bus(&hw, page), ALL);
	hw_start(&hw, 0, make_circle(HW_IN, 2, HW_PAGE));
	while (hw_engine(&hw, 0, HTEX_PROGRESS) < 100)
		assert_int_equal(state_of(0), HTEX_STATE_RUNNING);
	forget(21);
	assert_int_equal(hw_get(&hw, HTEX_BUSY), 0);
	/* Whoever uses the entry now goes astray, and never comes home. */
	link_nodes(page, page);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	before = hw_engine(&hw, 0, HTEX_RESULT);
	miss = hw_await(&hw);
	if (forget == forget_by_tag && miss.address == HW_IN) {
		before++;
		hw_serve(&hw, &miss);
		miss = hw_await(&hw);
	}
	assert_int_equal(miss.address, page);
	make_list(other, 1, 16);
	((uint64_t *)hw_at(&hw, other))[1] = htole64(1000000);
	hw_fill(&hw, miss.entry, 0, page, hw_bus(&hw, other), ALL);
	hw_set(&hw, HTEX_GO_ON, 0);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 0, HTEX_RESULT), before + 1000000);
	hw_set(&hw, HTEX_INVALIDATE_TAG, 0);
}

static void test_invalidation(void **state)
{
	invalidated_amid(forget_by_number);
	invalidated_amid(forget_by_tag);
	invalidated_amid(forget_by_write);
	invalidated_amid(forget_by_page);
}

static void test_deaf(void **state)
{
	hw_close(&hw);
	hw_open(&hw, "sim:htex,deaf=1", 0);
	assert_int_equal(hw_get(&hw, HTEX_BUSY), 0);
	is_well();
	hw_set(&hw, HTEX_INVALIDATE, 3);
	assert_int_equal(hw_get(&hw, HTEX_BUSY), 1);
	assert_int_equal(usrpci_reset(hw.dev), 0);
	assert_int_equal(hw_get(&hw, HTEX_BUSY), 0);
	hw_set(&hw, HTEX_INVALIDATE_TAG, 3);
	assert_int_equal(hw_get(&hw, HTEX_BUSY), 1);
}

/* What was given up isn't used, and kept for the answer. */
static void test_given_up(void **state)
{
	struct hw_miss first, second;
	uint32_t i;

	for (i = 0; i < 64; i++)
		hw_fill(&hw, i, 0, HW_IN + i * HW_PAGE, hw_bus(&hw, HW_IN + i * HW_PAGE),
			ALL);
	/* A free one is preferred. */
	hw_set(&hw, HTEX_INVALIDATE, 40);
	hw_start(&hw, 0, make_list(HW_IN + 100 * HW_PAGE, 1, 16));
	first = hw_await(&hw);
	assert_int_equal(first.entry, 40);
	hw_start(&hw, 1, make_list(HW_IN + 101 * HW_PAGE, 1, 16));
	second = hw_await(&hw);
	assert_int_not_equal(second.entry, 40);
	assert_int_equal(hw_read(&hw, HTEX_TLB_BAR, second.entry * 16, 8), 0);
	/* The page that it held misses, that of any other doesn't. */
	hw_start(&hw, 2, make_list(HW_IN + second.entry * HW_PAGE, 1, 16));
	assert_int_equal(hw_settle(&hw, 2), HTEX_STATE_WAITING);
	hw_start(&hw, 3, make_list(HW_IN + 63 * HW_PAGE, 1, 16));
	assert_int_equal(hw_settle(&hw, 3), HTEX_STATE_DONE);
	hw_serve(&hw, &first);
	hw_serve(&hw, &second);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(hw_finish(&hw, 1), HTEX_STATE_DONE);
	assert_int_equal(hw_finish(&hw, 2), HTEX_STATE_DONE);
}

/* More engines miss than there are entries: some have to wait for others. */
static void test_few_entries(void **state)
{
	struct hw_miss misses[64];
	unsigned int i, nr = 0, used = 0;

	for (i = 0; i < 64; i++) {
		hw_start(&hw, i, make_list(HW_IN + i * 3 * HW_PAGE - i * 16, 3, HW_PAGE + 8));
		assert_int_equal(hw_settle(&hw, i), HTEX_STATE_WAITING);
	}
	assert_int_equal(hw_get(&hw, HTEX_WAITING), 16);
	while (hw_next(&hw, &misses[nr]))
		used |= 1U << misses[nr++].entry;
	assert_int_equal(used, 0xffff);
	for (i = 0; i < nr; i++)
		hw_serve(&hw, &misses[i]);
	for (i = 0; i < 64; i++) {
		assert_int_equal(hw_finish(&hw, i), HTEX_STATE_DONE);
		is_result(i, 6, 3);
	}
}

/* Work that needs many more pages than there are entries, by all engines at once. */
static void test_evictions(void **state)
{
	const size_t len = 40 * HW_PAGE, part = len / 8;
	unsigned char *in = malloc(len), *out = malloc(len);
	unsigned int i;

	fill(in, len, 9);
	hw_put(&hw, HW_IN, in, len);
	for (i = 0; i < 8; i++)
		hw_start(&hw, i, (struct hw_job){
			.job = HTEX_JOB_COPY, .source = HW_IN + i * part,
			.target = HW_OUT + 700 + i * part, .length = part,
		});
	for (i = 0; i < 8; i++)
		assert_int_equal(hw_finish(&hw, i), HTEX_STATE_DONE);
	hw_take(&hw, HW_OUT + 700, out, len);
	assert_memory_equal(in, out, len);
	free(in);
	free(out);
}

/* Once they are there, nothing misses any more. */
static void test_many_entries(void **state)
{
	const struct hw_job job = make_list(HW_IN, 250, HW_PAGE);

	assert_int_equal(hw_get(&hw, HTEX_ENTRIES), 4096);
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 250);
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	is_result(0, sum_to(250), 250);
	assert_int_equal(hw_engine(&hw, 0, HTEX_MISSES), 0);
}

static void test_most_entries(void **state)
{
	const uint32_t last = 131071;

	assert_int_equal(hw_get(&hw, HTEX_ENTRIES), last + 1);
	hw_fill(&hw, last, 0, HW_IN, hw_bus(&hw, HW_IN), ALL);
	hw_start(&hw, 0, make_list(HW_IN, 3, 16));
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_DONE);
	hw_set(&hw, HTEX_INVALIDATE, last);
	is_well();
}

static void test_driver_chooses(void **state)
{
	const struct hw_job job = make_list(HW_IN, 100, HW_PAGE);
	struct hw_miss miss;
	uint32_t i;

	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_DRIVER_CHOOSES);
	hw_fill(&hw, 0, 0, HW_OUT, hw_bus(&hw, HW_OUT), ALL);
	hw_start(&hw, 0, job);
	/* Always the same three; what it doesn't choose stays. */
	for (i = 0; i < 100; i++) {
		miss = hw_await(&hw);
		assert_int_equal(miss.entry, HTEX_NO_ENTRY);
		assert_int_equal(miss.address, HW_IN + i * HW_PAGE);
		miss.entry = 1 + i % 3;
		hw_serve(&hw, &miss);
	}
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_DONE);
	is_result(0, sum_to(100), 100);
	assert_true(hw_read(&hw, HTEX_TLB_BAR, 0, 8) & HTEX_ENTRY_VALID);
	set_ring(4, HTEX_DRIVER_CHOOSES);
	hw_start(&hw, 0, job);
	await_ring(0, 4, &miss);
	assert_int_equal(miss.entry, HTEX_NO_ENTRY);
}

/* The 2 MiB at a bus address that's a multiple of as much lie in a buffer of 4 MiB. */
static void test_large_entries(void **state)
{
	const uint64_t offset = LARGE - 5000;
	struct usrpci_coherent mem;
	struct hw_job job = { .job = HTEX_JOB_LIST, .source = HW_NOWHERE + offset };
	uint64_t bus, *node;

	assert_int_equal(usrpci_coherent_alloc(hw.dev, 2 * LARGE, &mem), 0);
	bus = (mem.bus_addr + LARGE - 1) & ~(LARGE - 1);
	node = (uint64_t *)((char *)mem.addr + (bus - mem.bus_addr) + offset);
	node[0] = htole64(HW_NOWHERE + LARGE);
	node[1] = htole64(77);
	hw_fill(&hw, 5, 0, HW_NOWHERE, bus, ALL | HTEX_ENTRY_LARGE);
	/* It ends where it ends. */
	hw_start(&hw, 0, job);
	assert_int_equal(hw_settle(&hw, 0), HTEX_STATE_WAITING);
	assert_int_equal(hw_await(&hw).address, HW_NOWHERE + LARGE);
	is_result(0, 77, 1);
	hw_set(&hw, HTEX_REFUSE, 0);
	job.length = 1;
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_DONE);
	hw_set(&hw, HTEX_INVALIDATE, 5);
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(hw_engine(&hw, 0, HTEX_ADDRESS), job.source);
}

/* --- the bus --- */

static void test_bus_refuses(void **state)
{
	const struct hw_job job = make_list(HW_IN + 24, 3, HW_PAGE);

	hw_fill(&hw, 0, 0, HW_IN, hw_bus(&hw, HW_IN), ALL);
	hw_fill(&hw, 1, 0, HW_IN + HW_PAGE, HW_NOWHERE, ALL);
	assert_int_equal(hw_run(&hw, 0, job), HTEX_STATE_BUS_ERROR);
	assert_int_equal(hw_engine(&hw, 0, HTEX_ADDRESS), HW_IN + 24 + HW_PAGE);
	is_result(0, 1, 1);
	assert_int_equal(hw_read(&hw, 0, HTEX_DONE, 8), 1);
	hw_fill(&hw, 2, 0, HW_OUT, HW_NOWHERE, ALL);
	assert_int_equal(hw_run(&hw, 1, (struct hw_job){
		.job = HTEX_JOB_COPY, .source = HW_IN, .target = HW_OUT + 5, .length = 9,
	}), HTEX_STATE_BUS_ERROR);
	assert_int_equal(hw_engine(&hw, 1, HTEX_ADDRESS), HW_OUT + 5);
	is_well();
	assert_int_equal(usrpci_set_master(hw.dev, false), 0);
	assert_int_equal(hw_run(&hw, 2, make_list(HW_IN, 1, 16)), HTEX_STATE_BUS_ERROR);
	assert_int_equal(usrpci_set_master(hw.dev, true), 0);
	is_well();
}

/* --- interrupts --- */

static int fds[2] = { -1, -1 };

static void wire(enum usrpci_irq type, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(usrpci_irq_setup(hw.dev, type, nr), 0);
	assert_int_equal(usrpci_irq_wire(hw.dev, 0, nr, fds), 0);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | IRQS);
}

static int close_wired(void **state)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	fds[0] = -1;
	fds[1] = -1;
	return close_hw(state);
}

/* How often since it was last asked. */
static int64_t fired(unsigned int vector)
{
	int64_t count = usrpci_irq_wait(fds[vector], 0);

	return count == -ETIMEDOUT ? 0 : count;
}

static void one_miss(unsigned int engine, unsigned int page)
{
	hw_start(&hw, engine, make_list(HW_IN + page * HW_PAGE, 1, 16));
	assert_int_equal(hw_settle(&hw, engine), HTEX_STATE_WAITING);
}

static void test_msix(void **state)
{
	wire(USRPCI_MSIX, 2);
	one_miss(0, 0);
	assert_int_equal(fired(0), 1);
	assert_int_equal(fired(1), 0);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), HTEX_IRQ_MISS);
	/* IRQ wasn't cleared, and needn't be. */
	one_miss(1, 1);
	assert_int_equal(fired(0), 1);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(hw_finish(&hw, 1), HTEX_STATE_DONE);
	assert_int_equal(fired(0), 0);
	assert_int_equal(fired(1), 2);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), HTEX_IRQ_MISS | HTEX_IRQ_END);
	hw_set(&hw, HTEX_IRQ, HTEX_IRQ_MISS);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), HTEX_IRQ_END);
	/* A refusal ends a job, too. */
	one_miss(2, 2);
	hw_set(&hw, HTEX_REFUSE, 2);
	assert_int_equal(fired(1), 1);
}

static void test_msi(void **state)
{
	wire(USRPCI_MSI, 1);
	one_miss(0, 0);
	assert_int_equal(fired(0), 1);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(fired(0), 1);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), HTEX_IRQ_MISS | HTEX_IRQ_END);
}

static bool is_high(void)
{
	assert_int_equal(usrpci_irq_unmask(hw.dev, 0), 0);
	return fired(0);
}

static void test_pin(void **state)
{
	wire(USRPCI_INTX, 1);
	assert_int_equal(fired(0), 0);
	one_miss(0, 0);
	assert_int_equal(fired(0), 1);
	assert_true(is_high());
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	hw_set(&hw, HTEX_IRQ, HTEX_IRQ_MISS);
	assert_true(is_high());
	hw_set(&hw, HTEX_IRQ, HTEX_IRQ_END);
	assert_false(is_high());
	one_miss(1, 1);
	assert_true(is_high());
	assert_int_equal(usrpci_reset(hw.dev), 0);
	assert_false(is_high());
}

static void test_unwanted_interrupts(void **state)
{
	wire(USRPCI_MSIX, 2);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_IRQ_AT_END);
	one_miss(0, 0);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), 0);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(fired(0), 0);
	assert_int_equal(fired(1), 1);
	hw_set(&hw, HTEX_IRQ, HTEX_IRQ_END);
	hw_set(&hw, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_IRQ_AT_MISS);
	one_miss(0, 1);
	assert_int_equal(hw_finish(&hw, 0), HTEX_STATE_DONE);
	assert_int_equal(hw_get(&hw, HTEX_IRQ), HTEX_IRQ_MISS);
	assert_int_equal(fired(0), 1);
	assert_int_equal(fired(1), 0);
}

/* A miss in the ring is there when its interrupt is. */
static void test_ring_interrupts(void **state)
{
	struct hw_miss miss;
	uint32_t i;

	wire(USRPCI_MSIX, 2);
	set_ring(8, IRQS);
	hw_start(&hw, 0, make_list(HW_IN, 40, HW_PAGE));
	for (i = 0; i < 40; i++) {
		assert_int_equal(usrpci_irq_wait(fds[0], 20000), 1);
		assert_true(in_ring(i, 8, &miss));
		hw_set(&hw, HTEX_RING_TAKEN, i + 1);
		hw_serve(&hw, &miss);
	}
	assert_int_equal(usrpci_irq_wait(fds[1], 20000), 1);
	assert_int_equal(state_of(0), HTEX_STATE_DONE);
}

/* --- the whole --- */

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* All engines work: a register is read in a ms, where the machine lets it. */
static void test_answers_soon(void **state)
{
	const struct hw_job job = make_circle(HW_IN, 200, HW_PAGE);
	uint64_t before, best = UINT64_MAX, us;
	struct hw_miss miss;
	unsigned int i, j;

	for (i = 0; i < 8; i++) {
		hw_start(&hw, i, job);
		while (hw_engine(&hw, i, HTEX_PROGRESS) < 300)
			if (hw_next(&hw, &miss))
				hw_serve(&hw, &miss);
	}
	for (i = 0; i < 20; i++) {
		before = now_us();
		for (j = 0; j < 10; j++)
			assert_int_equal(state_of(j % 8), HTEX_STATE_RUNNING);
		us = (now_us() - before) / 10;
		best = us < best ? us : best;
	}
	assert_true(best < 1000);
	for (i = 0; i < 8; i++)
		assert_true(hw_engine(&hw, i, HTEX_PROGRESS) > 300);
}

static void test_options(void **state)
{
	static const char *const bad[] = {
		"entries=8", "entries=17", "entries=0", "entries=262144", "entries=-64",
		"entries=", "entries=64k", "engines=0", "engines=65", "engines=x", "deaf=2",
		"nonsense=1",
	};
	struct usrpci_device *dev;
	char address[100];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(address, sizeof(address), "sim:htex,%s", bad[i]);
		if (!usrpci_open(&dev, address))
			fail_msg("%s opens", address);
	}
}

#define PLAIN(test)	cmocka_unit_test_setup_teardown(test, open_hw, close_hw)
#define ON(test, with)	{ #test " " with, test, open_hw, close_hw, "sim:htex," with }
#define IRQ(test)	cmocka_unit_test_setup_teardown(test, open_hw, close_wired)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_registers),
		PLAIN(test_widths),
		PLAIN(test_half_of_a_miss),
		PLAIN(test_lists),
		ON(test_lists, "entries=16"),
		PLAIN(test_straddling_node),
		PLAIN(test_copies),
		ON(test_copies, "entries=4096"),
		PLAIN(test_histograms),
		PLAIN(test_matrices),
		ON(test_long_rows, "entries=4096"),
		PLAIN(test_unaligned),
		PLAIN(test_engine_limits),
		PLAIN(test_done),
		PLAIN(test_stop),
		PLAIN(test_list_is_read_again),
		PLAIN(test_fifo),
		PLAIN(test_same_page),
		PLAIN(test_nothing_there),
		PLAIN(test_refusal),
		PLAIN(test_late_answers),
		PLAIN(test_no_translation_at_all),
		PLAIN(test_ring),
		PLAIN(test_full_ring),
		PLAIN(test_ring_nowhere),
		PLAIN(test_read_only),
		PLAIN(test_tags),
		PLAIN(test_invalidation),
		PLAIN(test_deaf),
		PLAIN(test_given_up),
		ON(test_few_entries, "entries=16,engines=64"),
		ON(test_evictions, "entries=16"),
		ON(test_many_entries, "entries=4096"),
		ON(test_most_entries, "entries=131072,engines=1"),
		PLAIN(test_driver_chooses),
		PLAIN(test_large_entries),
		PLAIN(test_bus_refuses),
		IRQ(test_msix),
		IRQ(test_msi),
		IRQ(test_pin),
		IRQ(test_unwanted_interrupts),
		IRQ(test_ring_interrupts),
		ON(test_answers_soon, "entries=4096"),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("the htex model", tests, NULL, NULL);
}
