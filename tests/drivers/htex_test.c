// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The htex driver on the device $USRPCI_HTEX; exit 77 without. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <htex/htex.h>
#include <usrpci/space.h>
#include "function.h"
#include "memory.h"

#define JOBS		100U
/* An emulated device on a busy machine. */
#define PATIENCE_MS	60000

/** struct node - Of a list, as docs/htex.md has it. */
struct node {
	struct node *next;
	uint64_t value;
};

static const char *address;
/* Each test is run with each. */
static struct htex_options options;
static struct htex *htex;
/* This process's memory, by every tag that there is. */
static struct usrpci_space *spaces[USRPCI_TLB_TAGS];

static int open_htex(void **state)
{
	struct usrpci_tlb tlb;
	unsigned int i;

	if (htex_open(&htex, address, &options))
		return -1;
	htex_tlb(htex, &tlb);
	if (usrpci_tlb_describe(htex_device(htex), &tlb, 0))
		return -1;
	for (i = 0; i < USRPCI_TLB_TAGS; i++)
		if (usrpci_space_bind(htex_device(htex), NULL, &spaces[i]) ||
		    usrpci_space_tag(spaces[i]) != i)
			return -1;
	return 0;
}

static int close_htex(void **state)
{
	unsigned int i;

	for (i = 0; i < USRPCI_TLB_TAGS; i++)
		usrpci_space_close(spaces[i]);
	htex_close(htex);
	htex = NULL;
	return 0;
}

static struct usrpci_space_stats stats_of(unsigned int tag)
{
	struct usrpci_space_stats stats;

	assert_int_equal(usrpci_space_stats(spaces[tag], &stats), 0);
	return stats;
}

static struct htex_result run(struct htex_job job)
{
	struct htex_result result;
	int engine = htex_start(htex, &job);

	assert_true(engine >= 0);
	assert_int_equal(htex_wait(htex, (unsigned int)engine, PATIENCE_MS, &result), 0);
	return result;
}

static void ended(struct htex_result result, enum htex_end end, uint64_t value,
		  uint64_t progress)
{
	assert_int_equal(result.end, end);
	assert_int_equal(result.result, value);
	assert_int_equal(result.progress, progress);
}

/* --- lists --- */

/* A prime, that isn't in the length of any list here. */
#define DISORDER	7919U

/* @nr of them, of which each lies @step after the last; their sum. */
static uint64_t link_nodes(struct node *nodes, size_t nr, size_t step)
{
	uint64_t sum = 0;
	size_t i, at = 0;

	for (i = 0; i < nr; i++) {
		nodes[at].value = i * i + 1;
		nodes[at].next = i + 1 < nr ? &nodes[(at + step) % nr] : NULL;
		sum += nodes[at].value;
		at = (at + step) % nr;
	}
	return sum;
}

static struct htex_job list(const struct node *head)
{
	return (struct htex_job){ .kind = HTEX_LIST, .source = head };
}

static void test_list(void **state)
{
	const size_t nr = 5000;
	struct node *nodes = malloc(nr * sizeof(*nodes));
	uint64_t sum = link_nodes(nodes, nr, DISORDER);
	struct htex_job job = list(nodes);
	struct htex_result result;

	result = run(job);
	ended(result, HTEX_DONE_WELL, sum, nr);
	assert_int_equal(result.address, 0);
	assert_in_range(result.misses, nr * sizeof(*nodes) / 4096, stats_of(0).misses);
	assert_int_equal(stats_of(15).misses, 0);
	job.length = 2;
	job.tag = 15;
	ended(run(job), HTEX_DONE_WELL, nodes[0].value + nodes[0].next->value, 2);
	assert_in_range(stats_of(15).misses, 1, 2);
	free(nodes);
}

/* Memory that others may have too, and that a simulated device maps. */
static void test_shared_list(void **state)
{
	const size_t nr = 100000, len = nr * sizeof(struct node);
	int fd = memfd_create("nodes", MFD_CLOEXEC);
	struct node *nodes;
	uint64_t sum;

	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	nodes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(nodes, MAP_FAILED);
	sum = link_nodes(nodes, nr, 1);
	ended(run(list(nodes)), HTEX_DONE_WELL, sum, nr);
	munmap(nodes, len);
	close(fd);
}

/* --- the others --- */

static void fill(unsigned char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * i * 31 + (i >> 8) * 7);
}

static void test_copy(void **state)
{
	static const size_t lens[] = { 0, 1, 4096, 300001 };
	unsigned char *from, *to;
	unsigned int i;
	size_t len;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		len = lens[i];
		from = malloc(len + 3);
		to = calloc(1, len + 16);
		fill(from, len + 3);
		ended(run((struct htex_job){
			.kind = HTEX_COPY, .source = from + 3, .target = to + 5, .length = len,
		}), HTEX_DONE_WELL, len, len);
		assert_memory_equal(to + 5, from + 3, len);
		assert_memory_equal(to, "\0\0\0\0\0", 5);
		assert_int_equal(to[5 + len], 0);
		free(from);
		free(to);
	}
}

static void test_histogram(void **state)
{
	const size_t len = 100000;
	unsigned char *bytes = malloc(len);
	uint64_t expected[256] = { 0 }, counts[256];
	size_t i;

	fill(bytes, len);
	for (i = 0; i < len; i++)
		expected[bytes[i]]++;
	memset(counts, 0xff, sizeof(counts));
	ended(run((struct htex_job){
		.kind = HTEX_HISTOGRAM, .source = bytes, .target = counts, .length = len,
	}), HTEX_DONE_WELL, len, len);
	assert_memory_equal(counts, expected, sizeof(counts));
	free(bytes);
}

static void test_matrix(void **state)
{
	enum { N = 70 };
	uint32_t (*m)[N][N] = calloc(4, sizeof(*m));
	unsigned int i, j, k;

	for (i = 0; i < 2 * N * N; i++)
		m[i / (N * N)][i % (N * N) / N][i % N] = i * 2654435761U;
	for (i = 0; i < N; i++)
		for (j = 0; j < N; j++)
			for (k = 0; k < N; k++)
				m[2][i][j] += m[0][i][k] * m[1][k][j];
	ended(run((struct htex_job){
		.kind = HTEX_MATRIX, .source = m[0], .second = m[1], .target = m[3], .length = N,
	}), HTEX_DONE_WELL, N, N);
	assert_memory_equal(m[2], m[3], sizeof(*m));
	free(m);
}

/* --- what has no translation --- */

static void test_bad_pointers(void **state)
{
	unsigned char *pages = pages_new(3, 1);
	struct node node = { .value = 5 };
	struct htex_result result;

	assert_int_equal(munmap(pages + PAGE, PAGE), 0);
	node.next = (struct node *)(pages + PAGE + 64);
	result = run(list(&node));
	ended(result, HTEX_NO_TRANSLATION, 5, 1);
	assert_int_equal(result.address, (uintptr_t)node.next);
	assert_int_equal(stats_of(0).refusals, 1);
	node.next = (struct node *)((char *)&node + 4);
	ended(run(list(&node)), HTEX_NO_TRANSLATION, 5, 1);
	assert_int_equal(stats_of(0).refusals, 1);
	result = run((struct htex_job){
		.kind = HTEX_COPY, .source = pages + 96, .target = pages + 2 * PAGE,
		.length = PAGE,
	});
	ended(result, HTEX_NO_TRANSLATION, PAGE - 96, PAGE - 96);
	assert_int_equal(result.address, (uintptr_t)pages + PAGE);
	node.next = NULL;
	ended(run(list(&node)), HTEX_DONE_WELL, 5, 1);
	munmap(pages, PAGE);
	munmap(pages + 2 * PAGE, PAGE);
}

static void test_read_only(void **state)
{
	unsigned char *pages = pages_new(1, 0x77), *to = pages_new(1, 0);
	struct htex_job job = {
		.kind = HTEX_COPY, .source = pages, .target = to, .length = 100,
	};
	struct htex_result result;

	assert_int_equal(mprotect(pages, PAGE, PROT_READ), 0);
	ended(run(job), HTEX_DONE_WELL, 100, 100);
	assert_memory_equal(pages, to, 100);
	job.source = to;
	job.target = pages;
	result = run(job);
	ended(result, HTEX_NO_TRANSLATION, 0, 0);
	assert_int_equal(result.address, (uintptr_t)pages);
	pages_free(pages, 1);
	pages_free(to, 1);
}

/* --- several at once --- */

/* Goes round till somebody breaks it. */
static struct node circle[2];

static struct htex_job endless(void)
{
	circle[0].next = &circle[1];
	circle[1].next = &circle[0];
	return list(circle);
}

static void test_all_engines(void **state)
{
	const unsigned int nr = htex_engines(htex);
	struct htex_job job = endless();
	struct htex_result result;
	unsigned int i;

	for (i = 0; i < nr; i++)
		assert_int_equal(htex_start(htex, &job), i);
	assert_int_equal(htex_start(htex, &job), -EBUSY);
	for (i = 0; i < nr; i++)
		assert_int_equal(htex_poll(htex, i, &result), -EAGAIN);
	assert_int_equal(htex_stop(htex, 2), 0);
	assert_int_equal(htex_poll(htex, 2, &result), -EINVAL);
	assert_int_equal(htex_start(htex, &job), 2);
	assert_int_equal(htex_wait(htex, 0, 20, &result), -ETIMEDOUT);
	*(struct node *volatile *)&circle[1].next = NULL;
	for (i = nr; i--; ) {
		assert_int_equal(htex_wait(htex, i, PATIENCE_MS, &result), 0);
		assert_int_equal(result.end, HTEX_DONE_WELL);
		assert_int_equal(result.progress % 2, 0);
	}
	assert_int_equal(htex_poll(htex, 0, &result), -EINVAL);
	assert_int_equal(htex_poll(htex, nr, &result), -EINVAL);
	assert_int_equal(htex_stop(htex, UINT32_MAX), -EINVAL);
}

/* Many short jobs of each: whoever reads what has ended tells the others. */
static void *wait_often(void *arg)
{
	struct node nodes[100];
	const uint64_t sum = link_nodes(nodes, 100, DISORDER);
	const struct htex_job job = list(nodes);
	struct htex_result result;
	unsigned int i, *right = arg;
	int engine;

	for (i = 0; i < JOBS; i++) {
		engine = htex_start(htex, &job);
		if (engine < 0 || htex_wait(htex, (unsigned int)engine, -1, &result))
			break;
		*right += result.end == HTEX_DONE_WELL && result.result == sum;
	}
	return NULL;
}

static void test_threads(void **state)
{
	unsigned int i, right[4] = { 0 };
	pthread_t threads[4];

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_often, &right[i]), 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 4; i++)
		assert_int_equal(right[i], JOBS);
}

/* One that takes long is not in the way of others, whoever reads. */
static void *wait_for_first(void *arg)
{
	struct htex_result *result = arg;

	if (htex_wait(htex, 0, -1, result))
		result->end = 0;
	return NULL;
}

static void test_long_and_short(void **state)
{
	struct htex_job job = endless();
	struct htex_result result = { 0 };
	pthread_t thread;
	unsigned int right = 0;

	assert_int_equal(htex_start(htex, &job), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_first, &result), 0);
	wait_often(&right);
	assert_int_equal(right, JOBS);
	*(struct node *volatile *)&circle[0].next = NULL;
	pthread_join(thread, NULL);
	assert_int_equal(result.end, HTEX_DONE_WELL);
}

static void test_descriptor(void **state)
{
	struct pollfd ready = { .fd = htex_fd(htex), .events = POLLIN };
	struct node node = { .value = 9 };
	struct htex_job job = list(&node);
	struct htex_result result;
	int engine, err;

	engine = htex_start(htex, &job);
	assert_true(engine >= 0);
	do {
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		err = htex_poll(htex, (unsigned int)engine, &result);
	} while (err == -EAGAIN);
	assert_int_equal(err, 0);
	ended(result, HTEX_DONE_WELL, 9, 1);
	assert_int_equal(poll(&ready, 1, 0), 0);
}

/* --- the device --- */

static void test_refusals(void **state)
{
	const struct htex_options none = { .flags = 1U << 7 };
	struct htex_job job = list(NULL);
	struct htex *other = NULL;

	assert_int_equal(htex_open(&other, address, &none), -EINVAL);
	assert_int_equal(htex_open(&other, "sim:edu", NULL), -ENOTSUP);
	assert_int_equal(htex_open(&other, "nonsense", NULL), -EINVAL);
	assert_null(other);
	job.kind = 0;
	assert_int_equal(htex_start(htex, &job), -EINVAL);
	job.kind = HTEX_MATRIX + 1;
	assert_int_equal(htex_start(htex, &job), -EINVAL);
	job.kind = HTEX_LIST;
	job.tag = 16;
	assert_int_equal(htex_start(htex, &job), -EINVAL);
	job.tag = 0;
	ended(run(job), HTEX_DONE_WELL, 0, 0);
}

static void is_field(struct usrpci_field field, uint32_t words)
{
	assert_in_range(field.width, 1, 64);
	assert_true(field.bit / 64 == (field.bit + field.width - 1) / 64);
	assert_true(field.bit + field.width <= 64 * words);
}

static void test_description(void **state)
{
	struct usrpci_tlb tlb;

	htex_tlb(htex, &tlb);
	assert_int_equal(tlb.tags, USRPCI_TLB_TAGS);
	assert_true(tlb.timeout_us <= USRPCI_TLB_US);
	assert_int_equal(tlb.misses.word_width, 8);
	is_field(tlb.misses.valid, tlb.misses.words);
	is_field(tlb.misses.addr, tlb.misses.words);
	is_field(tlb.misses.tag, tlb.misses.words);
	is_field(tlb.misses.write, tlb.misses.words);
	is_field(tlb.misses.id, tlb.misses.words);
	is_field(tlb.entries.valid, tlb.entries.words);
	is_field(tlb.entries.addr, tlb.entries.words);
	is_field(tlb.entries.tag, tlb.entries.words);
	is_field(tlb.entries.bus, tlb.entries.words);
	is_field(tlb.entries.write, tlb.entries.words);
	is_field(tlb.entries.large, tlb.entries.words);
	assert_int_equal(!tlb.misses.entry.width, !!(options.flags & HTEX_CHOOSE_ENTRIES));
	assert_int_equal(!tlb.misses.ring_entries, !(options.flags & HTEX_USE_RING));
	assert_int_equal(!tlb.misses.ring, !tlb.misses.ring_entries);
	assert_true(tlb.entries.nr && tlb.entries.nr <= USRPCI_TLB_ENTRIES);
}

#define ON(test)	cmocka_unit_test_setup_teardown(test, open_htex, close_htex)

static int run_with(unsigned int flags, const char *name)
{
	const struct CMUnitTest tests[] = {
		ON(test_list),
		ON(test_shared_list),
		ON(test_copy),
		ON(test_histogram),
		ON(test_matrix),
		ON(test_bad_pointers),
		ON(test_read_only),
		ON(test_all_engines),
		ON(test_threads),
		ON(test_long_and_short),
		ON(test_descriptor),
		ON(test_refusals),
		ON(test_description),
	};

	/* Somebody may wait for ever, who isn't told. */
	alarm(PATIENCE_MS * 10 / 1000);
	options.flags = flags;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	address = getenv("USRPCI_HTEX");
	if (!address) {
		fputs("USRPCI_HTEX names no device: skipped\n", stderr);
		return SKIPPED;
	}
	return run_with(0, "htex, a FIFO") | run_with(HTEX_USE_RING, "htex, a ring") |
	       run_with(HTEX_CHOOSE_ENTRIES, "htex, a FIFO, entries of the driver's") |
	       run_with(HTEX_USE_RING | HTEX_CHOOSE_ENTRIES,
			"htex, a ring, entries of the driver's");
}
