// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What the kernel and a driver make of a device that goes wrong, and at last goes away: an edu
 * that usrpci-sim plays, in a VM of vm/run --sim edu; exit 77 elsewhere.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <edu/edu.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "simulator.h"

#define ONES	UINT32_MAX
#define LEN	1000U

static void turn(const char *knob)
{
	simulator_turn(0, knob);
}

static int open_edu(void **state)
{
	nothing_held_setup(state);
	return edu_open((struct edu **)state, function_edu(), USRPCI_MSI);
}

/* A test that fails leaves its knob turned. */
static int close_edu(void **state)
{
	turn("all-ones=0");
	turn("irq-storm=0");
	turn("irq-lost=0");
	turn("stray-dma=0");
	edu_close(*state);
	return nothing_held_teardown(state);
}

static void knobs_are_heard(void **state)
{
	struct edu *edu = *state;
	uint32_t id = edu_id(edu);

	assert_int_equal(id, EDU_IDENTITY);
	turn("all-ones=1");
	assert_int_equal(edu_id(edu), ONES);
	assert_int_equal(edu_liveness(edu, 5), -ENODEV);
	turn("all-ones=0");
	assert_int_equal(edu_liveness(edu, 5), 0);
}

/* How often it has been signalled within @ms. */
static uint64_t signals(int event, unsigned int ms)
{
	uint64_t count = 0;

	usleep(ms * 1000);
	if (read(event, &count, sizeof(count)) < 0)
		assert_int_equal(errno, EAGAIN);
	return count;
}

static int wire_msi(int fd)
{
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(event >= 0);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_wire(fd, 0, 1, &event), 0);
	assert_int_equal(function_master(fd, 1), 0);
	return event;
}

static void interrupts_come_by_themselves(void **state)
{
	struct edu_hw *hw = *state;
	int event = wire_msi(hw->fd);

	assert_int_equal(signals(event, 100), 0);
	turn("irq-storm=1000");
	assert_true(signals(event, 500) > 20);
	turn("irq-storm=0");
	signals(event, 50);
	assert_int_equal(signals(event, 100), 0);
	close(event);
}

/* Some come while a transfer is under way, which sim.sh makes long. */
static void a_driver_works_through_a_storm(void **state)
{
	unsigned char *mem = pages_new(1, 7), *back = pages_new(1, 0);
	struct edu *edu = *state;
	int i;

	turn("irq-storm=2000");
	for (i = 0; i < 50; i++)
		assert_int_equal(edu_dma_to_device(edu, mem, 0, LEN), 0);
	assert_int_equal(edu_dma_from_device(edu, back, 0, LEN), 0);
	turn("irq-storm=0");
	assert_memory_equal(mem, back, LEN);
	pages_free(mem, 1);
	pages_free(back, 1);
}

static void a_driver_gives_up_a_lost_interrupt(void **state)
{
	struct edu *edu = *state;
	uint32_t result;

	turn("irq-lost=1");
	assert_int_equal(edu_factorial(edu, 5, &result), -ETIMEDOUT);
	turn("irq-lost=0");
}

/* Where nothing is mapped: it gets no further than QEMU. */
static void stray_dma_does_no_harm(void **state)
{
	unsigned char *mem = pages_new(1, 7), *back = pages_new(1, 0);
	struct edu *edu = *state;
	int i;

	turn("stray-dma=1");
	for (i = 0; i < 20; i++)
		assert_int_equal(edu_dma_to_device(edu, mem, 0, LEN), 0);
	turn("stray-dma=0");
	assert_int_equal(edu_dma_from_device(edu, back, 0, LEN), 0);
	assert_memory_equal(mem, back, LEN);
	pages_free(mem, 1);
	pages_free(back, 1);
}

/* With its registers mapped, its interrupts wired and memory in its reach. */
static void removed_it_reads_ones(void **state)
{
	unsigned char *mem = pages_new(1, 0);
	struct edu_hw *hw = *state;
	struct usrpci_ioc_sg sg[2];
	struct usrpci_ioc_region region = function_region(mem, PAGE, USRPCI_BIDIRECTIONAL);
	int event = wire_msi(hw->fd);
	uint32_t value;

	region.sg = (uintptr_t)sg;
	region.nr_sg = ARRAY_SIZE(sg);
	assert_int_equal(function_map(hw->fd, &region), 0);
	turn("remove=1");
	assert_int_equal(hw->regs[EDU_ID / 4], ONES);
	edu_hw_raise(hw, 1);
	assert_int_equal(signals(event, 50), 0);
	assert_int_equal(config_read(hw->fd, PCI_VENDOR_ID, 2, &value), 0);
	assert_int_equal(value, 0xffff);
	assert_int_equal(function_unmap_one(hw->fd, region.handle), 0);
	pages_free(mem, 1);
	close(event);
}

static void gone_it_is_no_edu(void **state)
{
	struct edu *edu = NULL;

	assert_true(edu_open(&edu, function_edu(), USRPCI_MSI) < 0);
	assert_null(edu);
}

static void gone_it_unbinds_and_binds(void **state)
{
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(function_bind(function_edu()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(knobs_are_heard, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(interrupts_come_by_themselves, edu_hw_setup,
						edu_hw_teardown),
		cmocka_unit_test_setup_teardown(a_driver_works_through_a_storm, open_edu,
						close_edu),
		cmocka_unit_test_setup_teardown(a_driver_gives_up_a_lost_interrupt, open_edu,
						close_edu),
		cmocka_unit_test_setup_teardown(stray_dma_does_no_harm, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(removed_it_reads_ones, edu_hw_setup,
						edu_hw_teardown),
		cmocka_unit_test_setup_teardown(gone_it_is_no_edu, nothing_held_setup,
						nothing_held_teardown),
		cmocka_unit_test(gone_it_unbinds_and_binds),
	};

	function_require();
	if (!simulator_present(0)) {
		printf("1..0 # SKIP no simulated device\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("simulated", tests, NULL, NULL);
}
