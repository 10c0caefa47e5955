// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "program.h"

#define STEPS		40U

void program_fault(struct program *p, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	campaign_fault(p->c, "--program %ju, step %u, tag %u, %s: %s", (uintmax_t)p->number,
		       p->report->step, p->tag, p->mirrored ? "mirrored" : "pinned", text);
}

/* Registers aren't inherited by fork. */
static void open_device(struct program *p)
{
	struct usrpci_ioc_bar bar = function_bar(p->hw.fd, 0);

	p->hw.regs = mmap(NULL, bar.len, PROT_READ | PROT_WRITE, MAP_SHARED, p->hw.fd, bar.offset);
	assert_ptr_not_equal(p->hw.regs, MAP_FAILED);
	p->hw.nr_spaces = 0;
	p->space = htex_hw_bind(&p->hw, p->mirrored ? USRPCI_BIND_MIRRORED : 0, 0, &p->tag);
	if (p->space < 0) {
		program_fault(p, "can't be bound: %d", p->space);
		_exit(1);
	}
	p->report->tag = (int)p->tag;
}

static void create(struct program *p)
{
	unsigned int i;

	p->random = p->seed;
	open_device(p);
	p->nr_arenas = 2 + program_below(p, ARENAS - 1);
	/* Large ones take their time. */
	for (i = 0; i < p->nr_arenas; i++)
		arena_create(p, &p->arenas[i],
			     program_below(p, i ? ARENA_LARGE : ARENA_KINDS), i);
	ring_create(p);
}

static void step(struct program *p)
{
	unsigned int kind = program_below(p, 16), engine = program_below(p, ENGINES);

	if (kind < 6)
		job_begin(p);
	else if (kind == 6 && p->jobs[engine].is_busy)
		job_end(p, engine);
	else if (kind == 7 && !program_below(p, 2))
		ring_walk(p, engine);
	else
		act(p);
}

static void check_canary(struct program *p)
{
	size_t changed = canary_changed(&p->canary);

	if (changed)
		program_fault(p, "%zu bytes of memory that was given back have changed", changed);
}

static void finish(struct program *p)
{
	unsigned int engine;
	struct usrpci_ioc_space_info info;

	for (engine = 0; engine < ENGINES; engine++)
		if (p->jobs[engine].is_busy)
			job_end(p, engine);
	child_end(p);
	arenas_check(p, "at the end");
	check_canary(p);
	if (p->nr_refusals)
		program_fault(p, "a refusal at %#jx that was no job's",
			      (uintmax_t)p->refusals[0].addr);
	info = space_info(p->space);
	p->report->misses = info.misses;
	p->report->invalidations = info.invalidations;
	p->report->retries = info.retries;
}

/* A job for each engine, that goes on when the program doesn't. */
static void leave_jobs(struct program *p)
{
	unsigned int engine;

	for (engine = 0; engine < ENGINES; engine++)
		htex_hw_run(&p->hw, p->first_engine + engine, &(struct htex_hw_job){
			.job = HTEX_JOB_LIST,
			.tag = p->tag,
			.source = (uintptr_t)p->ring,
		});
	usleep(program_below(p, 2000));
}

static void end(struct program *p)
{
	p->report->finished = true;
	if (p->end != END_CLOSE)
		leave_jobs(p);
	switch (p->end) {
	case END_KILL:
		raise(SIGKILL);
		break;
	case END_EXEC:
		execl("/bin/true", "true", NULL);
		break;
	case END_KILLED:
		pause();
		break;
	default:
		break;
	}
	_exit(0);
}

void program_run(struct program *p)
{
	create(p);
	for (p->report->step = 1; p->report->step <= STEPS; p->report->step++)
		step(p);
	finish(p);
	if (p->end == END_CLOSE)
		close(p->space);
	end(p);
	_exit(0);
}
