// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Bus addresses that the library chooses, against a list in which all are looked at. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vfio/iova.h"

#define PAGE	4096ULL
#define LAST_32	0xffffffffULL

static uint64_t random_state;

static uint64_t draw(uint64_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % n;
}

/** struct list - What is taken, in order: the naive way. */
struct list {
	struct usrpci_iova **nodes;
	unsigned int nr;
};

static unsigned int place_of(const struct list *list, uint64_t first)
{
	unsigned int i;

	for (i = 0; i < list->nr && list->nodes[i]->first < first; i++)
		;
	return i;
}

static void add(struct list *list, struct usrpci_iova *node)
{
	unsigned int at = place_of(list, node->first);

	memmove(list->nodes + at + 1, list->nodes + at, (list->nr - at) * sizeof(*list->nodes));
	list->nodes[at] = node;
	list->nr++;
}

static void drop(struct list *list, unsigned int at)
{
	list->nr--;
	memmove(list->nodes + at, list->nodes + at + 1, (list->nr - at) * sizeof(*list->nodes));
}

/* The start of the lowest hole of at least @len; 0: none. */
static uint64_t lowest(const struct list *list, uint64_t len)
{
	unsigned int i;

	for (i = 0; i + 1 < list->nr; i++)
		if (list->nodes[i + 1]->first - list->nodes[i]->last - 1 >= len)
			return list->nodes[i]->last + 1;
	return 0;
}

/* Where @len bytes are to go; 0: nowhere. */
static uint64_t expect(const struct list *list, uint64_t len, uint64_t last, uint64_t align,
		       uint64_t phase)
{
	uint64_t first = lowest(list, align > PAGE ? len + align - PAGE : len);

	if (align > PAGE)
		while (first && first % align != phase % align)
			first += PAGE;
	return first && first <= last && len - 1 <= last - first ? first : 0;
}

static void begin(struct usrpci_iovas *iovas, struct list *list, unsigned int most)
{
	usrpci_iovas_init(iovas);
	usrpci_iovas_keep_ends(iovas);
	list->nodes = calloc(most + 2, sizeof(*list->nodes));
	list->nr = 0;
	add(list, &iovas->bottom);
	add(list, &iovas->top);
}

static struct usrpci_iova *take_one(struct usrpci_iovas *iovas, struct list *list)
{
	struct usrpci_iova *node = malloc(sizeof(*node));
	const uint64_t len = PAGE * (1 + draw(draw(8) ? 16 : 1024));
	const uint64_t last = draw(4) ? LAST_32 : LAST_32 >> draw(12);
	const uint64_t align = draw(4) ? 0 : PAGE << draw(10), phase = PAGE * draw(512);
	const uint64_t first = expect(list, len, last, align, phase);
	int err = usrpci_iovas_take(iovas, node, len, last, align, phase);

	assert_int_equal(err, first ? 0 : -ENOSPC);
	if (err) {
		free(node);
		return NULL;
	}
	assert_int_equal(node->first, first);
	assert_int_equal(node->last, first + len - 1);
	add(list, node);
	return node;
}

static void give_one(struct usrpci_iovas *iovas, struct list *list)
{
	unsigned int at = 1 + (unsigned int)draw(list->nr - 2);
	struct usrpci_iova *node = list->nodes[at];

	usrpci_iovas_give(iovas, node);
	drop(list, at);
	memset(node, 0xff, sizeof(*node));
	free(node);
}

static void look_up(struct usrpci_iovas *iovas, const struct list *list)
{
	const uint64_t addr = draw(LAST_32);
	const struct usrpci_iova *want;
	unsigned int at = place_of(list, addr + 1);

	/* The one before is the only one that could hold it. */
	want = at ? list->nodes[at - 1] : NULL;
	if (want && want->last < addr)
		want = NULL;
	assert_ptr_equal(usrpci_iovas_find(iovas, addr), want);
	if (!want && at < list->nr)
		want = list->nodes[at];
	assert_ptr_equal(usrpci_iovas_next(iovas, addr), want);
}

static void end(struct usrpci_iovas *iovas, struct list *list)
{
	while (list->nr > 2)
		give_one(iovas, list);
	assert_ptr_equal(usrpci_iovas_next(iovas, PAGE), &iovas->top);
	free(list->nodes);
}

/* Each answer is compared. */
static void test_against_list(void **state)
{
	struct usrpci_iovas iovas;
	struct list list;
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		random_state = round;
		begin(&iovas, &list, 3000);
		for (i = 0; i < 3000; i++) {
			if (list.nr > 2 && !draw(round % 2 ? 2 : 4))
				give_one(&iovas, &list);
			else
				take_one(&iovas, &list);
			look_up(&iovas, &list);
		}
		end(&iovas, &list);
	}
}

static void test_10000_live(void **state)
{
	const unsigned int most = 10000;
	struct usrpci_iova *nodes = calloc(most, sizeof(*nodes));
	struct usrpci_iovas iovas;
	unsigned int i;

	usrpci_iovas_init(&iovas);
	usrpci_iovas_keep_ends(&iovas);
	for (i = 0; i < most; i++) {
		assert_int_equal(usrpci_iovas_take(&iovas, &nodes[i], PAGE, LAST_32, 0, 0), 0);
		assert_int_equal(nodes[i].first, (i + 1) * PAGE);
	}
	for (i = 0; i < most; i++)
		assert_ptr_equal(usrpci_iovas_find(&iovas, nodes[i].first + i % PAGE), &nodes[i]);
	for (i = 0; i < most; i += 2)
		usrpci_iovas_give(&iovas, &nodes[i]);
	for (i = 0; i < most; i++)
		assert_ptr_equal(usrpci_iovas_find(&iovas, nodes[i].last),
				 i % 2 ? &nodes[i] : NULL);
	/* The lowest hole is the next one. */
	for (i = 0; i < most; i += 2) {
		assert_int_equal(usrpci_iovas_take(&iovas, &nodes[i], PAGE, LAST_32, 0, 0), 0);
		assert_int_equal(nodes[i].first, (i + 1) * PAGE);
	}
	free(nodes);
}

static void test_ends(void **state)
{
	struct usrpci_iovas iovas;
	struct usrpci_iova node, other;

	usrpci_iovas_init(&iovas);
	usrpci_iovas_keep_ends(&iovas);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, PAGE, PAGE - 1, 0, 0), -ENOSPC);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, PAGE, 2 * PAGE - 2, 0, 0), -ENOSPC);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, PAGE, 2 * PAGE - 1, 0, 0), 0);
	assert_int_equal(node.first, PAGE);
	assert_int_equal(usrpci_iovas_take(&iovas, &other, PAGE, 2 * PAGE - 1, 0, 0), -ENOSPC);
	usrpci_iovas_give(&iovas, &node);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, 0, UINT64_MAX, 0, 0), -ENOSPC);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, -PAGE, UINT64_MAX, 0, 0), -ENOSPC);
	assert_int_equal(usrpci_iovas_take(&iovas, &node, -2 * PAGE, UINT64_MAX, 2 << 20, 0),
			 -ENOSPC);
	/* All that there is. */
	assert_int_equal(usrpci_iovas_take(&iovas, &node, -2 * PAGE, UINT64_MAX, 0, 0), 0);
	assert_int_equal(usrpci_iovas_take(&iovas, &other, PAGE, UINT64_MAX, 0, 0), -ENOSPC);
}

/* As the simulator has them: by address, to the byte, up to the last. */
static void test_last_byte(void **state)
{
	struct usrpci_iova all[] = {
		{ .first = UINT64_MAX, .last = UINT64_MAX }, { .first = 0, .last = 0 },
		{ .first = 1, .last = UINT64_MAX - 1 },
	};
	struct usrpci_iovas iovas;
	unsigned int i;

	usrpci_iovas_init(&iovas);
	for (i = 0; i < 3; i++) {
		usrpci_iovas_take_fixed(&iovas, &all[i]);
		assert_ptr_equal(usrpci_iovas_find(&iovas, all[i].first), &all[i]);
	}
	for (i = 0; i < 3; i++) {
		usrpci_iovas_give(&iovas, &all[i]);
		assert_null(usrpci_iovas_find(&iovas, all[i].first));
	}
	assert_null(usrpci_iovas_next(&iovas, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_list),
		cmocka_unit_test(test_10000_live),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_last_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
