// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi.h"
#include "function.h"
#include "memory.h"

#define FOR_EACH_COMMAND(_abi, _c) \
	for (const struct abi_command *_c = (_abi)->commands; \
	     _c < (_abi)->commands + (_abi)->nr; _c++)

void abi_good_call(const struct abi_command *c, int fd, union abi_arg *arg)
{
	memset(arg, 0, sizeof(*arg));
	arg->head.size = c->size;
	if (c->fill)
		c->fill(fd, arg);
}

static void nothing_is_held(const struct abi *abi)
{
	assert_int_equal(function_nr_held(abi->bdf), abi->held);
	assert_int_equal(pages_charged(), 0);
}

static void gives(const struct abi_command *c, int got, int err)
{
	if (got != err)
		print_error("%s gave %d, not %d\n", c->name, got, err);
	assert_int_equal(got, err);
}

/* The call gave @err, so it changed nothing. */
static void bad_call(const struct abi *abi, const struct abi_command *c, union abi_arg *arg,
		     int err)
{
	unsigned int before = function_nr_held(abi->bdf);

	gives(c, function_call(abi->fd, c->nr, arg), err);
	assert_int_equal(function_nr_held(abi->bdf), before);
	if (c->undo_failed)
		c->undo(abi->fd, arg);
	nothing_is_held(abi);
}

static void accepted(const struct abi *abi, const struct abi_command *c, union abi_arg *arg)
{
	gives(c, function_call(abi->fd, c->nr, arg), c->result);
	if (c->undo)
		c->undo(abi->fd, arg);
	nothing_is_held(abi);
}

void abi_exact_size_is_taken(const struct abi *abi)
{
	union abi_arg arg;

	FOR_EACH_COMMAND(abi, c) {
		abi_good_call(c, abi->fd, &arg);
		accepted(abi, c, &arg);
	}
}

void abi_short_sizes_are_invalid(const struct abi *abi)
{
	union abi_arg arg;
	unsigned int i;

	FOR_EACH_COMMAND(abi, c) {
		const uint32_t sizes[] = { 0, 4, c->size - 1 };

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			abi_good_call(c, abi->fd, &arg);
			arg.head.size = sizes[i];
			bad_call(abi, c, &arg, -EINVAL);
		}
	}
}

void abi_zero_tail_is_taken(const struct abi *abi)
{
	union abi_arg arg;

	FOR_EACH_COMMAND(abi, c) {
		abi_good_call(c, abi->fd, &arg);
		arg.head.size = c->size + 1;
		accepted(abi, c, &arg);
		abi_good_call(c, abi->fd, &arg);
		arg.head.size = sizeof(arg);
		accepted(abi, c, &arg);
	}
}

void abi_other_tail_is_too_big(const struct abi *abi)
{
	union abi_arg arg;

	FOR_EACH_COMMAND(abi, c) {
		abi_good_call(c, abi->fd, &arg);
		arg.head.size = c->size + 1;
		arg.bytes[c->size] = 1;
		bad_call(abi, c, &arg, -E2BIG);
		abi_good_call(c, abi->fd, &arg);
		arg.head.size = sizeof(arg);
		arg.bytes[sizeof(arg) - 1] = 0x80;
		bad_call(abi, c, &arg, -E2BIG);
	}
}

void abi_largest_size_fails(const struct abi *abi)
{
	unsigned char *page = pages_new(2, 0);
	union abi_arg *arg = (void *)(page + PAGE - sizeof(*arg));
	int got;

	assert_int_equal(munmap(page + PAGE, PAGE), 0);
	FOR_EACH_COMMAND(abi, c) {
		abi_good_call(c, abi->fd, arg);
		arg->head.size = UINT32_MAX;
		got = function_call(abi->fd, c->nr, arg);
		assert_true(got == -EFAULT || got == -E2BIG);
		if (c->undo_failed)
			c->undo(abi->fd, arg);
		nothing_is_held(abi);
	}
	pages_free(page, 1);
}

void abi_unknown_flags_are_invalid(const struct abi *abi)
{
	union abi_arg arg;
	unsigned int bit;

	FOR_EACH_COMMAND(abi, c) {
		for (bit = 0; bit < 32; bit++) {
			if (c->flags & 1U << bit)
				continue;
			abi_good_call(c, abi->fd, &arg);
			arg.head.flags |= 1U << bit;
			bad_call(abi, c, &arg, -EINVAL);
		}
	}
}

void abi_reserved_fields_are_zero(const struct abi *abi)
{
	union abi_arg arg;
	unsigned int bit;

	FOR_EACH_COMMAND(abi, c) {
		for (bit = 0; c->reserved && bit < 32; bit += 31) {
			abi_good_call(c, abi->fd, &arg);
			*(uint32_t *)(arg.bytes + c->reserved) = 1U << bit;
			bad_call(abi, c, &arg, -EINVAL);
		}
	}
}

void abi_struct_across_the_end_faults(const struct abi *abi)
{
	unsigned char *page = pages_new(2, 0);
	union abi_arg arg;
	uint32_t there;

	assert_int_equal(munmap(page + PAGE, PAGE), 0);
	FOR_EACH_COMMAND(abi, c) {
		for (there = 0; there < c->size; there += 4) {
			abi_good_call(c, abi->fd, &arg);
			memcpy(page + PAGE - there, &arg, there);
			bad_call(abi, c, (union abi_arg *)(page + PAGE - there), -EFAULT);
		}
	}
	pages_free(page, 1);
}

void abi_struct_that_is_read_only_faults(const struct abi *abi)
{
	union abi_arg *arg = (void *)pages_new(1, 0);

	FOR_EACH_COMMAND(abi, c) {
		if (!c->answers)
			continue;
		assert_int_equal(mprotect(arg, PAGE, PROT_READ | PROT_WRITE), 0);
		abi_good_call(c, abi->fd, arg);
		assert_int_equal(mprotect(arg, PAGE, PROT_READ), 0);
		bad_call(abi, c, arg, -EFAULT);
	}
	pages_free(arg, 1);
}

void abi_wild_pointers_fault(const struct abi *abi)
{
	static const uintptr_t wild[] = {
		0, 8, UINTPTR_MAX, UINTPTR_MAX - 7, 1UL << 47, 0xffff888000000000UL, 1UL << 63,
	};
	unsigned int i;

	FOR_EACH_COMMAND(abi, c)
		for (i = 0; i < ARRAY_SIZE(wild); i++)
			gives(c, function_call(abi->fd, c->nr, (void *)wild[i]), -EFAULT);
	nothing_is_held(abi);
}

void abi_calls_without_answer_write_nothing(const struct abi *abi)
{
	union abi_arg before, arg;
	unsigned int bad;

	FOR_EACH_COMMAND(abi, c) {
		for (bad = c->answers; bad < 2; bad++) {
			abi_good_call(c, abi->fd, &arg);
			memset(arg.bytes + c->size, 0xa5, sizeof(arg) - c->size);
			arg.head.flags = bad << 31;
			before = arg;
			function_call(abi->fd, c->nr, &arg);
			assert_memory_equal(&arg, &before, sizeof(arg));
			if (c->undo && (!bad || c->undo_failed))
				c->undo(abi->fd, &arg);
			nothing_is_held(abi);
		}
	}
}

void abi_answers_end_with_their_struct(const struct abi *abi)
{
	union abi_arg arg, zero = { 0 };

	FOR_EACH_COMMAND(abi, c) {
		abi_good_call(c, abi->fd, &arg);
		arg.head.size = sizeof(arg);
		gives(c, function_call(abi->fd, c->nr, &arg), c->result);
		assert_memory_equal(arg.bytes + c->size, &zero, sizeof(arg) - c->size);
		if (c->undo)
			c->undo(abi->fd, &arg);
	}
}
