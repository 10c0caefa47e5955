// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "canary.h"
#include "function.h"

/* Chunks in a row, on all processors, without a find: the rest is elsewhere. */
#define HOPELESS	6

void physical_addresses(const void *addr, size_t nr, uint64_t *physical)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t i;

	memset(physical, 0, nr * sizeof(*physical));
	if (pread(fd, physical, nr * 8, (uintptr_t)addr / PAGE * 8) < 0)
		return;
	close(fd);
	for (i = 0; i < nr; i++)
		physical[i] = physical[i] >> 63 ? (physical[i] & ((1ULL << 55) - 1)) * PAGE : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool is_among(uint64_t physical, const uint64_t *wanted, size_t nr)
{
	return bsearch(&physical, wanted, nr, sizeof(*wanted), compare);
}

static unsigned char *new_chunk(void)
{
	unsigned char *chunk = mmap(NULL, CANARY_CHUNK * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(chunk, MAP_FAILED);
	/* A huge page wouldn't be made of what was just freed. */
	madvise(chunk, CANARY_CHUNK * PAGE, MADV_NOHUGEPAGE);
	memset(chunk, CANARY_BYTE, CANARY_CHUNK * PAGE);
	return chunk;
}

static size_t look(struct canary *c, unsigned int chunk, const uint64_t *wanted, size_t nr)
{
	const uint64_t *physical = c->physical[chunk];
	size_t i, caught = 0;

	for (i = 0; i < CANARY_CHUNK; i++) {
		if (is_among(physical[i], wanted, nr))
			caught++;
		else if (is_among(physical[i] + PAGE, wanted, nr) ||
			 is_among(physical[i] - PAGE, wanted, nr))
			c->beside++;
	}
	c->caught += caught;
	return caught;
}

/* Each processor keeps what was freed on it for itself. */
static void move_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void grow(struct canary *c)
{
	c->chunks[c->nr] = new_chunk();
	physical_addresses(c->chunks[c->nr], CANARY_CHUNK, c->physical[c->nr]);
	c->nr++;
}

void canary_catch(struct canary *c, uint64_t *wanted, size_t nr)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i, without = 0;
	size_t caught = 0, found;
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	qsort(wanted, nr, sizeof(*wanted), compare);
	for (i = 0; caught < nr && without < HOPELESS && i < CANARY_CHUNKS; i++) {
		/* What was caught for others may be it; then comes what is new. */
		move_to(i % cpus);
		if (i == c->nr)
			grow(c);
		found = look(c, i, wanted, nr);
		without = found || i < c->nr - 1 ? 0 : without + 1;
		caught += found;
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
}

size_t canary_bytes(const unsigned char *addr, size_t len)
{
	size_t i, changed = 0;

	/* All are the same if the first is right and each is as the one before. */
	if (!len || (addr[0] == CANARY_BYTE && !memcmp(addr, addr + 1, len - 1)))
		return 0;
	for (i = 0; i < len; i++)
		changed += addr[i] != CANARY_BYTE;
	return changed;
}

size_t canary_changed(const struct canary *c)
{
	size_t changed = 0;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		changed += canary_bytes(c->chunks[i], CANARY_CHUNK * PAGE);
	return changed;
}

void canary_free(struct canary *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		munmap(c->chunks[i], CANARY_CHUNK * PAGE);
	c->nr = 0;
	c->caught = 0;
	c->beside = 0;
}
