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

#include "edu.h"
#include "function.h"
#include "memory.h"

#define ROOM	512

union any {
	struct {
		uint32_t size;
		uint32_t flags;
	} head;
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar bar;
	struct usrpci_ioc_dma_mask dma_mask;
	struct usrpci_ioc_master master;
	struct usrpci_ioc_coherent coherent;
	struct usrpci_ioc_map map;
	struct usrpci_ioc_unmap unmap;
	struct usrpci_ioc_sync sync;
	struct usrpci_ioc_irq_setup irq_setup;
	struct usrpci_ioc_irq_wire irq_wire;
	struct usrpci_ioc_irq_unmask irq_unmask;
	struct usrpci_ioc_reset reset;
	struct usrpci_ioc_quiesce quiesce;
	struct usrpci_ioc_event event;
	unsigned char bytes[ROOM];
};

/*
 * A command, how a good call of it is made, what that gives on edu, how its
 * effect is undone, and where its reserved field is (0: has none).
 */
struct command {
	const char *name;
	unsigned int nr;
	uint32_t size;
	uint32_t known_flags;
	void (*fill)(int fd, union any *arg);
	int result;
	void (*undo)(int fd, union any *arg);
	size_t reserved;
};

static struct usrpci_ioc_region region;
static unsigned char *memory;
static uint32_t handle;
static int eventfd_descriptor;

static void fill_nothing(int fd, union any *arg)
{
}

static void fill_dma_mask(int fd, union any *arg)
{
	arg->dma_mask.streaming = 0xffffffff;
	arg->dma_mask.coherent = 0xffffffff;
}

static void fill_coherent(int fd, union any *arg)
{
	arg->coherent.len = PAGE;
}

static void undo_coherent(int fd, union any *arg)
{
	assert_int_equal(function_unmap_one(fd, arg->coherent.handle), 0);
}

static void fill_map(int fd, union any *arg)
{
	region = function_region(memory, PAGE, USRPCI_TO_DEVICE);
	arg->map.region_size = sizeof(region);
	arg->map.nr_regions = 1;
	arg->map.regions = (uintptr_t)&region;
}

static void undo_map(int fd, union any *arg)
{
	assert_int_equal(function_unmap_one(fd, region.handle), 0);
}

static void map_one(int fd)
{
	struct usrpci_ioc_region one = function_region(memory, PAGE, USRPCI_TO_DEVICE);

	assert_int_equal(function_map(fd, &one), 0);
	handle = one.handle;
}

static void fill_unmap(int fd, union any *arg)
{
	map_one(fd);
	arg->unmap.nr_handles = 1;
	arg->unmap.handles = (uintptr_t)&handle;
}

static void fill_sync(int fd, union any *arg)
{
	map_one(fd);
	arg->sync.flags = USRPCI_SYNC_FOR_CPU;
	arg->sync.handle = handle;
	arg->sync.len = PAGE;
}

/* Of a call that failed, too. */
static void undo_handle(int fd, union any *arg)
{
	if (handle)
		function_unmap_one(fd, handle);
	handle = 0;
}

static void fill_irq_setup(int fd, union any *arg)
{
	arg->irq_setup.type = USRPCI_IRQ_MSI;
	arg->irq_setup.nr_vectors = 1;
}

static void undo_irq(int fd, union any *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
}

static void fill_irq_wire(int fd, union any *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	arg->irq_wire.nr = 1;
	arg->irq_wire.fds = (uintptr_t)&eventfd_descriptor;
}

static void fill_irq_unmask(int fd, union any *arg)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), 0);
}

static void fill_quiesce(int fd, union any *arg)
{
	static const struct usrpci_ioc_quiesce_step step = {
		.kind = USRPCI_QUIESCE_WRITE, .width = 4, .offset = 4, .mask = 0xffffffff,
	};

	arg->quiesce.step_size = sizeof(step);
	arg->quiesce.nr_steps = 1;
	arg->quiesce.steps = (uintptr_t)&step;
}

#define COMMAND(_nr, _struct, ...) \
	{ .name = #_nr, .nr = _nr, .size = sizeof(struct _struct), __VA_ARGS__ }
#define RESERVED(_struct) .reserved = offsetof(struct _struct, reserved)

static const struct command commands[] = {
	COMMAND(USRPCI_INFO, usrpci_ioc_info, .fill = fill_nothing),
	COMMAND(USRPCI_BAR, usrpci_ioc_bar, .fill = fill_nothing),
	COMMAND(USRPCI_DMA_MASK, usrpci_ioc_dma_mask, .fill = fill_dma_mask),
	COMMAND(USRPCI_MASTER, usrpci_ioc_master, .fill = fill_nothing,
		RESERVED(usrpci_ioc_master)),
	COMMAND(USRPCI_COHERENT, usrpci_ioc_coherent, .fill = fill_coherent,
		.undo = undo_coherent, RESERVED(usrpci_ioc_coherent)),
	COMMAND(USRPCI_MAP, usrpci_ioc_map, .fill = fill_map, .undo = undo_map),
	COMMAND(USRPCI_UNMAP, usrpci_ioc_unmap, .fill = fill_unmap, .undo = undo_handle,
		RESERVED(usrpci_ioc_unmap)),
	COMMAND(USRPCI_SYNC, usrpci_ioc_sync, .fill = fill_sync, .undo = undo_handle,
		.known_flags = 3, RESERVED(usrpci_ioc_sync)),
	COMMAND(USRPCI_IRQ_SETUP, usrpci_ioc_irq_setup, .fill = fill_irq_setup,
		.undo = undo_irq),
	COMMAND(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, .fill = fill_irq_wire, .undo = undo_irq),
	COMMAND(USRPCI_IRQ_UNMASK, usrpci_ioc_irq_unmask, .fill = fill_irq_unmask,
		.undo = undo_irq, RESERVED(usrpci_ioc_irq_unmask)),
	COMMAND(USRPCI_RESET, usrpci_ioc_reset, .fill = fill_nothing, .result = -EOPNOTSUPP),
	COMMAND(USRPCI_QUIESCE, usrpci_ioc_quiesce, .fill = fill_quiesce),
	COMMAND(USRPCI_EVENT, usrpci_ioc_event, .fill = fill_nothing, .result = -EAGAIN),
};

#define NR_COMMANDS (ARRAY_SIZE(commands))

static void good_call(const struct command *c, int fd, union any *arg)
{
	memset(arg, 0, sizeof(*arg));
	arg->head.size = c->size;
	c->fill(fd, arg);
}

/* The call gave @err, so it changed nothing. */
static void bad_call(const struct command *c, int fd, union any *arg, int err)
{
	unsigned int before = function_nr_held(function_edu());
	int got = function_call(fd, c->nr, arg);

	if (got != err)
		print_error("%s gave %d, not %d\n", c->name, got, err);
	assert_int_equal(got, err);
	assert_int_equal(function_nr_held(function_edu()), before);
	if (c->undo == undo_handle || c->undo == undo_irq)
		c->undo(fd, arg);
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
}

static void accepted(const struct command *c, int fd, union any *arg)
{
	int got = function_call(fd, c->nr, arg);

	if (got != c->result)
		print_error("%s gave %d, not %d\n", c->name, got, c->result);
	assert_int_equal(got, c->result);
	if (c->undo)
		c->undo(fd, arg);
	assert_int_equal(function_nr_held(function_edu()), 0);
}

#define FOR_EACH_COMMAND(_c) \
	for (const struct command *_c = commands; _c < commands + NR_COMMANDS; _c++)

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static void exact_size_is_taken(void **state)
{
	union any arg;

	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), &arg);
		accepted(c, fd_of(state), &arg);
	}
}

static void short_sizes_are_invalid(void **state)
{
	union any arg;

	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), &arg);
		arg.head.size = 0;
		bad_call(c, fd_of(state), &arg, -EINVAL);
		good_call(c, fd_of(state), &arg);
		arg.head.size = 4;
		bad_call(c, fd_of(state), &arg, -EINVAL);
		good_call(c, fd_of(state), &arg);
		arg.head.size = c->size - 1;
		bad_call(c, fd_of(state), &arg, -EINVAL);
	}
}

static void zero_tail_is_taken(void **state)
{
	union any arg;

	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), &arg);
		arg.head.size = c->size + 1;
		accepted(c, fd_of(state), &arg);
		good_call(c, fd_of(state), &arg);
		arg.head.size = sizeof(arg);
		accepted(c, fd_of(state), &arg);
	}
}

static void other_tail_is_too_big(void **state)
{
	union any arg;

	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), &arg);
		arg.head.size = c->size + 1;
		arg.bytes[c->size] = 1;
		bad_call(c, fd_of(state), &arg, -E2BIG);
		good_call(c, fd_of(state), &arg);
		arg.head.size = sizeof(arg);
		arg.bytes[sizeof(arg) - 1] = 0x80;
		bad_call(c, fd_of(state), &arg, -E2BIG);
	}
}

/* The tail ends at memory that isn't there, or sooner at something that isn't 0. */
static void largest_size_fails(void **state)
{
	unsigned char *page = pages_new(2, 0);
	union any *arg = (void *)(page + PAGE - ROOM);
	int got;

	assert_int_equal(munmap(page + PAGE, PAGE), 0);
	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), arg);
		arg->head.size = UINT32_MAX;
		got = function_call(fd_of(state), c->nr, arg);
		assert_true(got == -EFAULT || got == -E2BIG);
		if (c->undo == undo_handle || c->undo == undo_irq)
			c->undo(fd_of(state), arg);
		assert_int_equal(function_nr_held(function_edu()), 0);
	}
	pages_free(page, 1);
}

static void unknown_flags_are_invalid(void **state)
{
	union any arg;
	unsigned int bit;

	FOR_EACH_COMMAND(c) {
		for (bit = 0; bit < 32; bit++) {
			if (c->known_flags & 1U << bit)
				continue;
			good_call(c, fd_of(state), &arg);
			arg.head.flags |= 1U << bit;
			bad_call(c, fd_of(state), &arg, -EINVAL);
		}
	}
}

static void reserved_fields_are_zero(void **state)
{
	union any arg;
	unsigned int bit;

	FOR_EACH_COMMAND(c) {
		for (bit = 0; c->reserved && bit < 32; bit += 31) {
			good_call(c, fd_of(state), &arg);
			*(uint32_t *)(arg.bytes + c->reserved) = 1U << bit;
			bad_call(c, fd_of(state), &arg, -EINVAL);
		}
	}
}

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

/* Each struct so that only its first @there bytes are in memory. */
static void struct_across_the_end_faults(void **state)
{
	unsigned char *page = pages_new(2, 0);
	union any arg;
	uint32_t there;

	assert_int_equal(munmap(page + PAGE, PAGE), 0);
	FOR_EACH_COMMAND(c) {
		for (there = 0; there < c->size; there += 4) {
			good_call(c, fd_of(state), &arg);
			memcpy(page + PAGE - there, &arg, there);
			bad_call(c, fd_of(state), (union any *)(page + PAGE - there), -EFAULT);
		}
	}
	pages_free(page, 1);
}

/* The struct can be read, but its answer not written. */
static void struct_that_is_read_only_faults(void **state)
{
	union any *arg = (void *)pages_new(1, 0);

	FOR_EACH_COMMAND(c) {
		if (c->nr != USRPCI_INFO && c->nr != USRPCI_BAR && c->nr != USRPCI_COHERENT)
			continue;
		assert_int_equal(mprotect(arg, PAGE, PROT_READ | PROT_WRITE), 0);
		good_call(c, fd_of(state), arg);
		assert_int_equal(mprotect(arg, PAGE, PROT_READ), 0);
		bad_call(c, fd_of(state), arg, -EFAULT);
	}
	pages_free(arg, 1);
}

static void wild_pointers_fault(void **state)
{
	static const uintptr_t wild[] = {
		0, 8, UINTPTR_MAX, UINTPTR_MAX - 7, 1UL << 47, 0xffff888000000000UL, 1UL << 63,
	};
	unsigned int i;

	FOR_EACH_COMMAND(c)
		for (i = 0; i < ARRAY_SIZE(wild); i++)
			assert_int_equal(function_call(fd_of(state), c->nr, (void *)wild[i]),
					 -EFAULT);
	assert_int_equal(function_nr_held(function_edu()), 0);
}

static void unknown_commands_are_enotty(void **state)
{
	union any arg;
	unsigned int i;

	good_call(&commands[0], fd_of(state), &arg);
	for (i = _IOC_NR(USRPCI_BIND) + 1; i < 256; i++)
		assert_int_equal(function_call(fd_of(state), _IO(USRPCI_IOC_TYPE, i), &arg),
				 -ENOTTY);
	for (i = 0; i < 256; i++)
		if (i != USRPCI_IOC_TYPE && i != 'T' && i != 'f' && i != 0)
			assert_int_equal(function_call(fd_of(state), _IO(i, 0), &arg), -ENOTTY);
	for (i = 0; i < NR_COMMANDS; i++) {
		assert_int_equal(function_call(fd_of(state),
					       _IOR(USRPCI_IOC_TYPE, i, uint32_t), &arg), -ENOTTY);
		assert_int_equal(function_call(fd_of(state), _IOWR(USRPCI_IOC_TYPE, i, union any),
					       &arg), -ENOTTY);
		assert_int_equal(function_call(fd_of(state), _IOC(_IOC_NONE, USRPCI_IOC_TYPE, i, 4),
					       &arg), -ENOTTY);
	}
}

/* What a command gives out has no holes, so a struct of 0xaa has none left after it. */
static void info_leaks_nothing(void **state)
{
	union any first, second;

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
	union any arg, zero = { 0 };
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
	union any arg;

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

/* The struct before a call, a poison around it: what the call may not touch. */
static void poisoned_call(const struct command *c, int fd, union any *arg, unsigned char poison)
{
	good_call(c, fd, arg);
	memset(arg->bytes + c->size, poison, sizeof(*arg) - c->size);
}

/* These give no answer but their result, whatever that is. */
static void calls_without_answer_write_nothing(void **state)
{
	union any before, arg;
	unsigned int bad;

	FOR_EACH_COMMAND(c) {
		for (bad = 0; bad < 2; bad++) {
			if (!bad && (c->nr == USRPCI_INFO || c->nr == USRPCI_BAR ||
				     c->nr == USRPCI_COHERENT))
				continue;
			poisoned_call(c, fd_of(state), &arg, 0xa5);
			arg.head.flags = bad << 31;
			before = arg;
			function_call(fd_of(state), c->nr, &arg);
			assert_memory_equal(&arg, &before, sizeof(arg));
			if (c->undo && (!bad || c->undo == undo_handle || c->undo == undo_irq))
				c->undo(fd_of(state), &arg);
			assert_int_equal(function_nr_held(function_edu()), 0);
		}
	}
}

/* What a caller with a longer struct has behind ours stays as it was. */
static void answers_end_with_their_struct(void **state)
{
	union any arg, zero = { 0 };

	FOR_EACH_COMMAND(c) {
		good_call(c, fd_of(state), &arg);
		arg.head.size = sizeof(arg);
		assert_int_equal(function_call(fd_of(state), c->nr, &arg), c->result);
		assert_memory_equal(arg.bytes + c->size, &zero, sizeof(arg) - c->size);
		if (c->undo)
			c->undo(fd_of(state), &arg);
	}
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
