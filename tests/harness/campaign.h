/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A campaign does the same kind of thing very often, each time a little otherwise,
 * and counts what went wrong. Its progress goes to stderr, its report, one line of
 * JSON, to stdout. The same seed does the same things in the same order.
 */
#ifndef HARNESS_CAMPAIGN_H
#define HARNESS_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Named figures that a report can hold beside its count. */
#define CAMPAIGN_TALLIES	16

struct campaign_tally {
	const char *what;
	uint64_t n;
	bool is_peak;
};

/**
 * struct campaign - How far a campaign has come.
 * @name: its name
 * @unit: of what it counts, in the plural
 * @seed: of its random numbers
 * @goal: how many
 * @done: so far
 * @failures: that were seen
 * @tallies: named figures
 * @nr_tallies: how many of them
 * @started_ms: when
 * @shown_ms: when progress was last shown
 * @shown_tenth: tenths of the goal that were shown as a line
 * @random: state of the generator
 */
struct campaign {
	const char *name;
	const char *unit;
	uint64_t seed;
	uint64_t goal;
	uint64_t done;
	uint64_t failures;
	struct campaign_tally tallies[CAMPAIGN_TALLIES];
	unsigned int nr_tallies;
	uint64_t started_ms;
	uint64_t shown_ms;
	unsigned int shown_tenth;
	uint64_t random;
};

/*
 * Read "--count N" (@count when it isn't given) and "--seed S"; other arguments are
 * the campaign's own. @unit: what is counted, in the plural.
 */
void campaign_start(struct campaign *c, int argc, char **argv, const char *name,
		    const char *unit, uint64_t count);

/* Value of an argument "--NAME VALUE", or @otherwise. */
uint64_t campaign_option(int argc, char **argv, const char *name, uint64_t otherwise);

bool campaign_is_done(const struct campaign *c);

/* 64 random bits; a number below @n; of one thread. */
uint64_t campaign_random(struct campaign *c);
uint64_t campaign_below(struct campaign *c, uint64_t n);

/* The same for a thread or a child of its own: a generator that starts at @seed. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t n);

/* @n more are done; shows progress. Of one thread. */
void campaign_step(struct campaign *c, uint64_t n);

/* Something is not as it should be: counted, and told. From any thread. */
void campaign_fault(struct campaign *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A figure for the report; added to what is there under that name. */
void campaign_tally(struct campaign *c, const char *what, uint64_t n);

/* The same, where the greatest is kept: also of several VMs that do a part each. */
void campaign_peak(struct campaign *c, const char *what, uint64_t n);

/* Prints the report; what main() returns: 0, or 1 if anything failed. */
int campaign_end(struct campaign *c);

#endif /* HARNESS_CAMPAIGN_H */
