// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Handles: given back, synced, guessed, and used by threads at once. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "stall.h"

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static struct usrpci_ioc_region mapped(int fd, const void *addr, uint64_t len,
				       unsigned int direction)
{
	struct usrpci_ioc_region region = function_region(addr, len, direction);

	assert_int_equal(function_map(fd, &region), 0);
	return region;
}

static struct usrpci_ioc_region *many_regions(unsigned char *memory, unsigned int nr)
{
	struct usrpci_ioc_region *regions = calloc(nr, sizeof(*regions));
	unsigned int i;

	for (i = 0; i < nr; i++)
		regions[i] = function_region(memory + i % 16 * 100, 64, USRPCI_BIDIRECTIONAL);
	return regions;
}

static void unmap_takes_all_or_none(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_region *regions = many_regions(memory, 12);
	uint32_t h[13];
	int fd = fd_of(state), i;

	assert_int_equal(function_map_regions(fd, regions, 12, NULL), 0);
	for (i = 0; i < 12; i++)
		h[i] = regions[i].handle;
	h[12] = h[0];
	assert_int_equal(function_unmap(fd, h, 13), -EINVAL);
	h[12] = 0;
	assert_int_equal(function_unmap(fd, h, 13), -EINVAL);
	h[12] = h[11] + 1;
	assert_int_equal(function_unmap(fd, h, 13), -EINVAL);
	h[12] = UINT32_MAX;
	assert_int_equal(function_unmap(fd, h, 13), -EINVAL);
	assert_int_equal(function_unmap(fd, h + 12, 1), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 12);
	assert_int_equal(function_unmap_one(fd, h[5]), 0);
	assert_int_equal(function_unmap(fd, h, 12), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 11);
	h[5] = h[11];
	assert_int_equal(function_unmap(fd, h, 11), 0);
	assert_int_equal(function_unmap_one(fd, 0), -EINVAL);
	free(regions);
	pages_free(memory, 4);
}

static void same_memory_maps_twice(void **state)
{
	unsigned char *memory = pages_new(2, 1);
	struct usrpci_ioc_region a, b;

	a = mapped(fd_of(state), memory, 2 * PAGE, USRPCI_BIDIRECTIONAL);
	b = mapped(fd_of(state), memory, 2 * PAGE, USRPCI_BIDIRECTIONAL);
	assert_int_not_equal(a.handle, b.handle);
	assert_int_equal(function_unmap_one(fd_of(state), a.handle), 0);
	assert_int_equal(function_sync(fd_of(state), b.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE), 0);
	assert_int_equal(function_sync(fd_of(state), a.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE),
			 -EINVAL);
	assert_int_equal(function_unmap_one(fd_of(state), b.handle), 0);
	pages_free(memory, 2);
}

static void sync_ranges_are_checked(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_region r = mapped(fd_of(state), memory + 3, 3 * PAGE, 0);
	const unsigned int cpu = USRPCI_SYNC_FOR_CPU, device = USRPCI_SYNC_FOR_DEVICE;
	int fd = fd_of(state);

	assert_int_equal(function_sync(fd, r.handle, cpu, 0, r.len), 0);
	assert_int_equal(function_sync(fd, r.handle, device, 0, r.len), 0);
	assert_int_equal(function_sync(fd, r.handle, cpu, 1, r.len - 1), 0);
	assert_int_equal(function_sync(fd, r.handle, device, r.len - 1, 1), 0);
	assert_int_equal(function_sync(fd, r.handle, device, PAGE - 3, PAGE), 0);
	assert_int_equal(function_sync(fd, r.handle, cpu, 0, 0), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, 0, r.len + 1), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, 1, r.len), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, r.len, 1), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, 1, UINT64_MAX), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, cpu | device, 0, 1), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, 0, 0, 1), -EINVAL);
	assert_int_equal(function_sync(fd, r.handle, 4, 0, 1), -EINVAL);
	assert_int_equal(function_sync(fd, 0, cpu, 0, 1), -EINVAL);
	assert_int_equal(function_sync(fd, UINT32_MAX, cpu, 0, 1), -EINVAL);
	assert_int_equal(function_unmap_one(fd, r.handle), 0);
	pages_free(memory, 4);
}

static void coherent_handles_are_not_synced(void **state)
{
	struct usrpci_ioc_coherent buffer;

	assert_int_equal(function_coherent(fd_of(state), PAGE, &buffer), 0);
	assert_int_equal(function_sync(fd_of(state), buffer.handle, USRPCI_SYNC_FOR_CPU, 0, 1),
			 -EINVAL);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
}

static void kinds_mix_in_one_call(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory = pages_new(2, 1);
	struct usrpci_ioc_region r;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		uint32_t h[2];

		r = mapped(fd_of(state), memory, PAGE, USRPCI_BIDIRECTIONAL);
		assert_int_equal(function_coherent(fd_of(state), PAGE, &buffer), 0);
		h[i] = buffer.handle;
		h[!i] = r.handle;
		assert_int_equal(function_unmap(fd_of(state), h, 2), 0);
		assert_int_equal(function_unmap_one(fd_of(state), h[0]), -EINVAL);
		assert_int_equal(function_unmap_one(fd_of(state), h[1]), -EINVAL);
	}
	pages_free(memory, 2);
}

/* A map whose answer can't be delivered yet, in a thread. */
struct stuck {
	struct stall stall;
	struct usrpci_ioc_region region;
	int fd;
	int result;
};

static void *stuck_call(void *arg)
{
	struct stuck *stuck = arg;

	stuck->result = function_map(stuck->fd, &stuck->region);
	return NULL;
}

/* Nobody finds a handle that its maker hasn't been told. */
static void handle_is_unknown_before_it_is_told(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	struct stuck stuck = { .fd = fd_of(state) };
	pthread_t thread;
	uint32_t handle;

	if (!stall_new(&stuck.stall))
		skip();
	stuck.region = function_region(memory, PAGE, USRPCI_BIDIRECTIONAL);
	stuck.region.sg = (uintptr_t)stuck.stall.page;
	stuck.region.nr_sg = 1;
	pthread_create(&thread, NULL, stuck_call, &stuck);
	assert_true(stall_wait(&stuck.stall));
	for (handle = 0; handle < 1000; handle++) {
		assert_int_equal(function_unmap_one(fd_of(state), handle), -EINVAL);
		assert_int_equal(function_sync(fd_of(state), handle, USRPCI_SYNC_FOR_CPU, 0, 1),
				 -EINVAL);
	}
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(function_mask(fd_of(state), 40), -EBUSY);
	stall_end(&stuck.stall);
	pthread_join(thread, NULL);
	assert_int_equal(stuck.result, 0);
	assert_int_equal(function_unmap_one(fd_of(state), stuck.region.handle), 0);
	stall_free(&stuck.stall);
	pages_free(memory, 1);
}

static volatile bool stop;

static void *guesser(void *arg)
{
	int fd = *(int *)arg;
	uint32_t handle = 1, taken = 0;

	while (!stop) {
		taken += !function_unmap_one(fd, handle);
		handle = handle % 20000 + 1;
	}
	return (void *)(uintptr_t)taken;
}

/* Sync walks what the guesser frees. */
static void handles_guessed_by_another_thread(void **state)
{
	unsigned char *memory = pages_new(2, 1);
	int fd = fd_of(state), i, err;
	struct usrpci_ioc_region region;
	pthread_t thread;

	stop = false;
	pthread_create(&thread, NULL, guesser, &fd);
	for (i = 0; i < (int)times(10000); i++) {
		region = function_region(memory + i % PAGE, PAGE, USRPCI_BIDIRECTIONAL);
		assert_int_equal(function_map(fd, &region), 0);
		err = function_sync(fd, region.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE);
		assert_true(!err || err == -EINVAL);
		err = function_unmap_one(fd, region.handle);
		assert_true(!err || err == -EINVAL);
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(function_nr_held(function_edu()), 0);
	pages_free(memory, 2);
}

static void *mapper(void *arg)
{
	unsigned char *memory = pages_new(4, 1);
	int fd = *(int *)arg, i;
	struct usrpci_ioc_region region;

	for (i = 0; i < (int)times(3000); i++) {
		region = function_region(memory + i % PAGE, 3 * PAGE, i % 3);
		if (function_map(fd, &region) || function_unmap_one(fd, region.handle))
			return (void *)1;
	}
	pages_free(memory, 4);
	return NULL;
}

static void threads_map_at_once(void **state)
{
	int fd = fd_of(state), i;
	pthread_t threads[4];
	void *failed;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, mapper, &fd);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

/* The debug kernel complains of two mappings in a cache line. */
#define LINE	64U

/* Who still uses what was given back is told so, and for a while. */
static void rests(int fd, void *memory)
{
	struct usrpci_ioc_region first, next;
	unsigned int i;

	first = mapped(fd, memory, LINE, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_unmap_one(fd, first.handle), 0);
	for (i = 0; i < 250; i++) {
		next = mapped(fd, memory, LINE, USRPCI_BIDIRECTIONAL);
		assert_int_not_equal(next.handle, first.handle);
		assert_int_equal(function_unmap_one(fd, first.handle), -EINVAL);
		assert_int_equal(function_unmap_one(fd, next.handle), 0);
	}
}

static void handle_is_not_given_again_soon(void **state)
{
	unsigned char *memory = pages_new(1, 1);

	rests(fd_of(state), memory);
	pages_free(memory, 1);
}

/* Also where the table has room for hardly any other. */
static void handle_rests_among_many(void **state)
{
	const unsigned int nr = PAGE / sizeof(long) - 2;
	unsigned char *memory = pages_new((nr + 1) * LINE / PAGE + 1, 1);
	uint32_t *handles = calloc(nr, sizeof(*handles));
	unsigned int i;

	assert_non_null(handles);
	for (i = 0; i < nr; i++)
		handles[i] = mapped(fd_of(state), memory + i * LINE, LINE,
				    USRPCI_BIDIRECTIONAL).handle;
	rests(fd_of(state), memory + nr * LINE);
	for (i = 0; i < nr; i++)
		assert_int_equal(function_unmap_one(fd_of(state), handles[i]), 0);
	free(handles);
	pages_free(memory, (nr + 1) * LINE / PAGE + 1);
}

#define NR_MANY	1200U

/* More than the table has room for at first; then some of them, and others in their place. */
static void many_handles_differ(void **state)
{
	unsigned char *memory = pages_new(NR_MANY * LINE / PAGE + 1, 1);
	struct usrpci_ioc_region *regions = calloc(NR_MANY, sizeof(*regions));
	uint32_t *handles = calloc(NR_MANY, sizeof(*handles));
	unsigned char *seen = calloc(16 * NR_MANY, 1);
	unsigned int i, round;

	for (i = 0; i < NR_MANY; i++)
		regions[i] = function_region(memory + i * LINE, LINE, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_map_regions(fd_of(state), regions, NR_MANY, NULL), 0);
	for (round = 0; round < 3; round++) {
		memset(seen, 0, 16 * NR_MANY);
		for (i = 0; i < NR_MANY; i++) {
			handles[i] = regions[i].handle;
			assert_true(handles[i] && handles[i] < 16 * NR_MANY && !seen[handles[i]]);
			seen[handles[i]] = 1;
		}
		for (i = round; i < NR_MANY; i += 3) {
			assert_int_equal(function_unmap_one(fd_of(state), handles[i]), 0);
			regions[i] = mapped(fd_of(state), memory + i * LINE, LINE,
					    USRPCI_BIDIRECTIONAL);
		}
	}
	for (i = 0; i < NR_MANY; i++)
		handles[i] = regions[i].handle;
	assert_int_equal(function_unmap(fd_of(state), handles, NR_MANY), 0);
	assert_int_equal(function_nr_held(function_edu()), 0);
	free(seen);
	free(handles);
	free(regions);
	pages_free(memory, NR_MANY * LINE / PAGE + 1);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unmap_takes_all_or_none),
		TEST(same_memory_maps_twice),
		TEST(sync_ranges_are_checked),
		TEST(coherent_handles_are_not_synced),
		TEST(kinds_mix_in_one_call),
		TEST(handle_is_unknown_before_it_is_told),
		TEST(handles_guessed_by_another_thread),
		TEST(threads_map_at_once),
		TEST(handle_is_not_given_again_soon),
		TEST(handle_rests_among_many),
		TEST(many_handles_differ),
	};

	function_require();
	return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
