// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What it costs to map memory for a device. In a VM, where an edu device is.
 *
 *    map RESULTS.json CASE...
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../finding.h"
#include "../meter.h"
#include "../rival/function.h"
#include "../rounds.h"
#include "map/memory.h"
#include "map/way.h"

static const char *address;

/* What is counted repeats. */
static unsigned int rounds(void)
{
	return meter_counts() ? 2 : 5;
}

/* --- map and unmap --- */

/**
 * struct cost - Something to map and unmap.
 * @name: what
 * @len: bytes of each region
 * @nr: regions in a call
 * @pages: of which kind
 * @times: how often in a round
 * @goal: of VFIO's cost
 */
struct cost {
	const char *name;
	size_t len;
	unsigned int nr;
	enum pages pages;
	unsigned int times;
	double goal;
};

static const struct cost costs[] = {
	{ "4 KiB", PAGE, 1, SMALL_PAGES, 100, 0.5 },
	{ "64 regions of 4 KiB", PAGE, REGIONS, SMALL_PAGES, 10, 0.5 },
	{ "64 KiB", 64 << 10, 1, SMALL_PAGES, 50, 0.8 },
	{ "2 MiB", HUGE, 1, SMALL_PAGES, 10, 0.8 },
	{ "64 MiB", 64 << 20, 1, SMALL_PAGES, 2, 0.8 },
	{ "2 MiB, THP", HUGE, 1, TRANSPARENT_PAGES, 10, 0.8 },
	{ "64 MiB, THP", 64 << 20, 1, TRANSPARENT_PAGES, 2, 0.8 },
	{ "4 KiB of hugetlb", PAGE, 1, HUGETLB_PAGES, 100, 0.5 },
	{ "2 MiB, hugetlb", HUGE, 1, HUGETLB_PAGES, 10, 0.8 },
	{ "64 MiB, hugetlb", 64 << 20, 1, HUGETLB_PAGES, 2, 0.8 },
};

#define NR_COSTS	(sizeof(costs) / sizeof(costs[0]))

static char *memories[NR_COSTS];

/* Apart, so that two aren't one. */
static struct work work_of(size_t i)
{
	return (struct work){ memories[i], costs[i].len, 2 * costs[i].len, costs[i].nr };
}

static size_t room_of(size_t i)
{
	const struct work work = work_of(i);

	return (work.nr - 1) * work.stride + work.len;
}

#define SAMPLES	5U

/* The median, or else the timer's tick would be in some. */
static double take_cost(struct way *way, size_t i)
{
	unsigned int times = meter_counts() ? (costs[i].times + 9) / 10 : costs[i].times;
	const struct work work = work_of(i);
	double samples[SAMPLES], start;
	unsigned int j;

	times = (times + SAMPLES - 1) / SAMPLES;
	/* Of its one call little should be left. A lazy IOMMU hasn't addresses for many large. */
	if (way->kind == BY_FLOOR && costs[i].len < HUGE)
		times *= 10;
	way_run(way, &work, 1);
	for (j = 0; j < SAMPLES; j++) {
		/* A large one is longer than a tick's distance anyway. */
		start = meter_now();
		way_run(way, &work, times);
		samples[j] = (meter_now() - start) / times;
	}
	return median_of(samples, SAMPLES);
}

static void take_costs(void *arg, double *values)
{
	const enum way_kind *kind = arg;
	struct way way;
	size_t i;

	way_open(&way, address, *kind);
	for (i = 0; i < NR_COSTS; i++)
		values[i] = take_cost(&way, i);
	way_close(&way);
}

static void add_cost(size_t i, const char *rival, const struct figure *ours,
		     const struct figure *theirs, double goal)
{
	char name[64];

	snprintf(name, sizeof(name), "map and unmap %s", costs[i].name);
	finding_add(&(struct finding){
		name, "usrpci", rival, NULL, ours, theirs, AT_MOST, goal,
	});
}

static void bench_cost(void)
{
	static enum way_kind kinds[] = { BY_USRPCI, BY_FLOOR, BY_VFIO };
	const struct gatherer sides[] = {
		{ "usrpci", take_costs, &kinds[0] },
		{ "floor", take_costs, &kinds[1] },
		{ "VFIO", take_costs, &kinds[2] },
	};
	const char *lacks = vfio_lacks(address);
	struct figure figures[3][NR_COSTS];
	size_t i;

	for (i = 0; i < NR_COSTS; i++)
		memories[i] = memory_get(room_of(i), costs[i].pages);
	rounds_gather("map and unmap", sides, lacks ? 2 : 3, NR_COSTS, rounds(), figures[0]);
	for (i = 0; i < NR_COSTS; i++)
		add_cost(i, "floor", &figures[0][i], &figures[1][i], 1.25);
	for (i = 0; i < NR_COSTS && !lacks; i++)
		add_cost(i, "VFIO", &figures[0][i], &figures[2][i], costs[i].goal);
	if (lacks)
		finding_absent("map and unmap", "VFIO", lacks);
	for (i = 0; i < NR_COSTS; i++)
		memory_put(memories[i], room_of(i));
}

/* --- beside others --- */

static const unsigned int crowds[] = { 10, 1000, 100000, 1000000 };

#define NR_CROWDS	(sizeof(crowds) / sizeof(crowds[0]))
#define AT_ONCE		1000U
#define PROBES		50U
/* A page can't be pinned a million times. */
#define CROWD_PAGES	1000U

static void add_some(struct usrpci_device *dev, char *memory, unsigned int nr)
{
	static struct usrpci_mapping maps[AT_ONCE];
	unsigned int i;

	for (i = 0; i < nr; i++)
		maps[i] = (struct usrpci_mapping){
			.addr = memory + i % CROWD_PAGES * PAGE, .len = PAGE,
		};
	if (usrpci_map(dev, maps, nr))
		errx(1, "mappings are too many");
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static void take_crowds(void *arg, double *values)
{
	char *memory = memory_get(CROWD_PAGES * PAGE, SMALL_PAGES);
	char *probe = memory_get(PAGE, SMALL_PAGES);
	const struct work work = { probe, PAGE, PAGE, 1 };
	unsigned int there = 0, nr;
	struct way way;
	double start;
	size_t i;

	way_open(&way, address, BY_USRPCI);
	for (i = 0; i < NR_CROWDS; i++) {
		for (; there < crowds[i]; there += nr) {
			nr = least(crowds[i] - there, AT_ONCE);
			add_some(way.dev, memory, nr);
		}
		/* Till the kernel's caches of memory have what they will. */
		way_run(&way, &work, PROBES);
		start = meter_now();
		way_run(&way, &work, PROBES);
		values[i] = (meter_now() - start) / PROBES;
	}
	way_close(&way);
	memory_put(memory, CROWD_PAGES * PAGE);
	memory_put(probe, PAGE);
}

static void bench_many(void)
{
	const struct gatherer side = { "usrpci", take_crowds, NULL };
	struct figure figures[NR_CROWDS];
	char subject[32];
	size_t i;

	rounds_gather("beside others", &side, 1, NR_CROWDS, 1, figures);
	for (i = 1; i < NR_CROWDS; i++) {
		snprintf(subject, sizeof(subject), "beside %u", crowds[i]);
		finding_add(&(struct finding){
			"map and unmap 4 KiB", subject, "beside 10", NULL, &figures[i],
			&figures[0], AT_MOST, 1.2,
		});
	}
}

/* --- the kernel's memory --- */

static double take_held(enum way_kind kind, char *memory, unsigned int nr)
{
	const struct work work = { memory, GIB, 0, nr };
	struct way way;
	double before, after;

	way_open(&way, address, kind);
	before = memory_free();
	way_hold(&way, &work);
	after = memory_free();
	way_close(&way);
	return (before - after) / 1024 / nr;
}

/** struct held - A GiB of memory, who maps it, and how often. */
struct held {
	enum way_kind kind;
	char *memory;
	unsigned int nr;
};

static double take_memory(void *arg)
{
	const struct held *held = arg;

	return take_held(held->kind, held->memory, held->nr);
}

static void bench_memory_of(const char *name, enum pages pages, unsigned int nr)
{
	char *memory = memory_get_gib(pages);
	struct held held[] = { { BY_USRPCI, memory, nr }, { BY_FLOOR, memory, nr } };
	const struct side sides[] = {
		{ "usrpci", take_memory, &held[0] },
		{ "floor", take_memory, &held[1] },
	};
	struct figure figures[2];

	/* At first a slab may have room. */
	take_memory(&held[0]);
	take_memory(&held[1]);
	rounds_take(name, "KiB", sides, 2, 3, figures);
	finding_add(&(struct finding){
		name, "usrpci", "scatterlist", "KiB", &figures[0], &figures[1], AT_MOST, 1.1,
	});
	memory_put(memory, GIB);
}

static void bench_memory(void)
{
	bench_memory_of("held for a GiB of small pages", SMALL_PAGES, 1);
	/* It's some pages for each. */
	bench_memory_of("held for a GiB of hugetlb", HUGETLB_PAGES, 32);
}

/* --- all of it --- */

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "cost", bench_cost },
	{ "many", bench_many },
	{ "memory", bench_memory },
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

	address = getenv("BENCH_EDU");
	if (argc < 3 || !address)
		errx(2, "usage: BENCH_EDU=BDF map RESULTS CASE...");
	findings_begin("map");
	for (i = 2; i < argc; i++)
		run(argv[i]);
	findings_save(argv[1]);
	return 0;
}
