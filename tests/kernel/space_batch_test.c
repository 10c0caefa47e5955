// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Misses of a device's TLB that come together, which the kernel serves as one as far as their pages
 * are neighbours. An interrupt tells of eight: the first is served alone, the others are taken at
 * once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "function.h"
#include "htex.h"
#include "memory.h"

#define NR	8U
#define WORDS	(PAGE / 8)
#define LARGE	(2UL << 20)

/* How a device is told, and how memory is held: each test runs in all ways. */
static unsigned int how, flags;

static int open_bound(struct htex_hw *htex, uint32_t *tag)
{
	int space;

	htex_hw_start(htex, how);
	space = htex_hw_bind(htex, flags, 0, tag);
	assert_true(space >= 0);
	return space;
}

static uint64_t *area(size_t pages, int more)
{
	void *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);

	assert_true(mem != MAP_FAILED);
	return mem;
}

/* A list of one node in each page, whose value is the page's number and one. */
static void fill(uint64_t *mem, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		mem[i * WORDS + 1] = i + 1;
}

static struct htex_hw_job read_of(uint32_t tag, const uint64_t *mem, unsigned int page)
{
	return (struct htex_hw_job){
		.job = HTEX_JOB_LIST, .tag = tag, .source = (uintptr_t)(mem + page * WORDS),
		.length = 1,
	};
}

static void read_together(struct htex_hw *htex, uint32_t tag, const uint64_t *mem)
{
	struct htex_hw_job jobs[NR];
	unsigned int i;

	for (i = 0; i < NR; i++)
		jobs[i] = read_of(tag, mem, i);
	htex_hw_run_together(htex, jobs, NR);
}

static void is_done(struct htex_hw *htex, unsigned int engine, uint64_t result)
{
	assert_int_equal(htex_hw_wait(htex, engine), HTEX_STATE_DONE);
	assert_int_equal(htex_hw_engine(htex, engine, HTEX_RESULT), result);
}

static void is_refused(struct htex_hw *htex, unsigned int engine)
{
	assert_int_equal(htex_hw_wait(htex, engine), HTEX_STATE_UNTRANSLATED);
}

static void all_done(struct htex_hw *htex)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		is_done(htex, i, i + 1);
}

static void is_refusal(int space, const void *addr, unsigned int reason)
{
	struct usrpci_ioc_space_refusal refusal;

	assert_int_equal(space_refusal(space, &refusal), 0);
	assert_int_equal(refusal.addr, (uintptr_t)addr);
	assert_int_equal(refusal.reason, reason);
}

/* In either order: a worker each finds them out. */
static void are_refusals(int space, const void *one, unsigned int why_one, const void *other,
			 unsigned int why_other)
{
	struct usrpci_ioc_space_refusal refusal;
	bool swapped;

	assert_int_equal(space_refusal(space, &refusal), 0);
	swapped = refusal.addr == (uintptr_t)other;
	assert_int_equal(refusal.addr, (uintptr_t)(swapped ? other : one));
	assert_int_equal(refusal.reason, swapped ? why_other : why_one);
	is_refusal(space, swapped ? one : other, swapped ? why_one : why_other);
}

static uint64_t timed(const struct usrpci_ioc_space_info *info)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < USRPCI_SPACE_NR_BINS; i++)
		sum += info->latency[i];
	return sum;
}

/* What the process unmaps is the device's no more, whoever was served with it. */
static void goes(int space, uint64_t *mem, unsigned int pages)
{
	struct usrpci_ioc_space_info info;

	assert_int_equal(munmap(mem, pages * PAGE), 0);
	info = space_info(space);
	assert_int_equal(info.entries, 0);
	assert_int_equal(info.pages, 0);
}

static void neighbours_are_served(void **state)
{
	struct htex_hw *htex = *state;
	struct usrpci_ioc_space_info info;
	uint64_t *mem = area(NR, 0);
	uint32_t tag;
	int space = open_bound(htex, &tag);

	fill(mem, NR);
	read_together(htex, tag, mem);
	all_done(htex);
	info = space_info(space);
	assert_int_equal(info.misses, NR);
	assert_int_equal(info.fills, NR);
	assert_int_equal(info.entries, NR);
	assert_int_equal(info.pages, flags & USRPCI_BIND_MIRRORED ? 0 : NR);
	assert_int_equal(info.refusals, 0);
	assert_int_equal(timed(&info), NR);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

/* What isn't in memory's order is no run: each has its own page at once. */
static void order_is_no_matter(void **state)
{
	static const unsigned int order[NR] = { 3, 7, 5, 6, 2, 1, 0, 4 };
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	struct htex_hw_job jobs[NR];
	uint32_t tag;
	int space = open_bound(htex, &tag);
	unsigned int i;

	fill(mem, NR);
	for (i = 0; i < NR; i++)
		jobs[i] = read_of(tag, mem, order[i]);
	htex_hw_run_together(htex, jobs, NR);
	for (i = 0; i < NR; i++)
		is_done(htex, i, order[i] + 1);
	assert_int_equal(space_info(space).misses, NR);
	assert_int_equal(space_info(space).entries, NR);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

/* Neighbours that aren't of one process, and the same page twice. */
static void tags_are_told_apart(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	struct htex_hw_job jobs[NR];
	uint32_t a, b;
	int first = open_bound(htex, &a), second = htex_hw_bind(htex, flags, 0, &b);
	unsigned int i;

	assert_true(second >= 0);
	fill(mem, NR);
	for (i = 0; i < NR; i++)
		jobs[i] = read_of(i == 3 || i == 4 ? b : a, mem, i);
	jobs[2] = read_of(a, mem, 1);
	jobs[6].tag = HTEX_TAGS - 1;
	htex_hw_run_together(htex, jobs, NR);
	for (i = 0; i < NR; i++)
		if (i != 2 && i != 6)
			is_done(htex, i, i + 1);
	is_done(htex, 2, 2);
	is_refused(htex, 6);
	assert_int_equal(space_info(first).misses, 5);
	assert_int_equal(space_info(first).entries, 4);
	assert_int_equal(space_info(second).misses, 2);
	assert_int_equal(space_info(second).entries, 2);
	goes(first, mem, NR);
	assert_int_equal(space_info(second).entries, 0);
	htex_hw_unbind(htex, first);
	htex_hw_unbind(htex, second);
}

/* A page that has to be brought in, and two that the device may not have. */
static void holes_hold_up_nobody(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	uint32_t tag;
	int space = open_bound(htex, &tag);
	unsigned int i;

	fill(mem, NR);
	assert_int_equal(madvise(mem + 2 * WORDS, PAGE, MADV_DONTNEED), 0);
	assert_int_equal(mprotect(mem + 4 * WORDS, PAGE, PROT_NONE), 0);
	assert_int_equal(munmap(mem + 5 * WORDS, PAGE), 0);
	read_together(htex, tag, mem);
	for (i = 0; i < NR; i++) {
		if (i == 4 || i == 5)
			is_refused(htex, i);
		else
			is_done(htex, i, i == 2 ? 0 : i + 1);
	}
	are_refusals(space, mem + 4 * WORDS, USRPCI_REFUSAL_PROTECTED, mem + 5 * WORDS,
		     USRPCI_REFUSAL_UNMAPPED);
	assert_int_equal(space_info(space).misses, NR);
	assert_int_equal(space_info(space).entries, NR - 2);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

/* The device has what it reads from: what is missed first is where it writes to. */
static void writes_are_served(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *from = area(1, 0), *to = area(NR, 0);
	struct htex_hw_job jobs[NR];
	uint32_t tag;
	int space = open_bound(htex, &tag);
	unsigned int i;

	fill(from, 1);
	fill(to, NR);
	assert_int_equal(mprotect(to + 3 * WORDS, PAGE, PROT_READ), 0);
	jobs[0] = read_of(tag, from, 0);
	htex_hw_run(htex, 0, &jobs[0]);
	is_done(htex, 0, 1);
	for (i = 0; i < NR; i++)
		jobs[i] = (struct htex_hw_job){
			.job = HTEX_JOB_COPY, .tag = tag, .source = (uintptr_t)from + 8,
			.target = (uintptr_t)(to + i * WORDS), .length = 8,
		};
	htex_hw_run_together(htex, jobs, NR);
	for (i = 0; i < NR; i++) {
		if (i == 3)
			is_refused(htex, i);
		else
			is_done(htex, i, 8);
		assert_int_equal(to[i * WORDS], i != 3);
		assert_int_equal(to[i * WORDS + 1], i + 1);
	}
	is_refusal(space, to + 3 * WORDS, USRPCI_REFUSAL_PROTECTED);
	munmap(from, PAGE);
	goes(space, to, NR);
	htex_hw_unbind(htex, space);
}

/* Small pages, and then those of a large one, in which all have the one entry. */
static void large_pages_end_a_run(void **state)
{
	struct htex_hw *htex = *state;
	struct usrpci_ioc_space_info info;
	uint64_t *mem, *large, *small;
	uint32_t tag;
	int space;

	file_write("/proc/sys/vm/nr_hugepages", "4");
	mem = area(3 * LARGE / PAGE, MAP_NORESERVE);
	large = (uint64_t *)(((uintptr_t)mem + 2 * LARGE) & ~(LARGE - 1));
	small = large - 4 * WORDS;
	madvise(mem, 3 * LARGE, MADV_NOHUGEPAGE);
	if (mmap(large, LARGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0) == MAP_FAILED)
		skip();
	fill(small, NR);
	space = open_bound(htex, &tag);
	read_together(htex, tag, small);
	all_done(htex);
	info = space_info(space);
	assert_int_equal(info.misses, NR);
	assert_int_equal(info.entries, 4 + 1);
	assert_int_equal(info.fills, 4 + 1);
	assert_int_equal(info.pages, flags & USRPCI_BIND_MIRRORED ? 0 : 4 + LARGE / PAGE);
	goes(space, mem, 3 * LARGE / PAGE);
	htex_hw_unbind(htex, space);
	file_write("/proc/sys/vm/nr_hugepages", "0");
}

/* --- memory changes --- */

/** struct change - Of pages, again and again, by another thread. */
struct change {
	uint64_t *mem;
	atomic_bool over;
};

static void *change_on(void *arg)
{
	struct change *change = arg;
	unsigned int i = 0;

	while (!change->over) {
		madvise(change->mem + i * WORDS, (NR - i) * PAGE, MADV_DONTNEED);
		fill(change->mem, NR);
		i = (i + 1) % NR;
		/* A miss isn't brought in for ever. */
		usleep(200);
	}
	return NULL;
}

/* How many of a round's reads didn't end as they must. */
static unsigned int wrong_ends(struct htex_hw *htex)
{
	unsigned int i, state, wrong = 0;
	uint64_t result;

	for (i = 0; i < NR; i++) {
		state = htex_hw_wait(htex, i);
		result = htex_hw_engine(htex, i, HTEX_RESULT);
		if (state == HTEX_STATE_DONE && (!result || result == i + 1))
			continue;
		print_message("page %u: state %u, result %llu\n", i, state,
			      (unsigned long long)result);
		wrong++;
	}
	return wrong;
}

/* What is found may be gone before it's entered: it's looked for again. */
static void memory_changes_meanwhile(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	static struct change change;
	unsigned int round, wrong = 0;
	pthread_t thread;
	uint32_t tag;
	int space = open_bound(htex, &tag);

	/* A test that fails leaves the thread behind. */
	change.mem = mem;
	change.over = false;
	assert_int_equal(pthread_create(&thread, NULL, change_on, &change), 0);
	for (round = 0; round < times(40) && !wrong; round++) {
		space_forget(space, mem, NR * PAGE);
		read_together(htex, tag, mem);
		wrong = wrong_ends(htex);
	}
	change.over = true;
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(space_info(space).refusals, 0);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

/** struct unmapping - By another thread, about when the last of some misses comes. */
struct unmapping {
	struct htex_hw *htex;
	uint64_t *mem;
	unsigned int delay;
};

static void *unmap(void *arg)
{
	const struct unmapping *u = arg;
	volatile unsigned int i;
	uint32_t seen;

	for (i = 0; i < 10000; i++) {
		seen = htex_hw_state(u->htex, NR - 1);
		if (seen == HTEX_STATE_RUNNING || seen == HTEX_STATE_WAITING)
			break;
	}
	for (i = 0; i < u->delay; i++)
		;
	munmap(u->mem + 2 * WORDS, (NR - 2) * PAGE);
	return NULL;
}

static void memory_goes_meanwhile(void **state)
{
	struct unmapping u = { .htex = *state };
	unsigned int i, round;
	pthread_t thread;
	uint32_t tag;
	int space = open_bound(u.htex, &tag);

	for (round = 0; round < times(40); round++) {
		u.mem = area(NR, 0);
		u.delay = round * 500;
		fill(u.mem, NR);
		assert_int_equal(pthread_create(&thread, NULL, unmap, &u), 0);
		read_together(u.htex, tag, u.mem);
		pthread_join(thread, NULL);
		for (i = 0; i < NR; i++)
			if (i < 2 || htex_hw_wait(u.htex, i) != HTEX_STATE_UNTRANSLATED)
				is_done(u.htex, i, i + 1);
		assert_in_range(space_info(space).entries, 0, 2);
		goes(space, u.mem, NR);
	}
	htex_hw_unbind(u.htex, space);
}

/* --- a limit --- */

/* A process without privileges is bound, that may have @pages pinned. */
static int bind_within_limit(struct htex_hw *htex, unsigned int pages, uint32_t *tag)
{
	struct rlimit limit, few;
	int space;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	few = limit;
	few.rlim_cur = pages * PAGE;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &few), 0);
	assert_int_equal(seteuid(1000), 0);
	space = htex_hw_bind(htex, flags, 0, tag);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	assert_true(space >= 0);
	return space;
}

/* More are missed than may be pinned: the oldest go. */
static void limits_hold_for_all(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	uint32_t tag;
	int space;

	if (flags & USRPCI_BIND_MIRRORED)
		skip();
	htex_hw_start(htex, how);
	space = bind_within_limit(htex, 3, &tag);
	fill(mem, NR);
	read_together(htex, tag, mem);
	all_done(htex);
	assert_int_equal(space_info(space).refusals, 0);
	assert_in_range(space_info(space).pages, 1, 3);
	assert_in_range(pages_charged(), 1, 3);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

/* Memory that isn't there is charged as it's brought in, and not once more. */
static void limit_of_one_is_enough(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(NR, 0);
	struct htex_hw_job job;
	unsigned int i;
	uint32_t tag;
	int space;

	if (flags & USRPCI_BIND_MIRRORED)
		skip();
	htex_hw_start(htex, how);
	/* The ring is charged as well. */
	space = bind_within_limit(htex, 1 + (unsigned int)pages_charged(), &tag);
	for (i = 0; i < NR; i++) {
		job = read_of(tag, mem, i);
		htex_hw_run(htex, 0, &job);
		is_done(htex, 0, 0);
	}
	assert_int_equal(space_info(space).refusals, 0);
	goes(space, mem, NR);
	htex_hw_unbind(htex, space);
}

#define TESTS					\
	TEST(neighbours_are_served),		\
	TEST(order_is_no_matter),		\
	TEST(tags_are_told_apart),		\
	TEST(holes_hold_up_nobody),		\
	TEST(writes_are_served),		\
	TEST(large_pages_end_a_run),		\
	TEST(memory_changes_meanwhile),		\
	TEST(memory_goes_meanwhile),		\
	TEST(limits_hold_for_all),		\
	TEST(limit_of_one_is_enough),

#define TEST(_test) cmocka_unit_test_setup_teardown(_test, htex_hw_setup, htex_hw_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = { TESTS };
	static const char *const ways[] = {
		"fifo, pinned", "ring, pinned", "driver's choice, pinned", "fifo, mirrored",
		"ring, driver's choice, mirrored",
	};
	static const unsigned int hows[] = {
		0, HTEX_HW_RING, HTEX_HW_CHOOSE, 0, HTEX_HW_RING | HTEX_HW_CHOOSE,
	};
	int failed = 0;
	size_t i;

	function_require();
	if (!function_htex())
		return SKIPPED;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		how = hows[i];
		flags = i >= 3 ? USRPCI_BIND_MIRRORED : 0;
		failed += cmocka_run_group_tests_name(ways[i], tests, NULL, NULL);
	}
	return failed;
}
