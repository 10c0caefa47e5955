// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * An NVMe disk, $USRPCI_NVME, that does two commands a second and can't abort any, as QEMU's with
 * a throttled drive: $USRPCI_SLOW says that it is one; exit 77 elsewhere.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <nvme/nvme.h>

#include "function.h"
#include "memory.h"

#define DEPTH		16U
#define TIMEOUT_MS	1500U
/* What all of them would take by themselves is longer. */
#define SOON_MS		7000

static struct nvme *disk;
static struct usrpci_mapping map;
static struct usrpci_sg sg[DEPTH + 2];

static int open_disk(void **state)
{
	const struct nvme_options options = {
		.queues = 2, .depth = DEPTH, .timeout_ms = TIMEOUT_MS, .irq = NVME_MSIX,
	};
	int err = nvme_open(&disk, getenv("USRPCI_NVME"), &options);

	map = (struct usrpci_mapping){
		.addr = pages_new(DEPTH, 0), .len = DEPTH * PAGE, .sg = sg,
		.nr_sg = ARRAY_SIZE(sg), .direction = USRPCI_DMA_FROM_DEVICE,
	};
	return err ? err : usrpci_map(nvme_device(disk), &map, 1);
}

static int close_disk(void **state)
{
	nvme_close(disk);
	pages_free(map.addr, DEPTH);
	return 0;
}

static void submit_all(unsigned int index, unsigned int nr)
{
	struct nvme_command command = { .op = NVME_READ, .map = &map };

	command.blocks = (uint32_t)PAGE / nvme_info(disk)->block_size;
	for (; command.cookie < nr; command.cookie++) {
		command.offset = command.cookie * PAGE;
		assert_int_equal(nvme_submit(nvme_queue(disk, index), &command), 0);
	}
}

/* Each ends once; how many did so with @error, if not well. */
static unsigned int end_all(unsigned int index, unsigned int nr, int error)
{
	struct nvme_completion done;
	unsigned int seen = 0, i;

	for (i = 0; i < nr; i++) {
		assert_int_equal(nvme_wait(nvme_queue(disk, index), &done, 1, SOON_MS), 1);
		if (done.error)
			assert_int_equal(done.error, error);
		seen += done.error == error;
	}
	assert_int_equal(nvme_poll(nvme_queue(disk, index), &done, 1), 0);
	return seen;
}

/* QEMU first takes back the time that the commands would have taken which the reset has ended. */
static void works_again(unsigned int index)
{
	struct nvme_completion done = { .error = -1 };
	unsigned int i;

	for (i = 0; i < 20 && done.error; i++) {
		submit_all(index, 1);
		assert_int_equal(nvme_wait(nvme_queue(disk, index), &done, 1, SOON_MS), 1);
		assert_true(!done.error || done.error == -ETIMEDOUT || done.error == -ECANCELED);
	}
	assert_int_equal(done.error, 0);
}

/* It's reset, under both queues; and whatever comes then comes to where nobody has anything. */
static void test_reset(void **state)
{
	const struct timespec pause = { .tv_sec = 1, .tv_nsec = 300000000 };
	time_t begin = time(NULL);

	submit_all(0, DEPTH);
	nanosleep(&pause, NULL);
	submit_all(1, 5);
	assert_true(end_all(0, DEPTH, -ETIMEDOUT) > 0);
	assert_true(end_all(1, 5, -ECANCELED) > 0);
	assert_true(time(NULL) - begin <= SOON_MS / 1000);
	works_again(0);
	works_again(1);
}

/* Nothing moves any more into memory that the close has given back. */
static void test_closed_amid(void **state)
{
	submit_all(0, DEPTH);
	submit_all(1, DEPTH);
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, open_disk, close_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reset),
		TEST(test_closed_amid),
	};

	if (!getenv("USRPCI_NVME") || !getenv("USRPCI_SLOW")) {
		fputs("no slow disk: skipped\n", stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("a slow disk", tests, NULL, NULL);
}
