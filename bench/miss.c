// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A miss in time: what the device, the interrupt and the kernel's thread do, and when. Parts are
 * numbered in the picture, and named below it.
 */
#include <err.h>
#include <math.h>
#include <string.h>
#include <json-c/json.h>
#include "miss.h"
#include "svg.h"

#define WIDTH		980.0
#define MARGIN		24.0
#define LEFT		132.0
#define RIGHT		(WIDTH - MARGIN - 16)
#define TOP		58.0
#define LANE		54.0
#define LANE_BAR	26.0
#define NR_LANES	3U
#define AXIS		(TOP + NR_LANES * LANE + 8)
#define LEGEND		(AXIS + 62)
#define LEGEND_ROW	22.0
#define MOST_PARTS	16U

enum lane {
	DEVICE,
	INTERRUPT,
	THREAD,
};

enum access {
	NOTHING,
	READS,
	WRITES,
};

/**
 * struct part - Of a miss: from one station to the next.
 * @from: the station, a function of the kernel's; NULL: the interrupt's beginning
 * @what: is done
 * @lane: by whom
 * @access: of the device's registers
 */
struct part {
	const char *from;
	const char *what;
	enum lane lane;
	enum access access;
};

static const struct part parts[] = {
	{ NULL, "the interrupt's handler is called", INTERRUPT, NOTHING },
	{ "usrpci_server_wake", "the thread is woken, and the processor given to it", INTERRUPT,
	  NOTHING },
	{ "usrpci_tlb_acknowledge", "the interrupt is acknowledged", THREAD, WRITES },
	{ "usrpci_tlb_take_miss", "the miss is read: its address, its tag, its entry", THREAD,
	  READS },
	{ "usrpci_slot_given_up", "whose it is; the process's memory is taken into use", THREAD,
	  NOTHING },
	{ "usrpci_targets_get", "the page is found in it, charged and pinned", THREAD, NOTHING },
	{ "usrpci_slot_find", "it is still what's there; its entry is free", THREAD, NOTHING },
	{ "usrpci_target_map", "the page gets a bus address", THREAD, NOTHING },
	{ "usrpci_tlb_write_entry", "the entry is written to the device", THREAD, WRITES },
	{ "usrpci_tlb_answer", "\"go on\"; the entry is kept, figures; no other miss waits", THREAD,
	  WRITES },
};

#define NR_PARTS	((unsigned int)(sizeof(parts) / sizeof(parts[0])))

/** struct timing - When each part begins, and the last one ends. */
struct timing {
	const char *unit;
	double at[NR_PARTS + 1];
	double most;
};

/* --- reading --- */

static struct json_object *member(struct json_object *of, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(of, key, &value))
		errx(2, "the marks have no \"%s\"", key);
	return value;
}

static double find(struct json_object *stations, const char *function)
{
	struct json_object *one;
	size_t i;

	for (i = 0; i < json_object_array_length(stations); i++) {
		one = json_object_array_get_idx(stations, i);
		if (!strcmp(json_object_get_string(member(one, "function")), function))
			return json_object_get_double(member(one, "at"));
	}
	errx(2, "the marks have no %s", function);
}

static void read_timing(struct json_object *marks, struct timing *timing)
{
	struct json_object *stations = member(marks, "stations");
	unsigned int i;

	timing->unit = json_object_get_string(member(marks, "unit"));
	timing->at[0] = 0;
	for (i = 1; i < NR_PARTS; i++)
		timing->at[i] = find(stations, parts[i].from);
	timing->at[NR_PARTS] = find(stations, "usrpci_tlb_taken");
	timing->most = ceil(timing->at[NR_PARTS] / 500) * 500;
}

/* --- drawing --- */

static double x_of(const struct timing *timing, double at)
{
	return LEFT + at / timing->most * (RIGHT - LEFT);
}

static double lane_y(enum lane lane)
{
	return TOP + lane * LANE;
}

static void draw_lanes(FILE *svg)
{
	static const char *const names[] = { "device", "interrupt", "kernel thread" };
	static const char *const notes[] = { NULL, "and scheduler", NULL };
	unsigned int i;

	for (i = 0; i < NR_LANES; i++) {
		svg_box(svg, MARGIN, lane_y(i), RIGHT + 16 - MARGIN, LANE - 6, "lane");
		svg_text(svg, MARGIN + 10, lane_y(i) + (notes[i] ? 21 : 28), TEXT_FROM, "strong",
			 "%s", names[i]);
		if (notes[i])
			svg_text(svg, MARGIN + 10, lane_y(i) + 37, TEXT_FROM, "quiet", "%s",
				 notes[i]);
	}
}

static void draw_axis(FILE *svg, const struct timing *timing)
{
	unsigned int at;

	svg_line(svg, LEFT, AXIS, RIGHT, AXIS, "mark");
	for (at = 0; at <= timing->most; at += 500) {
		svg_line(svg, x_of(timing, at), AXIS, x_of(timing, at), AXIS + 5, "mark");
		if (at % 1000 == 0)
			svg_text(svg, x_of(timing, at), AXIS + 20, TEXT_AROUND, "quiet", "%u", at);
	}
	svg_text(svg, RIGHT, AXIS + 36, TEXT_UP_TO, "quiet", "%s since the interrupt",
		 timing->unit);
}

static void draw_device(FILE *svg, const struct timing *timing)
{
	const double answered = x_of(timing, timing->at[NR_PARTS - 1]);
	const double y = lane_y(DEVICE) + 10;

	svg_box(svg, LEFT, y, answered - LEFT, LANE_BAR, "waits");
	svg_text(svg, (LEFT + answered) / 2, y + 18, TEXT_AROUND, "on",
		 "the engine waits for its translation");
	svg_box(svg, answered, y, RIGHT - answered, LANE_BAR, "ours");
}

/* Thin lines between a bar and the device's: what goes over the bus. */
static void draw_access(FILE *svg, const struct timing *timing, unsigned int part)
{
	const double x = x_of(timing, timing->at[part]) + 3;
	const double device = lane_y(DEVICE) + 10 + LANE_BAR;
	const double thread = lane_y(THREAD) + 10;

	if (parts[part].access == WRITES)
		svg_arrow(svg, x, thread, x, device + 1, "mark");
	if (parts[part].access == READS)
		svg_arrow(svg, x, device, x, thread - 1, "mark");
}

static void draw_part(FILE *svg, const struct timing *timing, unsigned int part)
{
	const double from = x_of(timing, timing->at[part]);
	const double to = x_of(timing, timing->at[part + 1]);
	const double y = lane_y(parts[part].lane) + 10;

	svg_box(svg, from, y, fmax(to - from - 1, 1), LANE_BAR,
		parts[part].lane == INTERRUPT ? "theirs" : "ours");
	if (to - from >= 16)
		svg_text(svg, (from + to) / 2, y + 18, TEXT_AROUND, "on", "%u", part + 1);
	else
		svg_text(svg, (from + to) / 2, y + LANE_BAR + 10, TEXT_AROUND, "quiet", "%u",
			 part + 1);
	draw_access(svg, timing, part);
}

static void draw_legend(FILE *svg, const struct timing *timing)
{
	static const char *const accesses[] = { "", "registers read", "register written" };
	unsigned int i;
	double y;

	for (i = 0; i < NR_PARTS; i++) {
		y = LEGEND + i * LEGEND_ROW;
		svg_text(svg, MARGIN + 26, y, TEXT_UP_TO, "strong", "%u", i + 1);
		svg_text(svg, MARGIN + 38, y, TEXT_FROM, "text", "%s", parts[i].what);
		svg_text(svg, 480, y, TEXT_FROM, "code quiet", "%s", parts[i].from ?: "");
		svg_text(svg, 690, y, TEXT_FROM, "quiet", "%s", accesses[parts[i].access]);
		svg_text(svg, RIGHT, y, TEXT_UP_TO, "text", "%.0f",
			 timing->at[i + 1] - timing->at[i]);
	}
}

void miss_draw(const char *marks, const char *path)
{
	struct json_object *object = json_object_from_file(marks);
	struct timing timing;
	unsigned int i;
	FILE *svg;

	if (!object)
		errx(2, "%s: no marks", marks);
	read_timing(object, &timing);
	svg = svg_open(path, WIDTH, LEGEND + (double)NR_PARTS * LEGEND_ROW + 4, "a miss, served");
	svg_text(svg, MARGIN, 32, TEXT_FROM, "title", "A miss, from its interrupt to \"go on\"");
	svg_text(svg, RIGHT + 16, 32, TEXT_UP_TO, "quiet",
		 "arrows: registers, an interrupt; a page that is there, pinned, no IOMMU");
	draw_lanes(svg);
	draw_device(svg, &timing);
	svg_arrow(svg, LEFT, lane_y(DEVICE) + 10 + LANE_BAR, LEFT, lane_y(INTERRUPT) + 9, "mark");
	for (i = 0; i < NR_PARTS; i++)
		draw_part(svg, &timing, i);
	draw_axis(svg, &timing);
	draw_legend(svg, &timing);
	svg_close(svg);
	json_object_put(object);
}
