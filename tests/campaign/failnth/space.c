// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A device's TLB and the spaces bound to it; and misses, which threads of the kernel serve: there
 * the call that fails is any task's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "acts.h"
#include "htex.h"
#include "scene.h"

/* Beside HTEX_HW_*, in a sequence's kind. */
#define MIRRORED	(1U << 8)
#define HOW(_s)		((_s)->q->kind & ~MIRRORED)

static struct htex_hw htex;
static uint32_t tag;
/* What a job works on: n pages that are read, every other one there, and one that's written. */
static unsigned char *area;

static int setup_htex(struct scene *s)
{
	int err = setup_open(s) ?: map_bar(s);

	if (err)
		return err;
	htex = (struct htex_hw){
		.fd = s->fd, .regs = (volatile char *)s->map, .len = s->map_len,
		.done = s->events[0],
	};
	htex_hw_prepare(&htex, HOW(s));
	s->info = function_info(s->fd);
	return 0;
}

static int act_describe(struct scene *s)
{
	return htex_hw_describe(&htex, HOW(s));
}

static int setup_described(struct scene *s)
{
	return setup_htex(s) ?: act_describe(s);
}

static int act_bind(struct scene *s)
{
	int fd = htex_hw_bind(&htex, s->q->kind & MIRRORED ? USRPCI_BIND_MIRRORED : 0, 0, &tag);

	return fd < 0 ? fd : 0;
}

static void end_space(struct scene *s)
{
	while (htex.nr_spaces)
		htex_hw_unbind(&htex, htex.spaces[0]);
}

static size_t area_len(struct scene *s)
{
	return (s->q->n + 1) * PAGE;
}

static void fill_area(struct scene *s)
{
	size_t i;

	madvise(area, area_len(s), MADV_DONTNEED);
	for (i = 0; i < s->q->n; i += 2)
		area[i * PAGE] = 1;
}

static int setup_bound(struct scene *s)
{
	int err = setup_described(s) ?: act_bind(s);

	if (err)
		return err;
	area = mmap(NULL, area_len(s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	fill_area(s);
	return 0;
}

/* A job that ended for want of something, and told why. */
static int refused(void)
{
	struct usrpci_ioc_space_refusal why;

	if (space_refusal(htex.spaces[0], &why))
		return -EBADMSG;
	return why.reason == USRPCI_REFUSAL_NO_MEMORY || why.reason == USRPCI_REFUSAL_ENDED ?
	       -ENOMEM : -EPROTO;
}

static int act_job(struct scene *s)
{
	struct htex_hw_job job = {
		.job = HTEX_JOB_HISTOGRAM, .tag = tag, .source = (uintptr_t)area,
		.target = (uintptr_t)area + s->q->n * PAGE, .length = s->q->n * PAGE,
	};
	uint64_t *counts = (void *)(area + s->q->n * PAGE);

	htex_hw_run(&htex, 0, &job);
	if (htex_hw_wait(&htex, 0) != HTEX_STATE_DONE)
		return refused();
	return counts[1] == (s->q->n + 1) / 2 && counts[0] + counts[1] == job.length ? 0 : -EBADMSG;
}

static int act_forget(struct scene *s)
{
	return space_forget(htex.spaces[0], NULL, UINT64_MAX);
}

/* The device has none of it, and half of it is there. */
static void undo_job(struct scene *s)
{
	must(s, "forget", act_forget(s));
	fill_area(s);
}

/* The TLB keeps what it needs for pins; what a miss takes of that is nothing new then. */
static int setup_warm(struct scene *s)
{
	int err = setup_bound(s) ?: act_job(s);

	if (!err)
		undo_job(s);
	return err;
}

static int act_misses(struct scene *s)
{
	int err;

	if (s->nth)
		s->injector->arm_any(s->nth);
	err = act_job(s);
	s->failed = s->nth && s->injector->disarm_any();
	if (err)
		undo_job(s);
	return err;
}

static int setup_used(struct scene *s)
{
	return setup_bound(s) ?: act_job(s);
}

static int act_end_space(struct scene *s)
{
	end_space(s);
	return 0;
}

static void end_all(struct scene *s)
{
	end_space(s);
	if (area)
		munmap(area, area_len(s));
	area = NULL;
	end_unmap_close(s);
}

static int act_end_all(struct scene *s)
{
	end_all(s);
	return 0;
}

static int act_exit(struct scene *s)
{
	return end_of_child(s, setup_used, exit_now, 0);
}

static int act_die(struct scene *s)
{
	return end_of_child(s, setup_used, die_now, SIGKILL);
}

static void end_unbound_all(struct scene *s)
{
	end_all(s);
	end_unbound(s);
}

#define RING	HTEX_HW_RING
#define CHOOSE	HTEX_HW_CHOOSE

static const struct sequence sequences[] = {
	{ "TLB", HTEX, .setup = setup_htex, .act = act_describe, .end = end_all },
	{ "TLB, ring", HTEX, .kind = RING, .setup = setup_htex, .act = act_describe,
	  .end = end_all },
	{ "space", HTEX, .setup = setup_described, .act = act_bind, .end = end_all },
	{ "space, mirrored", HTEX, .kind = MIRRORED, .setup = setup_described, .act = act_bind,
	  .end = end_all },
	{ "misses", HTEX, .n = 9, .setup = setup_warm, .act = act_misses, .undo = undo_job,
	  .end = end_all, .arms = true, .hook_only = true },
	{ "misses, mirrored", HTEX, .n = 8, .kind = MIRRORED, .setup = setup_warm,
	  .act = act_misses, .undo = undo_job, .end = end_all, .arms = true, .hook_only = true },
	{ "misses by ring", HTEX, .n = 21, .kind = RING | CHOOSE, .setup = setup_warm,
	  .act = act_misses, .undo = undo_job, .end = end_all, .arms = true, .hook_only = true },
	{ "forget", HTEX, .n = 5, .setup = setup_used, .act = act_forget, .end = end_all },
	{ "space's end", HTEX, .n = 6, .setup = setup_used, .act = act_end_space, .end = end_all },
	{ "device's end with a space", HTEX, .n = 3, .kind = MIRRORED, .setup = setup_used,
	  .act = act_end_all },
	{ "exit with a space", HTEX, .n = 4, .act = act_exit, .arms = true },
	{ "killed with a space", HTEX, .n = 4, .kind = MIRRORED | CHOOSE, .act = act_die,
	  .arms = true },
	{ "unbind with a space", HTEX, .n = 7, .setup = setup_used, .act = act_unbind,
	  .end = end_unbound_all, .hook_only = true },
};

const struct group space_group = GROUP(sequences);
