// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What groups found, together: a table on stdout, FOLDER/results.json, a chart of each group, and
 * of MARKS, if that is there, a picture of a miss.
 *
 *    report [--markdown] FOLDER MARKS RESULTS...
 *
 * Ends with 1 if a goal is missed.
 */
#include <err.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include "chart.h"
#include "miss.h"
#include "table.h"

static void read_results(struct json_object *results, const char *path)
{
	struct json_object *some = json_object_from_file(path);
	size_t i;

	if (!json_object_is_type(some, json_type_array))
		errx(2, "%s: no list of results", path);
	for (i = 0; i < json_object_array_length(some); i++)
		json_object_array_add(results,
				      json_object_get(json_object_array_get_idx(some, i)));
	json_object_put(some);
}

static void write_results(struct json_object *results, const char *folder)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/results.json", folder);
	if (json_object_to_file_ext(path, results, JSON_C_TO_STRING_PRETTY))
		errx(2, "%s can't be written", path);
}

static void draw_miss(const char *folder, const char *marks)
{
	char path[PATH_MAX];

	if (access(marks, R_OK))
		return;
	snprintf(path, sizeof(path), "%s/miss.svg", folder);
	miss_draw(marks, path);
}

int main(int argc, char **argv)
{
	const bool markdown = argc > 1 && !strcmp(argv[1], "--markdown");
	struct json_object *results = json_object_new_array();
	unsigned int missed = 0;
	int i;

	argc -= markdown;
	argv += markdown;
	if (argc < 4)
		errx(2, "usage: report [--markdown] FOLDER MARKS RESULTS...");
	for (i = 3; i < argc; i++)
		read_results(results, argv[i]);
	if (markdown) {
		table_print_markdown(results);
	} else {
		missed = table_print(results);
		write_results(results, argv[1]);
		chart_draw(results, argv[1]);
		draw_miss(argv[1], argv[2]);
	}
	json_object_put(results);
	if (missed)
		printf("\n%u of the goals missed\n", missed);
	return !!missed;
}
