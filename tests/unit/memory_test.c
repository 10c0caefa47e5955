// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The core's books of BAR maps and coherent memory, and the checks of mappings. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "fake.h"

#define MANY	1000

static int setup(void **state)
{
	struct fake *fake = malloc(sizeof(*fake));

	fake_init(fake, &fake_backend);
	*state = fake;
	return 0;
}

/* Whatever a test left mapped, close takes it away. */
static int teardown(void **state)
{
	struct fake *fake = *state;
	int left;

	if (!fake->closed)
		usrpci_close(&fake->base);
	left = fake->bars + fake->maps;
	free(fake);
	return left;
}

static void test_bar_maps(void **state)
{
	volatile void *one, *two, *old;
	struct fake *fake = *state;

	assert_int_equal(usrpci_bar_map(&fake->base, 0, 0, 0x1000, 0, &one), 0);
	assert_int_equal(usrpci_bar_map(&fake->base, 0, 0, 0x1000, 0, &two), 0);
	assert_ptr_not_equal(one, two);
	assert_int_equal(fake->bars, 2);
	assert_int_equal(usrpci_bar_unmap(&fake->base, (volatile char *)one + 1), -EINVAL);
	assert_int_equal(usrpci_bar_unmap(&fake->base, NULL), -EINVAL);
	assert_int_equal(fake->bars, 2);
	old = one;
	assert_int_equal(usrpci_bar_unmap(&fake->base, one), 0);
	assert_int_equal(usrpci_bar_unmap(&fake->base, old), -EINVAL);
	assert_int_equal(fake->bars, 1);
}

static void test_bar_windows(void **state)
{
	static const struct {
		unsigned int bar;
		uint64_t offset, len;
		unsigned int flags;
		int ret;
		size_t mapped;
	} table[] = {
		{ 0, 0, 0, 0, 0, 0x2000 },
		{ 0, 0x1000, 0, 0, 0, 0x1000 },
		{ 0, 0x3000, 0, 0, 0, 0x1000 },
		{ 0, 0, 1, 0, 0, 0x1000 },
		{ 0, 0, 0x1001, 0, 0, 0x2000 },
		{ 0, 0, 0x2000, 0, 0, 0x2000 },
		{ 0, 0, 0x2001, 0, -EINVAL },
		{ 0, 0, 0x4000, 0, -EINVAL },
		{ 0, 0x2000, 0, 0, -EINVAL },
		{ 0, 0x2000, 0x1000, 0, -EINVAL },
		{ 0, 0x3000, 0x1001, 0, -EINVAL },
		{ 0, 0x4000, 0, 0, -EINVAL },
		{ 0, 0x800, 0x1000, 0, -EINVAL },
		{ 0, 0x1000, UINT64_MAX, 0, -EINVAL },
		{ 0, 0x1000, UINT64_MAX - 0xfff, 0, -EINVAL },
		{ 0, UINT64_MAX - 0xfff, 0x1000, 0, -EINVAL },
		{ 0, UINT64_MAX - 0xfff, 0, 0, -EINVAL },
		{ 0, 0, 0x1000, USRPCI_WRITE_COMBINING, -EINVAL },
		{ 2, 0, 0, USRPCI_WRITE_COMBINING, 0, 0x10000 },
		{ 2, 0, 0, 2, -EINVAL },
		{ 1, 0, 0, 0, -EINVAL },
		{ 4, 0, 0, 0, -EINVAL },
		{ 6, 0, 0, 0, -EINVAL },
	};
	struct fake *fake = *state;
	struct usrpci_range range;
	volatile void *regs;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("# row %zu\n", i);
		regs = fake;
		assert_int_equal(usrpci_bar_map(&fake->base, table[i].bar, table[i].offset,
						table[i].len, table[i].flags, &regs), table[i].ret);
		assert_int_equal(fake->bars, !table[i].ret);
		if (table[i].ret) {
			assert_ptr_equal(regs, fake);
			continue;
		}
		assert_true(usrpci_ranges_take(&fake->base.bars, (void *)regs, &range));
		assert_int_equal(range.len, table[i].mapped);
		assert_int_equal(usrpci_ranges_add(&fake->base.bars, &range), 0);
		assert_int_equal(usrpci_bar_unmap(&fake->base, regs), 0);
	}
	assert_int_equal(usrpci_bar_map(&fake->base, 0, 0, 0, 0, NULL), -EINVAL);
}

static void test_bar_map_fails(void **state)
{
	struct fake *fake = *state;
	volatile void *regs = fake;

	fake->fail = -ENODEV;
	assert_int_equal(usrpci_bar_map(&fake->base, 0, 0, 0, 0, &regs), -ENODEV);
	assert_ptr_equal(regs, fake);
	assert_int_equal(fake->bars, 0);
}

static void test_coherent(void **state)
{
	struct fake *fake = *state;
	struct usrpci_coherent buf, copy;

	assert_int_equal(usrpci_coherent_alloc(&fake->base, 1, &buf), 0);
	assert_int_equal(buf.len, sysconf(_SC_PAGESIZE));
	copy = buf;
	assert_int_equal(usrpci_coherent_free(&fake->base, &buf), 0);
	assert_null(buf.addr);
	assert_int_equal(buf.len, 0);
	assert_int_equal(usrpci_coherent_free(&fake->base, &buf), -EINVAL);
	assert_int_equal(usrpci_coherent_free(&fake->base, &copy), -EINVAL);
	assert_int_equal(usrpci_coherent_free(&fake->base, NULL), -EINVAL);
	assert_int_equal(fake->maps, 0);
	assert_int_equal(fake->handles, 0);
}

static void test_coherent_sizes(void **state)
{
	struct usrpci_coherent buf = { .handle = 7 };
	struct fake *fake = *state;

	assert_int_equal(usrpci_coherent_alloc(&fake->base, 0, &buf), -EINVAL);
	assert_int_equal(usrpci_coherent_alloc(&fake->base, SIZE_MAX, &buf), -ENOMEM);
	assert_int_equal(usrpci_coherent_alloc(&fake->base, SIZE_MAX - 4094, &buf), -ENOMEM);
	assert_int_equal(usrpci_coherent_alloc(&fake->base, 1, NULL), -EINVAL);
	assert_int_equal(fake->calls, 0);
	assert_int_equal(buf.handle, 7);
}

/* What couldn't be given back is as before; after a removal it counts as given back. */
static void test_coherent_free_fails(void **state)
{
	struct fake *fake = *state;
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(&fake->base, 1, &buf), 0);
	fake->fail = -EIO;
	assert_int_equal(usrpci_coherent_free(&fake->base, &buf), -EIO);
	assert_int_equal(fake->maps, 1);
	memset(buf.addr, 1, buf.len);
	fake->fail = -ENODEV;
	assert_int_equal(usrpci_coherent_free(&fake->base, &buf), 0);
	assert_int_equal(fake->maps, 0);
}

/* The map is the caller's from then on. */
static void test_detach(void **state)
{
	struct fake *fake = *state;
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(&fake->base, 1, &buf), 0);
	fake->fail = -EIO;
	assert_int_equal(usrpci_coherent_detach(&fake->base, &buf), -EIO);
	fake->fail = 0;
	assert_int_equal(usrpci_coherent_detach(&fake->base, &buf), 0);
	assert_int_equal(usrpci_coherent_detach(&fake->base, &buf), -EINVAL);
	assert_int_equal(usrpci_coherent_free(&fake->base, &buf), -EINVAL);
	assert_int_equal(fake->handles, 0);
	assert_int_equal(fake->maps, 1);
	usrpci_close(&fake->base);
	assert_int_equal(fake->maps, 1);
	memset(buf.addr, 1, buf.len);
	fake_backend.coherent_unmap(&fake->base, buf.addr, buf.len);
}

static void fill(struct fake *fake)
{
	struct usrpci_coherent buf;
	volatile void *regs;
	int i;

	for (i = 0; i < MANY; i++) {
		assert_int_equal(usrpci_bar_map(&fake->base, 2, 0, 1, 0, &regs), 0);
		assert_int_equal(usrpci_coherent_alloc(&fake->base, 1, &buf), 0);
	}
	assert_int_equal(fake->bars, MANY);
	assert_int_equal(fake->maps, MANY);
}

/* The handles are left to the backend, which stops the device before. */
static void test_close_unmaps_all(void **state)
{
	struct fake *fake = *state;

	fill(fake);
	usrpci_close(&fake->base);
	assert_int_equal(fake->closed, 1);
	assert_int_equal(fake->at_close, MANY);
	assert_int_equal(fake->handles, MANY);
}

static void test_close_borrowed_frees_all(void **state)
{
	struct fake *fake = *state;

	fake->base.borrowed = true;
	fill(fake);
	usrpci_close(&fake->base);
	assert_int_equal(fake->at_close, 0);
}

/* A program that munmaps a BAR itself may get the same address for the next one. */
static void test_address_reused(void **state)
{
	struct fake *fake = *state;
	struct usrpci_range range = { .addr = (void *)0x1000, .len = 1 };

	assert_int_equal(usrpci_ranges_add(&fake->base.bars, &range), 0);
	range.len = 2;
	assert_int_equal(usrpci_ranges_add(&fake->base.bars, &range), 0);
	assert_true(usrpci_ranges_take_any(&fake->base.bars, &range));
	assert_int_equal(range.len, 2);
	assert_false(usrpci_ranges_take_any(&fake->base.bars, &range));
}

static void *map_and_unmap(void *arg)
{
	struct fake *fake = arg;
	struct usrpci_coherent buf;
	volatile void *regs[8];
	long failures = 0;
	int i, j;

	for (i = 0; i < 200; i++) {
		for (j = 0; j < 8; j++)
			failures += !!usrpci_bar_map(&fake->base, 0, 0, 1, 0, &regs[j]);
		failures += !!usrpci_coherent_alloc(&fake->base, 1, &buf);
		failures += !!usrpci_coherent_free(&fake->base, &buf);
		for (j = 0; j < 8; j++)
			failures += !!usrpci_bar_unmap(&fake->base, regs[j]);
	}
	return (void *)failures;
}

static void test_threads(void **state)
{
	struct fake *fake = *state;
	pthread_t threads[4];
	void *failures;
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, fake), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	assert_int_equal(fake->bars + fake->maps + fake->handles, 0);
}

static int try_map(struct fake *fake, void *addr, size_t len, unsigned int flags, int direction)
{
	struct usrpci_mapping map = {
		.addr = addr,
		.len = len,
		.flags = flags,
		.direction = (enum usrpci_dma_direction)direction,
	};

	return usrpci_map(&fake->base, &map, 1);
}

static void test_map_checks(void **state)
{
	struct fake *fake = *state;
	struct usrpci_mapping maps[2] = { { .addr = fake, .len = 1 }, { .addr = fake } };
	uint32_t handle = 1;

	assert_int_equal(try_map(fake, fake, 0, 0, 0), -EINVAL);
	assert_int_equal(try_map(fake, fake, 1, 0, 3), -EINVAL);
	assert_int_equal(try_map(fake, fake, 1, 0, -1), -EINVAL);
	assert_int_equal(try_map(fake, fake, 1, 4, 0), -EINVAL);
	assert_int_equal(try_map(fake, fake, SIZE_MAX, 0, 0), -EINVAL);
	assert_int_equal(try_map(fake, (void *)UINTPTR_MAX, 2, 0, 0), -EINVAL);
	assert_int_equal(usrpci_map(&fake->base, maps, 2), -EINVAL);
	assert_int_equal(usrpci_map(&fake->base, maps, 0), -EINVAL);
	assert_int_equal(usrpci_map(&fake->base, maps, UINT_MAX), -EINVAL);
	assert_int_equal(usrpci_map(&fake->base, NULL, 1), -EINVAL);
	assert_int_equal(usrpci_unmap(&fake->base, &handle, 0), -EINVAL);
	assert_int_equal(usrpci_unmap(&fake->base, NULL, 1), -EINVAL);
	assert_int_equal(fake->calls, 0);
	assert_int_equal(try_map(fake, (void *)UINTPTR_MAX, 1, 0, 0), 0);
	assert_int_equal(try_map(fake, fake, 1, USRPCI_NO_BOUNCE, 1), 0);
	assert_int_equal(try_map(fake, fake, 1, USRPCI_BOUNCED, 2), 0);
}

static void test_most_regions(void **state)
{
	struct usrpci_mapping *maps = calloc(4097, sizeof(*maps));
	uint32_t *handles = calloc(4097, sizeof(*handles));
	struct fake *fake = *state;
	int i;

	for (i = 0; i < 4097; i++)
		maps[i] = (struct usrpci_mapping){ .addr = maps, .len = 1 };
	assert_int_equal(usrpci_map(&fake->base, maps, 4097), -EINVAL);
	assert_int_equal(usrpci_unmap(&fake->base, handles, 4097), -EINVAL);
	assert_int_equal(fake->calls, 0);
	assert_int_equal(usrpci_map(&fake->base, maps, 4096), 0);
	assert_int_equal(usrpci_unmap(&fake->base, handles, 4096), 0);
	free(handles);
	free(maps);
}

static void test_sg_room(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert_int_equal(usrpci_sg_room(1), 2);
	assert_int_equal(usrpci_sg_room(page - 1), 2);
	assert_int_equal(usrpci_sg_room(page), 3);
	assert_int_equal(usrpci_sg_room(10 * page), 12);
	assert_int_equal(usrpci_sg_room(SIZE_MAX), UINT_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bar_maps),
		TEST(test_bar_windows),
		TEST(test_bar_map_fails),
		TEST(test_coherent),
		TEST(test_coherent_sizes),
		TEST(test_coherent_free_fails),
		TEST(test_detach),
		TEST(test_close_unmaps_all),
		TEST(test_close_borrowed_frees_all),
		TEST(test_address_reused),
		TEST(test_threads),
		TEST(test_map_checks),
		TEST(test_most_regions),
		TEST(test_sg_room),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
