// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "result.h"

static const char *const bounds[] = { "none", "at most", "at least" };

struct figure figure_of(double value)
{
	return (struct figure){ value, value, value };
}

double result_ratio(const struct result *result)
{
	if (result->theirs.median == 0)
		return result->ours.median == 0 ? 0 : INFINITY;
	return result->ours.median / result->theirs.median;
}

bool result_passes(const struct result *result)
{
	const double ratio = result_ratio(result);

	switch (result->bound) {
	case AT_MOST:
		return ratio <= result->goal;
	case AT_LEAST:
		return ratio >= result->goal;
	case NO_GOAL:
		break;
	}
	return true;
}

/* --- to JSON --- */

static struct json_object *must(struct json_object *object)
{
	if (!object)
		errx(1, "memory is short");
	return object;
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, must(json_object_new_string(text)));
}

static void add_number(struct json_object *to, const char *key, double number)
{
	json_object_object_add(to, key, must(json_object_new_double(number)));
}

static void add_figure(struct json_object *to, const char *key, const struct figure *figure)
{
	struct json_object *range = must(json_object_new_object());
	char name[32];

	add_number(to, key, figure->median);
	add_number(range, "min", figure->min);
	add_number(range, "max", figure->max);
	snprintf(name, sizeof(name), "%s_range", key);
	json_object_object_add(to, name, range);
}

void result_add(struct json_object *results, const struct result *result)
{
	struct json_object *one = must(json_object_new_object());

	add_text(one, "group", result->group);
	add_text(one, "machine", result->machine);
	add_text(one, "case", result->name);
	add_text(one, "subject", result->subject);
	add_text(one, "rival", result->rival);
	add_text(one, "unit", result->unit);
	if (result->absent) {
		add_text(one, "absent", result->absent);
		json_object_array_add(results, one);
		return;
	}
	add_figure(one, "ours", &result->ours);
	add_figure(one, "theirs", &result->theirs);
	/* JSON has no infinity. */
	if (isfinite(result_ratio(result)))
		add_number(one, "ratio", result_ratio(result));
	add_text(one, "bound", bounds[result->bound]);
	if (result->bound != NO_GOAL) {
		add_number(one, "goal", result->goal);
		json_object_object_add(one, "pass",
				       must(json_object_new_boolean(result_passes(result))));
	}
	json_object_array_add(results, one);
}

/* --- from JSON --- */

static struct json_object *member(struct json_object *of, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(of, key, &value))
		errx(1, "a result has no \"%s\"", key);
	return value;
}

static struct figure get_figure(struct json_object *of, const char *key)
{
	struct json_object *range;
	char name[32];

	snprintf(name, sizeof(name), "%s_range", key);
	range = member(of, name);
	return (struct figure){
		.median = json_object_get_double(member(of, key)),
		.min = json_object_get_double(member(range, "min")),
		.max = json_object_get_double(member(range, "max")),
	};
}

static enum bound get_bound(struct json_object *of)
{
	const char *text = json_object_get_string(member(of, "bound"));
	unsigned int i;

	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (!strcmp(text, bounds[i]))
			return (enum bound)i;
	errx(1, "no bound is \"%s\"", text);
}

void result_get(struct json_object *results, size_t index, struct result *result)
{
	struct json_object *one = json_object_array_get_idx(results, index);
	struct json_object *absent;

	*result = (struct result){
		.group = json_object_get_string(member(one, "group")),
		.machine = json_object_get_string(member(one, "machine")),
		.name = json_object_get_string(member(one, "case")),
		.subject = json_object_get_string(member(one, "subject")),
		.rival = json_object_get_string(member(one, "rival")),
		.unit = json_object_get_string(member(one, "unit")),
	};
	if (json_object_object_get_ex(one, "absent", &absent)) {
		result->absent = json_object_get_string(absent);
		return;
	}
	result->ours = get_figure(one, "ours");
	result->theirs = get_figure(one, "theirs");
	result->bound = get_bound(one);
	if (result->bound != NO_GOAL)
		result->goal = json_object_get_double(member(one, "goal"));
}
