// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What the device sees of mapped memory, and what its mask and the IOMMU keep from it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define MIB		(1UL << 20)
#define MAX_RUNS	4096

static struct usrpci_ioc_sg runs[MAX_RUNS];

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static void masks_are_checked(void **state)
{
	static const uint64_t bad[] = { 0, 2, 0xfffffffe, 0x80000000, ~1ULL, 1ULL << 63 };
	struct usrpci_ioc_dma_mask arg = { .size = sizeof(arg) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		arg.streaming = bad[i];
		arg.coherent = 0xffffffff;
		assert_int_equal(function_call(fd_of(state), USRPCI_DMA_MASK, &arg), -EIO);
		arg.streaming = 0xffffffff;
		arg.coherent = bad[i];
		assert_int_equal(function_call(fd_of(state), USRPCI_DMA_MASK, &arg), -EIO);
	}
	assert_int_equal(function_info(fd_of(state)).dma_mask, 0xffffffff);
	for (i = 28; i <= 64; i++) {
		assert_int_equal(function_mask(fd_of(state), i), 0);
		assert_int_equal(function_info(fd_of(state)).dma_mask, i < 64 ? (1ULL << i) - 1 :
				 UINT64_MAX);
		assert_int_equal(function_info(fd_of(state)).coherent_mask,
				 i < 64 ? (1ULL << i) - 1 : UINT64_MAX);
	}
}

static void mask_stays_while_mapped(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	struct usrpci_ioc_region region = function_region(memory, 1, 0);
	struct usrpci_ioc_coherent buffer;
	void *map;

	assert_int_equal(function_map(fd_of(state), &region), 0);
	assert_int_equal(function_mask(fd_of(state), 64), -EBUSY);
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	assert_int_equal(function_mask(fd_of(state), 40), 0);
	assert_int_equal(function_coherent(fd_of(state), 1, &buffer), 0);
	assert_int_equal(function_mask(fd_of(state), 32), -EBUSY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd_of(state), buffer.mmap_offset);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
	assert_int_equal(function_mask(fd_of(state), 32), -EBUSY);
	assert_int_equal(munmap(map, PAGE), 0);
	assert_int_equal(function_mask(fd_of(state), 32), 0);
	pages_free(memory, 1);
}

static bool is_translated(int fd)
{
	return function_info(fd).isolation >= USRPCI_ISOLATION_LAZY;
}

/* A page that edu's 28 bits don't reach; there is one where the VM has memory enough. */
static unsigned char *high_page(unsigned char *memory, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (physical_address(memory + i * PAGE) >> edu_hw_bits())
			return memory + i * PAGE;
	return NULL;
}

static void memory_beyond_the_mask_is_refused_or_bounced(void **state)
{
	const size_t nr = 300 * MIB / PAGE;
	unsigned char *memory = pages_new(nr, 1), *high = high_page(memory, nr);
	struct usrpci_ioc_region region;
	int fd = fd_of(state), err;
	bool bounces;

	assert_int_equal(function_mask(fd, edu_hw_bits()), 0);
	bounces = function_info(fd).caps & USRPCI_CAP_BOUNCE;
	if (!high) {
		pages_free(memory, nr);
		skip();
	}
	region = function_region(high, PAGE, USRPCI_BIDIRECTIONAL);
	region.flags = USRPCI_MAP_NO_BOUNCE;
	err = function_map(fd, &region);
	assert_int_equal(err, is_translated(fd) ? 0 : -ERANGE);
	if (!err)
		assert_int_equal(function_unmap_one(fd, region.handle), 0);
	region = function_region(high, PAGE, USRPCI_BIDIRECTIONAL);
	err = function_map(fd, &region);
	assert_int_equal(err, is_translated(fd) || bounces ? 0 : -ERANGE);
	if (!err) {
		assert_int_equal(!!(region.state & USRPCI_MAP_BOUNCED), !is_translated(fd));
		assert_int_equal(function_unmap_one(fd, region.handle), 0);
	}
	assert_int_equal(function_nr_held(function_edu()), 0);
	pages_free(memory, nr);
}

/* Of each run. */
static void bus_addresses_are_within_the_mask(void **state)
{
	unsigned char *memory = pages_new(256, 1);
	struct usrpci_ioc_region region = function_region(memory, 256 * PAGE, 0);
	unsigned int i;
	int err;

	assert_int_equal(function_mask(fd_of(state), edu_hw_bits()), 0);
	region.sg = (uintptr_t)runs;
	region.nr_sg = MAX_RUNS;
	err = function_map(fd_of(state), &region);
	if (err)
		assert_int_equal(err, -ERANGE);
	for (i = 0; !err && i < region.nr_sg; i++)
		assert_true(runs[i].bus_addr + runs[i].len <= 1ULL << edu_hw_bits());
	if (!err)
		assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	pages_free(memory, 256);
}

/* One page that the device reaches: its bus address in runs[0]. */
static struct usrpci_ioc_region map_low(struct edu_hw *edu, unsigned char *page,
					unsigned int direction)
{
	struct usrpci_ioc_region region = function_region(page, PAGE, direction);

	region.sg = (uintptr_t)runs;
	region.nr_sg = 1;
	if (function_map(edu->fd, &region))
		region.handle = 0;
	return region;
}

/* Without an IOMMU edu reaches the first 256 MiB only: try pages till one is there. */
static unsigned char *reachable_page(struct edu_hw *edu, int fill)
{
	unsigned char *page;
	int i;

	if (is_translated(edu->fd) || function_info(edu->fd).caps & USRPCI_CAP_BOUNCE)
		return pages_new(1, fill);
	for (i = 0; i < 100000; i++) {
		page = pages_new(1, fill);
		if (!(physical_address(page) >> edu_hw_bits()))
			return page;
	}
	skip();
	return NULL;
}

static void device_reads_and_writes_memory(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *from, *to;
	struct usrpci_ioc_region a, b;

	edu_hw_start(edu);
	from = reachable_page(edu, 0x5a);
	to = reachable_page(edu, 0);
	a = map_low(edu, from, USRPCI_TO_DEVICE);
	assert_int_not_equal(a.handle, 0);
	edu_hw_read(edu, runs[0].bus_addr, 4095);
	b = map_low(edu, to, USRPCI_FROM_DEVICE);
	assert_int_not_equal(b.handle, 0);
	edu_hw_write(edu, runs[0].bus_addr, 4095);
	assert_int_equal(function_sync(edu->fd, b.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE), 0);
	assert_memory_equal(from, to, 4095);
	assert_int_equal(to[4095], 0);
	assert_int_equal(function_unmap_one(edu->fd, a.handle), 0);
	assert_int_equal(function_unmap_one(edu->fd, b.handle), 0);
}

/* A child takes the shared pages; the parent writes: the device must see that. */
static void device_reads_what_is_written_after_fork(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page, *to;
	struct usrpci_ioc_region a, b;
	pid_t pid;

	edu_hw_start(edu);
	page = reachable_page(edu, 0x11);
	to = reachable_page(edu, 0);
	a = map_low(edu, page, USRPCI_TO_DEVICE);
	assert_int_not_equal(a.handle, 0);
	pid = fork();
	if (!pid)
		pause();
	memset(page, 0x22, PAGE);
	function_sync(edu->fd, a.handle, USRPCI_SYNC_FOR_DEVICE, 0, PAGE);
	edu_hw_read(edu, runs[0].bus_addr, 64);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	b = map_low(edu, to, USRPCI_FROM_DEVICE);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	function_sync(edu->fd, b.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE);
	assert_memory_equal(to, page, 64);
}

/* A page of a private file that was only read: the next write must not go elsewhere. */
static void device_reads_what_is_written_to_a_private_file(void **state)
{
	struct edu_hw *edu = *state;
	int file = memfd_create("t", 0);
	unsigned char *page, *to;
	struct usrpci_ioc_region a, b;

	edu_hw_start(edu);
	assert_int_equal(ftruncate(file, PAGE), 0);
	/* Once this is found what is allocated next is low, too. */
	to = reachable_page(edu, 0);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	assert_int_equal(page[0], 0);
	a = map_low(edu, page, USRPCI_TO_DEVICE);
	if (!a.handle)
		skip();
	memset(page, 0x33, PAGE);
	function_sync(edu->fd, a.handle, USRPCI_SYNC_FOR_DEVICE, 0, PAGE);
	edu_hw_read(edu, runs[0].bus_addr, 64);
	b = map_low(edu, to, USRPCI_FROM_DEVICE);
	assert_int_not_equal(b.handle, 0);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	function_sync(edu->fd, b.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE);
	assert_memory_equal(to, page, 64);
	pages_free(page, 1);
	close(file);
}

/* The file's own page isn't written by a private map of it. */
static void device_does_not_write_a_private_files_page(void **state)
{
	struct edu_hw *edu = *state;
	int file = memfd_create("t", 0);
	unsigned char *page, byte = 0;
	struct usrpci_ioc_region r;

	edu_hw_start(edu);
	assert_int_equal(ftruncate(file, PAGE), 0);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	r = map_low(edu, page, USRPCI_FROM_DEVICE);
	if (r.handle) {
		page[0] = 0;
		edu_hw_write(edu, runs[0].bus_addr, 64);
		assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	}
	assert_int_equal(pread(file, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);
	pages_free(page, 1);
	close(file);
}

static void dropped_memory_stays_the_devices(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;

	edu_hw_start(edu);
	page = reachable_page(edu, 0x44);
	r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
	assert_int_not_equal(r.handle, 0);
	assert_int_equal(madvise(page, PAGE, MADV_DONTNEED), 0);
	memset(page, 0x55, PAGE);
	/* The device has the page of before, which is nobody else's now. */
	edu_hw_write(edu, runs[0].bus_addr, 64);
	assert_int_equal(page[0], 0x55);
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	pages_free(page, 1);
}

/* The first transfer brings the translation into the IOTLB; the unmap must throw it out. */
static void device_reaches_nothing_after_unmap(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;

	if (!is_translated(edu->fd))
		skip();
	edu_hw_start(edu);
	page = pages_new(1, 0x66);
	r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
	edu_hw_read(edu, runs[0].bus_addr, 64);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	memset(page, 0x77, PAGE);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	assert_int_equal(page[0], 0x77);
	assert_int_equal(page[63], 0x77);
	pages_free(page, 1);
}

/* The write comes within the 10 ms in which a lazy IOMMU would not have flushed by itself. */
static void device_reaches_nothing_right_after_unmap(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;
	unsigned int delay;

	if (!is_translated(edu->fd))
		skip();
	edu_hw_start(edu);
	page = pages_new(1, 0x66);
	for (delay = 90; delay < 100; delay++) {
		r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
		edu_hw_write(edu, runs[0].bus_addr, 64);
		edu_hw_write_start(edu, runs[0].bus_addr, 64);
		usleep(delay * 1000);
		assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
		memset(page, 0x77, PAGE);
		edu_hw_wait(edu);
		assert_int_equal(page[0], 0x77);
		assert_int_equal(page[63], 0x77);
	}
	pages_free(page, 1);
}

/* A transfer is under way when its process is killed; the page lives on in the parent. */
static void device_reaches_nothing_after_kill(void **state)
{
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct edu_hw *edu;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (edu_hw_setup((void **)&edu))
			_exit(1);
		edu_hw_start(edu);
		map_low(edu, page, USRPCI_BIDIRECTIONAL);
		edu_hw_write_start(edu, runs[0].bus_addr, 64);
		if (write(ready[1], "", 1) == 1)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	memset(page, 0x77, PAGE);
	usleep(300000);
	assert_int_equal(page[0], 0x77);
	assert_int_equal(page[63], 0x77);
	pages_free(page, 1);
	close(ready[0]);
	close(ready[1]);
}

static void device_does_not_write_what_it_may_read(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;

	if (!is_translated(edu->fd))
		skip();
	edu_hw_start(edu);
	page = pages_new(1, 0x12);
	map_low(edu, page, USRPCI_TO_DEVICE);
	edu_hw_read(edu, runs[0].bus_addr, 64);
	memset(page, 0x34, PAGE);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	assert_int_equal(page[0], 0x34);
}

static void device_without_master_reaches_nothing(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;

	assert_int_equal(function_mask(edu->fd, edu_hw_bits()), 0);
	page = reachable_page(edu, 0x21);
	r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
	assert_int_not_equal(r.handle, 0);
	edu_hw_read(edu, runs[0].bus_addr, 64);
	memset(page, 0x43, PAGE);
	function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_DEVICE, 0, PAGE);
	edu_hw_write(edu, runs[0].bus_addr, 64);
	function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE);
	assert_int_equal(page[0], 0x43);
}

/* A page that is bounced, or NULL; its bus address in runs[0]. */
static unsigned char *bounced_page(struct edu_hw *edu, struct usrpci_ioc_region *r)
{
	const size_t nr = 300 * MIB / PAGE;
	unsigned char *memory, *page = pages_new(1, 0x10);

	if (is_translated(edu->fd) || !(function_info(edu->fd).caps & USRPCI_CAP_BOUNCE))
		return NULL;
	*r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
	if (r->handle && r->state == USRPCI_MAP_BOUNCED)
		return page;
	if (r->handle)
		function_unmap_one(edu->fd, r->handle);
	memory = pages_new(nr, 0x10);
	page = high_page(memory, nr);
	if (page)
		*r = map_low(edu, page, USRPCI_BIDIRECTIONAL);
	return page && r->handle ? page : NULL;
}

/* What is bounced differs till it's synced; a part's sync leaves the rest. */
static void bounced_memory_is_right_after_sync(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;

	edu_hw_start(edu);
	page = bounced_page(edu, &r);
	if (!page)
		skip();
	memset(page, 0x20, PAGE);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_DEVICE, 0, PAGE), 0);
	edu_hw_read(edu, runs[0].bus_addr, 4095);
	memset(page, 0x30, PAGE);
	edu_hw_write(edu, runs[0].bus_addr, 4095);
	assert_int_equal(page[0], 0x30);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 100, 200), 0);
	assert_int_equal(page[99], 0x30);
	assert_int_equal(page[100], 0x20);
	assert_int_equal(page[299], 0x20);
	assert_int_equal(page[300], 0x30);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE), 0);
	assert_int_equal(page[4000], 0x20);
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
}

/* Parts of a region that starts in the middle of a slot of the bounce buffer. */
static void parts_of_bounced_memory_are_synced(void **state)
{
	static const unsigned int starts[] = { 0, 1, 1048, 1049, 1500, 2047, 2048, 3095, 3096 };
	struct edu_hw *edu = *state;
	unsigned char *page;
	struct usrpci_ioc_region r;
	unsigned int i;

	edu_hw_start(edu);
	page = bounced_page(edu, &r);
	if (!page)
		skip();
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	memset(page, 0x21, PAGE);
	r = function_region(page + 1000, 3096, USRPCI_BIDIRECTIONAL);
	r.sg = (uintptr_t)runs;
	r.nr_sg = 1;
	assert_int_equal(function_map(edu->fd, &r), 0);
	for (i = 0; i < ARRAY_SIZE(starts) && starts[i] < r.len; i++) {
		memset(page, 0x43, PAGE);
		assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, starts[i],
					       1), 0);
		assert_int_equal(page[1000 + starts[i]], 0x21);
	}
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
}

static void bouncing_can_be_refused(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_region r;
	unsigned char *page;

	edu_hw_start(edu);
	page = bounced_page(edu, &r);
	if (!page)
		skip();
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	r = function_region(page, PAGE, USRPCI_BIDIRECTIONAL);
	r.flags = USRPCI_MAP_NO_BOUNCE;
	assert_int_equal(function_map(edu->fd, &r), -ERANGE);
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
}

/* Longer than what one entry of the bounce buffer takes, and longer than all of it. */
static void bounced_regions_are_cut_in_entries(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *memory = pages_new(512, 1);
	struct usrpci_ioc_region r, big;
	unsigned char *all;

	edu_hw_start(edu);
	if (!bounced_page(edu, &r))
		skip();
	r = function_region(memory + 100, 511 * PAGE, USRPCI_BIDIRECTIONAL);
	r.sg = (uintptr_t)runs;
	r.nr_sg = MAX_RUNS;
	assert_int_equal(function_map(edu->fd, &r), 0);
	assert_int_equal(r.state, USRPCI_MAP_BOUNCED);
	assert_int_equal(runs[0].bus_addr % PAGE, 100);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 0, r.len), 0);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 5, r.len - 9), 0);
	all = pages_new(100 * MIB / PAGE, 1);
	big = function_region(all, 100 * MIB, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_map(edu->fd, &big), -EIO);
	assert_int_equal(function_nr_held(function_edu()), 2);
	pages_free(all, 100 * MIB / PAGE);
	pages_free(memory, 512);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(masks_are_checked),
		TEST(mask_stays_while_mapped),
		TEST(memory_beyond_the_mask_is_refused_or_bounced),
		TEST(bus_addresses_are_within_the_mask),
		TEST(device_reads_and_writes_memory),
		TEST(device_reads_what_is_written_after_fork),
		TEST(device_reads_what_is_written_to_a_private_file),
		TEST(device_does_not_write_a_private_files_page),
		TEST(dropped_memory_stays_the_devices),
		TEST(device_reaches_nothing_after_unmap),
		TEST(device_reaches_nothing_right_after_unmap),
		cmocka_unit_test_setup_teardown(device_reaches_nothing_after_kill,
						nothing_held_setup, nothing_held_teardown),
		TEST(device_does_not_write_what_it_may_read),
		TEST(device_without_master_reaches_nothing),
		TEST(bounced_memory_is_right_after_sync),
		TEST(parts_of_bounced_memory_are_synced),
		TEST(bouncing_can_be_refused),
		TEST(bounced_regions_are_cut_in_entries),
	};

	function_require();
	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
