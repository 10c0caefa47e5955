// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A child by fork: it writes to its memory, of which the parent sees only what they share; and
 * of what it has for itself nothing changes by what the parent and its jobs do.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "function.h"
#include "program.h"

/* Pages that a child keeps an eye on. */
#define WATCHED		64U
#define WRITTEN		4U

/** struct watched - A page, and what it was. */
struct watched {
	const void *at;
	struct page page;
	struct version version;
};

static void watch(struct watched *w, const struct arena *a, size_t page)
{
	w->at = arena_at(a, page);
	/* Content only: there may be other words under way by the time of the fork. */
	w->version = page_look(w->at, ACCESS_ALL);
	w->page = (struct page){ .versions = &w->version, .nr = 1 };
}

static unsigned int watch_all(struct program *p, struct watched *all)
{
	unsigned int nr = 0;
	struct arena *a;
	size_t i;

	for (a = p->arenas; a < p->arenas + p->nr_arenas; a++) {
		if (arena_is_shared(a))
			continue;
		for (i = 0; i < a->nr && nr < WATCHED; i++)
			if (page_now(&a->pages[i])->access & ACCESS_READ &&
			    !page_now(&a->pages[i])->lazy)
				watch(&all[nr++], a, i);
	}
	return nr;
}

/* In each arena, and to memory that isn't shared so that nobody sees it. */
static void write_some(struct program *p, bool shared)
{
	struct arena *a;
	size_t i, nr;

	for (a = p->arenas; a < p->arenas + p->nr_arenas; a++) {
		if (arena_is_shared(a) != shared || a->kind == ARENA_HUGETLB)
			continue;
		for (i = 0, nr = 0; i < a->nr && nr < WRITTEN; i++)
			if (page_now(&a->pages[i])->access & ACCESS_WRITE) {
				arena_stamp(p, a, i);
				nr++;
			}
	}
}

/* The same as in the child, where the pages are told from others. */
static void expect_written(struct program *p)
{
	struct version v = { .content = CONTENT_STAMP };
	struct arena *a;
	size_t i, nr;

	for (a = p->arenas; a < p->arenas + p->nr_arenas; a++) {
		if (!arena_is_shared(a))
			continue;
		for (i = 0, nr = 0; i < a->nr && nr < WRITTEN; i++) {
			v.access = page_now(&a->pages[i])->access;
			if (!(v.access & ACCESS_WRITE))
				continue;
			v.value = ++p->stamp;
			page_becomes(&a->pages[i], v);
			nr++;
		}
	}
}

static void run_child(struct program *p, int in, int out) __attribute__((noreturn));

static void run_child(struct program *p, int in, int out)
{
	struct watched *all = calloc(WATCHED, sizeof(*all));
	unsigned int i, nr;
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	arenas_check(p, "in a child");
	nr = watch_all(p, all);
	write_some(p, true);
	if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1)
		_exit(1);
	for (i = 0; i < nr; i++)
		if (!page_is_right(&all[i].page, all[i].at))
			program_fault(p, "a child's memory at %p has changed", all[i].at);
	write_some(p, false);
	_exit(0);
}

void child_begin(struct program *p)
{
	int to[2], from[2];
	char byte;

	child_end(p);
	if (pipe(to) || pipe(from))
		return;
	p->child = fork();
	if (!p->child) {
		close(to[1]);
		run_child(p, to[0], from[1]);
	}
	expect_written(p);
	close(to[0]);
	close(from[1]);
	if (read(from[0], &byte, 1) != 1)
		program_fault(p, "a child by fork ended early");
	close(from[0]);
	p->to_child = to[1];
	p->report->children++;
}

void child_end(struct program *p)
{
	char byte = 0;
	int status;

	if (!p->child)
		return;
	if (write(p->to_child, &byte, 1) != 1 || waitpid(p->child, &status, 0) != p->child ||
	    status)
		program_fault(p, "a child by fork has failed");
	close(p->to_child);
	p->child = 0;
}
