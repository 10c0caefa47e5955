/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Lists with a node a page, and the jobs that walk them. Functions end the program when they
 * fail.
 */
#ifndef BENCH_TRANSLATION_WALK_H
#define BENCH_TRANSLATION_WALK_H

#include <stddef.h>
#include "way.h"

#define PAGE	4096UL

/* Room for @nr pages, none of them there yet. */
char *pages_map(size_t nr);
void pages_unmap(char *pages, size_t nr);

/* A list through all of @nr pages that are @stride pages apart. They're there then. */
void list_make(char *pages, size_t nr, size_t stride);

/* Walks the first @nr nodes of a list, and returns how many misses that took. */
size_t walk(const struct way *way, const char *list, size_t nr);

/*
 * A node, with nothing else going on but this program, which keeps the processor busy as one does
 * that goes on beside its device.
 */
void walk_one(const struct way *way, const char *node);

/* Nodes that lie @nr pages in a row, each by an engine of its own, whose misses come at once. */
void walk_at_once(const struct way *way, const char *pages, unsigned int nr);

#endif /* BENCH_TRANSLATION_WALK_H */
