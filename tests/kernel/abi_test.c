// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What the ABI promises of every command, by a table of them all. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "edu.h"
#include "function.h"
#include "memory.h"

static struct usrpci_ioc_region region;
static unsigned char *memory;
static uint32_t handle;
static int eventfd_descriptor;

static void fill_dma_mask(int fd, union abi_arg *arg)
{
	arg->dma_mask.streaming = 0xffffffff;
	arg->dma_mask.coherent = 0xffffffff;
}

static void fill_coherent(int fd, union abi_arg *arg)
{
	arg->coherent.len = PAGE;
}

static void undo_coherent(int fd, union abi_arg *arg)
{
	assert_int_equal(function_unmap_one(fd, arg->coherent.handle), 0);
}

static void fill_map(int fd, union abi_arg *arg)
{
	region = function_region(memory, PAGE, USRPCI_TO_DEVICE);
	arg->map.region_size = sizeof(region);
	arg->map.nr_regions = 1;
	arg->map.regions = (uintptr_t)&region;
}

static void undo_map(int fd, union abi_arg *arg)
{
	assert_int_equal(function_unmap_one(fd, region.handle), 0);
}

static void map_one(int fd)
{
	struct usrpci_ioc_region one = function_region(memory, PAGE, USRPCI_TO_DEVICE);

	assert_int_equal(function_map(fd, &one), 0);
	handle = one.handle;
}

static void fill_unmap(int fd, union abi_arg *arg)
{
	map_one(fd);
	arg->unmap.nr_handles = 1;
	arg->unmap.handles = (uintptr_t)&handle;
}

static void fill_sync(int fd, union abi_arg *arg)
{
	map_one(fd);
	arg->sync.flags = USRPCI_SYNC_FOR_CPU;
	arg->sync.handle = handle;
	arg->sync.len = PAGE;
}

/* Of a call that failed, too. */
static void undo_handle(int fd, union abi_arg *arg)
{
	if (handle)
		function_unmap_one(fd, handle);
	handle = 0;
}

static void fill_irq_setup(int fd, union abi_arg *arg)
{
	arg->irq_setup.type = USRPCI_IRQ_MSI;
	arg->irq_setup.nr_vectors = 1;
}

static void undo_irq(int fd, union abi_arg *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
}

static void fill_irq_wire(int fd, union abi_arg *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	arg->irq_wire.nr = 1;
	arg->irq_wire.fds = (uintptr_t)&eventfd_descriptor;
}

static void fill_irq_unmask(int fd, union abi_arg *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), 0);
}

static void fill_quiesce(int fd, union abi_arg *arg)
{
	static const struct usrpci_ioc_quiesce_step step = {
		.kind = USRPCI_QUIESCE_WRITE, .width = 4, .offset = 4, .mask = 0xffffffff,
	};

	arg->quiesce.step_size = sizeof(step);
	arg->quiesce.nr_steps = 1;
	arg->quiesce.steps = (uintptr_t)&step;
}

static const struct abi_command commands[] = {
	ABI_COMMAND(USRPCI_INFO, usrpci_ioc_info, .answers = true),
	ABI_COMMAND(USRPCI_BAR, usrpci_ioc_bar, .answers = true),
	ABI_COMMAND(USRPCI_DMA_MASK, usrpci_ioc_dma_mask, .fill = fill_dma_mask),
	ABI_COMMAND(USRPCI_MASTER, usrpci_ioc_master, ABI_RESERVED(usrpci_ioc_master)),
	ABI_COMMAND(USRPCI_COHERENT, usrpci_ioc_coherent, .fill = fill_coherent,
		    .undo = undo_coherent, .answers = true, ABI_RESERVED(usrpci_ioc_coherent)),
	ABI_COMMAND(USRPCI_MAP, usrpci_ioc_map, .fill = fill_map, .undo = undo_map),
	ABI_COMMAND(USRPCI_UNMAP, usrpci_ioc_unmap, .fill = fill_unmap, .undo = undo_handle,
		    .undo_failed = true, ABI_RESERVED(usrpci_ioc_unmap)),
	ABI_COMMAND(USRPCI_SYNC, usrpci_ioc_sync, .fill = fill_sync, .undo = undo_handle,
		    .undo_failed = true, .flags = 3, ABI_RESERVED(usrpci_ioc_sync)),
	ABI_COMMAND(USRPCI_IRQ_SETUP, usrpci_ioc_irq_setup, .fill = fill_irq_setup,
		    .undo = undo_irq, .undo_failed = true),
	ABI_COMMAND(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, .fill = fill_irq_wire,
		    .undo = undo_irq, .undo_failed = true),
	ABI_COMMAND(USRPCI_IRQ_UNMASK, usrpci_ioc_irq_unmask, .fill = fill_irq_unmask,
		    .undo = undo_irq, .undo_failed = true, ABI_RESERVED(usrpci_ioc_irq_unmask)),
	ABI_COMMAND(USRPCI_RESET, usrpci_ioc_reset, .result = -EOPNOTSUPP),
	ABI_COMMAND(USRPCI_QUIESCE, usrpci_ioc_quiesce, .fill = fill_quiesce),
	ABI_COMMAND(USRPCI_EVENT, usrpci_ioc_event, .result = -EAGAIN),
};

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static struct abi abi_of(void **state)
{
	return (struct abi){
		.bdf = function_edu(), .fd = fd_of(state), .commands = commands,
		.nr = ARRAY_SIZE(commands),
	};
}

#define OF_EACH(_promise)						\
	static void _promise(void **state)				\
	{								\
		struct abi abi = abi_of(state);				\
									\
		abi_##_promise(&abi);					\
	}

OF_EACH(exact_size_is_taken)
OF_EACH(short_sizes_are_invalid)
OF_EACH(zero_tail_is_taken)
OF_EACH(other_tail_is_too_big)
OF_EACH(largest_size_fails)
OF_EACH(unknown_flags_are_invalid)
OF_EACH(reserved_fields_are_zero)
OF_EACH(struct_across_the_end_faults)
OF_EACH(struct_that_is_read_only_faults)
OF_EACH(wild_pointers_fault)
OF_EACH(calls_without_answer_write_nothing)
OF_EACH(answers_end_with_their_struct)

static void region_reserved_and_flags_are_zero(void **state)
{
	struct usrpci_ioc_region one;

	one = function_region(memory, PAGE, USRPCI_TO_DEVICE);
	one.reserved = 1;
	assert_int_equal(function_map(fd_of(state), &one), -EINVAL);
	one = function_region(memory, PAGE, USRPCI_TO_DEVICE);
	one.flags = 2;
	assert_int_equal(function_map(fd_of(state), &one), -EINVAL);
	one.flags = 0x80000000;
	assert_int_equal(function_map(fd_of(state), &one), -EINVAL);
	one = function_region(memory, PAGE, 3);
	assert_int_equal(function_map(fd_of(state), &one), -EINVAL);
	one = function_region(memory, PAGE, UINT32_MAX);
	assert_int_equal(function_map(fd_of(state), &one), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 0);
}

static void unknown_commands_are_enotty(void **state)
{
	union abi_arg arg;
	unsigned int i;

	abi_good_call(&commands[0], fd_of(state), &arg);
	for (i = _IOC_NR(USRPCI_BIND) + 1; i < 256; i++)
		assert_int_equal(function_call(fd_of(state), _IO(USRPCI_IOC_TYPE, i), &arg),
				 -ENOTTY);
	for (i = 0; i < 256; i++)
		if (i != USRPCI_IOC_TYPE && i != 'T' && i != 'f' && i != 0)
			assert_int_equal(function_call(fd_of(state), _IO(i, 0), &arg), -ENOTTY);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(function_call(fd_of(state),
					       _IOR(USRPCI_IOC_TYPE, i, uint32_t), &arg), -ENOTTY);
		assert_int_equal(function_call(fd_of(state),
					       _IOWR(USRPCI_IOC_TYPE, i, union abi_arg), &arg),
				 -ENOTTY);
		assert_int_equal(function_call(fd_of(state), _IOC(_IOC_NONE, USRPCI_IOC_TYPE, i, 4),
					       &arg), -ENOTTY);
	}
}

/* What a command gives out has no holes, so a struct of 0xaa has none left after it. */
static void info_leaks_nothing(void **state)
{
	union abi_arg first, second;

	memset(&first, 0xaa, sizeof(first));
	memset(&second, 0x55, sizeof(second));
	first.head.size = sizeof(first.info);
	second.head.size = sizeof(second.info);
	first.head.flags = 0;
	second.head.flags = 0;
	assert_int_equal(function_call(fd_of(state), USRPCI_INFO, &first), 0);
	assert_int_equal(function_call(fd_of(state), USRPCI_INFO, &second), 0);
	assert_memory_equal(&first, &second, sizeof(first.info));
	assert_int_equal(first.bytes[sizeof(first.info)], 0xaa);
	assert_int_equal(second.bytes[sizeof(second.info)], 0x55);
}

static void bar_leaks_nothing(void **state)
{
	union abi_arg arg, zero = { 0 };
	unsigned int i;

	for (i = 0; i < USRPCI_NR_BARS; i++) {
		memset(&arg, 0xaa, sizeof(arg));
		arg.head.size = sizeof(arg.bar);
		arg.head.flags = 0;
		arg.bar.index = i;
		assert_int_equal(function_call(fd_of(state), USRPCI_BAR, &arg), 0);
		assert_memory_equal(arg.bar.windows + arg.bar.nr_windows, &zero,
				    (2 - arg.bar.nr_windows) * sizeof(arg.bar.windows[0]));
		if (arg.bar.kind == USRPCI_BAR_NONE)
			assert_memory_equal(&arg.bar.kind, &zero, sizeof(arg.bar) - 12);
		assert_int_equal(arg.bytes[sizeof(arg.bar)], 0xaa);
	}
	arg.bar.index = USRPCI_NR_BARS;
	assert_int_equal(function_call(fd_of(state), USRPCI_BAR, &arg), -EINVAL);
	arg.bar.index = UINT32_MAX;
	assert_int_equal(function_call(fd_of(state), USRPCI_BAR, &arg), -EINVAL);
}

static void coherent_leaks_nothing(void **state)
{
	union abi_arg arg;

	memset(&arg, 0xaa, sizeof(arg));
	arg.coherent = (struct usrpci_ioc_coherent){
		.size = sizeof(arg.coherent), .len = 1, .bus_addr = ~0ULL, .mmap_offset = ~0ULL,
		.handle = ~0U, .missing = ~0ULL,
	};
	assert_int_equal(function_call(fd_of(state), USRPCI_COHERENT, &arg), 0);
	assert_int_equal(arg.coherent.len, PAGE);
	assert_int_equal(arg.coherent.reserved, 0);
	assert_int_equal(arg.coherent.missing, 0);
	assert_true(arg.coherent.bus_addr != ~0ULL && arg.coherent.handle != ~0U);
	assert_int_equal(arg.bytes[sizeof(arg.coherent)], 0xaa);
	assert_int_equal(function_unmap_one(fd_of(state), arg.coherent.handle), 0);
}

static void region_leaks_nothing(void **state)
{
	struct usrpci_ioc_sg sg[4];
	struct usrpci_ioc_region one = function_region(memory, PAGE, USRPCI_TO_DEVICE);

	memset(sg, 0xaa, sizeof(sg));
	one.sg = (uintptr_t)sg;
	one.nr_sg = 4;
	one.handle = ~0U;
	one.state = ~0U;
	assert_int_equal(function_map(fd_of(state), &one), 0);
	assert_int_equal(one.nr_sg, 1);
	assert_int_equal(one.reserved, 0);
	assert_int_equal(one.state & ~USRPCI_MAP_BOUNCED, 0);
	assert_int_equal(sg[1].bus_addr, 0xaaaaaaaaaaaaaaaaULL);
	assert_int_equal(sg[0].len, PAGE);
	assert_int_equal(function_unmap_one(fd_of(state), one.handle), 0);
}

/* Only the fields that say so are written when a map fails. */
static void failed_map_writes_nothing(void **state)
{
	struct usrpci_ioc_region one, before;
	struct usrpci_ioc_sg sg = { ~0ULL, ~0ULL };

	one = function_region((void *)8, PAGE, USRPCI_TO_DEVICE);
	one.sg = (uintptr_t)&sg;
	one.nr_sg = 1;
	one.handle = ~0U;
	one.state = ~0U;
	before = one;
	assert_int_equal(function_map(fd_of(state), &one), -EFAULT);
	assert_memory_equal(&one, &before, sizeof(one));
	assert_int_equal(sg.bus_addr, ~0ULL);
	assert_int_equal(sg.len, ~0ULL);
}

/* Memory that there can't be is missing, but not by the limit. */
static void impossible_length_tells_no_limit(void **state)
{
	struct usrpci_ioc_coherent arg = {
		.size = sizeof(arg), .len = (1ULL << 40) + 1, .missing = ~0ULL,
	};

	assert_int_equal(function_call(fd_of(state), USRPCI_COHERENT, &arg), -ENOMEM);
	assert_int_equal(arg.missing, 0);
	assert_int_equal(arg.len, (1ULL << 40) + 1);
}

/* An answer that can't be delivered must leave nothing behind. */
static void lost_answer_of_map_undoes_it(void **state)
{
	unsigned char *page = pages_new(2, 0);
	struct usrpci_ioc_region *one = (void *)page;

	*one = function_region(memory, PAGE, USRPCI_TO_DEVICE);
	one->sg = (uintptr_t)(page + 2 * PAGE - 8);
	one->nr_sg = 1;
	assert_int_equal(mprotect(page + PAGE, PAGE, PROT_READ), 0);
	assert_int_equal(function_map(fd_of(state), one), -EFAULT);
	assert_int_equal(function_nr_held(function_edu()), 0);
	one->nr_sg = 0;
	assert_int_equal(mprotect(page, PAGE, PROT_READ), 0);
	assert_int_equal(function_map(fd_of(state), one), -EFAULT);
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
	pages_free(page, 2);
}

static void pointers_inside_fault(void **state)
{
	int fd = fd_of(state);

	assert_int_equal(function_unmap(fd, NULL, 1), -EFAULT);
	assert_int_equal(function_unmap(fd, NULL, 100), -EFAULT);
	assert_int_equal(function_unmap(fd, (void *)0xffff888000000000UL, 1), -EFAULT);
	assert_int_equal(function_map_regions(fd, NULL, 1, NULL), -EFAULT);
	assert_int_equal(function_map_regions(fd, (void *)-8L, 1, NULL), -EFAULT);
	assert_int_equal(function_irq_wire(fd, 0, 1, NULL), -EFAULT);
	assert_int_equal(function_irq_wire(fd, 0, 1, (void *)-4L), -EFAULT);
}

static void counts_are_bounded(void **state)
{
	static uint32_t handles[4097];
	static int fds[4097];
	int fd = fd_of(state);

	assert_int_equal(function_unmap(fd, handles, 0), -EINVAL);
	assert_int_equal(function_unmap(fd, handles, 4097), -EINVAL);
	assert_int_equal(function_unmap(fd, handles, UINT32_MAX), -EINVAL);
	assert_int_equal(function_unmap(fd, handles, 4096), -EINVAL);
	assert_int_equal(function_irq_wire(fd, 0, 0, fds), -EINVAL);
	assert_int_equal(function_irq_wire(fd, 0, 4097, fds), -EINVAL);
	assert_int_equal(function_irq_wire(fd, 0, UINT32_MAX, fds), -EINVAL);
}

static void poll_says_nothing_while_it_is_there(void **state)
{
	struct pollfd p = { .fd = fd_of(state), .events = POLLIN | POLLOUT | POLLPRI };

	assert_int_equal(poll(&p, 1, 0), 0);
}

static void seek_is_refused(void **state)
{
	assert_int_equal(lseek(fd_of(state), 0, SEEK_END), -1);
	assert_int_equal(errno, ESPIPE);
}

static int open_with_memory(void **state)
{
	memory = pages_new(4, 0);
	eventfd_descriptor = eventfd(0, 0);
	return edu_hw_setup(state);
}

static int close_with_memory(void **state)
{
	pages_free(memory, 4);
	close(eventfd_descriptor);
	return edu_hw_teardown(state);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, open_with_memory, close_with_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exact_size_is_taken),
		TEST(short_sizes_are_invalid),
		TEST(zero_tail_is_taken),
		TEST(other_tail_is_too_big),
		TEST(largest_size_fails),
		TEST(unknown_flags_are_invalid),
		TEST(reserved_fields_are_zero),
		TEST(region_reserved_and_flags_are_zero),
		TEST(struct_across_the_end_faults),
		TEST(struct_that_is_read_only_faults),
		TEST(wild_pointers_fault),
		TEST(unknown_commands_are_enotty),
		TEST(info_leaks_nothing),
		TEST(bar_leaks_nothing),
		TEST(coherent_leaks_nothing),
		TEST(region_leaks_nothing),
		TEST(calls_without_answer_write_nothing),
		TEST(answers_end_with_their_struct),
		TEST(failed_map_writes_nothing),
		TEST(impossible_length_tells_no_limit),
		TEST(lost_answer_of_map_undoes_it),
		TEST(pointers_inside_fault),
		TEST(counts_are_bounded),
		TEST(poll_says_nothing_while_it_is_there),
		TEST(seek_is_refused),
	};

	function_require();
	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
