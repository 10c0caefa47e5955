// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <time.h>
#include "internal.h"

uint64_t nvme_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int64_t nvme_now_ms(void)
{
	return (int64_t)(nvme_now_ns() / 1000000U);
}
