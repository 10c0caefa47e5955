// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "result.h"
#include "table.h"

#define TEXT_LEN	64

/* What is counted is whole, and of large numbers nobody wants decimals. */
static void say_number(char text[TEXT_LEN], double value)
{
	snprintf(text, TEXT_LEN, "%.*f", value == (double)(long long)value || value >= 100 ? 0 : 2,
		 value);
}

static void say_goal(char text[TEXT_LEN], const struct result *result)
{
	if (result->bound == NO_GOAL)
		*text = '\0';
	else
		snprintf(text, TEXT_LEN, "%s %.2f", result->bound == AT_MOST ? "≤" : "≥",
			 result->goal);
}

static const char *verdict(const struct result *result)
{
	if (result->bound == NO_GOAL)
		return "";
	return result_passes(result) ? "met" : "MISSED";
}

/* Signs of more than a byte have followers, which take no room. */
static int padded(const char *text, int width)
{
	for (; *text; text++)
		width += (*text & 0xc0) == 0x80;
	return width;
}

static bool is_new_group(const struct result *result, const struct result *before)
{
	return !before->group || strcmp(result->group, before->group) ||
	       strcmp(result->machine, before->machine);
}

static void print_row(const struct result *result)
{
	char ours[TEXT_LEN], theirs[TEXT_LEN], goal[TEXT_LEN], who[2 * TEXT_LEN];

	if (result->absent) {
		printf("  %-44s %s can't run: %s\n", result->name, result->rival, result->absent);
		return;
	}
	say_number(ours, result->ours.median);
	say_number(theirs, result->theirs.median);
	say_goal(goal, result);
	snprintf(who, sizeof(who), "%s : %s", result->subject, result->rival);
	printf("  %-44s %-34s %9s %9s %-12s %7.3f  %-*s %s\n", result->name, who, ours, theirs,
	       result->unit, result_ratio(result), padded(goal, 7), goal, verdict(result));
}

unsigned int table_print(struct json_object *results)
{
	struct result result, before = { 0 };
	unsigned int missed = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(results); i++) {
		result_get(results, i, &result);
		if (is_new_group(&result, &before))
			printf("%s%s%s%s\n", i ? "\n" : "", result.group,
			       *result.machine ? ", " : "", result.machine);
		print_row(&result);
		missed += !result_passes(&result);
		before = result;
	}
	return missed;
}

/* --- for documents --- */

static void print_markdown_row(const struct result *result)
{
	const char *bold = result_passes(result) ? "" : "**";
	char ours[TEXT_LEN], theirs[TEXT_LEN], goal[TEXT_LEN];

	if (result->absent) {
		printf("| %s | %s can't run: %s | | | | | | |\n", result->name, result->rival,
		       result->absent);
		return;
	}
	say_number(ours, result->ours.median);
	say_number(theirs, result->theirs.median);
	say_goal(goal, result);
	printf("| %s | %s against %s | %s | %s | %s | %.3f | %s | %s%s%s |\n", result->name,
	       result->subject, result->rival, ours, theirs, result->unit, result_ratio(result),
	       goal, bold, verdict(result), bold);
}

void table_print_markdown(struct json_object *results)
{
	struct result result, before = { 0 };
	size_t i;

	for (i = 0; i < json_object_array_length(results); i++) {
		result_get(results, i, &result);
		if (is_new_group(&result, &before))
			printf("%s%s%s%s\n\n| case | | ours | theirs | unit | ratio | goal | |\n"
			       "|---|---|---|---|---|---|---|---|\n", i ? "\n" : "", result.group,
			       *result.machine ? ", " : "", result.machine);
		print_markdown_row(&result);
		before = result;
	}
}
