// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <pthread.h>
#include <unistd.h>

#include <linux/usrpci.h>

#include "space.h"

#define ROOM	8

#define HEAD(_struct, _flags)	FIELD(_struct, size, SIZE), FIELD(_struct, flags, FLAGS, _flags)

#define BITS(_struct, _field, _bit, _width, _shift)		\
	FIELD(_struct, _field.bit, USUAL, _bit),		\
	FIELD(_struct, _field.width, USUAL, _width),		\
	FIELD(_struct, _field.shift, USUAL, _shift),		\
	FIELD(_struct, _field.reserved, USUAL)

#define PLACE(_reg, _kind, ...)					\
	FIELD(usrpci_ioc_tlb, _reg.bar, USUAL),			\
	FIELD(usrpci_ioc_tlb, _reg.width, USUAL, 4),		\
	FIELD(usrpci_ioc_tlb, _reg.offset, _kind, ##__VA_ARGS__)

#define SAY(_command, _width)					\
	PLACE(_command.reg, FAR),				\
	FIELD(usrpci_ioc_tlb, _command.value, USUAL),		\
	BITS(usrpci_ioc_tlb, _command.arg, 0, _width, 0),	\
	FIELD(usrpci_ioc_tlb, _command.reserved, USUAL)

static const struct field tlb_fields[] = {
	HEAD(usrpci_ioc_tlb, 0),
	FIELD(usrpci_ioc_tlb, vector, USUAL),
	FIELD(usrpci_ioc_tlb, tags, USUAL, 4),
	FIELD(usrpci_ioc_tlb, page_sizes, USUAL, USRPCI_TLB_4K | USRPCI_TLB_2M),
	FIELD(usrpci_ioc_tlb, timeout_us, USUAL, 100),
	PLACE(misses.reg, USUAL, 0x20),
	FIELD(usrpci_ioc_tlb, misses.words, USUAL, 3),
	FIELD(usrpci_ioc_tlb, misses.word_width, USUAL, 4),
	FIELD(usrpci_ioc_tlb, misses.ring, SELDOM_HANDLE),
	FIELD(usrpci_ioc_tlb, misses.ring_entries, IF_HANDLE, 16),
	FIELD(usrpci_ioc_tlb, misses.ring_offset, USUAL),
	BITS(usrpci_ioc_tlb, misses.valid, 0, 1, 0),
	BITS(usrpci_ioc_tlb, misses.addr, 32, 64, 0),
	BITS(usrpci_ioc_tlb, misses.tag, 4, 2, 0),
	BITS(usrpci_ioc_tlb, misses.write, 1, 1, 0),
	BITS(usrpci_ioc_tlb, misses.entry, 0, 0, 0),
	BITS(usrpci_ioc_tlb, misses.id, 8, 8, 0),
	PLACE(entries.reg, FAR),
	FIELD(usrpci_ioc_tlb, entries.nr, USUAL, 64),
	FIELD(usrpci_ioc_tlb, entries.stride, USUAL, 16),
	FIELD(usrpci_ioc_tlb, entries.words, USUAL, 4),
	FIELD(usrpci_ioc_tlb, entries.reserved, USUAL),
	BITS(usrpci_ioc_tlb, entries.valid, 0, 1, 0),
	BITS(usrpci_ioc_tlb, entries.write, 1, 1, 0),
	BITS(usrpci_ioc_tlb, entries.large, 2, 1, 0),
	BITS(usrpci_ioc_tlb, entries.tag, 4, 4, 0),
	BITS(usrpci_ioc_tlb, entries.bus, 12, 52, 12),
	BITS(usrpci_ioc_tlb, entries.addr, 76, 52, 12),
	SAY(ack, 0),
	SAY(go_on, 32),
	SAY(refuse, 32),
	SAY(invalidate, 32),
	SAY(invalidate_tag, 4),
	PLACE(done, USUAL, 0x20),
	FIELD(usrpci_ioc_tlb, done_mask, USUAL, 1),
	FIELD(usrpci_ioc_tlb, done_value, USUAL),
	FIELD(usrpci_ioc_tlb, fault, OUT),
	FIELD(usrpci_ioc_tlb, reserved, RESERVED),
};

static const struct field bind_fields[] = {
	HEAD(usrpci_ioc_bind, USRPCI_BIND_MIRRORED),
	FIELD(usrpci_ioc_bind, around, USUAL),
	FIELD(usrpci_ioc_bind, tag, OUT),
	FIELD(usrpci_ioc_bind, fd, OUT),
	FIELD(usrpci_ioc_bind, reserved, RESERVED),
};

static const struct field space_info_fields[] = {
	HEAD(usrpci_ioc_space_info, 0),
	FIELD(usrpci_ioc_space_info, tag, OUT),
	FIELD(usrpci_ioc_space_info, reserved, RESERVED),
};

static const struct field space_refusal_fields[] = {
	HEAD(usrpci_ioc_space_refusal, 0),
	FIELD(usrpci_ioc_space_refusal, addr, OUT),
};

static const struct field space_forget_fields[] = {
	HEAD(usrpci_ioc_space_forget, 0),
	FIELD(usrpci_ioc_space_forget, addr, ADDRESS),
	FIELD(usrpci_ioc_space_forget, len, LENGTH),
};

const struct shape tlb_shape = SHAPE(sizeof(struct usrpci_ioc_tlb), NULL, tlb_fields);
const struct shape bind_shape = SHAPE(sizeof(struct usrpci_ioc_bind), NULL, bind_fields);
const struct shape space_info_shape = SHAPE(sizeof(struct usrpci_ioc_space_info), NULL,
					    space_info_fields);
const struct shape space_refusal_shape = SHAPE(sizeof(struct usrpci_ioc_space_refusal), NULL,
					       space_refusal_fields);
const struct shape space_forget_shape = SHAPE(sizeof(struct usrpci_ioc_space_forget), NULL,
					      space_forget_fields);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spaces[ROOM];
static unsigned int nr_spaces;

/* In place of an older one. */
void space_add(int fd)
{
	pthread_mutex_lock(&lock);
	if (nr_spaces >= ROOM)
		close(spaces[nr_spaces % ROOM]);
	spaces[nr_spaces++ % ROOM] = fd;
	pthread_mutex_unlock(&lock);
}

static unsigned int number(void)
{
	return nr_spaces < ROOM ? nr_spaces : ROOM;
}

int space_pick(struct caller *t)
{
	int fd = t->e->fd;

	pthread_mutex_lock(&lock);
	if (number())
		fd = spaces[pick(t, number())];
	pthread_mutex_unlock(&lock);
	return fd;
}

/* The other thread may be about to use it, and finds that it has gone. */
void space_close(struct caller *t)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	if (number()) {
		i = pick(t, number());
		close(spaces[i]);
		spaces[i] = -1;
	}
	pthread_mutex_unlock(&lock);
}

void space_close_all(void)
{
	unsigned int i;

	for (i = 0; i < number(); i++)
		close(spaces[i]);
	nr_spaces = 0;
}
