// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "memory.h"

#define SHOWN_FAULTS	20
#define BAR_WIDTH	30

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	/* splitmix64: any seed will do, 0 too */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t n)
{
	return n ? random_next(state) % n : 0;
}

uint64_t campaign_random(struct campaign *c)
{
	return random_next(&c->random);
}

uint64_t campaign_below(struct campaign *c, uint64_t n)
{
	return random_below(&c->random, n);
}

uint64_t campaign_option(int argc, char **argv, const char *name, uint64_t otherwise)
{
	int i;

	for (i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return strtoull(argv[i + 1], NULL, 0);
	return otherwise;
}

void campaign_start(struct campaign *c, int argc, char **argv, const char *name,
		    const char *unit, uint64_t count)
{
	*c = (struct campaign){
		.name = name,
		.unit = unit,
		.seed = campaign_option(argc, argv, "--seed", 1),
		.goal = campaign_option(argc, argv, "--count", count),
		.started_ms = now_ms(),
	};
	c->random = c->seed;
	/* Whole lines at once: threads and children tell of faults too. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

bool campaign_is_done(const struct campaign *c)
{
	return c->done >= c->goal;
}

static void show_bar(const struct campaign *c, uint64_t left_s)
{
	int full = c->done * BAR_WIDTH / c->goal;

	fprintf(stderr, "\r%-8s [%.*s%*s] %3" PRIu64 " %%  %" PRIu64 "/%" PRIu64 " %s, %" PRIu64
		" failures, %" PRIu64 " s left   %s", c->name, full,
		"##############################", BAR_WIDTH - full, "", c->done * 100 / c->goal,
		c->done, c->goal, c->unit, c->failures, left_s, campaign_is_done(c) ? "\n" : "");
	fflush(stderr);
}

/* A terminal gets a bar, anything else a line now and then. */
static void show(struct campaign *c)
{
	uint64_t now = now_ms(), took = now - c->started_ms;
	uint64_t left_s = c->done ? took * (c->goal - c->done) / c->done / 1000 : 0;
	unsigned int tenth = c->done * 10 / c->goal;

	if (getenv("PROGRESS_BAR")) {
		if (now - c->shown_ms < 500 && !campaign_is_done(c))
			return;
		c->shown_ms = now;
		show_bar(c, left_s);
	} else if (tenth > c->shown_tenth) {
		c->shown_tenth = tenth;
		fprintf(stderr, "%s: %3u %%  %" PRIu64 "/%" PRIu64 " %s, %" PRIu64 " failures, %"
			PRIu64 " s left\n", c->name, tenth * 10, c->done, c->goal, c->unit,
			c->failures, left_s);
	}
}

void campaign_step(struct campaign *c, uint64_t n)
{
	c->done += n;
	if (c->done > c->goal)
		c->goal = c->done;
	show(c);
}

void campaign_fault(struct campaign *c, const char *fmt, ...)
{
	uint64_t nth = __atomic_add_fetch(&c->failures, 1, __ATOMIC_RELAXED);
	char text[256];
	va_list args;

	if (nth > SHOWN_FAULTS)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "%s: at %" PRIu64 " (seed %" PRIu64 "): %s%s\n", c->name, c->done, c->seed,
		text, nth == SHOWN_FAULTS ? "; no more are shown" : "");
}

static struct campaign_tally *find_tally(struct campaign *c, const char *what)
{
	unsigned int i;

	for (i = 0; i < c->nr_tallies; i++)
		if (!strcmp(c->tallies[i].what, what))
			return &c->tallies[i];
	if (i == CAMPAIGN_TALLIES)
		return NULL;
	c->nr_tallies++;
	c->tallies[i] = (struct campaign_tally){ .what = what };
	return &c->tallies[i];
}

void campaign_tally(struct campaign *c, const char *what, uint64_t n)
{
	struct campaign_tally *t = find_tally(c, what);

	if (t)
		t->n += n;
}

void campaign_peak(struct campaign *c, const char *what, uint64_t n)
{
	struct campaign_tally *t = find_tally(c, what);

	if (!t)
		return;
	t->is_peak = true;
	if (n > t->n)
		t->n = n;
}

static void print_tallies(const struct campaign *c, const char *name, bool peaks)
{
	const char *comma = "";
	unsigned int i;

	printf(",\"%s\":{", name);
	for (i = 0; i < c->nr_tallies; i++) {
		if (c->tallies[i].is_peak != peaks)
			continue;
		printf("%s\"%s\":%" PRIu64, comma, c->tallies[i].what, c->tallies[i].n);
		comma = ",";
	}
	printf("}");
}

int campaign_end(struct campaign *c)
{
	printf("{\"campaign\":\"%s\",\"seed\":%" PRIu64 ",\"unit\":\"%s\",\"goal\":%" PRIu64
	       ",\"done\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"seconds\":%" PRIu64,
	       c->name, c->seed, c->unit, c->goal, c->done, c->failures,
	       (now_ms() - c->started_ms) / 1000);
	print_tallies(c, "figures", false);
	print_tallies(c, "peaks", true);
	printf("}\n");
	return c->failures || c->done < c->goal;
}
