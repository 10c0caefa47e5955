/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A program that changes its memory in every way while a device computes on it; and what it
 * knows of its memory, by which it says what the device may have seen, and done.
 */
#ifndef SPACE_PROGRAM_H
#define SPACE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "campaign.h"
#include "canary.h"
#include "htex.h"

#define WORDS		512U	/* of 8 bytes, in a page */
#define LARGE_PAGES	512U	/* in a large page */
#define ARENAS		4U
#define ENGINES		4U	/* of a program's own */
#define RING_PAGES	24U	/* of a list */
#define RING_AT		0x180000000UL

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/** enum content - What is known of a page's content. */
enum content {
	CONTENT_ZERO,
	CONTENT_STAMP,	/* word i is stamp * WORDS + i, and no other page has this stamp */
	CONTENT_HASH,	/* a hash of it */
	CONTENT_ANY,
};

#define ACCESS_MAPPED	(1U << 0)
#define ACCESS_READ	(1U << 1)
#define ACCESS_WRITE	(1U << 2)
#define ACCESS_ALL	(ACCESS_MAPPED | ACCESS_READ | ACCESS_WRITE)

/**
 * struct version - What a page was for some time.
 * @content: as far as it's known
 * @value: the stamp, or the hash
 * @access: ACCESS_*
 * @lazy: it may be zeroes as well, by MADV_FREE
 */
struct version {
	enum content content;
	uint64_t value;
	unsigned int access;
	bool lazy;
};

/**
 * struct page - A page of the address space.
 * @versions: oldest first; the last is what it is now
 * @nr: how many
 * @room: for so many
 * @readers: jobs that may read it
 * @writers: jobs that may write to it, at most one
 * @behind: content of a private map's file there
 */
struct page {
	struct version *versions;
	unsigned int nr;
	unsigned int room;
	unsigned int readers;
	unsigned int writers;
	uint64_t behind;
};

enum arena_kind {
	ARENA_PRIVATE,
	ARENA_SHARED,
	ARENA_FILE_PRIVATE,
	ARENA_FILE_SHARED,
	ARENA_LARGE,
	ARENA_HUGETLB,
	ARENA_KINDS,
};

/**
 * struct arena - A range of addresses that are mapped, or not.
 * @kind: of what is mapped there
 * @at: where
 * @nr: pages
 * @unit: pages that are mapped and unmapped together
 * @fd: the file behind it, or -1
 * @file_pages: of it that were used
 * @stamp: of the first page of a file that is mapped privately, and so on
 * @pages: they
 */
struct arena {
	enum arena_kind kind;
	unsigned char *at;
	size_t nr;
	size_t unit;
	int fd;
	size_t file_pages;
	uint64_t stamp;
	struct page *pages;
};

/** struct range - Pages of an arena. */
struct range {
	struct arena *arena;
	size_t first;
	size_t nr;
};

/**
 * struct operand - Memory that a job uses.
 * @arena: where; NULL: it has no such operand
 * @offset: in it, in bytes
 * @len: bytes
 * @first: of each page, the version when the job began
 */
struct operand {
	struct arena *arena;
	size_t offset;
	size_t len;
	unsigned int *first;
};

/**
 * struct job - What an engine does.
 * @is_busy: something
 * @job: HTEX_JOB_*
 * @source: what is read; not of a list
 * @second: the same, of a matrix product
 * @target: what is written
 * @length: as it was told
 * @address: of its end, and whether it had a translation
 * @state: the same
 * @progress: the same
 */
struct job {
	bool is_busy;
	uint32_t job;
	struct operand source;
	struct operand second;
	struct operand target;
	uint64_t length;
	uint64_t address;
	uint32_t state;
	uint64_t progress;
};

/* How a program ends. */
enum program_end {
	END_CLOSE,	/* in good order */
	END_EXIT,	/* with jobs that run */
	END_KILL,	/* by itself */
	END_EXEC,
	END_KILLED,	/* by its parent, at any time */
	PROGRAM_ENDS,
};

/**
 * struct program_report - What a program tells its parent, in memory that they share.
 * @tag: what the device calls it; -1 before that
 * @step: how far it is
 * @finished: it came to its end
 * @jobs: that ended well
 * @refused: that got no translation, rightly
 * @disturbed: that ended well though their memory changed meanwhile
 * @children: by fork
 * @misses: of its space
 * @invalidations: -"-
 * @retries: -"-
 */
struct program_report {
	int tag;
	unsigned int step;
	bool finished;
	uint64_t jobs;
	uint64_t refused;
	uint64_t disturbed;
	uint64_t children;
	uint64_t misses;
	uint64_t invalidations;
	uint64_t retries;
};

/**
 * struct program - All of it.
 * @c: the campaign, shared with the parent
 * @report: shared, too
 * @number: which program it is
 * @seed: its own
 * @end: how it ends
 * @mirrored: its pages aren't pinned
 * @first_engine: of its own
 * @hw: the device
 * @space: its space
 * @tag: of that
 * @random: state of the generator
 * @stamp: the last that was used
 * @arenas: memory
 * @nr_arenas: how many
 * @jobs: by engine
 * @ring: list that leads round, in RING_PAGES
 * @ring_sum: of its values
 * @canary: memory that was given back
 * @catches: times that it was caught
 * @child: of fork; 0: none
 * @to_child: a byte there ends it
 * @refusals: taken, and not seen by a job yet
 * @nr_refusals: how many
 */
struct program {
	struct campaign *c;
	struct program_report *report;
	uint64_t number;
	uint64_t seed;
	enum program_end end;
	bool mirrored;
	unsigned int first_engine;
	struct htex_hw hw;
	int space;
	uint32_t tag;
	uint64_t random;
	uint64_t stamp;
	struct arena arenas[ARENAS];
	unsigned int nr_arenas;
	struct job jobs[ENGINES];
	uint64_t *ring;
	uint64_t ring_sum;
	struct canary canary;
	unsigned int catches;
	pid_t child;
	int to_child;
	struct usrpci_ioc_space_refusal refusals[ENGINES * 2];
	unsigned int nr_refusals;
};

/* Never returns. @p has its first members, and the device's file. */
void program_run(struct program *p) __attribute__((noreturn));

/* Something is wrong: tells the program's number and step, too. */
void program_fault(struct program *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline uint64_t program_below(struct program *p, uint64_t n)
{
	return random_below(&p->random, n);
}

/* --- model.c: what pages are --- */

static inline struct version *page_now(const struct page *page)
{
	return &page->versions[page->nr - 1];
}

/* It's that from now on. */
void page_becomes(struct page *page, struct version version);
void page_set_access(struct page *page, unsigned int access);

/* The word may have been read there, in any version from the @first on. */
bool page_may_hold(const struct page *page, unsigned int first, unsigned int word, uint64_t value);

/* In some version from the @first on it could be accessed so; or couldn't, for this reason. */
bool page_had_access(const struct page *page, unsigned int first, unsigned int access);
bool page_had_reason(const struct page *page, unsigned int first, unsigned int access,
		     unsigned int reason);

/* What is there is what's known of it. */
bool page_is_right(const struct page *page, const void *at);

/* What is known of a page that holds this. */
struct version page_look(const void *at, unsigned int access);

/* --- arena.c --- */

void arena_create(struct program *p, struct arena *a, enum arena_kind kind, unsigned int number);

/* Map memory where there is none, of such pages. */
void arena_map(struct program *p, const struct range *r);
void arena_stamp(struct program *p, struct arena *a, size_t page);

static inline unsigned char *arena_at(const struct arena *a, size_t page)
{
	return a->at + page * PAGE;
}

static inline bool arena_is_shared(const struct arena *a)
{
	return a->kind == ARENA_SHARED || a->kind == ARENA_FILE_SHARED;
}

/* All that can be read, but for what a job writes to, is right. */
void arenas_check(struct program *p, const char *when);

/* --- act.c: one random change of memory --- */
void act(struct program *p);

/* --- child.c --- */

/* Another process has the same memory, for a while, writes to it and looks whether it changes. */
void child_begin(struct program *p);
void child_end(struct program *p);

/* --- job.c --- */

void job_begin(struct program *p);

/* Its engine has ended it; what it did is right. */
void job_end(struct program *p, unsigned int engine);

/* --- ring.c --- */

void ring_create(struct program *p);

/* A list of known length is walked; or one without end, that loses a page. */
void ring_walk(struct program *p, unsigned int engine);

/* --- both --- */

/* The state in which an engine has ended. */
uint32_t engine_wait(struct program *p, unsigned int engine);

/* The refusal that ended a job at @addr, if there's one. */
bool take_refusal(struct program *p, uint64_t addr, struct usrpci_ioc_space_refusal *refusal);

#endif /* SPACE_PROGRAM_H */
