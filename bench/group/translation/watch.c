// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../../meter.h"
#include "../../rounds.h"
#include "watch.h"

#define SAMPLES	4096U

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/usrpci-watch", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "/dev/usrpci-watch");
	return fd;
}

void watch_start(unsigned int line, const struct moment *until)
{
	struct bench_watch watch = { .line = line, .arg = until->arg, .value = until->value };

	snprintf(watch.until, sizeof(watch.until), "%s", until->function);
	if (ioctl(device(), BENCH_WATCH_START, &watch))
		err(1, "%s can't be watched", until->function);
}

void watch_stop(void)
{
	if (ioctl(device(), BENCH_WATCH_STOP))
		err(1, "watch");
}

static double of_ticks(double ticks)
{
	int khz;

	if (meter_counts())
		return ticks;
	khz = ioctl(device(), BENCH_WATCH_KHZ);
	if (khz <= 0)
		errx(1, "the TSC has no frequency");
	return ticks * 1e6 / khz;
}

double watch_take(unsigned int nr)
{
	uint64_t ticks[SAMPLES];
	double values[SAMPLES];
	ssize_t len = read(device(), ticks, sizeof(ticks));
	unsigned int i, got;

	if (len < 0)
		err(1, "watch");
	got = (unsigned int)(len / (ssize_t)sizeof(ticks[0]));
	if (got != nr)
		errx(1, "%u were measured and not %u", got, nr);
	for (i = 0; i < got; i++)
		values[i] = of_ticks((double)ticks[i]);
	return median_of(values, got);
}
