// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A miss, station by station. Each is looked for in a miss of its own, so that none is late by what
 * it costs to look for the others.
 */
#include <err.h>
#include <stdio.h>
#include <json-c/json.h>
#include "../../meter.h"
#include "marks.h"
#include "walk.h"

#define SAMPLES	15U

/* In their order; functions of kernel/ that a miss calls once, or first for this. */
static const char *const stations[] = {
	"usrpci_server_wake",
	"usrpci_tlb_acknowledge",
	"usrpci_tlb_take_miss",
	"usrpci_slot_given_up",
	"usrpci_targets_get",
	"usrpci_slot_find",
	"usrpci_target_map",
	"usrpci_tlb_write_entry",
	"usrpci_tlb_answer",
	"usrpci_tlb_taken",
};

#define NR_STATIONS	(sizeof(stations) / sizeof(stations[0]))

static double take(const struct way *way, char *page, const char *function)
{
	const struct moment until = { .function = function, .arg = BENCH_WATCH_ANY };
	unsigned int i;
	double when;

	watch_start(way->line, &until);
	for (i = 0; i < SAMPLES; i++) {
		walk_one(way, page);
		way_forget(way, page, PAGE);
	}
	watch_stop();
	when = watch_take(SAMPLES);
	return when;
}

static struct json_object *take_all(const struct way *way, char *page)
{
	struct json_object *all = json_object_new_array(), *one;
	unsigned int i;

	for (i = 0; i < NR_STATIONS; i++) {
		one = json_object_new_object();
		json_object_object_add(one, "function", json_object_new_string(stations[i]));
		json_object_object_add(one, "at", json_object_new_double(take(way, page,
									      stations[i])));
		json_object_array_add(all, one);
	}
	return all;
}

void marks_take(const char *address, const char *path)
{
	struct json_object *marks = json_object_new_object();
	char *page = pages_map(1);
	struct way way;

	list_make(page, 1, 1);
	way_open(&way, address, BY_MODULE, false);
	walk_one(&way, page);
	way_forget(&way, page, PAGE);
	json_object_object_add(marks, "unit", json_object_new_string(meter_unit()));
	json_object_object_add(marks, "stations", take_all(&way, page));
	way_close(&way);
	pages_unmap(page, 1);
	if (json_object_to_file_ext(path, marks, JSON_C_TO_STRING_PRETTY))
		errx(1, "%s can't be written", path);
	json_object_put(marks);
}
