// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "memory.h"

#define GIB_PART	(64UL << 20)

/* Of a map, how much is in transparent huge pages. */
static size_t huge_of(const char *memory)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to, kb, found = 0;
	bool inside = false;
	char line[256];

	if (!file)
		err(1, "smaps");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx", &from, &to) == 2)
			inside = from == (uintptr_t)memory;
		if (inside && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			found = kb << 10;
	}
	fclose(file);
	return found;
}

/* What is mapped for @len bytes. */
static size_t whole(size_t len)
{
	return (len + HUGE - 1) & ~(HUGE - 1);
}

/* A map of its own, or the kernel would join it to its neighbours. */
static char *get_aligned(size_t len)
{
	char *room = mmap(NULL, whole(len) + 2 * HUGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = (char *)(((uintptr_t)room + 2 * HUGE - 1) & ~(HUGE - 1));

	if (room == MAP_FAILED || mprotect(memory, len, PROT_READ | PROT_WRITE))
		err(1, "memory");
	munmap(room, (size_t)(memory - room));
	return memory;
}

/*
 * In an order that leaves no two neighbours side by side in physical memory, as on a machine that
 * has run for a while. @len / @page is a power of two, or less than the prime.
 */
static void touch(char *memory, size_t len, size_t page)
{
	const size_t nr = len / page;
	size_t i;

	for (i = 0; i < nr; i++)
		memory[i * 7919 % nr * page] = 1;
}

char *memory_get(size_t len, enum pages kind)
{
	char *memory;

	if (kind == HUGETLB_PAGES) {
		memory = mmap(NULL, whole(len), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		if (memory == MAP_FAILED)
			err(1, "huge pages");
	} else {
		memory = get_aligned(len);
		madvise(memory, len, kind == SMALL_PAGES ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	}
	touch(memory, len, kind == SMALL_PAGES || len < HUGE ? PAGE : HUGE);
	if (kind == TRANSPARENT_PAGES && huge_of(memory) < len)
		errx(1, "there are too few transparent huge pages");
	return memory;
}

void memory_put(char *memory, size_t len)
{
	munmap(memory, whole(len));
}

/* The same pages again and again: what's to be pinned needn't be that many. */
char *memory_get_gib(enum pages kind)
{
	const bool small = kind == SMALL_PAGES;
	int fd = memfd_create("gib", MFD_CLOEXEC | (small ? 0 : MFD_HUGETLB));
	char *room = get_aligned(GIB);
	size_t at;

	if (fd < 0 || ftruncate(fd, GIB_PART))
		err(1, "memfd");
	for (at = 0; at < GIB; at += GIB_PART)
		if (mmap(room + at, GIB_PART, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE * !!at, fd, 0) == MAP_FAILED)
			err(1, "memory");
		else if (!at)
			touch(room, GIB_PART, small ? PAGE : HUGE);
	close(fd);
	return room;
}

/* The second kind of line is of pages that a processor keeps for itself. */
double memory_free(void)
{
	FILE *refresh = fopen("/proc/sys/vm/stat_refresh", "we"), *file;
	unsigned long pages, sum = 0;
	char line[256];

	/* What each processor has counted for itself is counted in. */
	if (!refresh || fputs("1", refresh) < 0 || fclose(refresh))
		err(1, "stat_refresh");
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		err(1, "zoneinfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pages free %lu", &pages) == 1 ||
		    sscanf(line, " count: %lu", &pages) == 1)
			sum += pages;
	fclose(file);
	return (double)sum * PAGE;
}
