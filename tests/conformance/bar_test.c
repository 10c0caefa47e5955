// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/bar.h> and <usrpci/regs.h> promise. */
#include <linux/pci_regs.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "memory.h"
#include "rig.h"

#define BAR_LEN		(1ULL << 20)

static void need_map(void)
{
	if (!(rig_bar().flags & USRPCI_MAPPABLE))
		rig_skip("the BAR can't be mapped");
}

static volatile char *map_bar(uint64_t offset, uint64_t len)
{
	volatile void *addr = NULL;

	assert_int_equal(usrpci_bar_map(dev, 0, offset, len, 0, &addr), 0);
	assert_non_null(addr);
	return addr;
}

static uint32_t call_read(uint64_t offset)
{
	uint64_t value = 0;

	assert_int_equal(usrpci_bar_read(dev, 0, offset, 4, &value), 0);
	return (uint32_t)value;
}

/* --- what there is --- */

static void bar_is_described(void **state)
{
	struct usrpci_bar bar = rig_bar();
	unsigned int i;

	assert_int_equal(bar.type, USRPCI_MEMORY_BAR);
	assert_int_equal(bar.len, BAR_LEN);
	assert_int_equal(bar.flags & (USRPCI_PREFETCHABLE | USRPCI_64BIT), 0);
	assert_int_equal(bar.addr, rig_config(PCI_BASE_ADDRESS_0, 4) & ~15U);
	assert_int_equal(bar.nr_windows, bar.flags & USRPCI_MAPPABLE ? 1 : 0);
	for (i = 0; i < bar.nr_windows; i++) {
		assert_int_equal(bar.windows[i].offset % PAGE, 0);
		assert_in_range(bar.windows[i].len, 1, bar.len - bar.windows[i].offset);
	}
}

static void missing_bar_has_no_type(void **state)
{
	struct usrpci_regs none;
	struct usrpci_bar bar;
	volatile void *addr;
	unsigned int i;
	uint64_t value;

	for (i = 1; i < USRPCI_BARS; i++) {
		assert_int_equal(usrpci_bar_info(dev, i, &bar), 0);
		assert_int_equal(bar.type, USRPCI_NO_BAR);
		assert_int_equal(usrpci_bar_map(dev, i, 0, 0, 0, &addr), -EINVAL);
		assert_int_equal(usrpci_bar_read(dev, i, 0, 4, &value), -EINVAL);
		assert_int_equal(usrpci_bar_write(dev, i, 0, 4, 0), -EINVAL);
		assert_int_equal(usrpci_regs_open(dev, i, 0, 0, &none), -EINVAL);
	}
}

static void numbers_are_checked(void **state)
{
	static const unsigned int wrong[] = { 6, 7, 255, 1U << 31, UINT32_MAX };
	struct usrpci_regs none;
	struct usrpci_bar bar;
	volatile void *addr;
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_bar_info(dev, wrong[i], &bar), -EINVAL);
		assert_int_equal(usrpci_bar_map(dev, wrong[i], 0, 0, 0, &addr), -EINVAL);
		assert_int_equal(usrpci_bar_read(dev, wrong[i], 0, 4, &value), -EINVAL);
		assert_int_equal(usrpci_bar_write(dev, wrong[i], 0, 4, 0), -EINVAL);
		assert_int_equal(usrpci_regs_open(dev, wrong[i], 0, 0, &none), -EINVAL);
	}
}

/* --- calls --- */

static void registers_are_reached_by_call(void **state)
{
	uint64_t value = 0;

	assert_int_equal(call_read(EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
	assert_int_equal(usrpci_bar_write(dev, 0, EDU_LIVENESS, 4, 0xdeadbeef), 0);
	assert_int_equal(call_read(EDU_LIVENESS), ~0xdeadbeef);
	assert_int_equal(usrpci_bar_write(dev, 0, EDU_DMA_SOURCE, 8, 0x0123456789abcdefULL), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, EDU_DMA_SOURCE, 8, &value), 0);
	assert_true(value == 0x0123456789abcdefULL);
}

static void call_widths_are_checked(void **state)
{
	static const unsigned int wrong[] = { 0, 3, 5, 6, 7, 9, 16, 1U << 31, UINT32_MAX };
	uint64_t value = 7;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_bar_read(dev, 0, 0, wrong[i], &value), -EINVAL);
		assert_int_equal(usrpci_bar_write(dev, 0, 0, wrong[i], 0), -EINVAL);
	}
	assert_int_equal(value, 7);
}

static void call_offsets_are_checked(void **state)
{
	static const struct {
		uint64_t offset;
		unsigned int width;
	} wrong[] = {
		{ 1, 4 }, { 2, 4 }, { 3, 2 }, { 4, 8 }, { BAR_LEN - 4, 8 }, { BAR_LEN - 1, 2 },
		{ BAR_LEN, 1 }, { BAR_LEN, 4 }, { BAR_LEN + PAGE, 4 }, { 1ULL << 32, 4 },
		{ 1ULL << 40, 4 }, { 1ULL << 63, 4 }, { UINT64_MAX, 1 }, { UINT64_MAX - 1, 2 },
		{ UINT64_MAX - 3, 4 }, { UINT64_MAX - 7, 8 },
	};
	uint64_t value = 7;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_bar_read(dev, 0, wrong[i].offset, wrong[i].width, &value),
				 -EINVAL);
		assert_int_equal(usrpci_bar_write(dev, 0, wrong[i].offset, wrong[i].width, 0),
				 -EINVAL);
	}
	assert_int_equal(value, 7);
}

static void decoding_off_is_eio(void **state)
{
	uint32_t command = rig_config(PCI_COMMAND, 2);
	uint64_t value;
	int read, written;

	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, command & ~PCI_COMMAND_MEMORY),
			 0);
	read = usrpci_bar_read(dev, 0, EDU_ID, 4, &value);
	written = usrpci_bar_write(dev, 0, EDU_LIVENESS, 4, 1);
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, command), 0);
	assert_int_equal(read, -EIO);
	assert_int_equal(written, -EIO);
	assert_int_equal(call_read(EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
}

/* --- maps --- */

static void unmappable_bar_is_einval(void **state)
{
	volatile void *addr;

	if (rig_bar().flags & USRPCI_MAPPABLE)
		rig_skip("the BAR can be mapped");
	assert_int_equal(usrpci_bar_map(dev, 0, 0, 0, 0, &addr), -EINVAL);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, PAGE, 0, &addr), -EINVAL);
	assert_null(regs.addr);
}

static void map_and_call_agree(void **state)
{
	volatile char *addr;

	need_map();
	addr = map_bar(0, 0);
	assert_int_equal(usrpci_read32(addr + EDU_ID), call_read(EDU_ID));
	usrpci_write32(addr + EDU_LIVENESS, 0x5eed1e55);
	assert_int_equal(call_read(EDU_LIVENESS), ~0x5eed1e55U);
	assert_int_equal(usrpci_bar_write(dev, 0, EDU_LIVENESS, 4, 0xcafe), 0);
	assert_int_equal(usrpci_read32(addr + EDU_LIVENESS), ~0xcafeU);
	assert_int_equal(usrpci_bar_unmap(dev, addr), 0);
}

static void map_ranges_are_checked(void **state)
{
	static const struct {
		uint64_t offset;
		uint64_t len;
	} wrong[] = {
		{ 1, 0 }, { 4, PAGE }, { PAGE - 1, 1 }, { 0, BAR_LEN + 1 }, { PAGE, BAR_LEN },
		{ BAR_LEN, 0 }, { BAR_LEN, PAGE }, { BAR_LEN - PAGE, 2 * PAGE }, { 0, UINT64_MAX },
		{ PAGE, UINT64_MAX - PAGE + 1 }, { 0 - PAGE, 0 }, { 0 - PAGE, PAGE },
		{ 0 - PAGE, 2 * PAGE }, { 1ULL << 60, PAGE }, { 1ULL << 63, 1ULL << 63 },
	};
	volatile void *addr = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_bar_map(dev, 0, wrong[i].offset, wrong[i].len, 0, &addr),
				 -EINVAL);
	assert_null(addr);
}

static void map_flags_are_checked(void **state)
{
	volatile void *addr = NULL;

	/* This BAR isn't prefetchable. */
	assert_int_equal(usrpci_bar_map(dev, 0, 0, PAGE, USRPCI_WRITE_COMBINING, &addr), -EINVAL);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, PAGE, 2, &addr), -EINVAL);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, PAGE, UINT32_MAX, &addr), -EINVAL);
	assert_null(addr);
}

static void unmap_of_what_is_not_mapped(void **state)
{
	int mine = 0;

	assert_int_equal(usrpci_bar_unmap(dev, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_unmap(dev, &mine), -EINVAL);
	if (!(rig_bar().flags & USRPCI_MAPPABLE))
		return;
	assert_int_equal(usrpci_bar_unmap(dev, regs.addr + PAGE), -EINVAL);
	assert_int_equal(usrpci_bar_unmap(dev, regs.addr), 0);
	assert_int_equal(usrpci_bar_unmap(dev, regs.addr), -EINVAL);
}

static void parts_are_mapped_many_times(void **state)
{
	volatile char *maps[50];
	size_t i;

	need_map();
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		maps[i] = map_bar(0, i % 2 ? PAGE : 0);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		assert_int_equal(usrpci_read32(maps[i] + EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		assert_int_equal(usrpci_bar_unmap(dev, maps[i]), 0);
	assert_int_equal(touch(maps[0]), SIGSEGV);
}

static void child_has_no_map(void **state)
{
	pid_t child;

	need_map();
	child = fork();
	if (!child)
		_exit(touch(regs.addr) == SIGSEGV ? 0 : 1);
	assert_int_equal(rig_reap(child), 0);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
}

static void close_unmaps(void **state)
{
	volatile char *addr;

	need_map();
	addr = map_bar(0, PAGE);
	rig_close(state);
	assert_int_equal(touch(addr), SIGSEGV);
}

static void touch_with_decoding_off_is_sigbus(void **state)
{
	uint32_t command = rig_config(PCI_COMMAND, 2);
	int sig;

	need_map();
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, command & ~PCI_COMMAND_MEMORY),
			 0);
	sig = touch(regs.addr);
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, command), 0);
	assert_int_equal(sig, SIGBUS);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
}

/* --- registers, mapped or not --- */

static void regs_are_mapped_where_they_can_be(void **state)
{
	assert_int_equal(!!regs.addr, !!(rig_bar().flags & USRPCI_MAPPABLE));
	assert_int_equal(regs.len, BAR_LEN);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
	usrpci_regs_write32(&regs, EDU_FACTORIAL, 5);
	while (usrpci_regs_read32(&regs, EDU_STATUS) & EDU_STATUS_COMPUTING)
		;
	assert_int_equal(usrpci_regs_read32(&regs, EDU_FACTORIAL), 120);
}

static void regs_and_calls_agree(void **state)
{
	usrpci_regs_write32(&regs, EDU_LIVENESS, 0x600d);
	assert_int_equal(usrpci_regs_call_read(&regs, EDU_LIVENESS, 4), ~0x600dU);
	usrpci_regs_call_write(&regs, EDU_LIVENESS, 4, 0xf00d);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), ~0xf00dU);
	usrpci_regs_write64(&regs, EDU_DMA_SOURCE, 0xfedcba9876543210ULL);
	assert_true(usrpci_regs_call_read(&regs, EDU_DMA_SOURCE, 8) == 0xfedcba9876543210ULL);
	assert_true(usrpci_regs_read64(&regs, EDU_DMA_SOURCE) == 0xfedcba9876543210ULL);
}

static void regs_of_a_part_start_there(void **state)
{
	struct usrpci_regs part;

	assert_int_equal(usrpci_regs_open(dev, 0, PAGE, PAGE, &part), 0);
	assert_int_equal(part.len, PAGE);
	assert_int_equal(part.offset, PAGE);
	/* Nothing is there. */
	assert_int_equal(usrpci_regs_read32(&part, EDU_ID), UINT32_MAX);
	usrpci_regs_close(&part);
	assert_int_equal(usrpci_regs_open(dev, 0, 0, PAGE, &part), 0);
	assert_int_equal(usrpci_regs_read32(&part, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
	usrpci_regs_close(&part);
}

static void regs_ranges_are_checked(void **state)
{
	static const struct {
		uint64_t offset;
		uint64_t len;
	} wrong[] = {
		{ BAR_LEN, 0 }, { BAR_LEN, 1 }, { 0, BAR_LEN + 1 }, { PAGE, BAR_LEN },
		{ 0, UINT64_MAX }, { PAGE, UINT64_MAX - PAGE + 1 }, { 0 - PAGE, 0 },
		{ 0 - PAGE, PAGE }, { 1ULL << 63, 1ULL << 63 }, { 4, 4 }, { PAGE - 1, 0 },
	};
	struct usrpci_regs none = { .len = 7 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_regs_open(dev, 0, wrong[i].offset, wrong[i].len, &none),
				 -EINVAL);
	assert_int_equal(none.len, 7);
}

static void failed_call_reads_ones(void **state)
{
	assert_true(usrpci_regs_call_read(&regs, BAR_LEN, 4) == UINT64_MAX);
	assert_true(usrpci_regs_call_read(&regs, UINT64_MAX - 3, 4) == UINT64_MAX);
	assert_true(usrpci_regs_call_read(&regs, 1, 4) == UINT64_MAX);
	assert_true(usrpci_regs_call_read(&regs, 0, 3) == UINT64_MAX);
	usrpci_regs_call_write(&regs, BAR_LEN, 4, 0);
	usrpci_regs_call_write(&regs, UINT64_MAX - 3, 4, 0);
}

static void regs_close_twice(void **state)
{
	static const struct usrpci_regs zeroes;
	struct usrpci_regs mine;

	assert_int_equal(usrpci_regs_open(dev, 0, 0, 0, &mine), 0);
	usrpci_regs_close(&mine);
	assert_null(mine.dev);
	assert_memory_equal(&mine, &zeroes, sizeof(mine));
	usrpci_regs_close(&mine);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("a BAR is described: kind, length, windows within it", bar_is_described),
		PROMISE("a BAR that isn't there has no type, and nothing reaches it",
			missing_bar_has_no_type),
		PROMISE("a BAR's number above 5 is EINVAL", numbers_are_checked),
		PROMISE("registers of 4 and 8 bytes are reached by call",
			registers_are_reached_by_call),
		PROMISE("widths of a call but 1, 2, 4 and 8 are EINVAL", call_widths_are_checked),
		PROMISE("offsets of a call unaligned, past the end or wrapping are EINVAL",
			call_offsets_are_checked),
		PROMISE("a call while decoding is off is EIO", decoding_off_is_eio),
		PROMISE("a BAR that can't be mapped is EINVAL", unmappable_bar_is_einval),
		PROMISE("registers read the same by map and by call", map_and_call_agree),
		PROMISE("a map unaligned, past the end or wrapping is EINVAL",
			map_ranges_are_checked),
		PROMISE("write-combining of a BAR not prefetchable is EINVAL",
			map_flags_are_checked),
		PROMISE("unmapping a BAR's map twice is EINVAL", unmap_of_what_is_not_mapped),
		PROMISE("a BAR is mapped many times at once", parts_are_mapped_many_times),
		PROMISE("a child made by fork doesn't have the map", child_has_no_map),
		PROMISE("close takes the maps away", close_unmaps),
		PROMISE("a touch of the map while decoding is off is SIGBUS",
			touch_with_decoding_off_is_sigbus),
		PROMISE("usrpci_regs are mapped where the BAR can be, and work everywhere",
			regs_are_mapped_where_they_can_be),
		PROMISE("usrpci_regs read the same by call", regs_and_calls_agree),
		PROMISE("usrpci_regs of a part start there", regs_of_a_part_start_there),
		PROMISE("usrpci_regs out of range are EINVAL", regs_ranges_are_checked),
		PROMISE("usrpci_regs read all ones where a call fails", failed_call_reads_ones),
		PROMISE("usrpci_regs are closed twice without harm", regs_close_twice),
	};

	return RIG_RUN("bar", promises);
}
