/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * How long it takes from a hard interrupt to a function in the kernel, by bench/module/watch.c.
 * Functions end the program when they fail.
 */
#ifndef BENCH_TRANSLATION_WATCH_H
#define BENCH_TRANSLATION_WATCH_H

#include <stdint.h>
#include "../../module/abi.h"

/**
 * struct moment - A function's call in the kernel.
 * @function: its name
 * @arg: which of its arguments, from 0, is @value; BENCH_WATCH_ANY
 * @value: see there
 */
struct moment {
	const char *function;
	unsigned int arg;
	uint64_t value;
};

void watch_start(unsigned int line, const struct moment *until);
void watch_stop(void);

/* The median of what was measured since, which was @nr times; in ns, or in instructions. */
double watch_take(unsigned int nr);

#endif /* BENCH_TRANSLATION_WATCH_H */
