// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/dma.h> promises of the program's own memory. */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "memory.h"
#include "rig.h"

#define BATCH_MAX	4096U

static int map_one(void *addr, size_t len, enum usrpci_dma_direction direction, uint32_t *handle)
{
	struct usrpci_mapping map = { .addr = addr, .len = len, .direction = direction };
	int err = usrpci_map(dev, &map, 1);

	*handle = map.handle;
	return err;
}

/* A map that must fail, and leave nothing. */
static void assert_refused(void *addr, size_t len, enum usrpci_dma_direction direction, int err)
{
	uint32_t handle;

	assert_int_equal(map_one(addr, len, direction, &handle), err);
	assert_int_equal(handle, 0);
	rig_assert_nothing_mapped();
}

/* --- masks --- */

static void masks_are_32_bits_at_first(void **state)
{
	assert_true(rig_info().dma_mask == UINT32_MAX);
	assert_true(rig_info().coherent_mask == UINT32_MAX);
}

static void masks_are_told(void **state)
{
	assert_int_equal(usrpci_set_dma_mask(dev, EDU_DMA_MASK, UINT32_MAX), 0);
	assert_true(rig_info().dma_mask == EDU_DMA_MASK);
	assert_true(rig_info().coherent_mask == UINT32_MAX);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, (1ULL << 40) - 1), 0);
	assert_true(rig_info().dma_mask == UINT64_MAX);
	assert_true(rig_info().coherent_mask == (1ULL << 40) - 1);
}

static void masks_are_checked(void **state)
{
	static const uint64_t wrong[] = {
		0, 2, 0xfffffffe, 1ULL << 32, UINT64_MAX - 1, 0xf0ffffff, 1ULL << 63,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_set_dma_mask(dev, wrong[i], UINT32_MAX), -EIO);
		assert_int_equal(usrpci_set_dma_mask(dev, UINT32_MAX, wrong[i]), -EIO);
	}
	masks_are_32_bits_at_first(state);
}

static void mask_of_what_is_mapped_is_ebusy(void **state)
{
	unsigned char *mem;
	uint32_t handle;

	rig_start();
	mem = rig_pages(1);
	assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &handle), 0);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT32_MAX, UINT32_MAX), -EBUSY);
	assert_true(rig_info().dma_mask == EDU_DMA_MASK);
	rig_unmap(handle);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT32_MAX, UINT32_MAX), 0);
}

static void addresses_are_within_the_mask(void **state)
{
	unsigned char *mem;
	struct usrpci_sg sg[20];
	struct usrpci_mapping map;
	unsigned int i, n;

	rig_start();
	for (n = 1; n <= 16; n++) {
		mem = rig_pages(n);
		map = rig_map(mem, n * PAGE, USRPCI_DMA_BOTH, sg);
		for (i = 0; i < map.nr_sg; i++)
			assert_true(sg[i].bus_addr + sg[i].len - 1 <= EDU_DMA_MASK);
		rig_unmap(map.handle);
	}
}

/* --- what can be mapped --- */

/* Out of memory at @from bytes from a page's start, back to @to; what lies around it stays. */
static void round_trip(unsigned char *mem, size_t from, size_t to, size_t len)
{
	unsigned char *out = mem + from, *in = mem + 3 * PAGE + to, around[8];
	struct usrpci_sg sg[4];
	struct usrpci_mapping map;

	memset(around, 0xa5, sizeof(around));
	rig_fill(out, len, (unsigned int)len);
	map = rig_map(out, len, USRPCI_DMA_TO_DEVICE, sg);
	rig_take_all(&map);
	rig_unmap(map.handle);
	memset(in - 8, 0xa5, len + 16);
	map = rig_map(in, len, USRPCI_DMA_FROM_DEVICE, sg);
	rig_give_all(&map);
	rig_unmap(map.handle);
	assert_memory_equal(in, out, len);
	assert_memory_equal(in - 8, around, 8);
	assert_memory_equal(in + len, around, 8);
}

static void memory_of_any_alignment_makes_the_trip(void **state)
{
	unsigned char *mem;

	rig_start();
	mem = rig_pages(6);
	round_trip(mem, 0, 8, EDU_BUFFER_LEN);
	round_trip(mem, 1, 9, 1);
	round_trip(mem, 17, 13, 4000);
	round_trip(mem, PAGE - 1, PAGE - 3, 2);
	round_trip(mem, PAGE - 5, PAGE + 11, 3);
	round_trip(mem, PAGE - 2000, 2 * PAGE - 1000, EDU_BUFFER_LEN);
}

/* Memory as malloc() has it, however far; it's bounced where it must be. */
static void malloced_memory_makes_the_trip(void **state)
{
	unsigned char *out = malloc(3000), *in = malloc(3000);
	struct usrpci_mapping maps[] = {
		{ .addr = out + 1, .len = 2900, .direction = USRPCI_DMA_TO_DEVICE },
		{ .addr = in + 7, .len = 2900, .direction = USRPCI_DMA_FROM_DEVICE },
	};
	struct usrpci_sg sg[2][4];
	int err;

	rig_start();
	rig_fill(out, 3000, 5);
	memset(in, 0xa5, 3000);
	maps[0].sg = sg[0];
	maps[0].nr_sg = 4;
	maps[1].sg = sg[1];
	maps[1].nr_sg = 4;
	err = usrpci_map(dev, maps, 2);
	if (err == -ERANGE) {
		free(out);
		free(in);
		rig_skip("it lies beyond the mask, and can't be bounced");
	}
	assert_int_equal(err, 0);
	rig_take_all(&maps[0]);
	rig_give_all(&maps[1]);
	assert_int_equal(usrpci_unmap(dev, (uint32_t []){ maps[0].handle, maps[1].handle }, 2), 0);
	assert_memory_equal(in + 7, out + 1, 2900);
	assert_memory_equal(in, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 7);
	assert_memory_equal(in + 2907, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 7);
	free(out);
	free(in);
}

static void runs_cover_it_all(void **state)
{
	static const size_t lens[] = { 1, 2, 4095, 4096, 4097, 8192, 20000 };
	unsigned char *mem;
	struct usrpci_sg sg[10];
	size_t i;

	rig_start();
	mem = rig_pages(8);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		struct usrpci_mapping map = rig_map(mem + 100 + i, lens[i], USRPCI_DMA_BOTH, sg);
		uint64_t sum = 0;
		unsigned int n;

		assert_in_range(map.nr_sg, 1, usrpci_sg_room(lens[i]));
		for (n = 0; n < map.nr_sg; n++)
			sum += sg[n].len;
		assert_int_equal(sum, lens[i]);
		assert_int_equal(sg[0].bus_addr % PAGE, 100 + i);
		rig_unmap(map.handle);
	}
}

static void room_suffices(void **state)
{
	assert_true(usrpci_sg_room(1) >= 1);
	assert_true(usrpci_sg_room(2) >= 2);
	assert_true(usrpci_sg_room(PAGE + 2) >= 3);
	assert_true(usrpci_sg_room(SIZE_MAX) > 1U << 20);
}

static void no_room_is_enospc(void **state)
{
	const size_t nr = 512;
	struct usrpci_sg *sg = calloc(nr, sizeof(*sg));
	unsigned char *mem = pages_new(nr, 1);
	struct usrpci_mapping map = { .addr = mem, .len = nr * PAGE };
	unsigned int runs;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_map(dev, &map, 1), 0);
	rig_unmap(map.handle);
	runs = map.nr_sg;
	map.sg = sg;
	map.nr_sg = runs - 1;
	if (runs > 1) {
		assert_int_equal(usrpci_map(dev, &map, 1), -ENOSPC);
		assert_int_equal(map.nr_sg, runs);
		rig_assert_nothing_mapped();
		assert_int_equal(usrpci_map(dev, &map, 1), 0);
		assert_int_equal(map.nr_sg, runs);
		assert_int_not_equal(sg[runs - 1].len, 0);
		rig_unmap(map.handle);
	}
	pages_free(mem, nr);
	free(sg);
	if (runs == 1)
		rig_skip("all memory is one run of bus addresses");
}

static void list_is_only_made_if_wanted(void **state)
{
	struct usrpci_sg sg[1] = { { 7, 7 } };
	unsigned char *mem;
	struct usrpci_mapping map;

	rig_start();
	mem = rig_pages(2);
	map = rig_map(mem, 2 * PAGE, USRPCI_DMA_BOTH, NULL);
	assert_in_range(map.nr_sg, 1, 2);
	rig_unmap(map.handle);
	map = (struct usrpci_mapping){ .addr = mem, .len = PAGE, .sg = sg };
	assert_int_equal(usrpci_map(dev, &map, 1), 0);
	assert_int_equal(map.nr_sg, 1);
	assert_int_equal(sg[0].len, 7);
	rig_unmap(map.handle);
}

static void shared_memory_makes_the_trip(void **state)
{
	int fd = memfd_create("conformance", MFD_CLOEXEC);
	unsigned char *mem;
	struct usrpci_mapping map = { .direction = USRPCI_DMA_BOTH };
	struct usrpci_sg sg[3];
	int err;

	rig_start();
	assert_int_equal(ftruncate(fd, (off_t)(4 * PAGE)), 0);
	mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	rig_fill(mem, 4 * PAGE, 9);
	map.addr = mem + PAGE + 5;
	map.len = 1000;
	map.sg = sg;
	map.nr_sg = 3;
	err = usrpci_map(dev, &map, 1);
	if (!err) {
		rig_take_all(&map);
		memset(mem, 0, 4 * PAGE);
		rig_give_all(&map);
		rig_unmap(map.handle);
		assert_int_equal(mem[PAGE + 5], (unsigned char)((PAGE + 5) * 29 + 16 * 13 + 9));
		assert_int_equal(mem[PAGE + 4], 0);
		assert_int_equal(mem[PAGE + 1005], 0);
	}
	munmap(mem, 4 * PAGE);
	close(fd);
	if (err == -ERANGE)
		rig_skip("it lies beyond the mask, and can't be bounced");
	assert_int_equal(err, 0);
}

/* A hole of a page in the middle of three. */
static void missing_memory_is_efault(void **state)
{
	unsigned char *mem;

	rig_start();
	mem = pages_new(3, 1);
	pages_free(mem + PAGE, 1);
	assert_refused(mem + PAGE, 1, USRPCI_DMA_BOTH, -EFAULT);
	assert_refused(mem + PAGE, PAGE, USRPCI_DMA_TO_DEVICE, -EFAULT);
	assert_refused(mem + 2 * PAGE - 1, 2, USRPCI_DMA_FROM_DEVICE, -EFAULT);
	assert_refused(NULL, 1, USRPCI_DMA_BOTH, -EFAULT);
	pages_free(mem, 1);
	pages_free(mem + 2 * PAGE, 1);
}

static void memory_that_ends_midway_is_efault(void **state)
{
	unsigned char *mem;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	mem = pages_new(64, 1);
	pages_free(mem + 40 * PAGE, 1);
	assert_refused(mem, 64 * PAGE, USRPCI_DMA_BOTH, -EFAULT);
	assert_refused(mem + 30 * PAGE, 10 * PAGE + 1, USRPCI_DMA_TO_DEVICE, -EFAULT);
	pages_free(mem, 40);
	pages_free(mem + 41 * PAGE, 23);
}

static void protection_is_kept(void **state)
{
	unsigned char *mem;
	uint32_t handle;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	mem = pages_new(2, 1);
	assert_int_equal(mprotect(mem, PAGE, PROT_READ), 0);
	assert_refused(mem, PAGE, USRPCI_DMA_BOTH, -EFAULT);
	assert_refused(mem, PAGE, USRPCI_DMA_FROM_DEVICE, -EFAULT);
	assert_refused(mem + PAGE - 1, 2, USRPCI_DMA_FROM_DEVICE, -EFAULT);
	assert_int_equal(map_one(mem, PAGE, USRPCI_DMA_TO_DEVICE, &handle), 0);
	rig_unmap(handle);
	assert_int_equal(mprotect(mem, PAGE, PROT_NONE), 0);
	assert_refused(mem, PAGE, USRPCI_DMA_TO_DEVICE, -EFAULT);
	pages_free(mem, 2);
}

/* --- bad input --- */

static void lengths_are_checked(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	uintptr_t last = UINTPTR_MAX;
	uint32_t handle = 0;

	assert_refused(mem, 0, USRPCI_DMA_BOTH, -EINVAL);
	assert_refused(mem, SIZE_MAX, USRPCI_DMA_BOTH, -EINVAL);
	assert_refused(mem, UINTPTR_MAX - (uintptr_t)mem + 2, USRPCI_DMA_BOTH, -EINVAL);
	assert_refused((void *)last, 2, USRPCI_DMA_BOTH, -EINVAL);
	/* These end at the end of addresses, or lie where no program has memory. */
	assert_true(map_one((void *)last, 1, USRPCI_DMA_BOTH, &handle) < 0);
	assert_true(map_one((void *)(last - PAGE + 1), PAGE, USRPCI_DMA_BOTH, &handle) < 0);
	assert_true(map_one(NULL, SIZE_MAX, USRPCI_DMA_BOTH, &handle) < 0);
	assert_true(map_one(mem, 1ULL << 46, USRPCI_DMA_BOTH, &handle) < 0);
	assert_true(map_one((void *)(1ULL << 63), PAGE, USRPCI_DMA_BOTH, &handle) < 0);
	assert_int_equal(handle, 0);
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
}

static void directions_and_flags_are_checked(void **state)
{
	static const unsigned int wrong[] = { 3, 4, 255, 1U << 31, UINT32_MAX };
	unsigned char *mem = pages_new(1, 1);
	struct usrpci_mapping map = { .addr = mem, .len = PAGE };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_refused(mem, PAGE, (enum usrpci_dma_direction)wrong[i], -EINVAL);
	map.flags = 4;
	assert_int_equal(usrpci_map(dev, &map, 1), -EINVAL);
	map.flags = ~(USRPCI_NO_BOUNCE | USRPCI_BOUNCED);
	assert_int_equal(usrpci_map(dev, &map, 1), -EINVAL);
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
}

static void counts_are_checked(void **state)
{
	static const unsigned int wrong[] = { 0, BATCH_MAX + 1, 1U << 31, UINT32_MAX };
	unsigned char *mem = pages_new(1, 1);
	struct usrpci_mapping map = { .addr = mem, .len = PAGE };
	uint32_t handle = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_map(dev, &map, wrong[i]), -EINVAL);
		assert_int_equal(usrpci_unmap(dev, &handle, wrong[i]), -EINVAL);
	}
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
}

/* --- all or nothing --- */

static void batch_is_all_or_nothing(void **state)
{
	unsigned char *mem = pages_new(3, 1);
	struct usrpci_mapping maps[] = {
		{ .addr = mem, .len = PAGE },
		{ .addr = mem + PAGE, .len = 10 },
		{ .addr = mem + 2 * PAGE, .len = PAGE },
	};
	unsigned int i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	pages_free(mem + 2 * PAGE, 1);
	assert_int_equal(usrpci_map(dev, maps, 3), -EFAULT);
	rig_assert_nothing_mapped();
	for (i = 0; i < 3; i++)
		assert_int_equal(maps[i].handle, 0);
	maps[1].len = 0;
	assert_int_equal(usrpci_map(dev, maps, 3), -EINVAL);
	rig_assert_nothing_mapped();
	pages_free(mem, 2);
}

static void largest_batch_is_mapped(void **state)
{
	struct usrpci_mapping *maps = calloc(BATCH_MAX, sizeof(*maps));
	uint32_t *handles = calloc(BATCH_MAX, sizeof(*handles));
	unsigned char *mem = pages_new(1, 1);
	unsigned int i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < BATCH_MAX; i++)
		maps[i] = (struct usrpci_mapping){ .addr = mem + i % PAGE, .len = 1 };
	assert_int_equal(usrpci_map(dev, maps, BATCH_MAX), 0);
	for (i = 0; i < BATCH_MAX; i++)
		handles[i] = maps[i].handle;
	assert_int_equal(usrpci_unmap(dev, handles, BATCH_MAX), 0);
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
	free(handles);
	free(maps);
}

/* --- handles --- */

static void unmapping_twice_is_einval(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	uint32_t handle;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &handle), 0);
	rig_unmap(handle);
	assert_int_equal(usrpci_unmap(dev, &handle, 1), -EINVAL);
	assert_int_equal(usrpci_sync_for_cpu(dev, handle, 0, 1), -EINVAL);
	pages_free(mem, 1);
}

static void foreign_handles_are_einval(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	uint32_t handle, wrong;
	unsigned int bit;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &handle), 0);
	for (bit = 0; bit < 32; bit++) {
		wrong = handle ^ 1U << bit;
		assert_int_equal(usrpci_unmap(dev, &wrong, 1), -EINVAL);
		assert_int_equal(usrpci_sync_for_device(dev, wrong, 0, 1), -EINVAL);
	}
	wrong = 0;
	assert_int_equal(usrpci_unmap(dev, &wrong, 1), -EINVAL);
	rig_unmap(handle);
	pages_free(mem, 1);
}

static void bad_handle_unmaps_none(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	uint32_t handles[3];

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &handles[0]), 0);
	assert_int_equal(map_one(mem, 2, USRPCI_DMA_BOTH, &handles[1]), 0);
	handles[2] = handles[0];
	assert_int_equal(usrpci_unmap(dev, handles, 3), -EINVAL);
	handles[2] = 0;
	assert_int_equal(usrpci_unmap(dev, handles, 3), -EINVAL);
	assert_int_equal(usrpci_sync_for_cpu(dev, handles[0], 0, 1), 0);
	assert_int_equal(usrpci_sync_for_cpu(dev, handles[1], 0, 2), 0);
	assert_int_equal(usrpci_unmap(dev, handles, 2), 0);
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
}

static void handles_are_not_reused_at_once(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	uint32_t first, next;
	int i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &first), 0);
	rig_unmap(first);
	for (i = 0; i < 100; i++) {
		assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &next), 0);
		assert_int_not_equal(next, first);
		assert_int_equal(usrpci_unmap(dev, &first, 1), -EINVAL);
		rig_unmap(next);
	}
	pages_free(mem, 1);
}

static void sync_ranges_are_checked(void **state)
{
	static const struct {
		uint64_t offset;
		uint64_t len;
	} wrong[] = {
		{ 0, 0 }, { 0, 101 }, { 1, 100 }, { 100, 1 }, { 101, 1 }, { 0, UINT64_MAX },
		{ 1, UINT64_MAX }, { UINT64_MAX, 1 }, { UINT64_MAX, 2 }, { UINT64_MAX - 50, 100 },
		{ 1ULL << 63, 1ULL << 63 },
	};
	unsigned char *mem = pages_new(1, 1);
	uint32_t handle;
	size_t i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem + 5, 100, USRPCI_DMA_BOTH, &handle), 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_sync_for_cpu(dev, handle, wrong[i].offset, wrong[i].len),
				 -EINVAL);
		assert_int_equal(usrpci_sync_for_device(dev, handle, wrong[i].offset,
							wrong[i].len), -EINVAL);
	}
	assert_int_equal(usrpci_sync_for_cpu(dev, handle, 99, 1), 0);
	rig_unmap(handle);
	pages_free(mem, 1);
}

/* --- who reaches what --- */

static void need_iommu(void)
{
	if (rig_info().isolation < USRPCI_LAZY)
		rig_skip("nothing stops the device: its isolation is none or passthrough");
}

static void memory_to_read_is_not_written(void **state)
{
	struct usrpci_mapping map;
	struct usrpci_sg sg[3];
	unsigned char *mem;

	need_iommu();
	rig_start();
	mem = rig_pages(1);
	memset(mem, 0x11, PAGE);
	map = rig_map(mem, 64, USRPCI_DMA_TO_DEVICE, sg);
	rig_take_all(&map);
	memset(mem, 0x22, PAGE);
	rig_give_all(&map);
	assert_int_equal(mem[0], 0x22);
	assert_memory_equal(mem, mem + 1, PAGE - 1);
	rig_unmap(map.handle);
}

static void memory_to_write_is_not_read(void **state)
{
	struct usrpci_mapping secret, open;
	struct usrpci_sg sg[2][3];
	unsigned char *mem;
	bool was_read;

	need_iommu();
	rig_start();
	mem = rig_pages(2);
	memset(mem, 0x77, PAGE);
	secret = rig_map(mem, 64, USRPCI_DMA_FROM_DEVICE, sg[0]);
	open = rig_map(mem + PAGE, 64, USRPCI_DMA_BOTH, sg[1]);
	rig_take_all(&open);
	rig_take_all(&secret);
	rig_give_all(&open);
	was_read = memchr(mem + PAGE, 0x77, 64);
	rig_unmap(secret.handle);
	rig_unmap(open.handle);
	if (was_read && rig_info().iommu_group >= 0)
		rig_skip("the IOMMU's driver lets the device read, too; Linux's for Intel does");
	assert_false(was_read);
}

static void unmapped_memory_is_out_of_reach(void **state)
{
	struct usrpci_mapping map;
	struct usrpci_sg sg[3];
	unsigned char *mem;

	if (rig_info().isolation != USRPCI_STRICT)
		rig_skip("the isolation isn't strict");
	rig_start();
	mem = rig_pages(1);
	map = rig_map(mem, 64, USRPCI_DMA_BOTH, sg);
	rig_give_all(&map);
	rig_unmap(map.handle);
	memset(mem, 0x33, PAGE);
	rig_give(sg[0].bus_addr, 64, 0);
	assert_int_equal(mem[0], 0x33);
	assert_memory_equal(mem, mem + 1, PAGE - 1);
}

static void mappings_do_not_overlap(void **state)
{
	struct usrpci_mapping maps[16];
	struct usrpci_sg sg[16][3];
	unsigned char *mem;
	unsigned int i, j;

	rig_start();
	mem = rig_pages(16);
	for (i = 0; i < 16; i++)
		maps[i] = rig_map(mem + i * PAGE, PAGE, USRPCI_DMA_BOTH, sg[i]);
	for (i = 0; i < 16; i++)
		for (j = 0; j < i; j++)
			assert_true(sg[i][0].bus_addr >= sg[j][0].bus_addr + PAGE ||
				    sg[j][0].bus_addr >= sg[i][0].bus_addr + PAGE);
	for (i = 0; i < 16; i++)
		rig_unmap(maps[i].handle);
}

static void same_memory_is_mapped_twice(void **state)
{
	struct usrpci_mapping one, two;
	struct usrpci_sg sg[2][3];
	unsigned char *mem;

	rig_start();
	mem = rig_pages(1);
	rig_fill(mem, 32, 1);
	one = rig_map(mem, 32, USRPCI_DMA_BOTH, sg[0]);
	two = rig_map(mem, 32, USRPCI_DMA_BOTH, sg[1]);
	rig_take_all(&one);
	rig_unmap(one.handle);
	memset(mem, 0, 32);
	rig_give_all(&two);
	assert_int_equal(mem[31], (unsigned char)(31 * 29 + 1));
	rig_unmap(two.handle);
}

/* A page that a child shares moves when it's written to, unless somebody sees to it. */
static void fork_does_not_move_it(void **state)
{
	struct usrpci_mapping map;
	struct usrpci_sg sg[3];
	unsigned char *mem;
	pid_t child;

	rig_start();
	mem = rig_pages(1);
	memset(mem, 0x10, PAGE);
	map = rig_map(mem, 64, USRPCI_DMA_TO_DEVICE, sg);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	memset(mem, 0x20, 64);
	rig_take_all(&map);
	kill(child, SIGKILL);
	rig_reap(child);
	rig_unmap(map.handle);
	map = rig_map(mem, 64, USRPCI_DMA_FROM_DEVICE, sg);
	memset(mem, 0, 64);
	rig_give_all(&map);
	assert_int_equal(mem[0], 0x20);
	rig_unmap(map.handle);
}

static void bouncing_is_told_or_refused(void **state)
{
	struct usrpci_mapping map = { .len = 256 * PAGE };
	int err, err_near;

	assert_int_equal(usrpci_set_dma_mask(dev, EDU_DMA_MASK, EDU_DMA_MASK), 0);
	map.addr = pages_new(256, 1);
	err = usrpci_map(dev, &map, 1);
	assert_true(!err || err == -ERANGE || err == -EIO);
	if (!err)
		rig_unmap(map.handle);
	if (map.flags & USRPCI_BOUNCED)
		assert_true(rig_info().caps & USRPCI_CAN_BOUNCE);
	map.flags = USRPCI_NO_BOUNCE;
	err_near = usrpci_map(dev, &map, 1);
	assert_true(!err_near || err_near == -ERANGE);
	assert_false(map.flags & USRPCI_BOUNCED);
	if (!err_near)
		rig_unmap(map.handle);
	rig_assert_nothing_mapped();
	pages_free(map.addr, 256);
}

/* --- much and many --- */

static void thousands_are_mapped_at_once(void **state)
{
	const unsigned int nr = 5000;
	uint32_t *handles = calloc(nr, sizeof(*handles));
	unsigned char *mem = pages_new(1, 1);
	unsigned int i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < nr; i++)
		assert_int_equal(map_one(mem, PAGE, USRPCI_DMA_BOTH, &handles[i]), 0);
	for (i = 0; i < nr; i += 2)
		rig_unmap(handles[i]);
	for (i = 0; i < nr; i += 2)
		assert_int_equal(usrpci_unmap(dev, &handles[i], 1), -EINVAL);
	for (i = 1; i < nr; i += 2)
		rig_unmap(handles[i]);
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
	free(handles);
}

static void close_unmaps(void **state)
{
	unsigned char *mem = pages_new(4, 1);
	uint32_t handle;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(map_one(mem, 4 * PAGE, USRPCI_DMA_BOTH, &handle), 0);
	rig_close(state);
	memset(mem, 2, 4 * PAGE);
	assert_int_equal(rig_open(state), 0);
	rig_assert_nothing_mapped();
	assert_int_equal(usrpci_unmap(dev, &handle, 1), -EINVAL);
	pages_free(mem, 4);
}

struct worker {
	pthread_t thread;
	unsigned char *mem;
	unsigned int wrong;
};

static void *map_and_unmap(void *arg)
{
	struct worker *worker = arg;
	uint32_t handles[4];
	int i, n;

	for (i = 0; i < 200; i++) {
		for (n = 0; n < 4; n++)
			worker->wrong += !!map_one(worker->mem + n * 10, PAGE, USRPCI_DMA_BOTH,
						   &handles[n]);
		worker->wrong += !!usrpci_sync_for_cpu(dev, handles[i % 4], 0, PAGE);
		worker->wrong += !!usrpci_unmap(dev, handles, 4);
	}
	return NULL;
}

static void threads_map_and_unmap(void **state)
{
	struct worker workers[4] = { 0 };
	unsigned char *mem = pages_new(8, 1);
	size_t i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].mem = mem + 2 * i * PAGE;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, map_and_unmap,
						&workers[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	rig_assert_nothing_mapped();
	pages_free(mem, 8);
}

struct race {
	pthread_t thread;
	pthread_barrier_t *start;
	uint32_t handle;
	int err;
};

static void *unmap_it(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(race->start);
	race->err = usrpci_unmap(dev, &race->handle, 1);
	return NULL;
}

static void one_of_two_threads_unmaps(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	pthread_barrier_t start;
	int i, n;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < 50; i++) {
		struct race races[2] = { 0 };
		uint32_t handle;

		assert_int_equal(map_one(mem, 1, USRPCI_DMA_BOTH, &handle), 0);
		pthread_barrier_init(&start, NULL, 2);
		for (n = 0; n < 2; n++) {
			races[n].start = &start;
			races[n].handle = handle;
			assert_int_equal(pthread_create(&races[n].thread, NULL, unmap_it,
							&races[n]), 0);
		}
		for (n = 0; n < 2; n++)
			pthread_join(races[n].thread, NULL);
		pthread_barrier_destroy(&start);
		assert_int_equal(races[0].err + races[1].err, -EINVAL);
	}
	rig_assert_nothing_mapped();
	pages_free(mem, 1);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("masks are of 32 bits at open", masks_are_32_bits_at_first),
		PROMISE("masks that were set are told by info", masks_are_told),
		PROMISE("a mask that isn't 2^n - 1 is EIO", masks_are_checked),
		PROMISE("a mask while something is mapped is EBUSY",
			mask_of_what_is_mapped_is_ebusy),
		PROMISE("a mask of 28 bits gives addresses below 2^28",
			addresses_are_within_the_mask),
		PROMISE("memory at any alignment makes the trip, bytes around it untouched",
			memory_of_any_alignment_makes_the_trip),
		PROMISE("malloc'ed memory reaches the device and back",
			malloced_memory_makes_the_trip),
		PROMISE("shared memory reaches the device and back", shared_memory_makes_the_trip),
		PROMISE("runs of bus addresses cover a region, from its place in the page on",
			runs_cover_it_all),
		PROMISE("usrpci_sg_room suffices", room_suffices),
		PROMISE("too little room for bus addresses is ENOSPC, and says how many there are",
			no_room_is_enospc),
		PROMISE("no list of bus addresses is made if none is wanted",
			list_is_only_made_if_wanted),
		PROMISE("memory that isn't there is EFAULT", missing_memory_is_efault),
		PROMISE("memory that ends midway is EFAULT", memory_that_ends_midway_is_efault),
		PROMISE("memory that doesn't allow the direction is EFAULT", protection_is_kept),
		PROMISE("a length of 0 or one that wraps is EINVAL", lengths_are_checked),
		PROMISE("unknown directions and flags are EINVAL",
			directions_and_flags_are_checked),
		PROMISE("counts of 0 or more than 4096 are EINVAL", counts_are_checked),
		PROMISE("a failed map leaves nothing mapped", batch_is_all_or_nothing),
		PROMISE("4096 regions are mapped by one call", largest_batch_is_mapped),
		PROMISE("unmap of a handle twice is EINVAL", unmapping_twice_is_einval),
		PROMISE("guessed handles are EINVAL", foreign_handles_are_einval),
		PROMISE("a failed unmap leaves all mapped", bad_handle_unmaps_none),
		PROMISE("an old handle isn't a new mapping's", handles_are_not_reused_at_once),
		PROMISE("sync past the region's end or wrapping is EINVAL",
			sync_ranges_are_checked),
		PROMISE("memory for the device to read isn't written",
			memory_to_read_is_not_written),
		PROMISE("memory for the device to write isn't read", memory_to_write_is_not_read),
		PROMISE("memory is out of the device's reach once unmap returns",
			unmapped_memory_is_out_of_reach),
		PROMISE("mappings don't overlap on the bus", mappings_do_not_overlap),
		PROMISE("the same memory is mapped twice", same_memory_is_mapped_twice),
		PROMISE("a fork doesn't take the memory from the device", fork_does_not_move_it),
		PROMISE("memory is bounced only if it may be, and then says so",
			bouncing_is_told_or_refused),
		PROMISE("5000 regions are mapped at a time", thousands_are_mapped_at_once),
		PROMISE("close unmaps what is left", close_unmaps),
		PROMISE("threads map and unmap at the same time", threads_map_and_unmap),
		PROMISE("of two threads that unmap a handle one gets EINVAL",
			one_of_two_threads_unmaps),
	};

	return RIG_RUN("dma", promises);
}
