/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What must be as it was before, once all is closed. */
#ifndef FUZZ_STATE_H
#define FUZZ_STATE_H

#include <stdint.h>

struct campaign;

/**
 * struct state - Of the system, and of a function that nobody has open.
 * @pinned: pages
 * @held: mappings and buffers that the module tells of
 * @vectors: of /proc/interrupts, the module's
 * @master: the function's bus mastering
 * @moved: base addresses that aren't where the kernel put them
 */
struct state {
	long pinned;
	long held;
	long vectors;
	long master;
	long moved;
};

struct state state_now(const char *bdf);

/* Every difference is a fault. */
void state_compare(struct campaign *c, const struct state *before, const struct state *after);

#endif /* FUZZ_STATE_H */
