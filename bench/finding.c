// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <stdlib.h>
#include "finding.h"
#include "meter.h"

static struct json_object *results;
static const char *group;

static const char *machine(void)
{
	const char *name = getenv("BENCH_MACHINE");

	return name ? name : "";
}

void findings_begin(const char *name)
{
	group = name;
	results = json_object_new_array();
	if (!results)
		errx(1, "memory is short");
}

void finding_add(const struct finding *finding)
{
	const struct result result = {
		.group = group, .machine = machine(), .name = finding->name,
		.subject = finding->subject, .rival = finding->rival,
		.unit = finding->unit ? finding->unit : meter_unit(),
		.ours = *finding->ours, .theirs = *finding->theirs,
		.bound = finding->bound, .goal = finding->goal,
	};

	result_add(results, &result);
}

void finding_absent(const char *name, const char *rival, const char *why)
{
	const struct result result = {
		.group = group, .machine = machine(), .name = name,
		.subject = "", .rival = rival, .unit = "", .absent = why,
	};

	result_add(results, &result);
}

void findings_save(const char *path)
{
	if (json_object_to_file_ext(path, results, JSON_C_TO_STRING_PRETTY))
		errx(1, "%s can't be written", path);
	json_object_put(results);
}
