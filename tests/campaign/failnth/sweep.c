// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census.h"
#include "htex.h"
#include "memory.h"
#include "sweep.h"

#define MAX_NTH		4000

static void compare(struct scene *s, const char *when, const struct census *before)
{
	struct census now = census_take(s->bdf);
	const char *what = census_differs(before, &now);

	if (what)
		campaign_fault(s->c, "%s, call %u: %s %s", s->q->name, s->nth, when, what);
}

/* What a failed call must have left alone besides what can be counted. */
static void look_after_failure(struct scene *s, bool was_open)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int err;

	if (memcmp(s->pool, s->pristine, POOL_PAGES * PAGE))
		campaign_fault(s->c, "%s, call %u: memory was written", s->q->name, s->nth);
	if (s->q->kept && !s->q->kept(s))
		campaign_fault(s->c, "%s, call %u: it isn't as before", s->q->name, s->nth);
	if (!was_open)
		return;
	err = function_call(s->fd, USRPCI_INFO, &info);
	/* It may have been taken away in setup. */
	if (err != -ENODEV && (err || memcmp(&info, &s->info, sizeof(info))))
		campaign_fault(s->c, "%s, call %u: info isn't what it was", s->q->name, s->nth);
}

/* Runs the sequence with its @nth call failing; false if it doesn't get there. */
static bool run(struct scene *s, unsigned int nth)
{
	bool was_open = s->fd >= 0, failed;
	struct census before = census_take(s->bdf);
	int err;

	s->nth = nth;
	if (!s->q->arms)
		s->injector->arm(nth);
	err = s->q->act(s);
	failed = s->q->arms ? s->failed : s->injector->disarm();
	s->failed = failed;
	if (err && !failed)
		must(s, "it", err);
	if (!err || !failed)
		return failed;
	compare(s, "after it failed,", &before);
	look_after_failure(s, was_open);
	campaign_tally(s->c, "told", 1);
	s->nth = 0;
	must(s, "the same again", s->q->act(s));
	s->nth = nth;
	return true;
}

static const char *function_of(const struct sequence *q)
{
	switch (q->on) {
	case NVME:
		return function_nvme();
	case HTEX:
		return function_htex();
	default:
		return function_edu();
	}
}

/* All of one pass; false once nothing failed. */
static bool pass(struct scene *s, const struct sequence *q, unsigned int nth)
{
	struct census before = census_take(function_of(q));
	bool failed;
	int err;

	s->q = q;
	s->bdf = function_of(q);
	s->fd = -1;
	s->nth = nth;
	err = q->setup ? q->setup(s) : 0;
	must(s, "setup", err);
	failed = !err && run(s, nth);
	if (q->undo && !err)
		q->undo(s);
	if (q->end)
		q->end(s);
	compare(s, "at its end,", &before);
	return failed;
}

bool sequence_is_for(const struct sequence *q, const struct injector *injector)
{
	if (!function_of(q))
		return false;
	return injector->of_kernel ? !q->hook_only : !q->kernel_only;
}

/*
 * How far it is from one call that fails to the next. Of the kernel's own there are hundreds,
 * which take seconds each: by chance, so that more sequences are come by, and others each time.
 */
static unsigned int stride(struct scene *s, const struct sequence *q)
{
	if (!s->injector->of_kernel)
		return 1;
	return 1 + campaign_below(s->c, q->once ? 64 : 16);
}

void sweep(struct scene *s, const struct sequence *q)
{
	unsigned int nth = stride(s, q), nr = 0;

	s->skew = campaign_below(s->c, PAGE);
	while (pass(s, q, nth)) {
		campaign_step(s->c, 1);
		nr++;
		nth += stride(s, q);
		if (s->limit && s->c->done >= s->limit)
			break;
		if (nth > MAX_NTH) {
			campaign_fault(s->c, "%s: no end to what fails", q->name);
			break;
		}
	}
	campaign_tally(s->c, "sweeps", 1);
	if (getenv("FAILNTH_VERBOSE"))
		fprintf(stderr, "%s: %u calls failed, %d ms\n", q->name, nr,
			(int)(now_ms() - s->c->started_ms));
}
