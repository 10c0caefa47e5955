// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "program.h"

/* Below all that the kernel chooses: nobody else's memory comes to lie in a hole. */
#define ARENAS_AT	0x200000000UL
#define ARENAS_APART	0x40000000UL

#define SMALL_PAGES	48U

static void write_stamp(uint64_t *words, uint64_t stamp)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = stamp * WORDS + i;
}

void arena_stamp(struct program *p, struct arena *a, size_t page)
{
	struct version v = {
		.content = CONTENT_STAMP,
		.value = ++p->stamp,
		.access = page_now(&a->pages[page])->access,
	};

	page_becomes(&a->pages[page], v);
	write_stamp((uint64_t *)arena_at(a, page), v.value);
}

static void fill_file(struct program *p, struct arena *a)
{
	uint64_t words[WORDS];
	size_t i;

	a->stamp = p->stamp + 1;
	for (i = 0; i < a->nr; i++) {
		write_stamp(words, ++p->stamp);
		assert_int_equal(pwrite(a->fd, words, PAGE, (off_t)(i * PAGE)), PAGE);
	}
}

static int map_flags(const struct arena *a)
{
	int flags = MAP_FIXED | (arena_is_shared(a) ? MAP_SHARED : MAP_PRIVATE);

	if (a->fd < 0)
		flags |= MAP_ANONYMOUS;
	return a->kind == ARENA_HUGETLB ? flags | MAP_HUGETLB : flags;
}

/* Of a file that is shared, each page is mapped but once. */
static off_t file_offset(struct program *p, const struct range *r)
{
	struct arena *a = r->arena;
	off_t offset;

	if (a->fd < 0)
		return 0;
	if (a->kind == ARENA_FILE_PRIVATE)
		return (off_t)(r->first * PAGE);
	offset = (off_t)(a->file_pages * PAGE);
	a->file_pages += r->nr;
	assert_int_equal(ftruncate(a->fd, (off_t)(a->file_pages * PAGE)), 0);
	return offset;
}

/* Of a private file the page that lies at this place in it. */
static void page_appears(struct arena *a, size_t page)
{
	struct version v = { .content = CONTENT_ZERO, .access = ACCESS_ALL };

	if (a->kind == ARENA_FILE_PRIVATE) {
		a->pages[page].behind = a->stamp + page;
		v.content = CONTENT_STAMP;
		v.value = a->pages[page].behind;
	}
	page_becomes(&a->pages[page], v);
}

void arena_map(struct program *p, const struct range *r)
{
	struct arena *a = r->arena;
	void *at = arena_at(a, r->first);
	size_t i;

	if (mmap(at, r->nr * PAGE, PROT_READ | PROT_WRITE, map_flags(a), a->fd,
		 file_offset(p, r)) != at) {
		program_fault(p, "no memory can be mapped");
		_exit(1);
	}
	if (a->kind == ARENA_LARGE)
		madvise(at, r->nr * PAGE, MADV_HUGEPAGE);
	for (i = r->first; i < r->first + r->nr; i++)
		page_appears(a, i);
}

static void init_pages(struct arena *a)
{
	struct version nothing = { .content = CONTENT_ANY };
	size_t i;

	a->pages = calloc(a->nr, sizeof(*a->pages));
	for (i = 0; i < a->nr; i++)
		page_becomes(&a->pages[i], nothing);
}

void arena_create(struct program *p, struct arena *a, enum arena_kind kind, unsigned int number)
{
	bool large = kind == ARENA_LARGE || kind == ARENA_HUGETLB;
	struct range all = { .arena = a };
	size_t i;

	a->kind = kind;
	a->at = (unsigned char *)(ARENAS_AT + number * ARENAS_APART);
	a->unit = kind == ARENA_HUGETLB ? LARGE_PAGES : 1;
	a->nr = large ? 2 * LARGE_PAGES : SMALL_PAGES;
	a->fd = -1;
	init_pages(a);
	if (kind == ARENA_FILE_PRIVATE || kind == ARENA_FILE_SHARED) {
		a->fd = memfd_create("arena", MFD_CLOEXEC);
		assert_true(a->fd >= 0);
	}
	if (kind == ARENA_FILE_PRIVATE)
		fill_file(p, a);
	all.nr = large ? LARGE_PAGES : a->nr;
	arena_map(p, &all);
	/* The rest has no page yet. */
	for (i = 0; i < SMALL_PAGES / 2; i++)
		arena_stamp(p, a, i);
}

static void check_page(struct program *p, struct arena *a, size_t i, const char *when)
{
	const struct page *page = &a->pages[i];
	const struct version *v = page_now(page);
	const uint64_t *words = (const uint64_t *)arena_at(a, i);

	if (!(v->access & ACCESS_READ) || page->writers || page_is_right(page, words))
		return;
	program_fault(p, "%s: page %zu of arena %d isn't %d:%#jx%s, but %#jx %#jx .. %#jx", when,
		      i, a->kind, v->content, (uintmax_t)v->value, v->lazy ? " or zeroes" : "",
		      (uintmax_t)words[0], (uintmax_t)words[1], (uintmax_t)words[WORDS - 1]);
	page_becomes((struct page *)page, page_look(words, v->access));
}

/* What is behind a private map is nobody's to change. */
static void check_file(struct program *p, struct arena *a)
{
	uint64_t words[WORDS];
	struct version v;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		if (pread(a->fd, words, PAGE, (off_t)(i * PAGE)) != PAGE)
			continue;
		v = page_look(words, 0);
		if (v.content != CONTENT_STAMP || v.value != a->stamp + i)
			program_fault(p, "page %zu of a file was written to", i);
	}
}

/* Of large ones not all are looked at each time. */
void arenas_check(struct program *p, const char *when)
{
	struct arena *a;
	size_t i;

	for (a = p->arenas; a < p->arenas + p->nr_arenas; a++) {
		for (i = 0; i < a->nr; i++)
			if (i < SMALL_PAGES || page_now(&a->pages[i])->content != CONTENT_ZERO ||
			    a->pages[i].nr > 2)
				check_page(p, a, i, when);
		if (a->kind == ARENA_FILE_PRIVATE)
			check_file(p, a);
	}
}
