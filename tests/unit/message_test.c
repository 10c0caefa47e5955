// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Which messages of the vfio-user protocol are some. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vfio-user/message.h"

/* In memory of just this size, so that a sanitizer or valgrind sees a read too far. */
static int check(bool reply, unsigned int command, const void *payload, size_t len,
		 unsigned int nr_fds)
{
	void *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, payload, len);
	err = reply ? usrpci_message_check_reply(command, copy, len, nr_fds) :
		      usrpci_message_check_command(command, copy, len, nr_fds);
	free(copy);
	return err;
}

/* --- headers --- */

static const struct {
	struct vfio_user_header header;
	int64_t len;
} headers[] = {
	{ { .size = 16 }, 0 },
	{ { .size = 17 }, 1 },
	{ { .size = 16 + VFIO_USER_MAX_PAYLOAD }, VFIO_USER_MAX_PAYLOAD },
	{ { .size = 17 + VFIO_USER_MAX_PAYLOAD }, -EPROTO },
	{ { .size = UINT32_MAX }, -EPROTO },
	{ { .size = 0 }, -EPROTO },
	{ { .size = 15 }, -EPROTO },
	{ { .size = 20, .flags = VFIO_USER_REPLY }, 4 },
	{ { .size = 20, .flags = VFIO_USER_NO_REPLY }, 4 },
	{ { .size = 20, .flags = 2 }, -EPROTO },
	{ { .size = 20, .flags = 15 }, -EPROTO },
	{ { .size = 16, .flags = VFIO_USER_REPLY | VFIO_USER_ERROR, .error = 5 }, 0 },
	{ { .size = 20, .flags = VFIO_USER_REPLY | VFIO_USER_ERROR, .error = 5 }, -EPROTO },
};

static void test_headers(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		print_message("# row %zu\n", i);
		assert_int_equal(usrpci_message_check_header(&headers[i].header), headers[i].len);
	}
}

/* --- lengths and descriptors of each --- */

#define ANY	SIZE_MAX

/** struct kind - A command or its reply: bytes that it has at least and at most, descriptors. */
struct kind {
	unsigned int command;
	size_t least;
	size_t most;
	unsigned int fds;
};

static const struct vfio_user_dma_map map = { .address = 0x1000, .size = 0x1000 };
static const struct vfio_user_dma_unmap unmap = { .address = 0x1000, .size = 0x1000 };
static const struct vfio_region_info region = { .argsz = sizeof(region) };
static const struct vfio_user_region_access region_one = { .count = 1 };
static const struct vfio_user_dma_access dma_one = { .count = 1 };
static const struct vfio_irq_set irq = {
	.argsz = sizeof(irq), .count = 3,
	.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
};

static const struct kind commands[] = {
	{ VFIO_USER_VERSION, 4, 4, 0 },
	{ VFIO_USER_DMA_MAP, sizeof(map), sizeof(map), 1 },
	{ VFIO_USER_DMA_UNMAP, sizeof(unmap), sizeof(unmap), 0 },
	{ VFIO_USER_DEVICE_GET_INFO, 16, ANY, 0 },
	{ VFIO_USER_DEVICE_GET_REGION_INFO, sizeof(region), ANY, 0 },
	{ VFIO_USER_DEVICE_GET_IRQ_INFO, 16, ANY, 0 },
	{ VFIO_USER_DEVICE_SET_IRQS, sizeof(irq), ANY, 3 },
	{ VFIO_USER_REGION_READ, 16, 16, 0 },
	{ VFIO_USER_REGION_WRITE, 17, 17, 0 },
	{ VFIO_USER_DMA_READ, 16, 16, 0 },
	{ VFIO_USER_DMA_WRITE, 17, 17, 0 },
	{ VFIO_USER_DEVICE_RESET, 0, 0, 0 },
};

static const struct kind replies[] = {
	{ VFIO_USER_VERSION, 4, 4, 16 },
	{ VFIO_USER_DMA_MAP, 0, ANY, 0 },
	{ VFIO_USER_DMA_UNMAP, 0, ANY, 0 },
	{ VFIO_USER_DEVICE_GET_INFO, 16, ANY, 0 },
	{ VFIO_USER_DEVICE_GET_REGION_INFO, sizeof(region), ANY, 16 },
	{ VFIO_USER_DEVICE_GET_IRQ_INFO, 16, ANY, 0 },
	{ VFIO_USER_DEVICE_SET_IRQS, 0, ANY, 0 },
	{ VFIO_USER_REGION_READ, 17, 17, 0 },
	{ VFIO_USER_REGION_WRITE, 16, 16, 0 },
	{ VFIO_USER_DMA_READ, 17, 17, 0 },
	{ VFIO_USER_DEVICE_RESET, 0, ANY, 0 },
};

static void fill(unsigned char payload[64], unsigned int command)
{
	memset(payload, 0, 64);
	switch (command) {
	case VFIO_USER_DMA_MAP:
		memcpy(payload, &map, sizeof(map));
		break;
	case VFIO_USER_DMA_UNMAP:
		memcpy(payload, &unmap, sizeof(unmap));
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		memcpy(payload, &region, sizeof(region));
		break;
	case VFIO_USER_DEVICE_SET_IRQS:
		memcpy(payload, &irq, sizeof(irq));
		break;
	case VFIO_USER_REGION_READ:
	case VFIO_USER_REGION_WRITE:
		memcpy(payload, &region_one, sizeof(region_one));
		break;
	case VFIO_USER_DMA_READ:
	case VFIO_USER_DMA_WRITE:
		memcpy(payload, &dma_one, sizeof(dma_one));
		break;
	}
}

static void test_kind(bool reply, const struct kind *kind)
{
	const int bad = reply ? -EPROTO : -EINVAL;
	unsigned char payload[64];
	size_t len;

	print_message("# %s %u\n", reply ? "reply to" : "command", kind->command);
	fill(payload, kind->command);
	for (len = 0; len < sizeof(payload); len++) {
		/* A version's text has to end with a 0, and does here. */
		bool good = len >= kind->least &&
			    (len <= kind->most || (kind->command == VFIO_USER_VERSION && len == 5));

		assert_int_equal(check(reply, kind->command, payload, len, 0), good ? 0 : bad);
	}
	assert_int_equal(check(reply, kind->command, payload, kind->least, kind->fds), 0);
	/* More than 16 aren't received. */
	if (kind->fds < 16)
		assert_int_equal(check(reply, kind->command, payload, kind->least, kind->fds + 1),
				 bad);
}

static void test_commands(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		test_kind(false, &commands[i]);
}

static void test_replies(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		test_kind(true, &replies[i]);
}

static void test_unknown(void **state)
{
	static const unsigned int unknown[] = {
		0, VFIO_USER_DEVICE_GET_REGION_IO_FDS, 14, VFIO_USER_REGION_WRITE_MULTI, 16, 65535,
	};
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_int_equal(check(false, unknown[i], "", 0, 0), -ENOTSUP);
		assert_int_equal(check(true, unknown[i], "", 0, 0), -EPROTO);
	}
}

/* The specification's table has 12 bytes of payload there, its servers send 16. */
static void test_dma_written(void **state)
{
	unsigned char payload[64];

	fill(payload, VFIO_USER_DMA_WRITE);
	assert_int_equal(check(true, VFIO_USER_DMA_WRITE, payload, 12, 0), 0);
	assert_int_equal(check(true, VFIO_USER_DMA_WRITE, payload, 16, 0), 0);
	assert_int_equal(check(true, VFIO_USER_DMA_WRITE, payload, 13, 0), -EPROTO);
	assert_int_equal(check(true, VFIO_USER_DMA_WRITE, payload, 0, 0), -EPROTO);
}

/* --- what is in them --- */

static void test_version_text(void **state)
{
	assert_int_equal(check(false, VFIO_USER_VERSION, "\0\0\0\0{}", 7, 0), 0);
	assert_int_equal(check(false, VFIO_USER_VERSION, "\0\0\0\0{}", 6, 0), -EINVAL);
	assert_int_equal(check(false, VFIO_USER_VERSION, "\0\0\0\0{\0}", 8, 0), -EINVAL);
	assert_int_equal(check(true, VFIO_USER_VERSION, "\0\0\0\0{\0}", 8, 0), -EPROTO);
}

static const struct {
	struct vfio_user_dma_map map;
	int err;
} maps[] = {
	{ { .address = 0, .size = 1 }, 0 },
	{ { .address = 0, .size = UINT64_MAX }, 0 },
	{ { .address = UINT64_MAX, .size = 1 }, 0 },
	{ { .address = UINT64_MAX, .size = 2 }, -EINVAL },
	{ { .address = 0x1000, .size = 0 }, -EINVAL },
	{ { .address = 0x1000, .size = UINT64_MAX }, -EINVAL },
	{ { .offset = UINT64_MAX, .size = 2 }, -EINVAL },
	{ { .size = 4096, .flags = 3 }, 0 },
	{ { .size = 4096, .flags = 4 }, -EINVAL },
	{ { .size = 4096, .flags = 1U << 31 }, -EINVAL },
};

static void test_dma_map(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		const struct vfio_user_dma_unmap out = {
			.address = maps[i].map.address, .size = maps[i].map.size,
		};

		print_message("# row %zu\n", i);
		assert_int_equal(check(false, VFIO_USER_DMA_MAP, &maps[i].map, sizeof(map), 0),
				 maps[i].err);
		if (!maps[i].map.flags && !maps[i].map.offset)
			assert_int_equal(check(false, VFIO_USER_DMA_UNMAP, &out, sizeof(out), 0),
					 maps[i].err);
	}
}

static const struct {
	uint64_t at;
	uint64_t count;
	bool good;
} accesses[] = {
	{ 0, 1, true },
	{ 0, VFIO_USER_TRANSFER, true },
	{ 0, VFIO_USER_TRANSFER + 1, false },
	{ 0, UINT32_MAX, false },
	{ 0, 0, false },
	{ UINT64_MAX, 1, true },
	{ UINT64_MAX, 2, false },
	{ UINT64_MAX - 15, 16, true },
	{ UINT64_MAX - 15, 17, false },
};

static void test_accesses(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		const struct vfio_user_region_access in_region = {
			.offset = accesses[i].at, .count = (uint32_t)accesses[i].count,
		};
		const struct vfio_user_dma_access in_memory = { accesses[i].at, accesses[i].count };
		int err = accesses[i].good ? 0 : -EINVAL;

		print_message("# row %zu\n", i);
		assert_int_equal(check(false, VFIO_USER_REGION_READ, &in_region, 16, 0), err);
		assert_int_equal(check(false, VFIO_USER_DMA_READ, &in_memory, 16, 0), err);
	}
	/* A count that is right in its lower half. */
	assert_int_equal(check(false, VFIO_USER_DMA_READ,
			       &(struct vfio_user_dma_access){ 0, (1ULL << 32) + 4 }, 16, 0),
			 -EINVAL);
}

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENT	VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define FIRE	VFIO_IRQ_SET_ACTION_TRIGGER

static const struct {
	uint32_t flags;
	uint32_t count;
	size_t bytes;
	unsigned int fds;
	bool good;
} irqs[] = {
	{ NONE | FIRE, 1, 0, 0, true },
	{ NONE | FIRE, 0, 0, 0, true },
	{ NONE | FIRE, 1, 0, 1, false },
	{ BOOL | MASK, 4, 4, 0, true },
	{ BOOL | MASK, 4, 3, 0, false },
	{ BOOL | MASK, UINT32_MAX, 4, 0, false },
	{ BOOL | MASK, 1, 4, 1, false },
	{ EVENT | FIRE, 2, 0, 2, true },
	{ EVENT | FIRE, 2, 0, 0, true },
	{ EVENT | FIRE, 2, 0, 1, false },
	{ EVENT | FIRE, 2, 0, 3, false },
	{ EVENT, 1, 0, 1, false },
	{ FIRE, 1, 0, 0, false },
	{ NONE | BOOL | FIRE, 1, 4, 0, false },
	{ NONE | FIRE | MASK, 1, 0, 0, false },
	{ 0, 1, 0, 0, false },
};

static void test_irq_set(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(irqs) / sizeof(irqs[0]); i++) {
		struct {
			struct vfio_irq_set set;
			char data[8];
		} payload = { .set = { .flags = irqs[i].flags, .count = irqs[i].count } };

		print_message("# row %zu\n", i);
		assert_int_equal(check(false, VFIO_USER_DEVICE_SET_IRQS, &payload,
				       sizeof(payload.set) + irqs[i].bytes, irqs[i].fds),
				 irqs[i].good ? 0 : -EINVAL);
	}
}

static void test_region_argsz(void **state)
{
	struct vfio_region_info info = { .argsz = sizeof(info) - 1 };

	assert_int_equal(check(true, VFIO_USER_DEVICE_GET_REGION_INFO, &info, sizeof(info), 0),
			 -EPROTO);
	assert_int_equal(check(true, VFIO_USER_DEVICE_GET_REGION_INFO, &region, sizeof(region), 17),
			 -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_dma_written),
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_dma_map),
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_irq_set),
		cmocka_unit_test(test_region_argsz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
