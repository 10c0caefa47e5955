// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/usrpci.h>

#include "caller.h"
#include "command.h"
#include "field.h"
#include "handle.h"
#include "injection.h"
#include "space.h"
#include "value.h"

#define PAGE	4096UL

/* Every command's first two fields, and the sizes of arrays. */
#define HEAD(_struct, _flags)	FIELD(_struct, size, SIZE), FIELD(_struct, flags, FLAGS, _flags)

static const struct field info_fields[] = {
	HEAD(usrpci_ioc_info, 0),
	FIELD(usrpci_ioc_info, abi, OUT),
};

static const struct field bar_fields[] = {
	HEAD(usrpci_ioc_bar, 0),
	FIELD(usrpci_ioc_bar, index, ENUM, 6),
	FIELD(usrpci_ioc_bar, kind, OUT),
};

static const struct field dma_mask_fields[] = {
	HEAD(usrpci_ioc_dma_mask, 0),
	FIELD(usrpci_ioc_dma_mask, streaming, MASK),
	FIELD(usrpci_ioc_dma_mask, coherent, MASK),
};

static const struct field master_fields[] = {
	HEAD(usrpci_ioc_master, 0),
	FIELD(usrpci_ioc_master, enable, ENUM, 2),
	FIELD(usrpci_ioc_master, reserved, RESERVED),
};

static const struct field coherent_fields[] = {
	HEAD(usrpci_ioc_coherent, 0),
	FIELD(usrpci_ioc_coherent, len, BYTES),
	FIELD(usrpci_ioc_coherent, bus_addr, OUT),
	FIELD(usrpci_ioc_coherent, mmap_offset, OUT),
	FIELD(usrpci_ioc_coherent, handle, OUT),
	FIELD(usrpci_ioc_coherent, reserved, RESERVED),
	FIELD(usrpci_ioc_coherent, missing, OUT),
};

static const struct field region_fields[] = {
	FIELD(usrpci_ioc_region, addr, ADDRESS),
	FIELD(usrpci_ioc_region, len, LENGTH),
	FIELD(usrpci_ioc_region, direction, ENUM, 3),
	FIELD(usrpci_ioc_region, flags, FLAGS, USRPCI_MAP_NO_BOUNCE),
	FIELD(usrpci_ioc_region, sg, ROOM_POINTER),
	FIELD(usrpci_ioc_region, nr_sg, ROOM),
	FIELD(usrpci_ioc_region, handle, OUT),
	FIELD(usrpci_ioc_region, state, OUT),
	FIELD(usrpci_ioc_region, reserved, RESERVED),
};

static const struct shape region_shape = SHAPE(sizeof(struct usrpci_ioc_region), NULL,
					       region_fields);

static const struct field map_fields[] = {
	HEAD(usrpci_ioc_map, 0),
	FIELD(usrpci_ioc_map, region_size, ELEMENT_SIZE),
	FIELD(usrpci_ioc_map, nr_regions, COUNT, USRPCI_MAX_BATCH),
	FIELD(usrpci_ioc_map, regions, ARRAY),
	FIELD(usrpci_ioc_map, missing, OUT),
};

static const struct field handle_fields[] = {
	{ 0, sizeof(__u32), FIELD_HANDLE },
};

static const struct shape handle_shape = SHAPE(sizeof(__u32), NULL, handle_fields);

static const struct field unmap_fields[] = {
	HEAD(usrpci_ioc_unmap, 0),
	FIELD(usrpci_ioc_unmap, nr_handles, COUNT, USRPCI_MAX_BATCH),
	FIELD(usrpci_ioc_unmap, reserved, RESERVED),
	FIELD(usrpci_ioc_unmap, handles, ARRAY),
};

static const struct field sync_fields[] = {
	FIELD(usrpci_ioc_sync, size, SIZE),
	FIELD(usrpci_ioc_sync, flags, ONE_FLAG, USRPCI_SYNC_FOR_CPU | USRPCI_SYNC_FOR_DEVICE),
	FIELD(usrpci_ioc_sync, handle, HANDLE),
	FIELD(usrpci_ioc_sync, reserved, RESERVED),
	FIELD(usrpci_ioc_sync, offset, PART_OFFSET),
	FIELD(usrpci_ioc_sync, len, PART_LENGTH),
};

static const struct field irq_setup_fields[] = {
	HEAD(usrpci_ioc_irq_setup, 0),
	FIELD(usrpci_ioc_irq_setup, type, ENUM, 4),
	FIELD(usrpci_ioc_irq_setup, nr_vectors, VECTORS, 66),
};

static const struct field fd_fields[] = {
	{ 0, sizeof(__s32), FIELD_FD },
};

static const struct shape fd_shape = SHAPE(sizeof(__s32), NULL, fd_fields);

static const struct field irq_wire_fields[] = {
	HEAD(usrpci_ioc_irq_wire, 0),
	FIELD(usrpci_ioc_irq_wire, first, NUMBER, 4),
	FIELD(usrpci_ioc_irq_wire, nr, COUNT, USRPCI_MAX_BATCH),
	FIELD(usrpci_ioc_irq_wire, fds, ARRAY),
};

static const struct field irq_unmask_fields[] = {
	HEAD(usrpci_ioc_irq_unmask, 0),
	FIELD(usrpci_ioc_irq_unmask, vector, NUMBER, 4),
	FIELD(usrpci_ioc_irq_unmask, reserved, RESERVED),
};

static const struct field reset_fields[] = {
	HEAD(usrpci_ioc_reset, 0),
};

static const struct field step_fields[] = {
	FIELD(usrpci_ioc_quiesce_step, kind, ENUM, 2),
	FIELD(usrpci_ioc_quiesce_step, bar, NUMBER, 6),
	FIELD(usrpci_ioc_quiesce_step, width, WIDTH),
	FIELD(usrpci_ioc_quiesce_step, offset, REGISTER),
	FIELD(usrpci_ioc_quiesce_step, timeout_us, TIMEOUT),
	FIELD(usrpci_ioc_quiesce_step, mask, BITS),
	FIELD(usrpci_ioc_quiesce_step, value, SUBSET),
};

static const struct shape step_shape = SHAPE(sizeof(struct usrpci_ioc_quiesce_step), NULL,
					     step_fields);

static const struct field quiesce_fields[] = {
	HEAD(usrpci_ioc_quiesce, 0),
	FIELD(usrpci_ioc_quiesce, step_size, ELEMENT_SIZE),
	FIELD(usrpci_ioc_quiesce, nr_steps, COUNT_OR_0, USRPCI_QUIESCE_MAX_STEPS),
	FIELD(usrpci_ioc_quiesce, steps, ARRAY),
};

static const struct field event_fields[] = {
	HEAD(usrpci_ioc_event, 0),
	FIELD(usrpci_ioc_event, type, OUT),
};

/* Handles that a call gave, and those that it took. */
static void mapped(struct caller *t, const void *arg);
static void allocated(struct caller *t, const void *arg);
static void unmapped(struct caller *t, const void *arg);
static void bound(struct caller *t, const void *arg);

/**
 * struct command - One of the ABI's.
 * @name: its name
 * @nr: its number
 * @weight: how often it's called, of the sum of all
 * @shape: its argument
 * @errors: errnos that it may give, beside those of every command; 0 ends
 * @worked: what to do when it worked, or NULL
 * @of_space: it's for a space's descriptor
 */
struct command {
	const char *name;
	unsigned int nr;
	unsigned int weight;
	const struct shape *shape;
	int errors[7];
	void (*worked)(struct caller *t, const void *arg);
	bool of_space;
};

#define COMMAND(_cmd, _weight, _struct, _fields, _elements, ...)		\
	{ .name = #_cmd, .nr = USRPCI_##_cmd, .weight = _weight,		\
	  .shape = &(const struct shape)SHAPE(sizeof(struct _struct), _elements, _fields),	\
	  __VA_ARGS__ }

#define SHAPED(_cmd, _weight, _shape, ...)					\
	{ .name = #_cmd, .nr = USRPCI_##_cmd, .weight = _weight, .shape = &_shape, __VA_ARGS__ }

static const struct command commands[] = {
	COMMAND(INFO, 200, usrpci_ioc_info, info_fields, NULL),
	COMMAND(BAR, 300, usrpci_ioc_bar, bar_fields, NULL),
	COMMAND(DMA_MASK, 300, usrpci_ioc_dma_mask, dma_mask_fields, NULL,
		.errors = { EIO, EBUSY }),
	COMMAND(MASTER, 400, usrpci_ioc_master, master_fields, NULL, .errors = { EPERM, EIO }),
	COMMAND(COHERENT, 600, usrpci_ioc_coherent, coherent_fields, NULL, .errors = { EPERM },
		.worked = allocated),
	COMMAND(MAP, 3000, usrpci_ioc_map, map_fields, &region_shape,
		.errors = { EPERM, ENOSPC, ERANGE, EIO, EINTR }, .worked = mapped),
	COMMAND(UNMAP, 2500, usrpci_ioc_unmap, unmap_fields, &handle_shape, .worked = unmapped),
	COMMAND(SYNC, 1500, usrpci_ioc_sync, sync_fields, NULL),
	COMMAND(IRQ_SETUP, 200, usrpci_ioc_irq_setup, irq_setup_fields, NULL,
		.errors = { EBUSY, EOPNOTSUPP, ENOSPC, EIO }),
	COMMAND(IRQ_WIRE, 500, usrpci_ioc_irq_wire, irq_wire_fields, &fd_shape,
		.errors = { EBADF }),
	COMMAND(IRQ_UNMASK, 400, usrpci_ioc_irq_unmask, irq_unmask_fields, NULL),
	COMMAND(RESET, 5, usrpci_ioc_reset, reset_fields, NULL, .errors = { EOPNOTSUPP, EIO }),
	COMMAND(QUIESCE, 200, usrpci_ioc_quiesce, quiesce_fields, &step_shape, .errors = { EPERM }),
	COMMAND(EVENT, 300, usrpci_ioc_event, event_fields, NULL, .errors = { EAGAIN }),
	SHAPED(TLB, 40, tlb_shape, .errors = { EBUSY, EPERM, EOPNOTSUPP, EINTR }),
	SHAPED(BIND, 150, bind_shape, .errors = { ENOSPC, EPERM, EIO, EMFILE, EOPNOTSUPP, EINTR },
	       .worked = bound),
	SHAPED(SPACE_INFO, 60, space_info_shape, .errors = { EBADF, ENOTTY }, .of_space = true),
	SHAPED(SPACE_REFUSAL, 60, space_refusal_shape, .errors = { EAGAIN, EBADF, ENOTTY },
	       .of_space = true),
	SHAPED(SPACE_FORGET, 100, space_forget_shape, .errors = { EIO, EBADF, ENOTTY },
	       .of_space = true),
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

unsigned int command_count(void)
{
	return NR_COMMANDS;
}

const char *command_name(unsigned int i)
{
	return commands[i].name;
}

/* There's no room to remember it, or it's large: it goes at once. */
static void unmap_now(struct caller *t, uint32_t handle)
{
	struct usrpci_ioc_unmap arg = {
		.size = sizeof(arg), .nr_handles = 1, .handles = (uintptr_t)&handle,
	};

	__atomic_add_fetch(&t->e->totals->calls, 1, __ATOMIC_RELAXED);
	ioctl(t->e->fd, USRPCI_UNMAP, &arg);
}

static void mapped(struct caller *t, const void *arg)
{
	const struct usrpci_ioc_map *map = arg;
	const struct usrpci_ioc_region *region = (const void *)(uintptr_t)map->regions;
	unsigned int i;

	for (i = 0; i < map->nr_regions; i++) {
		struct live live = { .handle = region[i].handle, .len = region[i].len };

		if (!live.handle)
			campaign_fault(t->e->c, "MAP gave handle 0");
		if (!handle_add(&live))
			unmap_now(t, live.handle);
	}
}

static void allocated(struct caller *t, const void *arg)
{
	const struct usrpci_ioc_coherent *buffer = arg;
	struct live live = {
		.handle = buffer->handle, .coherent = true, .len = buffer->len,
		.offset = buffer->mmap_offset,
	};

	if (!live.handle || live.len % PAGE)
		campaign_fault(t->e->c, "COHERENT gave handle %u, length %#llx", live.handle,
			       (unsigned long long)live.len);
	if (live.len > 64 * PAGE || !handle_add(&live))
		unmap_now(t, live.handle);
}

static void unmapped(struct caller *t, const void *arg)
{
	const struct usrpci_ioc_unmap *unmap = arg;
	const uint32_t *handles = (const void *)(uintptr_t)unmap->handles;
	unsigned int i;

	for (i = 0; i < unmap->nr_handles; i++)
		handle_remove(handles[i]);
}

static void bound(struct caller *t, const void *arg)
{
	const struct usrpci_ioc_bind *bind = arg;

	if (seldom(t, 2))
		space_close(t);
	space_add(bind->fd);
}

static const struct command *choose(struct caller *t)
{
	static unsigned int sum;
	unsigned int i, at;

	if (!sum)
		for (i = 0; i < NR_COMMANDS; i++)
			sum += commands[i].weight;
	/* Masks can only be set while nothing is mapped. */
	if (t->nth < 8 && pick(t, 2))
		return &commands[USRPCI_DMA_MASK & 0xff];
	at = pick(t, sum);
	for (i = 0; at >= commands[i].weight; i++)
		at -= commands[i].weight;
	return &commands[i];
}

static bool is_known(int err, const struct command *cmd)
{
	static const int always[] = { ENODEV, EFAULT, EINVAL, ENOMEM, E2BIG };
	unsigned int i;

	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (err == always[i])
			return true;
	for (i = 0; cmd->errors[i]; i++)
		if (err == cmd->errors[i])
			return true;
	return false;
}

/* A size that isn't the struct's, with what follows it. */
static void resize(struct caller *t, const struct command *cmd, unsigned char *arg)
{
	uint32_t size = cmd->shape->size;

	switch (pick(t, 5)) {
	case 0:
		size = pick(t, size);
		t->wrong = true;
		break;
	case 1:
		size = PAGE + 1 + (value_edge(t, 4) >> 1);
		t->wrong = true;
		break;
	case 2:
		size += 1 + pick(t, PAGE / 2);
		memset(arg + cmd->shape->size, 0, size - cmd->shape->size);
		arg[cmd->shape->size + pick(t, size - cmd->shape->size)] = 1;
		t->wrong = true;
		break;
	default:
		size += pick(t, PAGE / 2);
		memset(arg + cmd->shape->size, 0, size - cmd->shape->size);
	}
	memcpy(arg, &size, sizeof(size));
}

/* Where it isn't readable, or not all of it. */
static unsigned char *misplace(struct caller *t, const struct command *cmd, unsigned char *arg)
{
	size_t part = pick(t, cmd->shape->size);

	t->wrong = true;
	if (seldom(t, 2))
		return (unsigned char *)(seldom(t, 2) ? 0 : 0xffff888000000000);
	memmove(t->frame + FRAME_LEN - part, arg, part);
	return t->frame + FRAME_LEN - part;
}

static void call_unknown(struct caller *t)
{
	static const unsigned int numbers[] = {
		USRPCI_BIND + 1, _IO(USRPCI_IOC_TYPE, 0xff), 0, ~0U,
		_IOWR(USRPCI_IOC_TYPE, 0, int), _IO(USRPCI_IOC_TYPE + 1, 0), 0x3b67, 0x80045430,
	};
	unsigned int nr = numbers[pick(t, sizeof(numbers) / sizeof(numbers[0]))];
	long result = ioctl(t->e->fd, nr, t->frame) < 0 ? -errno : 0;

	t->wrong = true;
	if (result != -ENOTTY)
		campaign_fault(t->e->c, "ioctl %#x gave %ld", nr, result);
	caller_done(t, result);
}

static void call(struct caller *t, const struct command *cmd)
{
	unsigned char *arg = t->frame + (seldom(t, 8) ? pick(t, 64) : 0);
	unsigned int index = cmd - commands;
	long result;

	shape_fill(t, cmd->shape, arg);
	if (seldom(t, 32))
		resize(t, cmd, arg);
	if (seldom(t, 64))
		arg = misplace(t, cmd, arg);
	/* Linux's own lists of interrupts complain, later, when they can't be made. */
	if (cmd->nr == USRPCI_IRQ_SETUP && t->injector >= 0)
		injection_arm(t->injector, 0);
	result = ioctl(cmd->of_space ? space_pick(t) : t->e->fd, cmd->nr, arg) < 0 ? -errno : 0;
	if (result < 0 && !is_known(-result, cmd))
		campaign_fault(t->e->c, "%s gave %ld", cmd->name, result);
	if (!result && cmd->worked)
		cmd->worked(t, arg);
	t->op = index;
	caller_done(t, result);
}

void command_call(struct caller *t)
{
	if (seldom(t, 256))
		call_unknown(t);
	else
		call(t, choose(t));
}

void command_unmap(struct caller *t)
{
	call(t, &commands[USRPCI_UNMAP & 0xff]);
}
