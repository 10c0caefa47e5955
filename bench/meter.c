// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdlib.h>
#include <time.h>
#include "meter.h"

bool meter_counts(void)
{
	return !!getenv("BENCH_ICOUNT");
}

const char *meter_unit(void)
{
	return meter_counts() ? "instructions" : "ns";
}

double meter_now(void)
{
	static int counts = -1;
	struct timespec now;

	if (counts < 0)
		counts = meter_counts();
	/* Under icount the TSC is the count itself, whatever Linux takes its frequency for. */
	if (counts)
		return (double)__builtin_ia32_rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}
