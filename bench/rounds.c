// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include "rounds.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median_of(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), by_value);
	return values[nr / 2];
}

struct figure figure_from(double *values, size_t nr)
{
	const double median = median_of(values, nr);

	return (struct figure){ .median = median, .min = values[0], .max = values[nr - 1] };
}

void rounds_take(const char *what, const char *unit, const struct side *sides, size_t nr,
		 unsigned int rounds, struct figure *figures)
{
	double *values = calloc(nr * rounds, sizeof(*values));
	unsigned int round;
	size_t i;

	if (!values)
		err(1, "memory");
	for (round = 0; round < rounds; round++)
		for (i = 0; i < nr; i++)
			values[i * rounds + round] = sides[i].take(sides[i].arg);
	fprintf(stderr, "  %s:", what);
	for (i = 0; i < nr; i++) {
		figures[i] = figure_from(&values[i * rounds], rounds);
		fprintf(stderr, "%s %s %.1f", i ? "," : "", sides[i].name, figures[i].median);
	}
	fprintf(stderr, " %s\n", unit);
	free(values);
}

void rounds_gather(const char *what, const struct gatherer *sides, size_t nr, size_t each,
		   unsigned int rounds, struct figure *figures)
{
	double *values = calloc(nr * each * rounds, sizeof(*values));
	double *some = calloc(each, sizeof(*some));
	unsigned int round;
	size_t i, j;

	if (!values || !some)
		err(1, "memory");
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < nr; i++) {
			fprintf(stderr, "  %s: round %u of %u, %s\n", what, round + 1, rounds,
				sides[i].name);
			sides[i].take(sides[i].arg, some);
			for (j = 0; j < each; j++)
				values[(i * each + j) * rounds + round] = some[j];
		}
	}
	for (i = 0; i < nr * each; i++)
		figures[i] = figure_from(&values[i * rounds], rounds);
	free(values);
	free(some);
}
