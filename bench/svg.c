// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include "svg.h"

#define HEAD	5.0

static const char style[] =
	"text { font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }\n"
	".title { font-size: 16px; font-weight: 600 }\n"
	".quiet { fill: #59636e; font-size: 12px }\n"
	".code { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12px }\n"
	".strong { font-weight: 600 }\n"
	".page { fill: #ffffff }\n"
	".line { stroke: #d1d9e0; stroke-width: 1 }\n"
	".mark { stroke: #59636e; stroke-width: 1.5 }\n"
	".lane { fill: #f6f8fa }\n"
	".ours { fill: #0969da }\n"
	".theirs { fill: #8c959f }\n"
	".waits { fill: #bf8700 }\n"
	".goal { stroke: #1a7f37; stroke-width: 2 }\n"
	"text.met { fill: #1a7f37 }\n"
	"text.missed { fill: #cf222e; font-weight: 600 }\n"
	".on { fill: #ffffff }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"text { fill: #e6edf3 }\n"
	".quiet { fill: #9198a1 }\n"
	".page { fill: #0d1117 }\n"
	".line { stroke: #3d444d }\n"
	".mark { stroke: #9198a1 }\n"
	".lane { fill: #161b22 }\n"
	".ours { fill: #4493f8 }\n"
	".theirs { fill: #656c76 }\n"
	".waits { fill: #d29922 }\n"
	".goal { stroke: #3fb950 }\n"
	"text.met { fill: #3fb950 }\n"
	"text.missed { fill: #f85149 }\n"
	".on { fill: #0d1117 }\n"
	"}\n";

static void write_text(FILE *svg, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", svg);
			break;
		case '<':
			fputs("&lt;", svg);
			break;
		case '>':
			fputs("&gt;", svg);
			break;
		default:
			fputc(*text, svg);
		}
	}
}

FILE *svg_open(const char *path, double width, double height, const char *title)
{
	FILE *svg = fopen(path, "w");

	if (!svg)
		err(1, "%s", path);
	fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"width=\"%.0f\" height=\"%.0f\" role=\"img\">\n<title>", width, height, width,
		height);
	write_text(svg, title);
	fprintf(svg, "</title>\n<style>\n%s</style>\n", style);
	svg_box(svg, 0, 0, width, height, "page");
	return svg;
}

void svg_close(FILE *svg)
{
	bool bad;

	fputs("</svg>\n", svg);
	bad = ferror(svg);
	if (fclose(svg) || bad)
		errx(1, "a picture can't be written");
}

void svg_text(FILE *svg, double x, double y, enum anchor anchor, const char *class,
	      const char *format, ...)
{
	static const char *const anchors[] = { "start", "middle", "end" };
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y,
		anchors[anchor], class);
	write_text(svg, text);
	fputs("</text>\n", svg);
}

void svg_box(FILE *svg, double x, double y, double width, double height, const char *class)
{
	fprintf(svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n",
		x, y, width, height, class);
}

void svg_line(FILE *svg, double x1, double y1, double x2, double y2, const char *class)
{
	fprintf(svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
		x1, y1, x2, y2, class);
}

void svg_arrow(FILE *svg, double x1, double y1, double x2, double y2, const char *class)
{
	const double len = hypot(x2 - x1, y2 - y1);
	const double dx = (x2 - x1) / len * HEAD, dy = (y2 - y1) / len * HEAD;

	svg_line(svg, x1, y1, x2, y2, class);
	svg_line(svg, x2, y2, x2 - dx - dy, y2 - dy + dx, class);
	svg_line(svg, x2, y2, x2 - dx + dy, y2 - dy - dx, class);
}
