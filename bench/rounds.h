/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Rivals take turns, round by round, so that what else the machine does is the same for all.
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stddef.h>
#include "result.h"

/**
 * struct side - One of those that are compared.
 * @name: what it is
 * @take: measures it once
 * @arg: for that
 */
struct side {
	const char *name;
	double (*take)(void *arg);
	void *arg;
};

/* Both sort @values. */
double median_of(double *values, size_t nr);
struct figure figure_from(double *values, size_t nr);

/*
 * Fills in a figure for each side, from as many @rounds, and says on stderr how it gets on. What
 * is measured in them is called @what, in @unit.
 */
void rounds_take(const char *what, const char *unit, const struct side *sides, size_t nr,
		 unsigned int rounds, struct figure *figures);

/**
 * struct gatherer - One of those that are compared, who measures several things in a go.
 * @name: what it is
 * @take: fills in a value for each
 * @arg: for that
 */
struct gatherer {
	const char *name;
	void (*take)(void *arg, double *values);
	void *arg;
};

/* As rounds_take(), for @each things: figures[i * each] and on are those of @sides[i]. */
void rounds_gather(const char *what, const struct gatherer *sides, size_t nr, size_t each,
		   unsigned int rounds, struct figure *figures);

#endif /* BENCH_ROUNDS_H */
