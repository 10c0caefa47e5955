// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Functions that come and go while they are held. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "monitor.h"
#include "slot.h"

#define SLOTS		4
#define ROUNDS		3

struct holder {
	struct slot *slot;
	int fd;
	volatile uint32_t *regs;
	unsigned char *memory;
	struct usrpci_ioc_region region;
};

static void plug(struct slot *slot, bool nvme)
{
	assert_int_equal(nvme ? slot_plug_nvme(slot) : slot_plug(slot, "edu"), 0);
	assert_int_equal(slot_wait_usrpci(slot), 0);
}

static void hold(struct holder *h, struct slot *slot)
{
	h->slot = slot;
	h->fd = function_open(slot->function);
	assert_true(h->fd >= 0);
	h->regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd,
		       function_bar(h->fd, 0).offset);
	assert_ptr_not_equal(h->regs, MAP_FAILED);
	h->memory = pages_new(8, 1);
	h->region = function_region(h->memory, 8 * PAGE, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_map(h->fd, &h->region), 0);
	assert_int_equal(function_master(h->fd, 1), 0);
	assert_int_equal(touch(h->regs), 0);
}

static void holds_nothing_now(struct holder *h)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	struct pollfd poller = { .fd = h->fd, .events = POLLIN };

	assert_int_equal(poll(&poller, 1, 10000), 1);
	assert_true(poller.revents & POLLHUP);
	assert_int_equal(function_call(h->fd, USRPCI_INFO, &info), -ENODEV);
	assert_int_equal(function_unmap_one(h->fd, h->region.handle), -ENODEV);
	assert_int_equal(touch(h->regs), SIGBUS);
	assert_int_equal(munmap((void *)h->regs, PAGE), 0);
	assert_int_equal(close(h->fd), 0);
	pages_free(h->memory, 8);
}

/* The kernel is asked, by QEMU or by root. */
static int unplug_by_button(struct slot *slot)
{
	return slot_unplug_by_button(slot) ?: slot_wait_no_function(slot);
}

static int unplug_by_guest(struct slot *slot)
{
	return slot_unplug_by_guest(slot) ?: slot_wait_no_function(slot);
}

/* It isn't; root has to tell it where the slot doesn't. */
static int vanish(struct slot *slot)
{
	int err = slot_vanish(slot);

	if (!err && !slot_reads_ones(slot))
		return -EEXIST;
	if (!err && !slots_announce_by_themselves())
		err = slot_kernel_removes(slot);
	return err ?: slot_wait_no_function(slot);
}

static void cycle(struct slot *slot, bool nvme, int (*take_away)(struct slot *slot))
{
	struct holder h;

	plug(slot, nvme);
	hold(&h, slot);
	assert_int_equal(take_away(slot), 0);
	holds_nothing_now(&h);
}

/* Slots wait more than they work: all at once. */
static void child(unsigned int number, int rounds, bool nvme, int (*take_away)(struct slot *slot))
{
	struct slot slot;

	/* An assertion that fails ends the child, not its test. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	assert_true(slot_find(&slot, number));
	while (rounds--)
		cycle(&slot, nvme, take_away);
	_exit(0);
}

static void cycles(int rounds, bool nvme, int (*take_away)(struct slot *slot))
{
	int i, status, failed = 0;

	for (i = 1; i <= SLOTS; i++)
		if (!fork())
			child(i, rounds, nvme, take_away);
	while (wait(&status) > 0)
		failed += status != 0;
	assert_int_equal(failed, 0);
}

static void unplugged_by_button(void **state)
{
	cycles(1, false, unplug_by_button);
}

static void unplugged_by_guest(void **state)
{
	cycles(ROUNDS, false, unplug_by_guest);
}

static void nvme_unplugged_by_guest(void **state)
{
	cycles(ROUNDS, true, unplug_by_guest);
}

static void vanished(void **state)
{
	cycles(ROUNDS, false, vanish);
}

static void nvme_vanished(void **state)
{
	cycles(ROUNDS, true, vanish);
}

/* Till the kernel is told, the holder's reads give ones, and nothing waits for the device. */
static void vanished_unannounced(void **state)
{
	struct holder h;
	struct slot slot;
	uint32_t value;

	if (slots_announce_by_themselves())
		skip();
	assert_true(slot_find(&slot, 1));
	plug(&slot, false);
	hold(&h, &slot);
	assert_int_equal(slot_vanish(&slot), 0);
	assert_int_equal(config_read(h.fd, 0, 4, &value), 0);
	assert_int_equal(value, ~0U);
	assert_int_equal(function_unmap_one(h.fd, h.region.handle), 0);
	assert_int_equal(function_map(h.fd, &h.region), 0);
	assert_int_equal(slot_kernel_removes(&slot), 0);
	assert_int_equal(slot_wait_no_function(&slot), 0);
	holds_nothing_now(&h);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, nothing_held_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unplugged_by_button),
		TEST(unplugged_by_guest),
		TEST(nvme_unplugged_by_guest),
		TEST(vanished),
		TEST(nvme_vanished),
		TEST(vanished_unannounced),
	};

	slots_require(SLOTS);
	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
