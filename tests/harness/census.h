/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* All that a process or a function holds and that can be counted, to be compared later. */
#ifndef HARNESS_CENSUS_H
#define HARNESS_CENSUS_H

#include <stdbool.h>

#define CENSUS_COUNTS	19

struct census {
	long counts[CENSUS_COUNTS];
};

struct census census_take(const char *bdf);

/* NULL if both are the same, else what isn't, with both numbers. */
const char *census_differs(const struct census *a, const struct census *b);

#endif /* HARNESS_CENSUS_H */
