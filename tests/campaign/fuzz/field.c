// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "arena.h"
#include "caller.h"
#include "field.h"
#include "handle.h"
#include "register.h"
#include "value.h"

#define PAGE		4096UL
#define NR_EVENTFDS	8
#define EDGES		64	/* one field in so many holds a value that's wrong or nearly so */
#define FEW		4

/* What the fields of one struct tell each other. */
struct filling {
	struct caller *t;
	const struct shape *shape;
	unsigned char *at;
	uint64_t room;
	uint64_t value;
	bool whole;
};

static int fds[NR_EVENTFDS + 3];

/* Of the array in the struct that's being filled, and of the memory for them. */
static __thread uint64_t count;
static __thread unsigned int filled;
static __thread size_t used;
static __thread struct live part;

void shape_open_files(int device)
{
	unsigned int i;

	for (i = 0; i < NR_EVENTFDS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fds[i++] = device;
	fds[i++] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[i] = -1;
}

unsigned int shape_count(void)
{
	return filled;
}

static uint64_t edge(struct filling *f, const struct field *field)
{
	return value_edge(f->t, field->width);
}

static bool is_odd(struct filling *f)
{
	return seldom(f->t, EDGES);
}

/* A value that must be refused unless @good. */
static uint64_t must(struct filling *f, uint64_t value, bool good)
{
	f->t->wrong |= !good;
	return value;
}

static uint64_t fill_flags(struct filling *f, const struct field *field)
{
	uint64_t value = field->arg & random_next(&f->t->random);

	if (is_odd(f))
		value = edge(f, field);
	return must(f, value, !(value & ~(uint64_t)field->arg));
}

static uint64_t fill_one_flag(struct filling *f, const struct field *field)
{
	uint64_t value = 1ULL << pick(f->t, __builtin_popcount(field->arg));

	if (is_odd(f))
		value = edge(f, field);
	return must(f, value, value && !(value & (value - 1)) && !(value & ~(uint64_t)field->arg));
}

static uint64_t fill_count(struct filling *f, const struct field *field)
{
	bool may_be_0 = field->kind == FIELD_COUNT_OR_0;

	count = value_small(f->t, seldom(f->t, 8) ? field->arg / 8 : FEW);
	if (may_be_0 && seldom(f->t, 4))
		count = 0;
	if (seldom(f->t, 16 * EDGES))
		count = field->arg;
	if (is_odd(f))
		count = seldom(f->t, 2) ? field->arg + 1 : edge(f, field);
	return must(f, count, (count || may_be_0) && count <= field->arg);
}

/* Of a size that there's memory for; @odd: it reaches where none is. */
static unsigned char *array_place(struct filling *f, size_t size, bool odd)
{
	unsigned char *arrays = f->t->arrays;

	if (odd)
		return arrays + ARRAYS_LEN - size / 2;
	if (used + size > ARRAYS_LEN)
		used = 0;
	arrays += used;
	used += (size + 7) & ~7UL;
	return arrays;
}

static void fill_elements(struct filling *f, unsigned char *array)
{
	const struct shape *elements = f->shape->elements;
	struct caller *t = f->t;
	bool wrong = t->wrong;
	unsigned int i;

	for (i = 0; i < filled; i++)
		shape_fill(t, elements, array + i * elements->size);
	/* The call may end before it gets to an element that's wrong: by an error. */
	t->wrong |= wrong;
}

static uint64_t fill_array(struct filling *f, const struct field *field)
{
	size_t size = f->shape->elements->size;
	uint64_t most = ARRAYS_LEN / 2 / size;
	unsigned char *array;
	bool odd = is_odd(f) && count;
	uint64_t of_this = count;

	if (is_odd(f))
		return must(f, seldom(f->t, 2) ? 0 : 0xffff888000000000, !of_this);
	filled = of_this < most ? of_this : most;
	array = array_place(f, filled * size, odd);
	if (odd)
		return must(f, (uintptr_t)array, false);
	fill_elements(f, array);
	count = of_this;
	return (uintptr_t)array;
}

static uint64_t fill_room_pointer(struct filling *f, const struct field *field)
{
	size_t size = 0;

	f->whole = pick(f->t, 2);
	if (!f->whole)
		return 0;
	f->value = value_small(f->t, 64);
	size = f->value * 16;
	return is_odd(f) ? edge(f, field) : (uintptr_t)array_place(f, size, is_odd(f));
}

static uint64_t fill_length(struct filling *f, const struct field *field)
{
	uint64_t len = value_small(f->t, f->room);

	if (seldom(f->t, 4))
		len = f->room;
	if (is_odd(f))
		len = seldom(f->t, 2) ? f->room + PAGE : edge(f, field);
	return must(f, len, len);
}

static uint64_t fill_part(struct filling *f, const struct field *field)
{
	if (is_odd(f))
		return edge(f, field);
	if (field->kind == FIELD_PART_OFFSET) {
		f->whole = pick(f->t, 2);
		f->value = f->whole ? 0 : pick(f->t, part.len);
		return f->value;
	}
	return f->whole ? part.len : value_small(f->t, part.len - f->value);
}

/* Up to a few megabytes at a time, or more than there can be. */
static uint64_t fill_bytes(struct filling *f, const struct field *field)
{
	static const uint64_t odd[] = {
		0, 1ULL << 21, (1ULL << 22) + 1, 1ULL << 36, (1ULL << 36) + 1, 1ULL << 40,
		1ULL << 63,
		~0ULL, ~0ULL - 4095,
	};
	uint64_t len = value_small(f->t, 16 * PAGE);

	if (is_odd(f))
		len = odd[pick(f->t, sizeof(odd) / sizeof(odd[0]))];
	return must(f, len, len && len <= 1ULL << 36);
}

static uint64_t fill_mask(struct filling *f, const struct field *field)
{
	uint64_t bits = 28 + pick(f->t, 37);
	uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : ~0ULL;

	if (is_odd(f))
		mask = edge(f, field);
	return must(f, mask, mask && !(mask & (mask + 1)));
}

static uint64_t fill_fd(struct filling *f)
{
	if (is_odd(f))
		return must(f, fds[NR_EVENTFDS + pick(f->t, 2)], false);
	if (is_odd(f))
		return must(f, seldom(f->t, 2) ? 1000 : 0x80000000, false);
	return (uint32_t)(seldom(f->t, 4) ? -1 : fds[pick(f->t, NR_EVENTFDS)]);
}

static uint64_t fill_register(struct filling *f, const struct field *field)
{
	uint64_t offset = register_writable(f->t, f->value < 8 && f->value ? f->value : 8);

	/* What edu finds there plus some bits is too large a number for it. */
	return offset >> 3 == 1 ? 0x20 : offset;
}

/* Sizes that are short or long are made when all else is filled. */
static uint64_t fill_size(struct filling *f, const struct field *field)
{
	return f->shape->size;
}

static uint64_t fill_element_size(struct filling *f, const struct field *field)
{
	uint64_t size = is_odd(f) ? edge(f, field) : f->shape->elements->size;

	return must(f, size, size == f->shape->elements->size);
}

static uint64_t fill_enum(struct filling *f, const struct field *field)
{
	uint64_t value = is_odd(f) ? edge(f, field) : pick(f->t, field->arg);

	f->value = value;
	return must(f, value, value < field->arg);
}

static uint64_t fill_reserved(struct filling *f, const struct field *field)
{
	uint64_t value = is_odd(f) ? edge(f, field) : 0;

	return must(f, value, !value);
}

static uint64_t fill_number(struct filling *f, const struct field *field)
{
	return is_odd(f) ? edge(f, field) : pick(f->t, 1 + (field->arg >> pick(f->t, 8)));
}

static uint64_t fill_vectors(struct filling *f, const struct field *field)
{
	if (seldom(f->t, 8))
		return fill_number(f, field);
	return f->value != 0;
}

static uint64_t fill_out(struct filling *f, const struct field *field)
{
	return random_next(&f->t->random);
}

static uint64_t fill_handle(struct filling *f, const struct field *field)
{
	return handle_pick(f->t, &part);
}

static uint64_t fill_address(struct filling *f, const struct field *field)
{
	return arena_pick(f->t, &f->room);
}

static uint64_t fill_room(struct filling *f, const struct field *field)
{
	return f->whole ? f->value : 0;
}

static uint64_t fill_eventfd(struct filling *f, const struct field *field)
{
	return fill_fd(f);
}

static uint64_t fill_width(struct filling *f, const struct field *field)
{
	f->value = is_odd(f) ? edge(f, field) : 1ULL << pick(f->t, 4);
	return must(f, f->value, f->value == 1 || f->value == 2 || f->value == 4 || f->value == 8);
}

static uint64_t fill_bits(struct filling *f, const struct field *field)
{
	f->value = is_odd(f) ? edge(f, field) : 1 + pick(f->t, 255);
	return must(f, f->value, f->value);
}

static uint64_t fill_subset(struct filling *f, const struct field *field)
{
	uint64_t value = is_odd(f) ? edge(f, field) : f->value & random_next(&f->t->random);

	return must(f, value, !(value & ~f->value));
}

static uint64_t fill_timeout(struct filling *f, const struct field *field)
{
	return is_odd(f) ? 1U << pick(f->t, 32) : seldom(f->t, 2) * pick(f->t, 50);
}

/* What makes it bad isn't known here. */
static uint64_t fill_usual(struct filling *f, const struct field *field)
{
	return seldom(f->t, 8 * EDGES) ? edge(f, field) : field->arg;
}

/* Behind edu's own, and NVMe's before its doorbells, of which there are no queues. */
static uint64_t fill_far(struct filling *f, const struct field *field)
{
	return PAGE | (seldom(f->t, 8 * EDGES) ? edge(f, field) : pick(f->t, PAGE) & ~7UL);
}

static uint64_t fill_seldom_handle(struct filling *f, const struct field *field)
{
	f->whole = seldom(f->t, 4);
	return f->whole ? fill_handle(f, field) : 0;
}

static uint64_t fill_if_handle(struct filling *f, const struct field *field)
{
	return f->whole ? fill_usual(f, field) : 0;
}

static uint64_t (* const fills[])(struct filling *f, const struct field *field) = {
	[FIELD_OUT] = fill_out,
	[FIELD_SIZE] = fill_size,
	[FIELD_FLAGS] = fill_flags,
	[FIELD_ONE_FLAG] = fill_one_flag,
	[FIELD_RESERVED] = fill_reserved,
	[FIELD_ENUM] = fill_enum,
	[FIELD_NUMBER] = fill_number,
	[FIELD_COUNT] = fill_count,
	[FIELD_COUNT_OR_0] = fill_count,
	[FIELD_ELEMENT_SIZE] = fill_element_size,
	[FIELD_ARRAY] = fill_array,
	[FIELD_HANDLE] = fill_handle,
	[FIELD_ADDRESS] = fill_address,
	[FIELD_LENGTH] = fill_length,
	[FIELD_ROOM] = fill_room,
	[FIELD_ROOM_POINTER] = fill_room_pointer,
	[FIELD_PART_OFFSET] = fill_part,
	[FIELD_PART_LENGTH] = fill_part,
	[FIELD_BYTES] = fill_bytes,
	[FIELD_MASK] = fill_mask,
	[FIELD_FD] = fill_eventfd,
	[FIELD_WIDTH] = fill_width,
	[FIELD_REGISTER] = fill_register,
	[FIELD_VECTORS] = fill_vectors,
	[FIELD_BITS] = fill_bits,
	[FIELD_SUBSET] = fill_subset,
	[FIELD_TIMEOUT] = fill_timeout,
	[FIELD_USUAL] = fill_usual,
	[FIELD_FAR] = fill_far,
	[FIELD_SELDOM_HANDLE] = fill_seldom_handle,
	[FIELD_IF_HANDLE] = fill_if_handle,
};

void shape_fill(struct caller *t, const struct shape *shape, unsigned char *at)
{
	struct filling f = { .t = t, .shape = shape, .at = at, .room = PAGE };
	uint64_t value;
	unsigned int i;

	for (i = 0; i < shape->nr; i++) {
		value = fills[shape->fields[i].kind](&f, &shape->fields[i]);
		memcpy(at + shape->fields[i].offset, &value, shape->fields[i].width);
	}
}
