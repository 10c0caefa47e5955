// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* PRPs, read back as a controller reads them, against a map of every byte. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <nvme/prp.h>
#include <cmocka.h>

#define PAGE		4096UL
#define MOST		(1100 * PAGE)
#define LIST_BUS	0x7fff00000000ULL
#define UNTOUCHED	0x5a5a5a5a5a5a5a5aULL
#define LIST_MOST	(4 * PAGE)

static union {
	uint64_t entries[LIST_MOST / 8 + 1];
	char bytes[LIST_MOST + 8];
} memory;

static struct nvme_prp_list make_list(size_t at, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(memory.entries) / 8; i++)
		memory.entries[i] = UNTOUCHED;
	return (struct nvme_prp_list){
		.entries = memory.entries + at / 8,
		.bus_addr = LIST_BUS + at,
		.len = len,
	};
}

static uint64_t fetch(const struct nvme_prp_list *list, uint64_t bus)
{
	assert_true(bus >= list->bus_addr && bus + 8 <= list->bus_addr + list->len);
	assert_int_equal(bus % 8, 0);
	return le64toh(memory.entries[(bus - LIST_BUS) / 8]);
}

/* What a scatterlist says of the byte at @offset: the naive model. */
static uint64_t byte_at(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset)
{
	for (; nr; nr--, sg++) {
		if (offset < sg->len)
			return sg->bus_addr + offset;
		offset -= sg->len;
	}
	fail_msg("offset %ju lies past the scatterlist", (uintmax_t)offset);
	return 0;
}

/* The bytes from @page on, as far as the page goes, must be those the scatterlist names. */
static uint64_t check_page(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset,
			   uint64_t left, uint64_t page)
{
	uint64_t len = PAGE - page % PAGE;

	if (len > left)
		len = left;
	/* Runs are contiguous: their first and last byte in this page and each 64th say all. */
	for (uint64_t i = 0; i < len; i += 64)
		assert_int_equal(byte_at(sg, nr, offset + i), page + i);
	assert_int_equal(byte_at(sg, nr, offset + len - 1), page + len - 1);
	return len;
}

/* Walks PRP1, PRP2 and the list as NVMe base 2.0 §4.1.1 has a controller do. */
static void check(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t len,
		  const struct nvme_prp_list *list, const uint64_t prp[2])
{
	uint64_t done, at = prp[1], page;

	assert_int_equal(prp[0] % 4, 0);
	done = check_page(sg, nr, offset, len, prp[0]);
	if (done == len) {
		assert_int_equal(prp[1], 0);
		return;
	}
	if (len - done <= PAGE) {
		assert_int_equal(prp[1] % PAGE, 0);
		check_page(sg, nr, offset + done, len - done, prp[1]);
		return;
	}
	while (done < len) {
		page = fetch(list, at);
		assert_int_equal(page % PAGE, 0);
		if ((at + 8) % PAGE == 0 && len - done > PAGE) {
			at = page;
			continue;
		}
		done += check_page(sg, nr, offset + done, len - done, page);
		at += 8;
	}
}

static void fill_and_check(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset,
			   uint64_t len, size_t list_at, size_t list_len)
{
	struct nvme_prp_list list = make_list(list_at, list_len);
	uint64_t prp[2] = { UNTOUCHED, UNTOUCHED };

	assert_int_equal(nvme_prp_fill(sg, nr, offset, len, &list, prp), 0);
	check(sg, nr, offset, len, &list, prp);
	/* Nothing outside the list was written. */
	assert_int_equal(memory.entries[(list_at + list_len) / 8], UNTOUCHED);
	if (list_at)
		assert_int_equal(memory.entries[list_at / 8 - 1], UNTOUCHED);
}

/* Pages in an order that never joins. */
static struct usrpci_sg *scattered(unsigned int nr, uint64_t first_offset)
{
	struct usrpci_sg *sg = calloc(nr, sizeof(*sg));
	unsigned int i;

	assert_non_null(sg);
	for (i = 0; i < nr; i++) {
		sg[i].bus_addr = 0x100000000ULL + (uint64_t)(nr - i) * 3 * PAGE;
		sg[i].len = PAGE;
	}
	sg[0].bus_addr += first_offset;
	sg[0].len -= first_offset;
	return sg;
}

static void test_one_run(void **state)
{
	const struct usrpci_sg sg = { .bus_addr = 0x12340000, .len = 8 * PAGE };
	uint64_t offset, len;

	for (offset = 0; offset < PAGE + 8; offset += 4)
		for (len = 1; len <= 5 * PAGE; len += len < 600 ? 37 : 511)
			fill_and_check(&sg, 1, offset, len, 0, 64);
}

static void test_scattered_pages(void **state)
{
	uint64_t first, offset, len;
	struct usrpci_sg *sg;

	for (first = 0; first < PAGE; first += 252) {
		sg = scattered(8, first);
		for (offset = 0; offset < 2 * PAGE; offset += 124)
			for (len = 1; len <= 5 * PAGE; len += 509)
				fill_and_check(sg, 8, offset, len, 0, 64);
		free(sg);
	}
}

/* Runs that join within a page, as a scatterlist split at odd places has them. */
static void test_joining_runs(void **state)
{
	struct usrpci_sg sg[64];
	uint64_t at = 0x40000000, len;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		sg[i].bus_addr = at;
		sg[i].len = 4 * (1 + i * 37 % 211);
		at += sg[i].len;
	}
	for (i = 0; i < 64; i += 4)
		for (len = 512; len <= 2 * PAGE; len += 512)
			fill_and_check(sg, 64, i * 4, len, 0, 64);
}

/* Any number of pages up to two and a bit of list, at each place a list may begin. */
static void test_long_lists(void **state)
{
	unsigned int pages;
	struct usrpci_sg *sg = scattered(1100, 4);

	for (pages = 1; pages < 1090; pages += pages > 500 && pages < 530 ? 1 : 29) {
		fill_and_check(sg, 1100, 0, pages * PAGE, 0, nvme_prp_room(pages * PAGE));
		fill_and_check(sg, 1100, PAGE - 4, pages * PAGE, 0, nvme_prp_room(pages * PAGE));
	}
	free(sg);
}

static void test_list_within_a_page(void **state)
{
	struct usrpci_sg *sg = scattered(140, 0);
	size_t at;

	for (at = 0; at < PAGE; at += 1024) {
		fill_and_check(sg, 140, 0, 128 * PAGE, at, 1024);
		fill_and_check(sg, 140, 512, 128 * PAGE, at, 1024);
	}
	free(sg);
}

/* room() and reach() are each other's inverse, and neither is wasteful. */
static void test_room_and_reach(void **state)
{
	uint64_t len;

	assert_int_equal(nvme_prp_reach(8), PAGE);
	assert_int_equal(nvme_prp_reach(PAGE), 512 * PAGE);
	assert_int_equal(nvme_prp_reach(2 * PAGE), 1023 * PAGE);
	for (len = 1; len < MOST; len += 511) {
		size_t room = nvme_prp_room(len);

		assert_true(nvme_prp_reach(room) >= len);
		assert_true(room % PAGE == 0 || (room & (room - 1)) == 0);
		if (room > PAGE)
			assert_true(nvme_prp_reach(room - PAGE) < len);
		else if (room > 8)
			assert_true(nvme_prp_reach(room / 2) < len);
	}
}

static int fill(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t len,
		size_t list_len)
{
	struct nvme_prp_list list = make_list(0, list_len);
	uint64_t prp[2];

	return nvme_prp_fill(sg, nr, offset, len, &list, prp);
}

static void test_refusals(void **state)
{
	struct usrpci_sg *sg = scattered(8, 0);
	const struct usrpci_sg odd = { .bus_addr = 0x1002, .len = PAGE };
	const struct usrpci_sg gap[] = {
		{ .bus_addr = 0x10000, .len = 512 }, { .bus_addr = 0x20000, .len = PAGE },
	};
	const struct usrpci_sg late[] = {
		{ .bus_addr = 0x10000, .len = PAGE }, { .bus_addr = 0x20200, .len = PAGE },
	};

	assert_int_equal(fill(sg, 8, 0, 0, 64), -EINVAL);
	assert_int_equal(fill(sg, 8, 8 * PAGE, 1, 64), -EINVAL);
	assert_int_equal(fill(sg, 8, 7 * PAGE, PAGE + 1, 64), -EINVAL);
	assert_int_equal(fill(sg, 8, UINT64_MAX, 1, 64), -EINVAL);
	assert_int_equal(fill(sg, 8, 0, UINT64_MAX, 64), -EINVAL);
	assert_int_equal(fill(sg, 0, 0, 1, 64), -EINVAL);
	assert_int_equal(fill(sg, 8, 0, 6 * PAGE, 32), -ENOSPC);
	assert_int_equal(fill(sg, 8, 0, 5 * PAGE, 32), 0);
	assert_int_equal(fill(&odd, 1, 0, 512, 64), -ERANGE);
	assert_int_equal(fill(&odd, 1, 2, 512, 64), 0);
	assert_int_equal(fill(gap, 2, 0, 1024, 64), -ERANGE);
	assert_int_equal(fill(late, 2, 0, 2 * PAGE, 64), -ERANGE);
	assert_int_equal(fill(late, 2, 0, PAGE, 64), 0);
	free(sg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_run),
		cmocka_unit_test(test_scattered_pages),
		cmocka_unit_test(test_joining_runs),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_list_within_a_page),
		cmocka_unit_test(test_room_and_reach),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("prp", tests, NULL, NULL);
}
