// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>

#include <linux/usrpci.h>

#include "caller.h"
#include "register.h"
#include "value.h"

#define BAR_SHIFT	44
#define CONFIG		(7ULL << BAR_SHIFT)
#define EDU_LEN		(1UL << 20)
#define NVME_LEN	(16UL << 10)
#define COMMAND		0x04
#define NVME_POWER	0x64	/* QEMU's PM control register */

/* No DMA of edu's: its registers begin at 0x80, and a write of 8 bytes may reach them. */
#define EDU_FORBIDDEN	0x79
#define EDU_ALLOWED	0xa0

uint64_t register_bar_offset(struct caller *t)
{
	uint64_t bar = seldom(t, 16) ? pick(t, 9) : 1;

	return bar << BAR_SHIFT;
}

bool register_harmless(struct caller *t, uint64_t *offset, uint32_t *value)
{
	static const unsigned char edu[] = { 0x04, 0x08, 0x20, 0x24, 0x60, 0x60, 0x64, 0x64 };

	if (t->e->device != FUZZ_EDU)
		return false;
	*offset = edu[pick(t, sizeof(edu))];
	*value = pick(t, 1024);
	return true;
}

static uint64_t bar_len(const struct caller *t)
{
	return t->e->device == FUZZ_EDU ? EDU_LEN : NVME_LEN;
}

/* Interrupt masks, status, AQA; CC, without queues, enables nothing. */
static uint64_t nvme_register(struct caller *t)
{
	static const unsigned char registers[] = { 0x0c, 0x10, 0x14, 0x1c, 0x20, 0x24, 0x08 };

	return registers[pick(t, sizeof(registers))];
}

uint64_t register_writable(struct caller *t, unsigned int width)
{
	static const uint64_t edges[] = { 0, 1, 2, 4096, 1ULL << 44, 1ULL << 63, ~0ULL, ~0ULL - 7 };
	uint64_t offset;

	if (seldom(t, 16))
		return bar_len(t) - pick(t, 9);
	if (seldom(t, 16))
		return edges[pick(t, sizeof(edges) / sizeof(edges[0]))];
	if (t->e->device == FUZZ_NVME)
		return nvme_register(t);
	offset = seldom(t, 4) ? EDU_ALLOWED + pick(t, EDU_LEN - EDU_ALLOWED) :
				pick(t, EDU_FORBIDDEN - 8);
	return seldom(t, 8) ? offset : offset & ~(uint64_t)(width - 1);
}

static unsigned int width_of(struct caller *t)
{
	static const unsigned char odd[] = { 0, 3, 5, 6, 7, 9, 16, 64 };

	return seldom(t, 16) ? odd[pick(t, sizeof(odd))] : 1U << pick(t, 4);
}

static bool is_refused(unsigned int width, uint64_t offset)
{
	return !width || width > 8 || width & (width - 1) || offset & (width - 1);
}

/* Where the value comes from or goes to. */
static void *place(struct caller *t)
{
	if (!seldom(t, 32))
		return t->frame;
	return seldom(t, 2) ? NULL : t->frame + FRAME_LEN - 2;
}

void register_read(struct caller *t)
{
	unsigned int width = width_of(t);
	uint64_t offset = pick(t, 8) ? pick(t, bar_len(t) >> pick(t, 12)) : value_edge(t, 8);

	if (!seldom(t, 8) && width)
		offset -= offset % width;
	t->wrong = is_refused(width, offset);
	offset += register_bar_offset(t);
	caller_done(t, pread(t->e->fd, place(t), width, (off_t)offset));
}

/* A small value: edu computes its factorial, if it's written to 0x08. */
void register_write(struct caller *t)
{
	unsigned int width = width_of(t);
	uint64_t bar = register_bar_offset(t);
	uint64_t offset = register_writable(t, width);
	void *value = place(t);

	*(uint64_t *)t->frame = pick(t, 1024);
	t->wrong = is_refused(width, offset);
	caller_done(t, pwrite(t->e->fd, value, width, (off_t)(bar + offset)));
}

static uint64_t config_place(struct caller *t)
{
	static const unsigned char busy[] = { 0x04, 0x05, 0x06, 0x0c, 0x10, 0x3c, 0x40, 0x44 };

	if (seldom(t, 3))
		return busy[pick(t, sizeof(busy))];
	return seldom(t, 16) ? value_edge(t, 8) : pick(t, seldom(t, 4) ? 4096 : 256);
}

void register_read_config(struct caller *t)
{
	unsigned int width = width_of(t);
	uint64_t offset = config_place(t);

	t->wrong = is_refused(width, offset);
	caller_done(t, pread(t->e->fd, place(t), width, (off_t)(CONFIG + offset)));
}

/* Decoding comes back more often than it goes, or nothing else would be tried. */
static void write_command(struct caller *t)
{
	uint16_t *value = (uint16_t *)t->frame;

	pread(t->e->fd, value, sizeof(*value), CONFIG + COMMAND);
	if (seldom(t, 6))
		*value ^= 1U << pick(t, 16);
	else
		*value |= 3;
	caller_done(t, pwrite(t->e->fd, value, sizeof(*value), CONFIG + COMMAND));
}

/* It comes back from where it sleeps more often than it goes there. */
static void write_power(struct caller *t)
{
	*(uint16_t *)t->frame = seldom(t, 3) ? pick(t, 4) : 0;
	caller_done(t, pwrite(t->e->fd, t->frame, 2, CONFIG + NVME_POWER));
}

/* What's there with a bit changed gets further than anything does. */
void register_write_config(struct caller *t)
{
	unsigned int width = width_of(t);
	uint64_t offset = config_place(t), *value = (uint64_t *)t->frame;

	if (seldom(t, 3)) {
		write_command(t);
		return;
	}
	if (t->e->device == FUZZ_NVME && seldom(t, 4)) {
		write_power(t);
		return;
	}
	if (width && width <= 8)
		offset -= seldom(t, 8) ? 0 : offset % width;
	*value = value_edge(t, 8);
	if (!seldom(t, 4) && pread(t->e->fd, value, width, (off_t)(CONFIG + offset)) > 0)
		*value ^= 1ULL << pick(t, 32);
	t->wrong = is_refused(width, offset);
	caller_done(t, pwrite(t->e->fd, place(t), width, (off_t)(CONFIG + offset)));
}
