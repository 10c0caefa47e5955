// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define COMMAND		0x04
#define COMMAND_MEMORY	0x02
#define COMMAND_MASTER	0x04
#define CAP_PM		0x01
#define CAP_MSIX	0x11
#define PM_CTRL		4
#define D3HOT		3

static void *map(int fd, size_t len, int prot, int flags, uint64_t offset)
{
	return mmap(NULL, len, prot, flags, fd, offset);
}

static int map_fails(int fd, size_t len, int flags, uint64_t offset)
{
	void *addr = map(fd, len, PROT_READ | PROT_WRITE, flags, offset);

	if (addr == MAP_FAILED)
		return errno;
	munmap(addr, len);
	return 0;
}

static void whole_bar_maps(void **state)
{
	struct edu_hw *edu = *state;

	assert_int_equal(edu->regs[EDU_ID / 4], EDU_IDENTITY);
	edu->regs[1] = 0x12345678;
	assert_int_equal(edu->regs[1], ~0x12345678U);
}

static void edu_bar_is_described(void **state)
{
	struct usrpci_ioc_bar bar = function_bar(((struct edu_hw *)*state)->fd, 0);

	assert_int_equal(bar.len, 0x100000);
	assert_int_equal(bar.attrs, USRPCI_BAR_MAPPABLE);
	assert_int_equal(bar.nr_windows, 1);
	assert_int_equal(bar.windows[0].offset, 0);
	assert_int_equal(bar.windows[0].len, bar.len);
}

static void map_past_the_end_is_invalid(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);

	assert_int_equal(map_fails(edu->fd, bar.len + PAGE, MAP_SHARED, bar.offset), EINVAL);
	assert_int_equal(map_fails(edu->fd, bar.len, MAP_SHARED, bar.offset + PAGE), EINVAL);
	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, bar.offset + bar.len), EINVAL);
	assert_int_equal(map_fails(edu->fd, 2 * PAGE, MAP_SHARED, bar.offset + bar.len - PAGE),
			 EINVAL);
	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, bar.offset + bar.len - PAGE), 0);
	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, bar.offset - PAGE), EINVAL);
}

static void map_that_wraps_is_refused(void **state)
{
	struct edu_hw *edu = *state;
	static const uint64_t offsets[] = {
		-4096ULL, -8192ULL, 1ULL << 63, (1ULL << 63) - 4096, 1ULL << 62, 3ULL << 62,
		(1ULL << 62) - 4096, 7ULL << 60, 1ULL << 59, 1ULL << 61,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		assert_int_not_equal(map_fails(edu->fd, PAGE, MAP_SHARED, offsets[i]), 0);
		assert_int_not_equal(map_fails(edu->fd, 0x100000, MAP_SHARED, offsets[i]), 0);
	}
}

static void private_map_is_invalid(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);

	assert_int_equal(map_fails(edu->fd, PAGE, MAP_PRIVATE, bar.offset), EINVAL);
}

static void combining_needs_a_prefetchable_bar(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);

	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, bar.offset | USRPCI_MMAP_WC), EINVAL);
}

static void part_of_a_bar_maps_there(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);
	volatile uint32_t *part;

	part = map(edu->fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bar.offset + PAGE);
	assert_ptr_not_equal(part, MAP_FAILED);
	/* Edu has no registers here, and reads all ones. */
	assert_int_equal(part[0], 0xffffffff);
	assert_int_equal(munmap((void *)part, 3 * PAGE), 0);
}

static void config_space_does_not_map(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t offset = function_info(edu->fd).config_offset;

	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, offset), EINVAL);
	assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, 0), EINVAL);
}

static void missing_bar_does_not_map(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t first = function_bar(edu->fd, 0).offset;
	unsigned int i;
	uint32_t value;

	for (i = 1; i < USRPCI_NR_BARS; i++) {
		assert_int_equal(function_bar(edu->fd, i).kind, USRPCI_BAR_NONE);
		assert_int_equal(map_fails(edu->fd, PAGE, MAP_SHARED, first * (i + 1)), EINVAL);
		assert_int_equal(pread(edu->fd, &value, 4, first * (i + 1)), -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void mremap_does_not_grow(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);
	char *part = map(edu->fd, PAGE, PROT_READ, MAP_SHARED, bar.offset + bar.len - PAGE);

	assert_ptr_not_equal(part, MAP_FAILED);
	assert_ptr_equal(mremap(part, PAGE, 2 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_ptr_equal(mremap(part, 0, PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_int_equal(touch(part), 0);
	assert_int_equal(munmap(part, PAGE), 0);
}

static void mremap_moves(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);
	volatile uint32_t *old, *new;
	void *room = pages_new(2, 0);

	old = map(edu->fd, 2 * PAGE, PROT_READ, MAP_SHARED, bar.offset);
	assert_int_equal(touch(old), 0);
	new = mremap((void *)old, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	assert_ptr_not_equal(new, MAP_FAILED);
	assert_int_equal(new[0], EDU_IDENTITY);
	assert_int_equal(touch(old), SIGSEGV);
	assert_int_equal(munmap((void *)new, 2 * PAGE), 0);
}

static void fork_does_not_inherit_a_map(void **state)
{
	struct edu_hw *edu = *state;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(touch(edu->regs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), SIGSEGV);
	assert_int_equal(touch(edu->regs), 0);
}

static void others_cannot_read_through_a_map(void **state)
{
	struct edu_hw *edu = *state;
	uint32_t value;
	struct iovec to = { &value, 4 }, from = { (void *)edu->regs, 4 };
	int mem = open("/proc/self/mem", O_RDWR);

	assert_true(mem >= 0);
	assert_int_equal(pread(mem, &value, 4, (uintptr_t)edu->regs), -1);
	assert_int_equal(pwrite(mem, &value, 4, (uintptr_t)edu->regs), -1);
	assert_int_equal(process_vm_readv(getpid(), &to, 1, &from, 1, 0), -1);
	close(mem);
}

static void system_calls_do_not_pin_a_map(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_region region;

	region = function_region((void *)edu->regs, PAGE, USRPCI_TO_DEVICE);
	assert_int_equal(function_map(edu->fd, &region), -EFAULT);
	region = function_region((void *)edu->regs, PAGE, USRPCI_FROM_DEVICE);
	assert_int_equal(function_map(edu->fd, &region), -EFAULT);
}

static void decode(int fd, bool on)
{
	uint32_t command;

	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	command = on ? command | COMMAND_MEMORY : command & ~COMMAND_MEMORY;
	assert_int_equal(config_write(fd, COMMAND, 2, command), 0);
}

static void map_without_decode_gives_sigbus(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t offset = function_bar(edu->fd, 0).offset;
	uint32_t value;

	decode(edu->fd, false);
	assert_int_equal(touch(edu->regs), SIGBUS);
	assert_int_equal(touch_write(edu->regs + 1, 0), SIGBUS);
	assert_int_equal(pread(edu->fd, &value, 4, offset), -1);
	assert_int_equal(errno, EIO);
	decode(edu->fd, true);
	assert_int_equal(touch(edu->regs), 0);
	assert_int_equal(edu->regs[0], EDU_IDENTITY);
	assert_int_equal(pread(edu->fd, &value, 4, offset), 4);
}

static void map_made_without_decode_works_later(void **state)
{
	struct edu_hw *edu = *state;
	volatile uint32_t *regs;

	decode(edu->fd, false);
	regs = map(edu->fd, PAGE, PROT_READ, MAP_SHARED, function_bar(edu->fd, 0).offset);
	assert_ptr_not_equal(regs, MAP_FAILED);
	assert_int_equal(touch(regs), SIGBUS);
	decode(edu->fd, true);
	assert_int_equal(touch(regs), 0);
	assert_int_equal(regs[0], EDU_IDENTITY);
	assert_int_equal(munmap((void *)regs, PAGE), 0);
}

/* A map cut in pieces, moved and zapped still shows each page's own registers. */
static void pieces_of_a_map_keep_their_place(void **state)
{
	struct edu_hw *edu = *state;
	volatile uint32_t *regs = map(edu->fd, 8 * PAGE, PROT_READ, MAP_SHARED,
				      function_bar(edu->fd, 0).offset);
	volatile uint32_t *moved;

	assert_int_equal(munmap((char *)regs + 2 * PAGE, PAGE), 0);
	assert_int_equal(munmap((char *)regs + 5 * PAGE, 3 * PAGE), 0);
	decode(edu->fd, false);
	decode(edu->fd, true);
	moved = mremap((void *)regs, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages_new(1, 0));
	assert_ptr_not_equal(moved, MAP_FAILED);
	assert_int_equal(moved[0], EDU_IDENTITY);
	assert_int_equal(*(volatile uint32_t *)((char *)regs + 3 * PAGE), 0xffffffff);
	assert_int_equal(munmap((void *)moved, PAGE), 0);
	assert_int_equal(munmap((void *)regs, 8 * PAGE), 0);
}

static void pieces_of_a_map_leave_the_log_quiet(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t offset = function_bar(edu->fd, 0).offset;
	int i, mark = log_mark();
	char *regs;

	for (i = 0; i < 20; i++) {
		regs = map(edu->fd, 4 * PAGE, PROT_READ, MAP_SHARED, offset);
		assert_int_equal(munmap(regs + PAGE, PAGE), 0);
		assert_int_equal(munmap(regs, 4 * PAGE), 0);
	}
	assert_false(log_grew(mark));
}

static int access_fails(int fd, unsigned int width, uint64_t offset)
{
	unsigned char bytes[64] = { 0 };

	return pread(fd, bytes, width, offset) < 0 ? errno : 0;
}

static void calls_take_natural_widths(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);
	static const unsigned int odd[] = { 0, 3, 5, 6, 7, 9, 16, 64 };
	unsigned int i, width;

	for (i = 0; i < ARRAY_SIZE(odd); i++)
		assert_int_equal(access_fails(edu->fd, odd[i], bar.offset), EINVAL);
	for (width = 2; width <= 8; width *= 2)
		for (i = 1; i < width; i++)
			assert_int_equal(access_fails(edu->fd, width, bar.offset + i), EINVAL);
	/* From 0x80 on edu takes 8 bytes as well. */
	assert_int_equal(access_fails(edu->fd, 8, bar.offset + 0x80), 0);
	assert_int_equal(access_fails(edu->fd, 4, bar.offset + 0x80), 0);
	assert_int_equal(access_fails(edu->fd, 1, bar.offset + bar.len - 1), 0);
	assert_int_equal(access_fails(edu->fd, 2, bar.offset + bar.len - 2), 0);
	assert_int_equal(access_fails(edu->fd, 8, bar.offset + bar.len - 8), 0);
}

static void calls_end_with_the_bar(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_bar bar = function_bar(edu->fd, 0);
	unsigned int width;

	for (width = 1; width <= 8; width *= 2)
		assert_int_equal(access_fails(edu->fd, width, bar.offset + bar.len), EINVAL);
	assert_int_equal(access_fails(edu->fd, 4, bar.offset - 4), EINVAL);
	assert_int_equal(access_fails(edu->fd, 4, 0), EINVAL);
	assert_int_equal(access_fails(edu->fd, 4, INT64_MAX - 3), EINVAL);
	assert_int_equal(access_fails(edu->fd, 4, bar.offset | USRPCI_MMAP_WC), EINVAL);
}

static void calls_read_and_write(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t offset = function_bar(edu->fd, 0).offset, wide = 0x1122334455667788ULL, got = 0;
	uint32_t value = 0xcafe;
	void *volatile nowhere = (void *)8;

	assert_int_equal(pwrite(edu->fd, &value, 4, offset + 4), 4);
	assert_int_equal(pread(edu->fd, &value, 4, offset + 4), 4);
	assert_int_equal(value, ~0xcafeU);
	/* The DMA source address; nothing is started by it. */
	assert_int_equal(pwrite(edu->fd, &wide, 8, offset + 0x80), 8);
	assert_int_equal(pread(edu->fd, &got, 8, offset + 0x80), 8);
	assert_int_equal(got, wide);
	assert_int_equal(pread(edu->fd, nowhere, 4, offset), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(pwrite(edu->fd, nowhere, 4, offset), -1);
	assert_int_equal(errno, EFAULT);
}

/* The device with a reset, power management and a table of interrupts. */
static int nvme = -1;

static int nvme_setup(void **state)
{
	nothing_held_setup(state);
	nvme = function_nvme() ? function_open(function_nvme()) : -1;
	return 0;
}

static int nvme_teardown(void **state)
{
	if (nvme >= 0)
		close(nvme);
	return nothing_held_teardown(state);
}

static void needs_nvme(void)
{
	if (!function_nvme())
		skip();
	assert_true(nvme >= 0);
}

static void power(unsigned int state)
{
	unsigned int cap = config_capability(nvme, CAP_PM);
	uint32_t control;

	assert_int_equal(config_read(nvme, cap + PM_CTRL, 2, &control), 0);
	assert_int_equal(config_write(nvme, cap + PM_CTRL, 2, (control & ~3U) | state), 0);
}

static void map_in_d3hot_gives_sigbus(void **state)
{
	volatile uint32_t *regs;
	uint32_t command, before;

	needs_nvme();
	if (!config_capability(nvme, CAP_PM))
		skip();
	regs = map(nvme, PAGE, PROT_READ, MAP_SHARED, function_bar(nvme, 0).offset);
	assert_int_equal(touch(regs), 0);
	assert_int_equal(config_read(nvme, COMMAND, 2, &before), 0);
	power(D3HOT);
	assert_int_equal(touch(regs), SIGBUS);
	assert_int_equal(config_read(nvme, COMMAND, 2, &command), 0);
	power(0);
	assert_int_equal(touch(regs), 0);
	assert_int_equal(config_read(nvme, COMMAND, 2, &command), 0);
	assert_int_equal(command, before);
	assert_int_equal(munmap((void *)regs, PAGE), 0);
}

static void master_taken_in_d3hot_stays_taken(void **state)
{
	uint32_t command;

	needs_nvme();
	if (!config_capability(nvme, CAP_PM))
		skip();
	assert_int_equal(function_master(nvme, 1), 0);
	power(D3HOT);
	assert_int_equal(function_master(nvme, 0), 0);
	power(0);
	assert_int_equal(config_read(nvme, COMMAND, 2, &command), 0);
	assert_int_equal(command & COMMAND_MASTER, 0);
}

static void close_in_d3hot_gives_it_back_awake(void **state)
{
	uint32_t command;

	needs_nvme();
	if (!config_capability(nvme, CAP_PM))
		skip();
	power(D3HOT);
	close(nvme);
	nvme = function_open(function_nvme());
	assert_true(nvme >= 0);
	assert_int_equal(config_read(nvme, COMMAND, 2, &command), 0);
	assert_int_equal(command & 6, COMMAND_MEMORY);
	assert_int_equal(access_fails(nvme, 4, function_bar(nvme, 0).offset), 0);
}

/* Where the MSI-X table is: its BAR's file offset and the bytes in that. */
static uint64_t msix_table(struct usrpci_ioc_bar *bar, uint64_t *len)
{
	unsigned int cap = config_capability(nvme, CAP_MSIX);
	uint32_t table, control;

	assert_int_not_equal(cap, 0);
	assert_int_equal(config_read(nvme, cap + 4, 4, &table), 0);
	assert_int_equal(config_read(nvme, cap + 2, 2, &control), 0);
	*bar = function_bar(nvme, table & 7);
	*len = ((control & 0x7ff) + 1) * 16;
	return table & ~7U;
}

static void msix_table_maps_only_where_remapped(void **state)
{
	struct usrpci_ioc_bar bar;
	uint64_t table, len;
	int err;

	needs_nvme();
	table = msix_table(&bar, &len);
	err = map_fails(nvme, PAGE, MAP_SHARED, bar.offset + table / PAGE * PAGE);
	if (function_info(nvme).caps & USRPCI_CAP_IRQ_REMAP) {
		assert_int_equal(err, 0);
		assert_int_equal(bar.nr_windows, 1);
		assert_int_equal(map_fails(nvme, bar.len, MAP_SHARED, bar.offset), 0);
		return;
	}
	assert_int_equal(err, EINVAL);
	assert_int_equal(map_fails(nvme, bar.len, MAP_SHARED, bar.offset), EINVAL);
	if (table >= PAGE)
		assert_int_equal(map_fails(nvme, table / PAGE * PAGE + PAGE, MAP_SHARED,
					   bar.offset), EINVAL);
}

static void msix_table_is_written_only_where_remapped(void **state)
{
	struct usrpci_ioc_bar bar;
	uint64_t table, len, at, value = 0;
	int want;

	needs_nvme();
	want = function_info(nvme).caps & USRPCI_CAP_IRQ_REMAP ? 0 : EPERM;
	table = msix_table(&bar, &len);
	for (at = table; at < table + len; at += 4) {
		assert_int_equal(pread(nvme, &value, 4, bar.offset + at), 4);
		errno = 0;
		assert_int_equal(pwrite(nvme, &value, 4, bar.offset + at), want ? -1 : 4);
		assert_int_equal(errno, want);
	}
	errno = 0;
	assert_int_equal(pwrite(nvme, &value, 8, bar.offset + table + len - 8), want ? -1 : 8);
	assert_int_equal(errno, want);
}

static void windows_cover_the_bar_but_the_table(void **state)
{
	struct usrpci_ioc_bar bar;
	uint64_t table, len, covered = 0;
	unsigned int i;

	needs_nvme();
	table = msix_table(&bar, &len);
	for (i = 0; i < bar.nr_windows; i++) {
		assert_int_equal(bar.windows[i].offset % PAGE, 0);
		assert_int_equal(bar.windows[i].len % PAGE, 0);
		assert_true(bar.windows[i].offset + bar.windows[i].len <= bar.len);
		covered += bar.windows[i].len;
		assert_int_equal(map_fails(nvme, bar.windows[i].len, MAP_SHARED,
					   bar.offset + bar.windows[i].offset), 0);
		assert_int_equal(map_fails(nvme, bar.windows[i].len, MAP_PRIVATE,
					   bar.offset + bar.windows[i].offset), EINVAL);
	}
	if (!(function_info(nvme).caps & USRPCI_CAP_IRQ_REMAP))
		covered += (table % PAGE + len + PAGE - 1) / PAGE * PAGE;
	assert_int_equal(covered, bar.len);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)
#define TEST_NVME(_f) cmocka_unit_test_setup_teardown(_f, nvme_setup, nvme_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_bar_maps),
		TEST(edu_bar_is_described),
		TEST(map_past_the_end_is_invalid),
		TEST(map_that_wraps_is_refused),
		TEST(private_map_is_invalid),
		TEST(combining_needs_a_prefetchable_bar),
		TEST(part_of_a_bar_maps_there),
		TEST(config_space_does_not_map),
		TEST(missing_bar_does_not_map),
		TEST(mremap_does_not_grow),
		TEST(mremap_moves),
		TEST(fork_does_not_inherit_a_map),
		TEST(others_cannot_read_through_a_map),
		TEST(system_calls_do_not_pin_a_map),
		TEST(map_without_decode_gives_sigbus),
		TEST(map_made_without_decode_works_later),
		TEST(pieces_of_a_map_keep_their_place),
		TEST(pieces_of_a_map_leave_the_log_quiet),
		TEST(calls_take_natural_widths),
		TEST(calls_end_with_the_bar),
		TEST(calls_read_and_write),
		TEST_NVME(map_in_d3hot_gives_sigbus),
		TEST_NVME(master_taken_in_d3hot_stays_taken),
		TEST_NVME(close_in_d3hot_gives_it_back_awake),
		TEST_NVME(msix_table_maps_only_where_remapped),
		TEST_NVME(msix_table_is_written_only_where_remapped),
		TEST_NVME(windows_cover_the_bar_but_the_table),
	};

	function_require();
	return cmocka_run_group_tests_name("bar", tests, NULL, NULL);
}
