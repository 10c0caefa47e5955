// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A device's TLB, its misses served by the kernel; by the simulator's htex. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "function.h"
#include "htex.h"
#include "memory.h"

/* Long enough for what isn't lost. */
#define STORM_MS	60000

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

struct node {
	struct node *next;
	uint64_t value;
};

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

static struct node *make_list(size_t nr, uint64_t *sum)
{
	struct node *first = NULL;
	size_t i;

	*sum = 0;
	for (i = 0; i < nr; i++) {
		struct node *node = malloc(sizeof(*node));

		node->next = first;
		node->value = i * i + 1;
		*sum += node->value;
		first = node;
	}
	return first;
}

static void free_list(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		free(node);
		node = next;
	}
}

static void *area(size_t pages)
{
	void *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(mem != MAP_FAILED);
	return mem;
}

static void list_is_walked(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t sum;
	struct node *list = make_list(times(20000), &sum);
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .source = (uintptr_t)list };
	struct usrpci_ioc_space_info info;
	int space = open_bound(htex, &job.tag);

	htex_hw_run(htex, 0, &job);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
	assert_true(htex_hw_engine(htex, 0, HTEX_RESULT) == sum);
	info = space_info(space);
	assert_true(info.misses > 0);
	assert_int_equal(info.misses, htex_hw_engine(htex, 0, HTEX_MISSES));
	assert_int_equal(info.refusals, 0);
	assert_true(info.entries > 0);
	if (flags & USRPCI_BIND_MIRRORED)
		assert_int_equal(info.pages, 0);
	else
		assert_true(info.pages >= info.entries);
	htex_hw_unbind(htex, space);
	free_list(list);
}

static void copy_is_made(void **state)
{
	struct htex_hw *htex = *state;
	size_t len = 40 * PAGE;
	unsigned char *from = area(42), *to = area(42);
	struct htex_hw_job job = {
		.job = HTEX_JOB_COPY, .source = (uintptr_t)from + 100,
		.target = (uintptr_t)to + 17, .length = len,
	};
	int space = open_bound(htex, &job.tag);
	size_t i;

	for (i = 0; i < 42 * PAGE; i++)
		from[i] = (unsigned char)(i * 7 + i / 4096);
	htex_hw_run(htex, 0, &job);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
	assert_memory_equal(to + 17, from + 100, len);
	assert_int_equal(to[16], 0);
	assert_int_equal(to[17 + len], 0);
	htex_hw_unbind(htex, space);
	munmap(from, 42 * PAGE);
	munmap(to, 42 * PAGE);
}

static void refused(struct htex_hw *htex, int space, uint32_t tag, const void *source,
		    void *target, unsigned int reason, const void *where)
{
	struct htex_hw_job job = {
		.job = HTEX_JOB_COPY, .tag = tag, .source = (uintptr_t)source,
		.target = (uintptr_t)target, .length = 8,
	};
	struct usrpci_ioc_space_refusal refusal;

	htex_hw_run(htex, 1, &job);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(htex_hw_engine(htex, 1, HTEX_ADDRESS), (uintptr_t)where);
	assert_int_equal(space_refusal(space, &refusal), 0);
	assert_int_equal(refusal.reason, reason);
	assert_int_equal(refusal.addr, (uintptr_t)where);
	assert_int_equal(refusal.write, where == target);
	assert_int_equal(space_refusal(space, &refusal), -EAGAIN);
}

static void bad_addresses_are_refused(void **state)
{
	struct htex_hw *htex = *state;
	char *good = area(1), *gone = area(1), *readable = area(1), *closed = area(1);
	uint32_t tag;
	int space = open_bound(htex, &tag);

	munmap(gone, PAGE);
	mprotect(readable, PAGE, PROT_READ);
	mprotect(closed, PAGE, PROT_NONE);
	refused(htex, space, tag, gone, good, USRPCI_REFUSAL_UNMAPPED, gone);
	refused(htex, space, tag, good, gone, USRPCI_REFUSAL_UNMAPPED, gone);
	refused(htex, space, tag, good, readable, USRPCI_REFUSAL_PROTECTED, readable);
	refused(htex, space, tag, closed, good, USRPCI_REFUSAL_PROTECTED, closed);
	refused(htex, space, tag, NULL, good, USRPCI_REFUSAL_UNMAPPED, NULL);
	refused(htex, space, tag, (void *)0xffff800000000000UL, good, USRPCI_REFUSAL_UNMAPPED,
		(void *)0xffff800000000000UL);
	refused(htex, space, tag, (void *)htex->regs, good, USRPCI_REFUSAL_SPECIAL,
		(void *)htex->regs);
	htex_hw_unbind(htex, space);
	munmap(good, PAGE);
	munmap(readable, PAGE);
	munmap(closed, PAGE);
}

/* It runs for ever: till it has gone round some more times. */
static void await_progress(struct htex_hw *htex, unsigned int engine)
{
	uint64_t before = htex_hw_engine(htex, engine, HTEX_PROGRESS);
	int waited;

	for (waited = 0; waited < 20000; waited++) {
		if (htex_hw_engine(htex, engine, HTEX_PROGRESS) > before + 100)
			return;
		usleep(1000);
	}
	fail_msg("engine %u stands still in state %u", engine, htex_hw_state(htex, engine));
}

/* A device that runs on while memory goes. */
static void unmapped_memory_is_gone(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(4);
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .source = (uintptr_t)mem };
	int space = open_bound(htex, &job.tag);

	/* A ring, walked for ever. */
	mem[0] = (uintptr_t)mem + 2 * PAGE;
	mem[2 * PAGE / 8] = (uintptr_t)mem;
	htex_hw_run(htex, 0, &job);
	await_progress(htex, 0);
	munmap(mem + 2 * PAGE / 8, PAGE);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(htex_hw_engine(htex, 0, HTEX_ADDRESS), (uintptr_t)mem + 2 * PAGE);
	assert_true(space_info(space).invalidations > 0);
	htex_hw_unbind(htex, space);
	munmap(mem, 4 * PAGE);
}

static void copy(struct htex_hw *htex, uint32_t tag, const void *from, void *to, size_t len)
{
	struct htex_hw_job job = {
		.job = HTEX_JOB_COPY, .tag = tag, .source = (uintptr_t)from,
		.target = (uintptr_t)to, .length = len,
	};

	htex_hw_run(htex, 0, &job);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
}

/*
 * The kernel reclaims what nobody has written to without a word, and asks page tables about that:
 * they don't know of the device.
 */
static void what_was_written_stays(void **state)
{
	const size_t len = 16 * PAGE;
	struct htex_hw *htex = *state;
	unsigned char *from = pages_new(16, 0x5a), *freed = pages_new(16, 0x11);
	volatile unsigned char *shared = mmap(NULL, len, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t tag;
	int space = open_bound(htex, &tag);
	size_t i;

	/* There, and clean. */
	for (i = 0; i < len; i += PAGE)
		assert_int_equal(shared[i], 0);
	assert_int_equal(madvise(freed, len, MADV_FREE), 0);
	copy(htex, tag, from, (void *)shared, len);
	copy(htex, tag, from, freed, len);
	madvise((void *)shared, len, MADV_PAGEOUT);
	madvise(freed, len, MADV_PAGEOUT);
	assert_memory_equal((void *)shared, from, len);
	assert_memory_equal(freed, from, len);
	htex_hw_unbind(htex, space);
	munmap((void *)shared, len);
	pages_free(from, 16);
	pages_free(freed, 16);
}

/* Whoever may read may have the device read, though it may be the first to touch it. */
static void large_pages_may_be_read_only(void **state)
{
	const size_t len = 2UL << 20;
	struct htex_hw *htex = *state;
	unsigned char *to = pages_new(2, 1), *large;
	uint32_t tag;
	int space;

	file_write("/proc/sys/vm/nr_hugepages", "4");
	large = mmap(NULL, 2 * len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (large == MAP_FAILED)
		skip();
	memset(large, 0x5a, len);
	assert_int_equal(mprotect(large, 2 * len, PROT_READ), 0);
	space = open_bound(htex, &tag);
	copy(htex, tag, large + PAGE, to, PAGE);
	assert_memory_equal(to, large + PAGE, PAGE);
	copy(htex, tag, large + len, to, PAGE);
	assert_memory_equal(to, large + len, PAGE);
	assert_int_equal(space_info(space).refusals, 0);
	htex_hw_unbind(htex, space);
	pages_free(to, 2);
	munmap(large, 2 * len);
	file_write("/proc/sys/vm/nr_hugepages", "0");
}

static void closing_ends_jobs(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(1);
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .source = (uintptr_t)mem };
	int space = open_bound(htex, &job.tag);

	mem[0] = (uintptr_t)mem;
	htex_hw_run(htex, 0, &job);
	await_progress(htex, 0);
	htex_hw_unbind(htex, space);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_UNTRANSLATED);
	munmap(mem, PAGE);
}

/* The child binds itself; both compute at once; it's killed amid that. */
static void processes_share_a_device(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *mem = area(1);
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .source = (uintptr_t)mem };
	struct htex_hw_job same = job;
	int space = open_bound(htex, &job.tag), pipes[2], status;
	uint32_t tag;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		int own = htex_hw_bind(htex, flags, 0, &tag);

		mem[0] = (uintptr_t)mem;
		write(pipes[1], &tag, sizeof(tag));
		pause();
		_exit(own < 0);
	}
	assert_int_equal(read(pipes[0], &tag, sizeof(tag)), sizeof(tag));
	assert_int_not_equal(tag, job.tag);
	same.tag = tag;
	/* The same address, which only the child has as a ring. */
	htex_hw_run(htex, 1, &same);
	htex_hw_run(htex, 0, &job);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
	await_progress(htex, 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_UNTRANSLATED);
	htex_hw_unbind(htex, space);
	close(pipes[0]);
	close(pipes[1]);
	munmap(mem, PAGE);
}

/* Misses that came while their vector was masked are looked for once it isn't. */
static void misses_outlast_a_storm(struct htex_hw *htex, unsigned int type)
{
	struct htex_hw_job job = { .job = HTEX_JOB_HISTOGRAM, .length = 100 * PAGE };
	struct usrpci_ioc_event event;
	uint64_t *counts = area(1);
	uint64_t end = now_ms() + STORM_MS;
	unsigned int storms = 0;
	void *bytes = area(100);

	htex_hw_start(htex, how | type);
	assert_true(htex_hw_bind(htex, flags, 0, &job.tag) >= 0);
	job.source = (uintptr_t)bytes;
	job.target = (uintptr_t)counts;
	assert_int_equal(module_parameter("storm_rate", "10"), 0);
	htex_hw_run(htex, 0, &job);
	while (htex_hw_state(htex, 0) != HTEX_STATE_DONE) {
		assert_true(now_ms() < end);
		if (function_event(htex->fd, &event) || event.type != USRPCI_EVENT_STORM)
			continue;
		storms++;
	}
	assert_int_equal(module_parameter("storm_rate", STORM_RATE), 0);
	assert_in_range(storms, 1, 100);
	assert_int_equal(counts[0], 100 * PAGE);
	munmap(bytes, 100 * PAGE);
	munmap(counts, PAGE);
}

static void misses_outlast_a_storm_of_msix(void **state)
{
	misses_outlast_a_storm(*state, 0);
}

static void misses_outlast_a_storm_of_msi(void **state)
{
	misses_outlast_a_storm(*state, HTEX_HW_MSI);
}

#define TESTS						\
	TEST(misses_outlast_a_storm_of_msix),		\
	TEST(misses_outlast_a_storm_of_msi),		\
	TEST(list_is_walked),				\
	TEST(copy_is_made),				\
	TEST(bad_addresses_are_refused),		\
	TEST(unmapped_memory_is_gone),			\
	TEST(what_was_written_stays),			\
	TEST(large_pages_may_be_read_only),		\
	TEST(closing_ends_jobs),			\
	TEST(processes_share_a_device),

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
