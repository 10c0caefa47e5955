// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What serving the misses of a device's TLB costs. In a VM, where htex devices are: the first one's
 * TLB holds more than 100,000 entries, the second one's 64.
 *
 *    translation RESULTS.json MARKS.json CASE...
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <htex/htex.h>
#include <htex/registers.h>
#include <usrpci.h>
#include "../meter.h"
#include "../result.h"
#include "../rounds.h"
#include "translation/marks.h"
#include "translation/walk.h"

#define WARM_UP		4U
#define SAMPLES		25U
#define BATCH		64U
#define MANY		100000U
#define FEW		10U
#define LIST		1000U
#define ENTRIES		64U

static struct json_object *results;
static const char *large, *small;

static void add(const char *name, const char *subject, const char *rival, const char *unit,
		const struct figure *figures, enum bound bound, double goal)
{
	const struct result result = {
		.group = "translation",
		.machine = getenv("BENCH_MACHINE") ?: "",
		.name = name, .subject = subject, .rival = rival, .unit = unit,
		.ours = figures[0], .theirs = figures[1],
		.bound = bound, .goal = goal,
	};

	result_add(results, &result);
}

/* What is counted repeats. */
static unsigned int rounds(void)
{
	return meter_counts() ? 3 : 7;
}

static const char *kind_of(bool mirrored)
{
	return mirrored ? "mirrored" : "pinned";
}

/* Goals are for what repeats: beside a socket's round trips times show little else. */
static enum bound at_most(void)
{
	return meter_counts() ? AT_MOST : NO_GOAL;
}

/* --- a miss alone, in each way --- */

/** struct alone - How misses are served, and up to where. */
struct alone {
	enum way_kind kind;
	bool mirrored;
	const struct moment *(*until)(const struct way *way);
};

static double take_alone(void *arg)
{
	const struct alone *alone = arg;
	char *pages = pages_map(WARM_UP + SAMPLES);
	struct way way;
	unsigned int i;
	double took;

	list_make(pages, WARM_UP + SAMPLES, 1);
	way_open(&way, large, alone->kind, alone->mirrored);
	for (i = 0; i < WARM_UP; i++)
		walk_one(&way, pages + i * PAGE);
	watch_start(way.line, alone->until(&way));
	for (; i < WARM_UP + SAMPLES; i++)
		walk_one(&way, pages + i * PAGE);
	watch_stop();
	took = watch_take(SAMPLES);
	way_close(&way);
	pages_unmap(pages, WARM_UP + SAMPLES);
	return took;
}

static void bench_miss_held(bool mirrored)
{
	struct alone alone[] = {
		{ BY_MODULE, mirrored, way_answered },
		{ BY_FLOOR, mirrored, way_answered },
		{ BY_LIBRARY, false, way_answered },
	};
	const struct side sides[] = {
		{ "module", take_alone, &alone[0] },
		{ "floor", take_alone, &alone[1] },
		{ "library", take_alone, &alone[2] },
	};
	struct figure figures[3];
	char name[64];

	snprintf(name, sizeof(name), "a miss, %s", kind_of(mirrored));
	rounds_take(name, meter_unit(), sides, 3, rounds(), figures);
	add(name, "module", "floor", meter_unit(), figures, at_most(), 1.3);
	figures[1] = figures[2];
	add(name, "module", "library", meter_unit(), figures, at_most(), 1 / 3.);
}

static void bench_miss(void)
{
	bench_miss_held(false);
	bench_miss_held(true);
}

/* --- 64 at once --- */

static double take_batch(void *arg)
{
	const struct alone *batch = arg;
	char *pages = pages_map(BATCH);
	unsigned int i, nr = 5;
	struct way way;
	double took;

	list_make(pages, BATCH, 1);
	way_open(&way, large, batch->kind, batch->mirrored);
	if (way_read(&way, HTEX_ENGINES) < BATCH)
		errx(1, "%s has too few engines", large);
	walk_at_once(&way, pages, BATCH);
	way_forget(&way, pages, BATCH * PAGE);
	watch_start(way.line, way_done(&way));
	for (i = 0; i < nr; i++) {
		walk_at_once(&way, pages, BATCH);
		way_forget(&way, pages, BATCH * PAGE);
	}
	watch_stop();
	took = watch_take(nr) / BATCH;
	way_close(&way);
	pages_unmap(pages, BATCH);
	return took;
}

static void bench_batch_by(enum way_kind kind, bool mirrored)
{
	struct alone alone = { kind, mirrored, way_done };
	const struct side sides[] = {
		{ "64 at once", take_batch, &alone },
		{ "alone", take_alone, &alone },
	};
	struct figure figures[2];
	char name[64];

	snprintf(name, sizeof(name), "each of 64 misses at once, %s%s", kind_of(mirrored),
		 kind == BY_FLOOR ? ", floor" : "");
	rounds_take(name, meter_unit(), sides, 2, rounds(), figures);
	add(name, "64 at once", "alone", meter_unit(), figures,
	    kind == BY_FLOOR ? NO_GOAL : at_most(), 0.3);
}

static void bench_batch(void)
{
	bench_batch_by(BY_MODULE, false);
	bench_batch_by(BY_MODULE, true);
	bench_batch_by(BY_FLOOR, false);
}

/* --- a second walk --- */

/* What the space counted is what the device did. */
static size_t misses_of(const struct way *way)
{
	struct usrpci_space_stats stats;

	if (usrpci_space_stats(way->space, &stats))
		errx(1, "stats");
	return stats.misses;
}

static void bench_walk_of(const char *address, size_t nr, size_t expected, bool mirrored)
{
	struct figure figures[2] = { { 0 }, figure_of((double)expected) };
	char *pages = pages_map(nr);
	struct way way;
	size_t before;
	char name[64];

	list_make(pages, nr, 1);
	way_open(&way, address, BY_MODULE, mirrored);
	walk(&way, pages, nr);
	before = misses_of(&way);
	walk(&way, pages, nr);
	figures[0] = figure_of((double)(misses_of(&way) - before));
	snprintf(name, sizeof(name), "%zu pages again, TLB of %u, %s", nr,
		 way_read(&way, HTEX_ENTRIES), kind_of(mirrored));
	fprintf(stderr, "  %s: %.0f misses\n", name, figures[0].median);
	add(name, "module", "what must be", "misses", figures, AT_MOST, 1);
	way_close(&way);
	pages_unmap(pages, nr);
}

/*
 * The device gives up the oldest entry, so that of one page too many in a ring all are missed, and
 * none twice.
 */
static void bench_walk(void)
{
	bool mirrored = false;

	do {
		bench_walk_of(large, LIST, 0, mirrored);
		bench_walk_of(small, ENTRIES, 0, mirrored);
		bench_walk_of(small, ENTRIES + 1, ENTRIES + 1, mirrored);
		mirrored = !mirrored;
	} while (mirrored);
}

/* --- among many --- */

/** struct crowd - A space that has pages, of which one is missed again and again. */
struct crowd {
	struct way *way;
	char *pages;
	size_t nr;
};

static double take_crowd(void *arg)
{
	const struct crowd *crowd = arg;
	char *page;
	size_t i;

	watch_start(crowd->way->line, way_answered(crowd->way));
	for (i = 0; i < SAMPLES; i++) {
		page = crowd->pages + crowd->nr / SAMPLES * i * PAGE;
		way_forget(crowd->way, page, PAGE);
		walk_one(crowd->way, page);
	}
	watch_stop();
	return watch_take(SAMPLES);
}

/* Two spaces of one process: the one's pages are nothing to the other. */
static void bench_many_held(bool mirrored)
{
	const struct usrpci_space_options options = {
		.flags = mirrored ? USRPCI_SPACE_MIRRORED : 0,
	};
	char *many = pages_map(MANY), *few = pages_map(FEW);
	struct way a, b;
	struct crowd crowds[] = { { &a, many, MANY }, { &b, few, FEW } };
	const struct side sides[] = {
		{ "among 100000 pages", take_crowd, &crowds[0] },
		{ "among 10", take_crowd, &crowds[1] },
	};
	struct figure figures[2];
	char name[64];

	list_make(many, MANY, 1);
	list_make(few, FEW, 1);
	way_open(&a, large, BY_MODULE, mirrored);
	b = a;
	if (usrpci_space_bind(htex_device(a.htex), &options, &b.space))
		errx(1, "another space");
	b.tag = usrpci_space_tag(b.space);
	snprintf(name, sizeof(name), "a miss beside others, %s", kind_of(mirrored));
	fprintf(stderr, "  %s: %zu misses come first\n", name, walk(&a, many, MANY));
	walk(&b, few, FEW);
	rounds_take(name, meter_unit(), sides, 2, rounds(), figures);
	add(name, sides[0].name, sides[1].name, meter_unit(), figures, at_most(), 1.2);
	usrpci_space_close(b.space);
	way_close(&a);
	pages_unmap(many, MANY);
	pages_unmap(few, FEW);
}

static void bench_many(void)
{
	bench_many_held(false);
	bench_many_held(true);
}

/* --- taking back --- */

/** struct range - Pages that the device has, each so far from the next. */
struct range {
	struct way *way;
	char *pages;
	size_t nr;
	size_t stride;
};

static double take_range(void *arg)
{
	const struct range *range = arg;
	double start;

	list_make(range->pages, range->nr, range->stride);
	walk(range->way, range->pages, range->nr);
	start = meter_now();
	way_forget(range->way, range->pages, range->nr * range->stride * PAGE);
	return meter_now() - start;
}

static void bench_forget_held(bool mirrored)
{
	char *pages = pages_map(BATCH * 100), *other = pages_map(LIST);
	struct way way;
	struct range ranges[] = {
		{ &way, pages, BATCH, 1 }, { &way, pages, BATCH, 10 },
		{ &way, pages, BATCH, 100 }, { &way, pages, BATCH * 10, 1 },
	};
	const struct side sides[] = {
		{ "64 in 64", take_range, &ranges[0] },
		{ "64 in 640", take_range, &ranges[1] },
		{ "64 in 6400", take_range, &ranges[2] },
		{ "640 in 640", take_range, &ranges[3] },
	};
	struct figure figures[4], pair[2];
	char name[64];

	way_open(&way, large, BY_MODULE, mirrored);
	/* Which stay: it isn't all that the space has. */
	list_make(other, LIST, 1);
	walk(&way, other, LIST);
	snprintf(name, sizeof(name), "taking back pages, %s", kind_of(mirrored));
	rounds_take(name, meter_unit(), sides, 4, rounds(), figures);
	pair[1] = figures[0];
	pair[0] = figures[1];
	add(name, sides[1].name, sides[0].name, meter_unit(), pair, at_most(), 1.1);
	pair[0] = figures[2];
	add(name, sides[2].name, sides[0].name, meter_unit(), pair, at_most(), 1.1);
	pair[0] = figures[3];
	add(name, sides[3].name, sides[0].name, meter_unit(), pair, at_most(), 12);
	way_close(&way);
	pages_unmap(pages, BATCH * 100);
	pages_unmap(other, LIST);
}

static void bench_forget(void)
{
	bench_forget_held(false);
	bench_forget_held(true);
}

/* --- all of it --- */

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "miss", bench_miss },
	{ "batch", bench_batch },
	{ "walk", bench_walk },
	{ "many", bench_many },
	{ "forget", bench_forget },
};

static void run(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, name))
			continue;
		cases[i].run();
		return;
	}
	errx(2, "no case is called %s", name);
}

int main(int argc, char **argv)
{
	int i;

	large = getenv("BENCH_LARGE");
	small = getenv("BENCH_SMALL");
	if (argc < 4 || !large || !small)
		errx(2, "usage: BENCH_LARGE=BDF BENCH_SMALL=BDF translation RESULTS MARKS CASE...");
	results = json_object_new_array();
	for (i = 3; i < argc; i++) {
		if (strcmp(argv[i], "marks"))
			run(argv[i]);
		else
			marks_take(large, argv[2]);
	}
	if (json_object_to_file_ext(argv[1], results, JSON_C_TO_STRING_PRETTY))
		errx(1, "%s can't be written", argv[1]);
	json_object_put(results);
	return 0;
}
