// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* For each comparison two bars, the longer one as long as there's room, and where the goal is. */
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "chart.h"
#include "result.h"
#include "svg.h"

#define WIDTH		980.0
#define MARGIN		24.0
#define BARS		420.0
#define BARS_WIDTH	280.0
#define VERDICT		(WIDTH - MARGIN)
#define TOP		64.0
#define ROW		46.0
#define HEADING		34.0
#define BAR		11.0
#define NUMBER		120.0

/** struct chart - A picture as it's drawn. */
struct chart {
	FILE *svg;
	double y;
};

static void say_number(char *text, size_t len, double value, const char *unit)
{
	int digits = value == floor(value) || value >= 100 ? 0 : 2;

	snprintf(text, len, "%.*f %s", digits, value, unit);
}

/* Beside the bar and what is drawn on it. */
static double number_x(const struct figure *figure, double scale, double goal)
{
	const double end = BARS + fmin(fmax(figure->median, figure->max) * scale, BARS_WIDTH + 4);

	return goal > end - 4 && goal < end + NUMBER ? goal + 8 : end + 8;
}

/* @goal: where its line is; 0: nowhere. */
static void draw_bar(struct chart *chart, double y, const char *who, const struct figure *figure,
		     const struct result *result, double most, double goal, const char *class)
{
	const double scale = most > 0 ? BARS_WIDTH / most : 0;
	char number[64];

	say_number(number, sizeof(number), figure->median, result->unit);
	svg_text(chart->svg, BARS - 8, y + BAR - 1, TEXT_UP_TO, "quiet", "%s", who);
	svg_box(chart->svg, BARS, y, fmax(figure->median * scale, 1), BAR, class);
	if (figure->max > figure->min)
		svg_line(chart->svg, BARS + figure->min * scale, y + BAR / 2,
			 BARS + fmin(figure->max * scale, BARS_WIDTH + 4), y + BAR / 2, "mark");
	svg_text(chart->svg, number_x(figure, scale, goal), y + BAR - 1, TEXT_FROM, "quiet", "%s",
		 number);
}

static void draw_verdict(struct chart *chart, const struct result *result)
{
	const bool met = result_passes(result);

	svg_text(chart->svg, VERDICT, chart->y + 12, TEXT_UP_TO, "strong", "%.3f×",
		 result_ratio(result));
	if (result->bound == NO_GOAL)
		return;
	svg_text(chart->svg, VERDICT, chart->y + 28, TEXT_UP_TO, met ? "met" : "missed",
		 "%s %s %.2f×", met ? "met:" : "missed:", result->bound == AT_MOST ? "≤" : "≥",
		 result->goal);
}

/* 0: there's none, or it lies beyond the longer bar. */
static double goal_x(const struct result *result, double most)
{
	const double goal = result->goal * result->theirs.median;

	if (result->bound == NO_GOAL || most == 0 || goal > most * 1.02)
		return 0;
	return BARS + goal / most * BARS_WIDTH;
}

static void draw_row(struct chart *chart, const struct result *result)
{
	const double most = fmax(result->ours.median, result->theirs.median);
	const double goal = goal_x(result, most);

	svg_text(chart->svg, MARGIN, chart->y + 19, TEXT_FROM, "text", "%s", result->name);
	if (result->absent) {
		svg_text(chart->svg, VERDICT, chart->y + 19, TEXT_UP_TO, "quiet",
			 "%s can't run: %s", result->rival, result->absent);
		chart->y += ROW;
		return;
	}
	draw_bar(chart, chart->y, result->subject, &result->ours, result, most, goal, "ours");
	draw_bar(chart, chart->y + BAR + 5, result->rival, &result->theirs, result, most, 0,
		 "theirs");
	if (goal > 0)
		svg_line(chart->svg, goal, chart->y - 4, goal, chart->y + BAR + 2, "goal");
	draw_verdict(chart, result);
	chart->y += ROW;
}

static void draw_heading(struct chart *chart, const char *machine)
{
	if (!*machine)
		return;
	svg_line(chart->svg, MARGIN, chart->y - 4, WIDTH - MARGIN, chart->y - 4, "line");
	svg_text(chart->svg, MARGIN, chart->y + 15, TEXT_FROM, "strong", "%s", machine);
	chart->y += HEADING;
}

static bool is_new_machine(const struct result *result, const char *machine)
{
	return !machine || strcmp(result->machine, machine);
}

static double height_of(struct json_object *results, const char *group)
{
	const char *machine = NULL;
	double height = TOP + MARGIN;
	struct result result;
	size_t i;

	for (i = 0; i < json_object_array_length(results); i++) {
		result_get(results, i, &result);
		if (strcmp(result.group, group))
			continue;
		height += ROW;
		if (is_new_machine(&result, machine) && *result.machine)
			height += HEADING;
		machine = result.machine;
	}
	return height;
}

static void draw_group(struct json_object *results, const char *group, const char *path)
{
	struct chart chart = {
		.svg = svg_open(path, WIDTH, height_of(results, group), group),
		.y = TOP,
	};
	const char *machine = NULL;
	struct result result;
	size_t i;

	svg_text(chart.svg, MARGIN, 30, TEXT_FROM, "title", "%s", group);
	svg_text(chart.svg, WIDTH - MARGIN, 30, TEXT_UP_TO, "quiet",
		 "medians; a line in a bar: least to most; green: the goal");
	for (i = 0; i < json_object_array_length(results); i++) {
		result_get(results, i, &result);
		if (strcmp(result.group, group))
			continue;
		if (is_new_machine(&result, machine))
			draw_heading(&chart, result.machine);
		machine = result.machine;
		draw_row(&chart, &result);
	}
	svg_close(chart.svg);
}

static bool is_first_of_group(struct json_object *results, size_t index)
{
	struct result result, other;
	size_t i;

	result_get(results, index, &result);
	for (i = 0; i < index; i++) {
		result_get(results, i, &other);
		if (!strcmp(result.group, other.group))
			return false;
	}
	return true;
}

void chart_draw(struct json_object *results, const char *folder)
{
	char path[PATH_MAX];
	struct result result;
	size_t i;

	for (i = 0; i < json_object_array_length(results); i++) {
		if (!is_first_of_group(results, i))
			continue;
		result_get(results, i, &result);
		snprintf(path, sizeof(path), "%s/%s.svg", folder, result.group);
		draw_group(results, result.group, path);
	}
}
