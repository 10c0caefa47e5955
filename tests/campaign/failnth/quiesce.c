// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Lists of register accesses that stop the device: how they're set, and that they are made. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

/* A register of edu's that gives back the complement of what was written, whoever opens it. */
#define CHECK	0x04
#define MARK	0x600d5eedU
#define OTHER	0x0badcafeU

#define ALL	0xffffffffU

static int write_check(struct scene *s, uint32_t value)
{
	ssize_t n = pwrite(s->fd, &value, sizeof(value), s->bar.offset + CHECK);

	return n == sizeof(value) ? 0 : -errno;
}

/* @nr steps, of which the first writes; after it, waits that end soon, in success or not. */
static int set_list(struct scene *s, uint32_t value, unsigned int nr)
{
	struct usrpci_ioc_quiesce_step steps[USRPCI_QUIESCE_MAX_STEPS] = {
		{ .width = 4, .offset = CHECK, .value = value, .mask = ALL },
	};
	unsigned int i;

	for (i = 1; i < nr; i++)
		steps[i] = (struct usrpci_ioc_quiesce_step){
			.kind = USRPCI_QUIESCE_UNTIL, .width = 4, .timeout_us = 300,
			.offset = CHECK, .value = i % 2 ? ~value : value, .mask = ALL,
		};
	return function_quiesce(s->fd, steps, nr);
}

static int forget_list(struct scene *s)
{
	return function_quiesce(s->fd, NULL, 0);
}

static int act_list(struct scene *s)
{
	return set_list(s, MARK, s->q->n);
}

static void undo_list(struct scene *s)
{
	must(s, "forget", forget_list(s));
}

static int set_and_write_other(struct scene *s)
{
	return write_check(s, 0) ?: act_list(s);
}

static int setup_listed(struct scene *s)
{
	return setup_open(s) ?: set_and_write_other(s);
}

/* The register holds @value, now that whoever had the list has lost the function. */
static int was_written(struct scene *s, uint32_t value)
{
	uint32_t found = 0;
	int err;

	close_it(s);
	err = open_it(s);
	if (!err && pread(s->fd, &found, sizeof(found), s->bar.offset + CHECK) < 0)
		err = -errno;
	close_it(s);
	return err ?: found == ~value ? 0 : -EBADMSG;
}

/* The list is still what it was: that costs it, so it's set again. */
static bool list_is_kept(struct scene *s)
{
	return !was_written(s, MARK) && !open_it(s) && !set_and_write_other(s);
}

static int act_replace(struct scene *s)
{
	return set_list(s, OTHER, s->q->n + 1);
}

static void undo_replace(struct scene *s)
{
	must(s, "the other list", was_written(s, OTHER));
}

static void undo_forget(struct scene *s)
{
	must(s, "no list", was_written(s, 0));
}

static void undo_end(struct scene *s)
{
	must(s, "the list", was_written(s, MARK));
}

static int act_exit(struct scene *s)
{
	return end_of_child(s, setup_listed, exit_now, 0);
}

static int act_die(struct scene *s)
{
	return end_of_child(s, setup_listed, die_now, SIGKILL);
}

/* Who isn't to open the function asks before where its registers are. */
static int setup_asked(struct scene *s)
{
	int err = setup_open(s);

	close_it(s);
	return err;
}

static void undo_end_unbound(struct scene *s)
{
	undo_unbind(s);
	undo_end(s);
}

static const struct sequence sequences[] = {
	{ "quiesce list", EDU, .n = 1, OPENED, .act = act_list, .undo = undo_list },
	{ "quiesce list, waits", EDU, .n = 5, OPENED, .act = act_list, .undo = undo_list },
	{ "quiesce list, many", EDU, .n = USRPCI_QUIESCE_MAX_STEPS, OPENED, .act = act_list,
	  .undo = undo_list },
	{ "quiesce list, nvme", NVME, .n = 3, OPENED, .act = act_list, .undo = undo_list },
	{ "quiesce list replaced", EDU, .n = 3, .setup = setup_listed, .act = act_replace,
	  .kept = list_is_kept, .undo = undo_replace, .end = close_it },
	{ "quiesce list forgotten", EDU, .n = 2, .setup = setup_listed, .act = forget_list,
	  .kept = list_is_kept, .undo = undo_forget, .end = close_it },
	{ "close with a list", EDU, .n = 1, .setup = setup_listed, .act = act_close,
	  .undo = undo_end },
	{ "close with waits", EDU, .n = 6, .setup = setup_listed, .act = act_close,
	  .undo = undo_end },
	{ "exit with a list", EDU, .n = 4, .setup = setup_asked, .act = act_exit,
	  .undo = undo_end, .arms = true },
	{ "killed with a list", EDU, .n = 2, .setup = setup_asked, .act = act_die,
	  .undo = undo_end, .arms = true },
	{ "unbind with a list", EDU, .n = 3, .setup = setup_listed, .act = act_unbind,
	  .undo = undo_end_unbound, .end = end_unbound, .hook_only = true },
};

const struct group quiesce_group = GROUP(sequences);
