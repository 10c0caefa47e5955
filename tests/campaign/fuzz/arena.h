/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Memory of every kind that a program might hand to a device. */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include <stdint.h>

struct caller;

/* Files that outlive the episodes; of the campaign's own process, as root. */
void arena_files_open(void);

/* All kinds of memory, at the same addresses each time. */
void arena_make(void);

/* An address, and how many bytes from there may be used; mostly of the plain kinds. */
uint64_t arena_pick(struct caller *t, uint64_t *room);

/* Change what lies somewhere: thrown away, made read-only, back again. */
void arena_change(struct caller *t);

#endif /* FUZZ_ARENA_H */
