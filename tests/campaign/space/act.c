// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a program does to its memory, at random, while the device computes on it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "function.h"
#include "program.h"

#define RANGE_MOST	10U	/* pages */
#define CATCHES_MOST	2U	/* in a program, since each takes a while */

static struct page *page_in(const struct range *r, size_t i)
{
	return &r->arena->pages[r->first + i];
}

static void *range_at(const struct range *r)
{
	return arena_at(r->arena, r->first);
}

static bool is_mapped(const struct arena *a, size_t page)
{
	return page < a->nr && page_now(&a->pages[page])->access & ACCESS_MAPPED;
}

/* Of an arena some pages in a row, mapped or not, in its units. */
static struct range choose(struct program *p, bool mapped)
{
	struct arena *a = &p->arenas[program_below(p, p->nr_arenas)];
	size_t room = a->nr > 64 && program_below(p, 3) ? 64 : a->nr;
	struct range r = { .arena = a, .first = program_below(p, room) };
	size_t most = 1 + program_below(p, RANGE_MOST);

	/* At times all of a large page, aligned. */
	if (a->nr > LARGE_PAGES && (a->unit > 1 || !program_below(p, 4))) {
		r.first -= r.first % LARGE_PAGES;
		most = LARGE_PAGES;
	}
	while (r.nr < most && r.first + r.nr < a->nr && is_mapped(a, r.first + r.nr) == mapped)
		r.nr++;
	r.nr -= r.nr % a->unit;
	return r;
}

static bool is_written_to(const struct range *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (page_in(r, i)->writers)
			return true;
	return false;
}

/* A system call that can't fail but for lack of memory. */
static bool worked(struct program *p, const char *what, int err)
{
	if (err)
		program_fault(p, "%s: %s", what, strerror(errno));
	return !err;
}

/* --- writing --- */

static void zero(struct arena *a, size_t page)
{
	struct version v = { .access = page_now(&a->pages[page])->access };

	page_becomes(&a->pages[page], v);
	memset(arena_at(a, page), 0, PAGE);
}

static void write_pages(struct program *p)
{
	struct range r = choose(p, true);
	bool zeroes = !program_below(p, 8);
	size_t i;

	if (r.nr > RANGE_MOST)
		r.nr = RANGE_MOST;
	for (i = 0; i < r.nr; i++) {
		if (!(page_now(page_in(&r, i))->access & ACCESS_WRITE))
			continue;
		if (zeroes)
			zero(r.arena, r.first + i);
		else
			arena_stamp(p, r.arena, r.first + i);
	}
}

/* --- mapping and unmapping --- */

static void forget(const struct range *r)
{
	struct version nothing = { .content = CONTENT_ANY };
	size_t i;

	for (i = 0; i < r->nr; i++)
		page_becomes(page_in(r, i), nothing);
}

/* Nobody may write any more to what was given back. */
static void unmap_caught(struct program *p, const struct range *r)
{
	uint64_t physical[RANGE_MOST];

	physical_addresses(range_at(r), r->nr, physical);
	if (!worked(p, "munmap", munmap(range_at(r), r->nr * PAGE)))
		return;
	p->catches++;
	canary_catch(&p->canary, physical, r->nr);
}

static void unmap(struct program *p)
{
	struct range r = choose(p, true);

	if (!r.nr)
		return;
	if (p->catches < CATCHES_MOST && r.nr <= RANGE_MOST && is_written_to(&r))
		unmap_caught(p, &r);
	else
		worked(p, "munmap", munmap(range_at(&r), r.nr * PAGE));
	forget(&r);
}

static void map(struct program *p)
{
	struct range r = choose(p, false);

	if (r.nr)
		arena_map(p, &r);
}

/* Over what is there, with no moment in which nothing is. */
static void replace(struct program *p)
{
	struct range r = choose(p, true);

	if (r.nr)
		arena_map(p, &r);
}

static void become_moved(const struct range *from, const struct range *to)
{
	struct version v;
	size_t i;

	for (i = 0; i < from->nr; i++) {
		v = *page_now(page_in(from, i));
		/* The device may have been about to write. */
		if (page_in(from, i)->writers && v.access & ACCESS_WRITE)
			v.content = CONTENT_ANY;
		page_in(to, i)->behind = page_in(from, i)->behind;
		page_becomes(page_in(to, i), v);
	}
}

/* What lies elsewhere now isn't written to at the old place. */
static void settle_moved(const struct range *to)
{
	struct page *page;
	size_t i;

	for (i = 0; i < to->nr; i++) {
		page = page_in(to, i);
		if (page_now(page)->content != CONTENT_ANY || page->writers ||
		    !(page_now(page)->access & ACCESS_READ))
			continue;
		page_becomes(page, page_look(arena_at(to->arena, to->first + i),
					     page_now(page)->access));
	}
}

/* Areas that can't be moved at once aren't, but their goal is unmapped by then. */
static void move(struct program *p)
{
	struct range from = choose(p, true), to = from;
	void *at;

	to.first = program_below(p, from.arena->nr);
	to.first -= to.first % from.arena->unit;
	if (!from.nr || to.first + to.nr > to.arena->nr ||
	    (to.first < from.first + from.nr && from.first < to.first + to.nr))
		return;
	at = mremap(range_at(&from), from.nr * PAGE, from.nr * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, range_at(&to));
	forget(&to);
	if (at == MAP_FAILED) {
		worked(p, "mremap", errno != EFAULT);
		return;
	}
	become_moved(&from, &to);
	forget(&from);
	settle_moved(&to);
}

static void grow(struct program *p)
{
	struct range r = choose(p, true), more = r;
	struct version fresh = { .content = CONTENT_ZERO };
	size_t i;

	if (!r.nr || (r.arena->kind != ARENA_PRIVATE && r.arena->kind != ARENA_LARGE))
		return;
	more.first = r.first + r.nr;
	more.nr = 0;
	while (more.nr < 4 && more.first + more.nr < r.arena->nr &&
	       !is_mapped(r.arena, more.first + more.nr))
		more.nr++;
	if (!more.nr || mremap(range_at(&r), r.nr * PAGE, (r.nr + more.nr) * PAGE, 0) == MAP_FAILED)
		return;
	fresh.access = page_now(page_in(&r, r.nr - 1))->access;
	for (i = 0; i < more.nr; i++)
		page_becomes(page_in(&more, i), fresh);
}

/* --- protecting --- */

/* What the device has written by then stays. */
static void look_at_written(const struct range *r)
{
	struct page *page;
	size_t i;

	for (i = 0; i < r->nr; i++) {
		page = page_in(r, i);
		if (page->writers)
			page_becomes(page, page_look(arena_at(r->arena, r->first + i),
						     page_now(page)->access));
	}
}

static bool set_protection(struct program *p, const struct range *r, int prot, unsigned int access)
{
	size_t i;

	if (!worked(p, "mprotect", mprotect(range_at(r), r->nr * PAGE, prot)))
		return false;
	for (i = 0; i < r->nr; i++)
		page_set_access(page_in(r, i), ACCESS_MAPPED | access);
	return true;
}

static void protect(struct program *p)
{
	struct range r = choose(p, true);
	unsigned int kind = program_below(p, 4);

	if (!r.nr)
		return;
	if (kind >= 2) {
		set_protection(p, &r, PROT_READ | PROT_WRITE, ACCESS_READ | ACCESS_WRITE);
		return;
	}
	if (!set_protection(p, &r, PROT_READ, ACCESS_READ))
		return;
	look_at_written(&r);
	if (kind == 0)
		set_protection(p, &r, PROT_NONE, 0);
}

/* --- advice --- */

static void empty_pages(const struct range *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		struct version v = { .access = page_now(page_in(r, i))->access };

		if (r->arena->kind == ARENA_FILE_PRIVATE) {
			v.content = CONTENT_STAMP;
			v.value = page_in(r, i)->behind;
		}
		page_becomes(page_in(r, i), v);
	}
}

static void discard(struct program *p)
{
	struct range r = choose(p, true);
	bool shared = r.arena && arena_is_shared(r.arena);
	size_t i;

	/* A hole can only be made where writing is allowed. */
	for (i = 0; i < r.nr && shared; i++)
		if (!(page_now(page_in(&r, i))->access & ACCESS_WRITE))
			r.nr = i;
	if (!r.nr)
		return;
	if (worked(p, shared ? "MADV_REMOVE" : "MADV_DONTNEED",
		   madvise(range_at(&r), r.nr * PAGE, shared ? MADV_REMOVE : MADV_DONTNEED)))
		empty_pages(&r);
}

static void free_lazily(struct program *p)
{
	struct range r = choose(p, true);
	struct version v;
	size_t i;

	if (!r.nr || (r.arena->kind != ARENA_PRIVATE && r.arena->kind != ARENA_LARGE))
		return;
	if (!worked(p, "MADV_FREE", madvise(range_at(&r), r.nr * PAGE, MADV_FREE)))
		return;
	for (i = 0; i < r.nr; i++) {
		v = *page_now(page_in(&r, i));
		v.lazy = true;
		page_becomes(page_in(&r, i), v);
	}
	/* And as if memory had become short. */
	if (program_below(p, 2))
		madvise(range_at(&r), r.nr * PAGE, MADV_PAGEOUT);
}

/* That changes nothing; it may be refused. */
static void advise(struct program *p)
{
	static const int advices[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_PAGEOUT, MADV_PAGEOUT, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLLAPSE, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_WILLNEED,
	};
	struct range r = choose(p, true);
	int advice = advices[program_below(p, ARRAY_SIZE(advices))];

	if (r.nr && (r.arena->kind == ARENA_LARGE || advice == MADV_COLLAPSE)) {
		r.nr += r.first % LARGE_PAGES;
		r.first -= r.first % LARGE_PAGES;
	}
	if (r.nr)
		madvise(range_at(&r), r.nr * PAGE, advice);
}

/* --- others --- */

static void exec(struct program *p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	p->report->children++;
	if (waitpid(pid, &status, 0) != pid || status)
		program_fault(p, "a child that executes a program ended with %#x", status);
}

static void forget_translations(struct program *p)
{
	struct range r = choose(p, true);
	int err;

	if (!r.nr)
		return;
	err = space_forget(p->space, range_at(&r), r.nr * PAGE);
	if (err)
		program_fault(p, "USRPCI_SPACE_FORGET: %d", err);
}

static void check(struct program *p)
{
	arenas_check(p, "amid");
}

void act(struct program *p)
{
	static void (*const acts[])(struct program *p) = {
		write_pages, write_pages, write_pages, unmap, map, map, replace, move, grow,
		protect, protect, protect, discard, free_lazily, advise, advise, advise, advise,
		child_begin, child_end, exec, forget_translations, check,
	};

	acts[program_below(p, ARRAY_SIZE(acts))](p);
}
