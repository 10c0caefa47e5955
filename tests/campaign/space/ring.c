// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A list that leads round and round: it ends when its length is reached, or a page goes. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "program.h"

#define ROUNDS_MOST	6U

static uint64_t *node(struct program *p, size_t i)
{
	return p->ring + i * PAGE / 8;
}

static void write_node(struct program *p, size_t i)
{
	node(p, i)[0] = (uintptr_t)node(p, (i + 7) % RING_PAGES);
	node(p, i)[1] = p->number * RING_PAGES + i;
}

void ring_create(struct program *p)
{
	size_t i;

	p->ring = mmap((void *)RING_AT, RING_PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	assert_ptr_equal(p->ring, (void *)RING_AT);
	p->ring_sum = 0;
	for (i = 0; i < RING_PAGES; i++) {
		write_node(p, i);
		p->ring_sum += node(p, i)[1];
	}
}

static void start(struct program *p, unsigned int engine, uint64_t length)
{
	htex_hw_run(&p->hw, p->first_engine + engine, &(struct htex_hw_job){
		.job = HTEX_JOB_LIST,
		.tag = p->tag,
		.source = (uintptr_t)p->ring,
		.length = length,
	});
}

static void walk_rounds(struct program *p, unsigned int engine)
{
	uint64_t rounds = 1 + program_below(p, ROUNDS_MOST), sum;
	uint32_t state;

	start(p, engine, rounds * RING_PAGES);
	act(p);
	madvise(p->ring, RING_PAGES * PAGE, program_below(p, 2) ? MADV_PAGEOUT : MADV_COLD);
	state = engine_wait(p, engine);
	sum = htex_hw_engine(&p->hw, p->first_engine + engine, HTEX_RESULT);
	if (state != HTEX_STATE_DONE || sum != rounds * p->ring_sum)
		program_fault(p, "a list ended in state %u with %#jx, not %#jx", state,
			      (uintmax_t)sum, (uintmax_t)(rounds * p->ring_sum));
	p->report->jobs++;
}

/* How a page goes; what the device finds then. */
static int take_page(void *at, unsigned int how, unsigned int *reason)
{
	*reason = how == 0 ? USRPCI_REFUSAL_UNMAPPED : USRPCI_REFUSAL_PROTECTED;
	switch (how) {
	case 0:
		return munmap(at, PAGE);
	case 1:
		return mprotect(at, PAGE, PROT_NONE);
	default:
		/* Zeroes: that's the end of a list. */
		return madvise(at, PAGE, MADV_DONTNEED);
	}
}

static void put_back(struct program *p, size_t i)
{
	mmap(node(p, i), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	write_node(p, i);
}

static void lose_page(struct program *p, unsigned int engine)
{
	size_t i = program_below(p, RING_PAGES);
	unsigned int how = program_below(p, 3), reason;
	struct usrpci_ioc_space_refusal refusal;
	uint64_t address;
	uint32_t state;

	start(p, engine, 0);
	usleep(program_below(p, 4000));
	act(p);
	if (take_page(node(p, i), how, &reason))
		program_fault(p, "a list's page can't be taken away");
	state = engine_wait(p, engine);
	address = htex_hw_engine(&p->hw, p->first_engine + engine, HTEX_ADDRESS);
	put_back(p, i);
	if (how == 2 && state == HTEX_STATE_DONE) {
		p->report->jobs++;
		return;
	}
	p->report->refused++;
	/* Its value may be the next to be read. */
	if (how == 2 || state != HTEX_STATE_UNTRANSLATED ||
	    address - (uintptr_t)node(p, i) >= PAGE)
		program_fault(p, "a list that lost page %zu ended in state %u at %#jx", i, state,
			      (uintmax_t)address);
	else if (!take_refusal(p, address, &refusal) || refusal.reason != reason || refusal.write)
		program_fault(p, "the end of a list is told wrongly");
}

void ring_walk(struct program *p, unsigned int engine)
{
	if (p->jobs[engine].is_busy)
		job_end(p, engine);
	if (program_below(p, 2))
		walk_rounds(p, engine);
	else
		lose_page(p, engine);
}
