// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define MIB		(1UL << 20)
#define HUGE		(2 * MIB)
#define MAX_RUNS	4096

static const unsigned int directions[] = {
	USRPCI_BIDIRECTIONAL, USRPCI_TO_DEVICE, USRPCI_FROM_DEVICE,
};

static struct usrpci_ioc_sg runs[MAX_RUNS];

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

/* Nothing may be held after a call that failed. */
static void map_fails(int fd, const void *addr, uint64_t len, unsigned int direction, int err)
{
	struct usrpci_ioc_region region = function_region(addr, len, direction);
	long before = pages_pinned();

	assert_int_equal(function_map(fd, &region), err);
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_pinned(), before);
	assert_int_equal(pages_charged(), 0);
}

static void runs_add_up(const struct usrpci_ioc_region *region)
{
	uint64_t sum = 0;
	unsigned int i;

	assert_true(region->nr_sg >= 1 && region->nr_sg <= region->len / PAGE + 2);
	assert_int_equal(runs[0].bus_addr % PAGE, region->addr % PAGE);
	for (i = 0; i < region->nr_sg; i++) {
		sum += runs[i].len;
		assert_true(runs[i].len > 0);
		if (i)
			assert_int_equal(runs[i].bus_addr % PAGE, 0);
		if (i)
			assert_true(runs[i - 1].bus_addr + runs[i - 1].len != runs[i].bus_addr);
	}
	assert_int_equal(sum, region->len);
}

static struct usrpci_ioc_region map_runs(int fd, const void *addr, uint64_t len,
					 unsigned int direction)
{
	struct usrpci_ioc_region region = function_region(addr, len, direction);

	region.sg = (uintptr_t)runs;
	region.nr_sg = MAX_RUNS;
	assert_int_equal(function_map(fd, &region), 0);
	assert_int_not_equal(region.handle, 0);
	runs_add_up(&region);
	return region;
}

static void maps_and_unmaps(int fd, const void *addr, uint64_t len, unsigned int direction)
{
	uint64_t pages = ((uintptr_t)addr % PAGE + len + PAGE - 1) / PAGE;
	long before = pages_pinned();
	struct usrpci_ioc_region region = map_runs(fd, addr, len, direction);

	assert_int_equal(pages_pinned() - before, pages);
	assert_int_equal(pages_charged(), pages);
	assert_int_equal(function_unmap_one(fd, region.handle), 0);
	assert_int_equal(pages_pinned(), before);
	assert_int_equal(pages_charged(), 0);
}

static void every_direction(int fd, const void *addr, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		maps_and_unmaps(fd, addr, len, directions[i]);
}

static void anonymous_memory_maps(void **state)
{
	unsigned char *memory = pages_new(600, 1);

	every_direction(fd_of(state), memory, 600 * PAGE);
	every_direction(fd_of(state), memory, 1);
	every_direction(fd_of(state), memory + PAGE - 1, 2);
	every_direction(fd_of(state), memory + 1, 599 * PAGE);
	every_direction(fd_of(state), memory + 4095, 8 * PAGE + 1);
	every_direction(fd_of(state), memory + 100, 7 * PAGE);
	pages_free(memory, 600);
}

/* Pages that nobody has touched: each its own, not the page of zeroes. */
static void untouched_memory_maps(void **state)
{
	char *memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	every_direction(fd_of(state), memory, 16 * PAGE);
	pages_free(memory, 16);
}

static void shared_memory_maps(void **state)
{
	char *memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	every_direction(fd_of(state), memory + 5, 15 * PAGE);
	pages_free(memory, 16);
}

static void files_map(int fd, int file)
{
	char *memory;

	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, 8 * PAGE), 0);
	memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	every_direction(fd, memory, 8 * PAGE);
	pages_free(memory, 8);
	memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	every_direction(fd, memory, 8 * PAGE);
	pages_free(memory, 8);
	memory = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, file, 0);
	maps_and_unmaps(fd, memory, 8 * PAGE, USRPCI_TO_DEVICE);
	map_fails(fd, memory, 8 * PAGE, USRPCI_FROM_DEVICE, -EFAULT);
	map_fails(fd, memory, 8 * PAGE, USRPCI_BIDIRECTIONAL, -EFAULT);
	pages_free(memory, 8);
	close(file);
}

static void memfd_maps(void **state)
{
	files_map(fd_of(state), memfd_create("t", 0));
}

static void tmpfs_file_maps(void **state)
{
	files_map(fd_of(state), open("/dev/shm/map_test", O_RDWR | O_CREAT, 0600));
	unlink("/dev/shm/map_test");
}

static void past_a_files_end_faults(void **state)
{
	int file = memfd_create("t", 0);
	char *memory;

	assert_int_equal(ftruncate(file, 3 * PAGE), 0);
	memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	map_fails(fd_of(state), memory, 4 * PAGE, USRPCI_TO_DEVICE, -EFAULT);
	map_fails(fd_of(state), memory, 4 * PAGE, USRPCI_FROM_DEVICE, -EFAULT);
	maps_and_unmaps(fd_of(state), memory, 3 * PAGE, USRPCI_FROM_DEVICE);
	pages_free(memory, 8);
	close(file);
}

static void huge_pages_map(void **state)
{
	char *memory;

	file_write("/proc/sys/vm/nr_hugepages", "3");
	memory = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		skip();
	every_direction(fd_of(state), memory, 2 * HUGE);
	every_direction(fd_of(state), memory + PAGE + 7, HUGE);
	munmap(memory, 2 * HUGE);
	file_write("/proc/sys/vm/nr_hugepages", "0");
}

static char *transparent_pages(size_t len)
{
	char *memory = mmap(NULL, len + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *aligned;

	aligned = (char *)(((uintptr_t)memory + HUGE - 1) / HUGE * HUGE);
	madvise(aligned, len, MADV_HUGEPAGE);
	memset(aligned, 1, len);
	return aligned;
}

static void transparent_huge_pages_map(void **state)
{
	char *memory = transparent_pages(2 * HUGE);

	every_direction(fd_of(state), memory, 2 * HUGE);
	every_direction(fd_of(state), memory + PAGE, HUGE);
	every_direction(fd_of(state), memory + 5 * PAGE + 17, HUGE + 3 * PAGE);
	munmap(memory, 2 * HUGE);
}

/* Neighbours across the pieces that pinning is done in; with a last page that isn't whole. */
static void partial_last_page_is_cut_off(void **state)
{
	char *memory = transparent_pages(2 * HUGE);
	size_t tail;

	for (tail = 1; tail < 4 * PAGE; tail += 777)
		every_direction(fd_of(state), memory + PAGE, HUGE - PAGE + MIB + tail);
	for (tail = 1; tail < 2 * PAGE; tail += 333)
		every_direction(fd_of(state), memory + PAGE + 100, 512 * PAGE + tail);
	munmap(memory, 2 * HUGE);
}

/* The huge page is split while it's mapped. */
static void huge_page_splits_while_mapped(void **state)
{
	char *memory = transparent_pages(HUGE);
	struct usrpci_ioc_region region = map_runs(fd_of(state), memory, HUGE,
						   USRPCI_FROM_DEVICE);

	assert_int_equal(mprotect(memory + 7 * PAGE, PAGE, PROT_READ), 0);
	assert_int_equal(madvise(memory + 20 * PAGE, 10 * PAGE, MADV_DONTNEED), 0);
	assert_int_equal(munmap(memory + 100 * PAGE, 50 * PAGE), 0);
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	munmap(memory, HUGE);
}

static void read_only_memory_is_for_the_device_to_read(void **state)
{
	unsigned char *memory = pages_new(4, 1);

	assert_int_equal(mprotect(memory, 4 * PAGE, PROT_READ), 0);
	maps_and_unmaps(fd_of(state), memory, 4 * PAGE, USRPCI_TO_DEVICE);
	map_fails(fd_of(state), memory, 4 * PAGE, USRPCI_FROM_DEVICE, -EFAULT);
	map_fails(fd_of(state), memory, 4 * PAGE, USRPCI_BIDIRECTIONAL, -EFAULT);
	pages_free(memory, 4);
}

static void inaccessible_memory_faults(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	unsigned int i;

	assert_int_equal(mprotect(memory, 4 * PAGE, PROT_NONE), 0);
	for (i = 0; i < 3; i++)
		map_fails(fd_of(state), memory, 4 * PAGE, directions[i], -EFAULT);
	pages_free(memory, 4);
}

static void hole_in_the_middle_faults(void **state)
{
	unsigned char *memory = pages_new(1200, 1);
	unsigned int i, at;

	for (at = 1199; at; at = at * 3 / 4) {
		assert_int_equal(munmap(memory + at * PAGE, PAGE), 0);
		for (i = 0; i < 3; i++)
			map_fails(fd_of(state), memory, 1200 * PAGE, directions[i], -EFAULT);
	}
	munmap(memory, 1200 * PAGE);
}

static void device_memory_faults(void **state)
{
	struct edu_hw *edu = *state;
	unsigned int i;

	for (i = 0; i < 3; i++)
		map_fails(edu->fd, (void *)edu->regs, PAGE, directions[i], -EFAULT);
}

/* Refused or not, it does no harm. */
static void coherent_memory_is_not_lost_by_mapping_it(void **state)
{
	struct usrpci_ioc_coherent buffer;
	struct usrpci_ioc_region region;
	void *memory;
	unsigned int i;
	int err;

	assert_int_equal(function_coherent(fd_of(state), 4 * PAGE, &buffer), 0);
	memory = mmap(NULL, buffer.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd_of(state),
		      buffer.mmap_offset);
	assert_ptr_not_equal(memory, MAP_FAILED);
	for (i = 0; i < 3; i++) {
		region = function_region(memory, PAGE, directions[i]);
		err = function_map(fd_of(state), &region);
		assert_true(!err || err == -EFAULT);
		if (!err)
			function_unmap_one(fd_of(state), region.handle);
	}
	assert_int_equal(munmap(memory, buffer.len), 0);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
}

static void secret_memory_faults(void **state)
{
	int file = syscall(447 /* memfd_secret */, 0);
	void *memory;

	if (file < 0)
		skip();
	assert_int_equal(ftruncate(file, PAGE), 0);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	map_fails(fd_of(state), memory, PAGE, USRPCI_TO_DEVICE, -EFAULT);
	map_fails(fd_of(state), memory, PAGE, USRPCI_FROM_DEVICE, -EFAULT);
	pages_free(memory, 1);
	close(file);
}

static void lengths_and_addresses_are_checked(void **state)
{
	unsigned char *memory = pages_new(1, 0);
	int fd = fd_of(state);

	map_fails(fd, memory, 0, 0, -EINVAL);
	map_fails(fd, memory, UINT64_MAX, 0, -EINVAL);
	map_fails(fd, memory, -(uintptr_t)memory + 1, 0, -EINVAL);
	map_fails(fd, memory, -(uintptr_t)memory, 0, -EFAULT);
	map_fails(fd, (void *)-PAGE, PAGE, 0, -EFAULT);
	map_fails(fd, (void *)-PAGE, PAGE + 1, 0, -EINVAL);
	map_fails(fd, (void *)-1L, 1, 0, -EFAULT);
	map_fails(fd, (void *)-1L, 2, 0, -EINVAL);
	map_fails(fd, NULL, 1, 0, -EFAULT);
	map_fails(fd, NULL, UINT64_MAX, 0, -EFAULT);
	map_fails(fd, (void *)0xffff888000000000UL, PAGE, USRPCI_TO_DEVICE, -EFAULT);
	map_fails(fd, (void *)((1UL << 47) - PAGE), PAGE, 0, -EFAULT);
	map_fails(fd, (void *)(1UL << 47), PAGE, 0, -EFAULT);
	pages_free(memory, 1);
}

static void region_size_and_count_are_checked(void **state)
{
	struct usrpci_ioc_region region = function_region(runs, 1, 0);
	struct usrpci_ioc_map arg = {
		.size = sizeof(arg), .nr_regions = 1, .regions = (uintptr_t)&region,
	};
	static const uint32_t sizes[] = { 0, 1, 47, 49, 56, UINT32_MAX };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		arg.region_size = sizes[i];
		assert_int_equal(function_call(fd_of(state), USRPCI_MAP, &arg), -EINVAL);
	}
	assert_int_equal(function_map_regions(fd_of(state), &region, 0, NULL), -EINVAL);
	assert_int_equal(function_map_regions(fd_of(state), &region, 4097, NULL), -EINVAL);
	assert_int_equal(function_map_regions(fd_of(state), &region, UINT32_MAX, NULL), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 0);
}

static struct usrpci_ioc_region *many_regions(unsigned char *memory, unsigned int nr)
{
	struct usrpci_ioc_region *regions = calloc(nr, sizeof(*regions));
	unsigned int i;

	for (i = 0; i < nr; i++)
		regions[i] = function_region(memory + i % 16 * 100, 64, USRPCI_BIDIRECTIONAL);
	return regions;
}

static void largest_batch_maps(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	struct usrpci_ioc_region *regions = many_regions(memory, 4096);
	static uint32_t handles[4096];
	unsigned int i;

	assert_int_equal(function_map_regions(fd_of(state), regions, 4096, NULL), 0);
	assert_int_equal(pages_charged(), 4096);
	for (i = 0; i < 4096; i++)
		handles[i] = regions[4095 - i].handle;
	assert_int_equal(function_unmap(fd_of(state), handles, 4096), 0);
	assert_int_equal(function_unmap(fd_of(state), handles, 4096), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 0);
	free(regions);
	pages_free(memory, 1);
}

static void batch_maps_all_or_nothing(void **state)
{
	unsigned char *memory = pages_new(2, 1);
	struct usrpci_ioc_region *regions = many_regions(memory, 100);
	long before = pages_pinned();
	unsigned int i;

	for (i = 0; i < 100; i += 33) {
		regions[i].addr = 8;
		assert_int_equal(function_map_regions(fd_of(state), regions, 100, NULL), -EFAULT);
		regions[i] = function_region(memory, 0, 0);
		assert_int_equal(function_map_regions(fd_of(state), regions, 100, NULL), -EINVAL);
		regions[i] = function_region(memory + 1, PAGE, 0);
		regions[i].nr_sg = 1;
		regions[i].sg = 8;
		assert_true(function_map_regions(fd_of(state), regions, 100, NULL) < 0);
		regions[i] = function_region(memory, 1, 0);
	}
	assert_int_equal(pages_pinned(), before);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(function_nr_held(function_edu()), 0);
	free(regions);
	pages_free(memory, 2);
}

/* Pages whose bus addresses aren't neighbours, where there is no IOMMU to make them so. */
static void scatter(unsigned char *memory, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i += 2)
		madvise(memory + i * PAGE, PAGE, MADV_DONTNEED);
	for (i = nr; i; i -= 2)
		memory[(i - 2) * PAGE] = 1;
}

static void too_few_entries_are_enospc(void **state)
{
	unsigned char *memory = pages_new(64, 1);
	struct usrpci_ioc_region region;
	unsigned int need;

	scatter(memory, 64);
	region = map_runs(fd_of(state), memory + 9, 63 * PAGE, USRPCI_BIDIRECTIONAL);
	need = region.nr_sg;
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	region.nr_sg = need;
	assert_int_equal(function_map(fd_of(state), &region), 0);
	assert_int_equal(region.nr_sg, need);
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	region.nr_sg = 0;
	assert_int_equal(function_map(fd_of(state), &region), 0);
	assert_int_equal(region.nr_sg, need);
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	if (need > 1) {
		region.nr_sg = need - 1;
		assert_int_equal(function_map(fd_of(state), &region), -ENOSPC);
		assert_int_equal(region.nr_sg, need);
		assert_int_equal(function_nr_held(function_edu()), 0);
		assert_int_equal(pages_charged(), 0);
	}
	pages_free(memory, 64);
}

/* The bus address of a byte of what was mapped. */
static uint64_t bus_address(const struct usrpci_ioc_region *region, uint64_t offset)
{
	unsigned int i;

	for (i = 0; offset >= runs[i].len; i++) {
		assert_true(i < region->nr_sg);
		offset -= runs[i].len;
	}
	return runs[i].bus_addr + offset;
}

/* With no IOMMU, and nothing bounced, a page's bus address is its own. */
static void map_whole(int fd, unsigned char *memory, size_t nr)
{
	bool translated = function_info(fd).isolation >= USRPCI_ISOLATION_LAZY;
	struct usrpci_ioc_region region;
	size_t i;

	region = map_runs(fd, memory, nr * PAGE, USRPCI_BIDIRECTIONAL);
	for (i = 0; i < nr && !translated && !(region.state & USRPCI_MAP_BOUNCED); i++)
		assert_int_equal(bus_address(&region, i * PAGE),
				 physical_address(memory + i * PAGE));
	assert_int_equal(function_unmap_one(fd, region.handle), 0);
}

/* As many as fill what the kernel keeps them in, and one less and more. */
static void any_number_of_runs_maps(void **state)
{
	static const size_t numbers[] = {
		1, 2, 3, 32, 33, 126, 127, 128, 129, 252, 253, 254, 255, 509, 510, 511, 512, 700,
	};
	unsigned char *memory = pages_new(700, 1);
	long before = pages_pinned();
	size_t i;

	scatter(memory, 700);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		map_whole(fd_of(state), memory, numbers[i]);
	assert_int_equal(pages_pinned(), before);
	pages_free(memory, 700);
}

/* Small pages, and then one large that leaves most of the room for small ones empty. */
static void small_pages_before_a_large_one_map(void **state)
{
	static const size_t numbers[] = { 1, 2, 40, 62, 64, 130, 200 };
	size_t most = numbers[sizeof(numbers) / sizeof(numbers[0]) - 1], i;
	unsigned char *memory = (unsigned char *)transparent_pages(2 * HUGE);
	unsigned char *large = memory + HUGE;
	long before = pages_pinned();

	scatter(large - most * PAGE, most);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		map_whole(fd_of(state), large - numbers[i] * PAGE, numbers[i] + HUGE / PAGE);
	assert_int_equal(pages_pinned(), before);
	munmap(memory, 2 * HUGE);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(anonymous_memory_maps),
		TEST(untouched_memory_maps),
		TEST(shared_memory_maps),
		TEST(memfd_maps),
		TEST(tmpfs_file_maps),
		TEST(past_a_files_end_faults),
		TEST(huge_pages_map),
		TEST(transparent_huge_pages_map),
		TEST(partial_last_page_is_cut_off),
		TEST(huge_page_splits_while_mapped),
		TEST(read_only_memory_is_for_the_device_to_read),
		TEST(inaccessible_memory_faults),
		TEST(hole_in_the_middle_faults),
		TEST(device_memory_faults),
		TEST(coherent_memory_is_not_lost_by_mapping_it),
		TEST(secret_memory_faults),
		TEST(lengths_and_addresses_are_checked),
		TEST(region_size_and_count_are_checked),
		TEST(largest_batch_maps),
		TEST(batch_maps_all_or_nothing),
		TEST(too_few_entries_are_enospc),
		TEST(any_number_of_runs_maps),
		TEST(small_pages_before_a_large_one_map),
	};

	function_require();
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
