/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What the structs of the ABI consist of, and how to fill one. */
#ifndef FUZZ_FIELD_H
#define FUZZ_FIELD_H

#include <stddef.h>
#include <stdint.h>

struct caller;
struct shape;

/* What a field means; in brackets what @arg of struct field says. */
enum field_kind {
	FIELD_OUT,		/* the kernel's; holds anything before */
	FIELD_SIZE,		/* of the struct */
	FIELD_FLAGS,		/* [those that are known] */
	FIELD_ONE_FLAG,		/* exactly one of the known [those] */
	FIELD_RESERVED,		/* 0 */
	FIELD_ENUM,		/* below [how many there are] */
	FIELD_NUMBER,		/* any [up to about] */
	FIELD_COUNT,		/* of elements, 1 to [most]; for the next FIELD_ARRAY */
	FIELD_COUNT_OR_0,	/* the same, or 0 */
	FIELD_ELEMENT_SIZE,	/* of the array's elements */
	FIELD_ARRAY,		/* pointer to elements */
	FIELD_HANDLE,
	FIELD_ADDRESS,		/* of memory for the device */
	FIELD_LENGTH,		/* of that memory */
	FIELD_ROOM,		/* entries of room */
	FIELD_ROOM_POINTER,	/* pointer to them; stands before the former */
	FIELD_PART_OFFSET,	/* of a mapping */
	FIELD_PART_LENGTH,
	FIELD_BYTES,		/* size of a coherent buffer */
	FIELD_MASK,		/* 2^n - 1 */
	FIELD_FD,		/* mostly an eventfd */
	FIELD_WIDTH,		/* of a register access */
	FIELD_REGISTER,		/* offset of one; after its width */
	FIELD_VECTORS,		/* a number [up to about], mostly 1, but 0 after an enum of 0 */
	FIELD_BITS,		/* a few bits, not none */
	FIELD_SUBSET,		/* of the bits before */
	FIELD_TIMEOUT,		/* microseconds, few */
	FIELD_USUAL,		/* [a value] that's good, or any */
	FIELD_FAR,		/* offset of a register where writes do nothing */
	FIELD_SELDOM_HANDLE,	/* 0, or one */
	FIELD_IF_HANDLE,	/* [a value] if there was one, else 0 */
};

struct field {
	uint16_t offset;
	uint8_t width;
	uint8_t kind;
	uint32_t arg;
};

/**
 * struct shape - A struct.
 * @size: bytes
 * @elements: what its FIELD_ARRAY points to
 * @nr: fields
 * @fields: in the order in which they are filled
 */
struct shape {
	size_t size;
	const struct shape *elements;
	unsigned int nr;
	const struct field *fields;
};

#define FIELD(_struct, _member, _kind, ...) \
	{ offsetof(struct _struct, _member), sizeof(((struct _struct *)0)->_member), \
	  FIELD_##_kind, ##__VA_ARGS__ }

#define SHAPE(_size, _elements, _fields) \
	{ _size, _elements, sizeof(_fields) / sizeof((_fields)[0]), _fields }

/* Sets t->wrong if what it made must be refused. */
void shape_fill(struct caller *t, const struct shape *shape, unsigned char *at);

/* How many elements the last array of this thread has. */
unsigned int shape_count(void);

/* Files that wires may lead to; for the episode. */
void shape_open_files(int device);

#endif /* FUZZ_FIELD_H */
