/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What a benchmark found: a list of comparisons, kept as JSON. Functions end the program when
 * memory is short.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdbool.h>
#include <json-c/json.h>

/**
 * struct figure - What rounds gave.
 * @median: of them
 * @min: the least
 * @max: the most
 */
struct figure {
	double median;
	double min;
	double max;
};

/** enum bound - What a goal says of a ratio. */
enum bound {
	NO_GOAL,
	AT_MOST,
	AT_LEAST,
};

/**
 * struct result - A comparison.
 * @group: what it's about, such as "translation"
 * @machine: where, such as "iommu strict"; "" if that says nothing
 * @name: the case
 * @subject: whose figure is @ours
 * @rival: and @theirs
 * @unit: of both
 * @ours: the subject's
 * @theirs: the rival's
 * @bound: what @goal is
 * @goal: for ours / theirs, of the medians
 * @absent: why the rival can't run here, so that there's nothing to compare; NULL: it can
 */
struct result {
	const char *group;
	const char *machine;
	const char *name;
	const char *subject;
	const char *rival;
	const char *unit;
	struct figure ours;
	struct figure theirs;
	enum bound bound;
	double goal;
	const char *absent;
};

/* A figure that has no rounds. */
struct figure figure_of(double value);

/* Ours / theirs; of 0 / 0 it's 0. */
double result_ratio(const struct result *result);
bool result_passes(const struct result *result);

/* Appends to an array, */
void result_add(struct json_object *results, const struct result *result);

/* and reads from one; strings are its own. */
void result_get(struct json_object *results, size_t index, struct result *result);

#endif /* BENCH_RESULT_H */
