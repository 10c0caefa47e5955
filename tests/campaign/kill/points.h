/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Points in a life where it can be ended, the same each time: the entries and exits
 * of its system calls, but for those that only pass time.
 */
#ifndef KILL_POINTS_H
#define KILL_POINTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "life.h"

/* Points that a traced life passes till it has done its second turn; 0: it failed. */
unsigned int points_count(pid_t pid, const struct life *l);

/* Go to a point, from 1, and kill it there; false if it ended before, and was reaped. */
bool points_kill_at(pid_t pid, unsigned int point);

#endif /* KILL_POINTS_H */
