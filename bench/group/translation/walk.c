// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <err.h>
#include <htex/registers.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "walk.h"

/* Turns of a loop between two looks at the device, each of which takes it some time. */
#define TURNS	5000U

/* By then whoever serves is done with what was before. */
#define REST_US	10000

/* Some seconds. */
#define LOOKS_MOST	100000U

char *pages_map(size_t nr)
{
	char *pages = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pages == MAP_FAILED)
		err(1, "memory");
	/* Pages of 4 KiB, so that each is missed. */
	madvise(pages, nr * PAGE, MADV_NOHUGEPAGE);
	return pages;
}

void pages_unmap(char *pages, size_t nr)
{
	munmap(pages, nr * PAGE);
}

void list_make(char *pages, size_t nr, size_t stride)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		char *at = pages + i * stride * PAGE;
		uint64_t next = i + 1 < nr ? (uintptr_t)(at + stride * PAGE) : 0;
		uint64_t node[2] = { htole64(next), htole64(1) };

		memcpy(at, node, sizeof(node));
	}
}

static void start(const struct way *way, unsigned int engine, const char *list, size_t nr)
{
	const unsigned int at = HTEX_ENGINE(engine);

	way_write(way, at + HTEX_TAG, way->tag);
	way_write64(way, at + HTEX_SOURCE, (uintptr_t)list);
	way_write64(way, at + HTEX_LENGTH, nr);
	way_write(way, at + HTEX_JOB, HTEX_JOB_LIST);
}

static bool is_done(const struct way *way, unsigned int engine)
{
	const uint32_t state = way_read(way, HTEX_ENGINE(engine) + HTEX_STATE);

	if (state == HTEX_STATE_RUNNING || state == HTEX_STATE_WAITING)
		return false;
	if (state != HTEX_STATE_DONE)
		errx(1, "engine %u: its job ended in state %u", engine, state);
	return true;
}

static void be_busy(void)
{
	unsigned int i;

	for (i = 0; i < TURNS; i++)
		__asm__ __volatile__("");
}

size_t walk(const struct way *way, const char *list, size_t nr)
{
	start(way, 0, list, nr);
	while (!is_done(way, 0))
		usleep(1000);
	return way_read64(way, HTEX_ENGINE(0) + HTEX_MISSES);
}

/* Whoever else has something to do goes first: the thread that serves. */
static void give_way(bool yes)
{
	const struct sched_param param = { 0 };

	if (sched_setscheduler(0, yes ? SCHED_IDLE : SCHED_OTHER, &param))
		err(1, "sched_setscheduler");
}

void walk_one(const struct way *way, const char *node)
{
	give_way(true);
	start(way, 0, node, 1);
	do {
		be_busy();
	} while (!is_done(way, 0));
	give_way(false);
}

/*
 * No interrupt tells of any but the last. Who served those before may be looking still whether
 * there are more, and mustn't find these.
 */
void walk_at_once(const struct way *way, const char *pages, unsigned int nr)
{
	unsigned int i, looks = 0;

	usleep(REST_US);
	way_write(way, HTEX_CONTROL, HTEX_TRANSLATE);
	for (i = 0; i + 1 < nr; i++)
		start(way, i, pages + i * PAGE, 1);
	while (way_read(way, HTEX_WAITING) < nr - 1) {
		if (++looks == LOOKS_MOST)
			errx(1, "a miss was taken that no interrupt told of");
		be_busy();
	}
	way_write(way, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_IRQ_AT_MISS);
	start(way, nr - 1, pages + (nr - 1) * PAGE, 1);
	for (i = 0; i < nr; i++)
		while (!is_done(way, i))
			be_busy();
}
