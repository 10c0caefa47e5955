/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Memory of one kind of pages, all of them there. Functions end the program when they fail. */
#ifndef BENCH_MAP_MEMORY_H
#define BENCH_MAP_MEMORY_H

#include <stddef.h>

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define GIB	(1UL << 30)

enum pages {
	SMALL_PAGES,
	TRANSPARENT_PAGES,
	HUGETLB_PAGES,
};

char *memory_get(size_t len, enum pages kind);
/* Of tmpfs or hugetlbfs. */
char *memory_get_gib(enum pages kind);
void memory_put(char *memory, size_t len);

/* What the kernel has not given away, in bytes. */
double memory_free(void);

#endif /* BENCH_MAP_MEMORY_H */
