/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Pictures that can be read on a light page and on a dark one. Colours are classes: text, quiet
 * (text), line, ours, theirs, goal, missed, lane.
 */
#ifndef BENCH_SVG_H
#define BENCH_SVG_H

#include <stdio.h>

/* Where a text lies to its place. */
enum anchor {
	TEXT_FROM,
	TEXT_AROUND,
	TEXT_UP_TO,
};

FILE *svg_open(const char *path, double width, double height, const char *title);
void svg_close(FILE *svg);

void svg_text(FILE *svg, double x, double y, enum anchor anchor, const char *class,
	      const char *format, ...) __attribute__((format(printf, 6, 7)));
void svg_box(FILE *svg, double x, double y, double width, double height, const char *class);
void svg_line(FILE *svg, double x1, double y1, double x2, double y2, const char *class);
/* With a head at its end. */
void svg_arrow(FILE *svg, double x1, double y1, double x2, double y2, const char *class);

#endif /* BENCH_SVG_H */
