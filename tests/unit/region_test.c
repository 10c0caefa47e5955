// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a peer says of a region, and the list of capabilities in that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vfio/vfio.h"

#define HEAD	((uint32_t)sizeof(struct vfio_region_info))
#define MAPPED	(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE | \
		 VFIO_REGION_INFO_FLAG_MMAP)
#define LEN	0x8000U

/** struct reply - As it comes. */
struct reply {
	struct vfio_region_info info;
	char caps[256];
	size_t len;
};

static struct reply begin(uint32_t flags, uint32_t first)
{
	return (struct reply){
		.info = { .argsz = HEAD, .flags = flags, .cap_offset = first, .size = LEN },
		.len = HEAD,
	};
}

static void add(struct reply *reply, const void *data, size_t len)
{
	memcpy((char *)reply + reply->len, data, len);
	reply->len += len;
}

static void add_cap(struct reply *reply, unsigned int id, uint32_t next)
{
	const struct vfio_info_cap_header head = { (uint16_t)id, 1, next };

	add(reply, &head, sizeof(head));
}

static void add_sparse(struct reply *reply, uint32_t next, uint32_t nr)
{
	const uint32_t rest[] = { nr, 0 };

	add_cap(reply, VFIO_REGION_INFO_CAP_SPARSE_MMAP, next);
	add(reply, rest, sizeof(rest));
}

static void add_area(struct reply *reply, uint64_t offset, uint64_t len)
{
	const struct vfio_region_sparse_mmap_area area = { offset, len };

	add(reply, &area, sizeof(area));
}

/* In memory of just that size. */
static int parse(struct usrpci_region *region, const struct reply *reply)
{
	void *copy = malloc(reply->len);
	int err;

	memcpy(copy, reply, reply->len);
	err = usrpci_vfio_parse_region(region, copy, reply->len);
	free(copy);
	return err;
}

static void assert_windows(const struct reply *reply, unsigned int nr, uint64_t offset,
			   uint64_t len)
{
	struct usrpci_region region;

	assert_int_equal(parse(&region, reply), 0);
	assert_int_equal(region.fd, -1);
	assert_int_equal(region.nr_windows, nr);
	if (!nr)
		return;
	assert_int_equal(region.windows[0].offset, offset);
	assert_int_equal(region.windows[0].len, len);
}

static void test_plain(void **state)
{
	struct reply reply = begin(0, 0);
	struct usrpci_region region;

	assert_windows(&reply, 0, 0, 0);
	reply.info.flags = MAPPED;
	reply.info.offset = 0x123000;
	assert_windows(&reply, 1, 0, LEN);
	parse(&region, &reply);
	assert_int_equal(region.len, LEN);
	assert_int_equal(region.offset, 0x123000);
	assert_int_equal(region.flags, MAPPED);
	reply.info.size = 0;
	assert_windows(&reply, 0, 0, 0);
	reply.info.size = UINT64_MAX;
	assert_windows(&reply, 1, 0, UINT64_MAX);
}

static void test_sparse(void **state)
{
	struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD);
	struct usrpci_region region;

	add_sparse(&reply, 0, 3);
	add_area(&reply, 0x1000, 0x2000);
	add_area(&reply, 0x4000, 0x1000);
	add_area(&reply, 0x6000, 0x1000);
	assert_windows(&reply, 2, 0x1000, 0x2000);
	parse(&region, &reply);
	assert_int_equal(region.windows[1].offset, 0x4000);
	/* Without mapping, or without capabilities, nobody looks at them. */
	reply.info.flags = VFIO_REGION_INFO_FLAG_CAPS;
	assert_windows(&reply, 0, 0, 0);
	reply.info.flags = MAPPED;
	assert_windows(&reply, 1, 0, LEN);
}

static void test_no_areas(void **state)
{
	struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD);

	add_sparse(&reply, 0, 0);
	assert_windows(&reply, 0, 0, 0);
}

static void test_bad_areas(void **state)
{
	static const struct {
		uint64_t offset;
		uint64_t len;
	} bad[] = {
		{ 0, 0 }, { 1, 0x1000 }, { LEN, 0x1000 }, { 0x1000, LEN }, { 0, LEN + 1 },
		{ UINT64_MAX & ~0xfffULL, 0x2000 }, { 0x1000, UINT64_MAX }, { 0, UINT64_MAX },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD);

		print_message("# row %zu\n", i);
		add_sparse(&reply, 0, 2);
		add_area(&reply, bad[i].offset, bad[i].len);
		add_area(&reply, 0x3000, 0x1000);
		assert_windows(&reply, 1, 0x3000, 0x1000);
	}
}

static void test_more_areas_than_there_are(void **state)
{
	static const uint32_t nrs[] = { 2, 0x10000000, 0x80000001, UINT32_MAX };
	size_t i;

	for (i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD);
		struct usrpci_region region;

		add_sparse(&reply, 0, nrs[i]);
		add_area(&reply, 0, 0x1000);
		assert_int_equal(parse(&region, &reply), -EPROTO);
	}
}

static void test_chain(void **state)
{
	struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD + 8);

	/* Back, and to the end. */
	add_cap(&reply, 77, HEAD + 16);
	add_cap(&reply, 78, HEAD);
	add_sparse(&reply, 0, 1);
	add_area(&reply, 0x2000, 0x1000);
	assert_windows(&reply, 1, 0x2000, 0x1000);
}

static void test_bad_chains(void **state)
{
	static const struct {
		uint32_t first;
		uint32_t next;
	} bad[] = {
		{ HEAD, HEAD },				/* a ring */
		{ HEAD, HEAD + 8 },			/* nothing there */
		{ HEAD, 1 }, { HEAD, HEAD - 1 },	/* in what isn't a capability */
		{ HEAD, UINT32_MAX }, { UINT32_MAX, 0 }, { HEAD + 1, 0 }, { HEAD + 8, 0 }, { 4, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, bad[i].first);
		struct usrpci_region region;

		print_message("# row %zu\n", i);
		add_cap(&reply, 77, bad[i].next);
		assert_int_equal(parse(&region, &reply), -EPROTO);
	}
}

/* A ring of sparse areas ends too. */
static void test_sparse_ring(void **state)
{
	struct reply reply = begin(MAPPED | VFIO_REGION_INFO_FLAG_CAPS, HEAD);
	struct usrpci_region region;

	add_sparse(&reply, HEAD, 1);
	add_area(&reply, 0, 0x1000);
	assert_int_equal(parse(&region, &reply), -EPROTO);
	assert_in_range(region.nr_windows, 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_no_areas),
		cmocka_unit_test(test_bad_areas),
		cmocka_unit_test(test_more_areas_than_there_are),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_bad_chains),
		cmocka_unit_test(test_sparse_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
