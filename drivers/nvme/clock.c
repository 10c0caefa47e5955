// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <time.h>
#include "internal.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t nvme_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t nvme_now_ms(void)
{
	return (int64_t)(nvme_now_ns() / 1000000U);
}

/* Linux keeps it in a page that each program sees, whatever its clock source. */
int64_t nvme_coarse_ms(void)
{
	return (int64_t)(read_clock(CLOCK_MONOTONIC_COARSE) / 1000000U);
}
