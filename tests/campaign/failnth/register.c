// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "memory.h"
#include "scene.h"

#define COMMAND		0x04
#define COMMAND_MEMORY	0x02
#define CAP_PM		0x01
#define PM_CTRL		4
#define D3HOT		3

static int act_config_read(struct scene *s)
{
	uint32_t value;
	int err = config_read(s->fd, 0, 4, &value);

	return err ?: value != (s->info.vendor | (uint32_t)s->info.device << 16) ? -EBADMSG : 0;
}

static int decode(struct scene *s, bool on)
{
	uint32_t command;
	int err = config_read(s->fd, COMMAND, 2, &command);

	command = on ? command | COMMAND_MEMORY : command & ~COMMAND_MEMORY;
	return err ?: config_write(s->fd, COMMAND, 2, command);
}

static int act_decode_off(struct scene *s)
{
	return decode(s, false);
}

static void undo_decode(struct scene *s)
{
	must(s, "decode", decode(s, true));
}

static int power(struct scene *s, unsigned int state)
{
	unsigned int at = s->q->n + PM_CTRL;
	uint32_t control;
	int err = config_read(s->fd, at, 2, &control);

	return err ?: config_write(s->fd, at, 2, (control & ~3U) | state);
}

/* Where the capability lies is found first; the table can't say. */
static int setup_power(struct scene *s)
{
	static struct sequence at;
	int err = setup_open(s);

	if (err)
		return err;
	at = *s->q;
	at.n = config_capability(s->fd, CAP_PM);
	s->q = &at;
	return at.n ? 0 : -ENOENT;
}

static int act_sleep(struct scene *s)
{
	return power(s, D3HOT);
}

static void undo_sleep(struct scene *s)
{
	must(s, "power", power(s, 0));
}

static int act_wake(struct scene *s)
{
	return power(s, 0);
}

static int setup_asleep(struct scene *s)
{
	return setup_power(s) ?: power(s, D3HOT);
}

static int act_bar_read(struct scene *s)
{
	uint64_t value = 0;

	if (pread(s->fd, &value, s->q->n, s->bar.offset) != (ssize_t)s->q->n)
		return -errno;
	return !value ? -EBADMSG : 0;
}

static int act_bar_write(struct scene *s)
{
	uint32_t value = 0;

	/* Registers that may be written at any time: edu's check, NVMe's interrupt mask. */
	if (pwrite(s->fd, &value, 4, s->bar.offset + s->q->n) != 4)
		return -errno;
	return 0;
}

static int act_bar_map(struct scene *s)
{
	int err = map_bar(s) ?: touch_all(s->map, s->map_len);

	if (err)
		unmap_bar(s);
	return err;
}

static int act_bar_first_touch(struct scene *s)
{
	return touch(s->map) ? -EFAULT : 0;
}

static int setup_bar_mapped(struct scene *s)
{
	return setup_open(s) ?: map_bar(s);
}

static const struct sequence sequences[] = {
	{ "config read", EDU, OPENED, .act = act_config_read },
	{ "config write", EDU, OPENED, .act = act_decode_off, .undo = undo_decode },
	{ "power off", NVME, .setup = setup_power, .act = act_sleep, .undo = undo_sleep,
	  .end = close_it },
	{ "power on", NVME, .setup = setup_asleep, .act = act_wake, .end = close_it },
	{ "register read", EDU, .n = 4, OPENED, .act = act_bar_read },
	{ "register read, wide", NVME, .n = 8, OPENED, .act = act_bar_read },
	{ "register write", EDU, .n = 4, OPENED, .act = act_bar_write },
	{ "register write, nvme", NVME, .n = 12, OPENED, .act = act_bar_write },
	{ "bar map", EDU, OPENED, .act = act_bar_map, .undo = unmap_bar },
	{ "bar map, nvme", NVME, OPENED, .act = act_bar_map, .undo = unmap_bar },
	{ "first touch", EDU, .setup = setup_bar_mapped, .act = act_bar_first_touch,
	  .end = end_unmap_close },
};

const struct group register_group = GROUP(sequences);
