// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A device computes on more memory than there is: pages that aren't pinned are swapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "htex.h"
#include "memory.h"

/* What is left to all, in pages; and what the job reads, and writes. */
#define LEFT		(6UL << 20 >> 12)
#define AREA		(times(20) * 256UL)
#define CHUNK		64UL
#define ENGINES		8U
#define WORDS		(PAGE / 8)

static unsigned long number_of(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	char name[64], line[256];
	unsigned long n, found = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lu", name, &n) == 2 && !strcmp(name, key))
			found = n;
	if (file)
		fclose(file);
	return found;
}

static bool has_swap(void)
{
	return number_of("/proc/meminfo", "SwapTotal:") * 1024 / PAGE > 4 * AREA;
}

/* All memory but some is in use. */
static void *take_memory(size_t *len)
{
	size_t available = number_of("/proc/meminfo", "MemAvailable:") * 1024;
	void *mem;

	assert_true(available > LEFT * PAGE);
	*len = available - LEFT * PAGE;
	mem = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_int_equal(mlock(mem, *len), 0);
	return mem;
}

static uint64_t *new_area(int advice)
{
	uint64_t *mem = mmap(NULL, AREA * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(mem, MAP_FAILED);
	madvise(mem, AREA * PAGE, advice);
	return mem;
}

static void fill(uint64_t *mem, uint64_t seed)
{
	size_t i;

	for (i = 0; i < AREA * WORDS; i++)
		mem[i] = i * 0x9e3779b97f4a7c15 + seed;
}

static void assert_filled(const uint64_t *mem, uint64_t seed, const char *what)
{
	size_t i;

	for (i = 0; i < AREA * WORDS; i++)
		if (mem[i] != i * 0x9e3779b97f4a7c15 + seed)
			fail_msg("%s: word %zu of page %zu is %#lx", what, i % WORDS, i / WORDS,
				 mem[i]);
}

/*
 * In any order: chunks that follow one another are far apart. @back: the last come first, of
 * which the device may still have translations.
 */
static void copy_all(struct htex_hw *htex, uint32_t tag, uint64_t *from, uint64_t *to, bool back)
{
	size_t i, at, nr = AREA / CHUNK;

	for (i = 0; i < nr + ENGINES; i++) {
		if (i >= ENGINES)
			assert_int_equal(htex_hw_wait(htex, i % ENGINES), HTEX_STATE_DONE);
		if (i >= nr)
			continue;
		at = (back ? nr - 1 - i : i) * 37 % nr * CHUNK * WORDS;
		htex_hw_run(htex, i % ENGINES, &(struct htex_hw_job){
			.job = HTEX_JOB_COPY, .tag = tag, .source = (uintptr_t)(from + at),
			.target = (uintptr_t)(to + at), .length = CHUNK * PAGE,
		});
	}
}

static void memory_is_swapped_amid_jobs(void **state)
{
	struct htex_hw *htex = *state;
	unsigned long out = number_of("/proc/vmstat", "pswpout");
	uint64_t *from = new_area(MADV_HUGEPAGE), *to = new_area(MADV_NOHUGEPAGE);
	struct usrpci_ioc_space_info info;
	uint32_t tag;
	int space;
	void *taken;
	size_t len;

	htex_hw_start(htex, HTEX_HW_RING);
	space = htex_hw_bind(htex, USRPCI_BIND_MIRRORED, 0, &tag);
	assert_true(space >= 0);
	fill(from, 1);
	taken = take_memory(&len);
	copy_all(htex, tag, from, to, false);
	/* What was swapped isn't where it was, nor is it the same. */
	fill(from, 2);
	copy_all(htex, tag, from, to, true);
	info = space_info(space);
	out = number_of("/proc/vmstat", "pswpout") - out;
	print_message("# %lu pages of 2 x %lu swapped out, %llu misses, %llu faults, "
		      "%llu taken back\n", out, AREA, info.misses, info.faults, info.invalidations);
	munmap(taken, len);
	assert_filled(to, 2, "what was copied");
	assert_filled(from, 2, "what it was copied from");
	assert_true(out > AREA / 4);
	assert_true(info.faults > 0);
	assert_true(info.invalidations > 0);
	assert_int_equal(info.refusals, 0);
	htex_hw_unbind(htex, space);
	munmap(from, AREA * PAGE);
	munmap(to, AREA * PAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_is_swapped_amid_jobs, htex_hw_setup,
						htex_hw_teardown),
	};

	function_require();
	if (!function_htex() || !has_swap())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
