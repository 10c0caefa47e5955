// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Jobs, and what they may have done: of memory that nobody touched meanwhile the CPU's result;
 * else what was there at some time; or no translation, where and when there was none.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "memory.h"
#include "program.h"

#define COPY_MOST	24U	/* pages */
#define MATRIX_MOST	40U	/* rows */
#define TRIES		8
#define PATIENCE_MS	(kernel_is_slow() ? 200000 : 30000)
#define COUNTS_LEN	(256 * 8UL)

/* --- which memory --- */

static size_t first_page(const struct operand *o)
{
	return o->offset / PAGE;
}

static size_t nr_pages(const struct operand *o)
{
	return o->len ? (o->offset + o->len - 1) / PAGE - first_page(o) + 1 : 0;
}

static struct page *page_of(const struct operand *o, size_t i)
{
	return &o->arena->pages[first_page(o) + i];
}

static bool is_free(const struct operand *o, bool write)
{
	const struct page *page;
	size_t i;

	for (i = 0; i < nr_pages(o); i++) {
		page = page_of(o, i);
		if (page->writers || (write && page->readers))
			return false;
	}
	return true;
}

/* Most of it is mapped, and can be used. */
static bool is_likely(struct program *p, const struct operand *o, bool write)
{
	unsigned int access = write ? ACCESS_WRITE : ACCESS_READ;
	size_t i;

	for (i = 0; i < nr_pages(o); i++)
		if (!(page_now(page_of(o, i))->access & access))
			return !program_below(p, 4);
	return true;
}

static void take(struct operand *o, bool write)
{
	struct page *page;
	size_t i;

	o->first = malloc(nr_pages(o) * sizeof(*o->first));
	for (i = 0; i < nr_pages(o); i++) {
		page = page_of(o, i);
		page->readers += !write;
		page->writers += write;
		o->first[i] = page->nr - 1;
	}
}

static void let_go(struct operand *o, bool write)
{
	struct page *page;
	size_t i;

	for (i = 0; o->arena && i < nr_pages(o); i++) {
		page = page_of(o, i);
		page->readers -= !write;
		page->writers -= write;
	}
	free(o->first);
	*o = (struct operand){ 0 };
}

static bool choose(struct program *p, struct operand *o, size_t len, bool aligned, bool write)
{
	unsigned int tries;
	size_t room;

	for (tries = 0; tries < TRIES; tries++) {
		o->arena = &p->arenas[program_below(p, p->nr_arenas)];
		o->len = len;
		room = o->arena->nr * PAGE - len;
		/* Of large arenas mostly what was written to. */
		if (room > 64 * PAGE && program_below(p, 4))
			room = 64 * PAGE;
		o->offset = program_below(p, room / 8) * 8;
		if (aligned)
			o->offset &= ~(PAGE - 1);
		if (is_free(o, write) && is_likely(p, o, write)) {
			take(o, write);
			return true;
		}
	}
	o->arena = NULL;
	return false;
}

/* --- starting --- */

static bool choose_copy(struct program *p, struct job *job)
{
	bool aligned = program_below(p, 3);
	size_t len = (1 + program_below(p, COPY_MOST)) * PAGE;

	if (!aligned)
		len -= program_below(p, PAGE / 8) * 8;
	job->length = len;
	return choose(p, &job->source, len, aligned, false) &&
	       choose(p, &job->target, len, aligned, true);
}

static bool choose_histogram(struct program *p, struct job *job)
{
	job->length = (1 + program_below(p, COPY_MOST * PAGE / 8)) * 8;
	return choose(p, &job->source, job->length, false, false) &&
	       choose(p, &job->target, COUNTS_LEN, false, true);
}

static bool choose_matrix(struct program *p, struct job *job)
{
	size_t len;

	job->length = 2 + 2 * program_below(p, MATRIX_MOST / 2);
	len = job->length * job->length * 4;
	return choose(p, &job->source, len, false, false) &&
	       choose(p, &job->second, len, false, false) &&
	       choose(p, &job->target, len, false, true);
}

static bool choose_job(struct program *p, struct job *job)
{
	unsigned int kind = program_below(p, 12);

	job->job = kind < 8 ? HTEX_JOB_COPY : kind < 11 ? HTEX_JOB_HISTOGRAM : HTEX_JOB_MATRIX;
	switch (job->job) {
	case HTEX_JOB_COPY:
		return choose_copy(p, job);
	case HTEX_JOB_HISTOGRAM:
		return choose_histogram(p, job);
	default:
		return choose_matrix(p, job);
	}
}

static uint64_t address_of(const struct operand *o)
{
	return o->arena ? (uintptr_t)o->arena->at + o->offset : 0;
}

static void drop(struct job *job)
{
	let_go(&job->source, false);
	let_go(&job->second, false);
	let_go(&job->target, true);
	job->is_busy = false;
}

void job_begin(struct program *p)
{
	unsigned int engine = program_below(p, ENGINES);
	struct job *job = &p->jobs[engine];

	if (job->is_busy)
		job_end(p, engine);
	if (!choose_job(p, job)) {
		drop(job);
		return;
	}
	job->is_busy = true;
	htex_hw_run(&p->hw, p->first_engine + engine, &(struct htex_hw_job){
		.job = job->job,
		.tag = p->tag,
		.source = address_of(&job->source),
		.second = address_of(&job->second),
		.target = address_of(&job->target),
		.length = job->length,
	});
}

/* --- ending --- */

uint32_t engine_wait(struct program *p, unsigned int engine)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	uint32_t state;

	do {
		state = htex_hw_state(&p->hw, p->first_engine + engine);
		if (state != HTEX_STATE_RUNNING && state != HTEX_STATE_WAITING)
			return state;
		usleep(200);
	} while (now_ms() < end);
	program_fault(p, "engine %u is stuck in state %u at %#jx", p->first_engine + engine, state,
		      (uintmax_t)htex_hw_engine(&p->hw, p->first_engine + engine, HTEX_ADDRESS));
	_exit(1);
}

static void take_refusals(struct program *p)
{
	struct usrpci_ioc_space_refusal refusal;

	while (!space_refusal(p->space, &refusal)) {
		if (refusal.lost || p->nr_refusals == ARRAY_SIZE(p->refusals))
			program_fault(p, "more refusals than jobs");
		else
			p->refusals[p->nr_refusals++] = refusal;
	}
}

bool take_refusal(struct program *p, uint64_t addr, struct usrpci_ioc_space_refusal *refusal)
{
	unsigned int i;

	take_refusals(p);
	for (i = 0; i < p->nr_refusals; i++) {
		if (p->refusals[i].addr != addr)
			continue;
		*refusal = p->refusals[i];
		p->refusals[i] = p->refusals[--p->nr_refusals];
		return true;
	}
	return false;
}

/* Which of its pages is at an address. */
static bool holds(const struct operand *o, uint64_t addr, size_t *page)
{
	uint64_t start = address_of(o);

	if (!o->arena || addr < start || addr >= start + o->len)
		return false;
	*page = (addr - (uintptr_t)o->arena->at) / PAGE - first_page(o);
	return true;
}

static void check_refused(struct program *p, const struct job *job)
{
	const struct operand *operands[] = { &job->source, &job->second, &job->target };
	struct usrpci_ioc_space_refusal refusal;
	unsigned int i, access;
	size_t page = 0;

	for (i = 0; i < ARRAY_SIZE(operands) && !holds(operands[i], job->address, &page); i++)
		;
	if (i == ARRAY_SIZE(operands)) {
		program_fault(p, "job %u was refused %#jx, which isn't its", job->job,
			      (uintmax_t)job->address);
		return;
	}
	access = i == 2 ? ACCESS_WRITE : ACCESS_READ;
	if (!take_refusal(p, job->address, &refusal))
		program_fault(p, "nothing tells of the refusal at %#jx", (uintmax_t)job->address);
	else if (refusal.write != (i == 2) ||
		 !page_had_reason(page_of(operands[i], page), operands[i]->first[page], access,
				  refusal.reason))
		program_fault(p, "job %u was refused %s %#jx (arena %d), reason %u, access %#x",
			      job->job, refusal.write ? "to write" : "to read",
			      (uintmax_t)job->address, operands[i]->arena->kind, refusal.reason,
			      page_now(page_of(operands[i], page))->access);
	p->report->refused++;
}

static void check_access(struct program *p, const struct operand *o, unsigned int access)
{
	size_t i;

	for (i = 0; o->arena && i < nr_pages(o); i++)
		if (!page_had_access(page_of(o, i), o->first[i], access))
			program_fault(p, "a job has done with page %zu of arena %d what nobody may",
				      first_page(o) + i, o->arena->kind);
}

static bool was_disturbed(const struct operand *o)
{
	size_t i;

	for (i = 0; o->arena && i < nr_pages(o); i++)
		if (page_of(o, i)->nr - 1 != o->first[i] || page_now(page_of(o, i))->lazy)
			return true;
	return false;
}

/* --- what it wrote --- */

/**
 * struct extent - How much of its target a job wrote.
 * @surely: bytes
 * @perhaps: bytes
 */
struct extent {
	size_t surely;
	size_t perhaps;
};

static struct extent how_far(const struct job *job)
{
	size_t row = job->length * 4, done = job->progress;

	switch (job->job) {
	case HTEX_JOB_COPY:
		return (struct extent){ done, done };
	case HTEX_JOB_HISTOGRAM:
		return (struct extent){ job->state == HTEX_STATE_DONE ? COUNTS_LEN : 0,
					done == job->length ? COUNTS_LEN : 0 };
	default:
		done *= row;
		return (struct extent){ done, done == job->target.len ? done : done + row };
	}
}

/* The device may have written this word at @offset in its target. */
static bool may_be_written(const struct job *job, size_t offset, uint64_t value)
{
	const struct operand *o = &job->source;
	size_t at, page;

	if (job->job != HTEX_JOB_COPY)
		return true;
	at = o->offset + offset;
	page = at / PAGE - first_page(o);
	if (page_of(o, page)->nr - 1 == o->first[page] && !page_now(page_of(o, page))->lazy)
		return value == *(uint64_t *)(o->arena->at + at);
	return page_may_hold(page_of(o, page), o->first[page], at % PAGE / 8, value);
}

/* The word at @offset of the target; below it there may be others of its page. */
static bool is_possible(const struct job *job, const struct extent *extent, size_t page,
			ssize_t offset, unsigned int word, uint64_t value)
{
	const struct operand *o = &job->target;
	const struct page *pg = page_of(o, page);
	bool disturbed = pg->nr - 1 != o->first[page];
	bool inside = offset >= 0 && (size_t)offset < o->len;
	bool old = page_may_hold(pg, o->first[page], word, value);

	if (!inside || (size_t)offset >= extent->perhaps)
		return old;
	if (!disturbed && (size_t)offset < extent->surely)
		return may_be_written(job, offset, value);
	return old || may_be_written(job, offset, value);
}

static void check_target_page(struct program *p, const struct job *job,
			      const struct extent *extent, size_t page)
{
	const struct operand *o = &job->target;
	const uint64_t *words = (const uint64_t *)arena_at(o->arena, first_page(o) + page);
	ssize_t offset = (ssize_t)((first_page(o) + page) * PAGE) - (ssize_t)o->offset;
	unsigned int i;

	for (i = 0; i < WORDS; i++, offset += 8) {
		if (is_possible(job, extent, page, offset, i, words[i]))
			continue;
		program_fault(p, "job %u, state %u, %ju of %ju: word %u of page %zu of arena %d"
			      " is %#jx, now %d:%#jx, %u versions", job->job, job->state,
			      (uintmax_t)job->progress, (uintmax_t)job->length, i,
			      first_page(o) + page, o->arena->kind, (uintmax_t)words[i],
			      page_now(page_of(o, page))->content,
			      (uintmax_t)page_now(page_of(o, page))->value,
			      page_of(o, page)->nr - o->first[page]);
		return;
	}
}

/* From now on the page is what it is. */
static void settle_page(const struct job *job, const struct extent *extent, size_t page)
{
	const struct operand *o = &job->target;
	struct page *pg = page_of(o, page);
	const struct version was = *page_now(pg);
	bool disturbed = pg->nr - 1 != o->first[page];
	ssize_t offset = (ssize_t)((first_page(o) + page) * PAGE) - (ssize_t)o->offset;
	struct version now;

	/* It wasn't written to. */
	if (!disturbed && offset >= (ssize_t)extent->perhaps)
		return;
	now = page_look(arena_at(o->arena, first_page(o) + page), was.access);
	/* What was written to isn't given up any more. */
	now.lazy = was.lazy && (disturbed || offset + (ssize_t)PAGE > (ssize_t)extent->surely);
	page_becomes(pg, now);
}

/* Where writing was forbidden meanwhile, it is as it was then. */
static void check_target(struct program *p, const struct job *job)
{
	struct extent extent = how_far(job);
	struct page *page;
	size_t i;

	for (i = 0; i < nr_pages(&job->target); i++) {
		page = page_of(&job->target, i);
		if (!(page_now(page)->access & ACCESS_READ))
			continue;
		if (!(page_now(page)->access & ACCESS_WRITE)) {
			if (!page_is_right(page, arena_at(job->target.arena,
							  first_page(&job->target) + i)))
				program_fault(p, "page %zu was written to though protected",
					      first_page(&job->target) + i);
			continue;
		}
		check_target_page(p, job, &extent, i);
		settle_page(job, &extent, i);
	}
}

/* --- the CPU's result --- */

static const void *memory_of(const struct operand *o)
{
	return o->arena->at + o->offset;
}

static bool histogram_is_right(const struct job *job)
{
	const unsigned char *bytes = memory_of(&job->source);
	uint64_t counts[256] = { 0 };
	size_t i;

	for (i = 0; i < job->length; i++)
		counts[bytes[i]]++;
	return !memcmp(counts, memory_of(&job->target), sizeof(counts));
}

static bool row_is_right(const struct job *job, const uint32_t *a, const uint32_t *product)
{
	const uint32_t *b = memory_of(&job->second);
	size_t n = job->length, k, column;
	uint32_t sums[MATRIX_MOST + 2] = { 0 };

	for (k = 0; k < n; k++)
		for (column = 0; column < n; column++)
			sums[column] += a[k] * b[k * n + column];
	return !memcmp(sums, product, n * 4);
}

static bool matrix_is_right(const struct job *job)
{
	size_t row, n = job->length;

	for (row = 0; row < n; row++)
		if (!row_is_right(job, (const uint32_t *)memory_of(&job->source) + row * n,
				  (const uint32_t *)memory_of(&job->target) + row * n))
			return false;
	return true;
}

static void check_result(struct program *p, const struct job *job)
{
	check_access(p, &job->source, ACCESS_READ);
	check_access(p, &job->second, ACCESS_READ);
	check_access(p, &job->target, ACCESS_WRITE);
	p->report->jobs++;
	if (was_disturbed(&job->source) || was_disturbed(&job->second) ||
	    was_disturbed(&job->target)) {
		p->report->disturbed++;
		return;
	}
	if (job->job == HTEX_JOB_HISTOGRAM && !histogram_is_right(job))
		program_fault(p, "a histogram is wrong");
	if (job->job == HTEX_JOB_MATRIX && !matrix_is_right(job))
		program_fault(p, "a product is wrong");
}

void job_end(struct program *p, unsigned int engine)
{
	struct job *job = &p->jobs[engine];

	job->state = engine_wait(p, engine);
	job->progress = htex_hw_engine(&p->hw, p->first_engine + engine, HTEX_PROGRESS);
	job->address = htex_hw_engine(&p->hw, p->first_engine + engine, HTEX_ADDRESS);
	if (job->state == HTEX_STATE_DONE)
		check_result(p, job);
	else if (job->state == HTEX_STATE_UNTRANSLATED)
		check_refused(p, job);
	else
		program_fault(p, "job %u ended in state %u at %#jx", job->job, job->state,
			      (uintmax_t)job->address);
	check_target(p, job);
	/* What was written must stay, though memory be short. */
	if (!program_below(p, 3))
		madvise((void *)(address_of(&job->target) & ~(PAGE - 1)),
			nr_pages(&job->target) * PAGE, MADV_PAGEOUT);
	drop(job);
}
