// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "progress.h"

#define PROGRESS_MS	200
/* Shorter work needs none, unless it was asked for. */
#define SHORT_MS	1000

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, bool asked, uint64_t total)
{
	*progress = (struct progress){
		.total = total,
		.on = asked || isatty(STDERR_FILENO),
		.shown = now_ms() + (asked ? 0 : SHORT_MS),
	};
}

void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now = now_ms();
	int width;

	if (!progress->on || now < progress->shown + PROGRESS_MS)
		return;
	progress->shown = now;
	progress->drawn = true;
	if (!progress->total) {
		fprintf(stderr, "\r%" PRIu64 " MiB", done >> 20);
		return;
	}
	width = (int)(done * 40 / progress->total);
	fprintf(stderr, "\r[%.*s%*s] %3u%% of %" PRIu64 " MiB", width,
		"########################################", 40 - width, "",
		(unsigned int)(done * 100 / progress->total), progress->total >> 20);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputc('\n', stderr);
}
