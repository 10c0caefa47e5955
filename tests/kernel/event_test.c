// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a function's user is told besides interrupts. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

static int open_of(const char *bdf)
{
	int fd = function_open(bdf);

	assert_true(fd >= 0);
	return fd;
}

static int polled(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&p, 1, timeout_ms) == 1 ? p.revents : 0;
}

static void told(int fd, uint32_t type, uint32_t detail, uint64_t count)
{
	struct usrpci_ioc_event event;

	assert_int_equal(function_event(fd, &event), 0);
	assert_int_equal(event.type, type);
	assert_int_equal(event.detail, detail);
	assert_int_equal(event.count, count);
	assert_int_equal(event.lost, 0);
}

static void told_no_more(int fd, int err)
{
	struct usrpci_ioc_event event;

	assert_int_equal(function_event(fd, &event), err);
}

static void nothing_happens_by_itself(void **state)
{
	int fd = open_of(function_edu());

	assert_int_equal(polled(fd, 0), 0);
	told_no_more(fd, -EAGAIN);
	close(fd);
}

static void unbinding_is_told_once(void **state)
{
	int fd = open_of(function_edu());

	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(polled(fd, 0), POLLPRI | POLLERR | POLLHUP);
	told(fd, USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ASKED, 1);
	assert_int_equal(polled(fd, 0), POLLERR | POLLHUP);
	told_no_more(fd, -ENODEV);
	assert_int_equal(function_bind(function_edu()), 0);
	close(fd);
}

/* All or nothing: what couldn't be told isn't lost. */
static void answers_that_cannot_be_written_keep_the_event(void **state)
{
	struct usrpci_ioc_event *event = (void *)pages_new(1, 0);
	int fd = open_of(function_edu());

	event->size = sizeof(*event);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(mprotect(event, PAGE, PROT_READ), 0);
	assert_int_equal(function_call(fd, USRPCI_EVENT, event), -EFAULT);
	assert_int_equal(function_call(fd, USRPCI_EVENT, event), -EFAULT);
	told(fd, USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ASKED, 1);
	assert_int_equal(function_bind(function_edu()), 0);
	close(fd);
	pages_free(event, 1);
}

static void reset_by_root(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", bdf);
	assert_int_equal(file_write(path, "1"), 0);
}

static void resets_by_others_are_told_and_counted(void **state)
{
	int fd;

	if (!function_nvme())
		skip();
	fd = open_of(function_nvme());
	reset_by_root(function_nvme());
	assert_int_equal(polled(fd, 0), POLLPRI);
	told(fd, USRPCI_EVENT_RESET, 0, 1);
	assert_int_equal(polled(fd, 0), 0);
	reset_by_root(function_nvme());
	reset_by_root(function_nvme());
	told(fd, USRPCI_EVENT_RESET, 0, 2);
	told_no_more(fd, -EAGAIN);
	close(fd);
}

static void own_resets_are_not_told(void **state)
{
	int fd;

	if (!function_nvme())
		skip();
	fd = open_of(function_nvme());
	assert_int_equal(function_reset(fd), 0);
	told_no_more(fd, -EAGAIN);
	close(fd);
}

static void removal_comes_last(void **state)
{
	int fd;

	if (!function_nvme())
		skip();
	fd = open_of(function_nvme());
	reset_by_root(function_nvme());
	assert_int_equal(function_unbind(function_nvme()), 0);
	told(fd, USRPCI_EVENT_RESET, 0, 1);
	told(fd, USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ASKED, 1);
	told_no_more(fd, -ENODEV);
	assert_int_equal(function_bind(function_nvme()), 0);
	close(fd);
}

/* A poller that sleeps is woken. */
static void sleepers_are_woken(void **state)
{
	int status, fd = open_of(function_edu());
	pid_t pid = fork();

	if (!pid)
		_exit(polled(fd, 60000) & POLLPRI ? 0 : 1);
	usleep(50000);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(function_bind(function_edu()), 0);
	close(fd);
}

/* Up to where the machine would go to sleep, and back. */
static bool suspend_and_resume(void)
{
	if (file_write("/sys/power/pm_test", "platform"))
		return false;
	file_write("/sys/module/suspend/parameters/pm_test_delay", "0");
	assert_int_equal(file_write("/sys/power/state", "freeze"), 0);
	assert_int_equal(file_write("/sys/power/pm_test", "none"), 0);
	return true;
}

static uint32_t command_of(int fd)
{
	uint32_t command;

	assert_int_equal(config_read(fd, PCI_COMMAND, 2, &command), 0);
	return command;
}

/* A vector that was masked meanwhile still is, and can be unmasked. */
static void suspending_is_a_reset_by_others(void **state)
{
	int event = eventfd(0, EFD_NONBLOCK);
	struct edu_hw *edu = *state;
	uint64_t count;

	assert_int_equal(function_master(edu->fd, 1), 0);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_INTX, 1), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(polled(event, 5000), POLLIN);
	assert_int_equal(read(event, &count, sizeof(count)), sizeof(count));
	if (!suspend_and_resume()) {
		edu_hw_ack(edu, 1);
		close(event);
		skip();
	}
	told(edu->fd, USRPCI_EVENT_RESET, 0, 1);
	assert_int_equal(command_of(edu->fd) & (PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MASTER),
			 PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MASTER);
	assert_int_equal(polled(event, 0), 0);
	edu_hw_ack(edu, 1);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(polled(event, 5000), POLLIN);
	edu_hw_ack(edu, 1);
	close(event);
}

static void suspended_while_closed_it_opens_with_interrupts_off(void **state)
{
	int fd;

	if (!suspend_and_resume())
		skip();
	fd = open_of(function_edu());
	assert_int_equal(command_of(fd) & (PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MASTER |
					   PCI_COMMAND_MEMORY),
			 PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MEMORY);
	close(fd);
}

/* An FPGA that is loaded anew has a configuration as after power-on. */
static void forgotten_configuration_is_put_back(void **state)
{
	uint8_t header[64], blank[24] = { 0 };
	int fd, config = function_config_open(function_edu());

	assert_int_equal(pread(config, header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(config, blank, 2, PCI_COMMAND), 2);
	assert_int_equal(pwrite(config, blank, sizeof(blank), PCI_BASE_ADDRESS_0), sizeof(blank));
	fd = open_of(function_edu());
	assert_int_equal(pread(config, blank, sizeof(blank), PCI_BASE_ADDRESS_0), sizeof(blank));
	assert_memory_equal(blank, header + PCI_BASE_ADDRESS_0, sizeof(blank));
	assert_true(command_of(fd) & PCI_COMMAND_MEMORY);
	close(fd);
	close(config);
}

/* --- interrupt storms --- */

static int calm_teardown(void **state)
{
	module_parameter("storm_rate", STORM_RATE);
	return edu_hw_teardown(state);
}

static uint64_t signals(int event)
{
	uint64_t count = 0;

	usleep(20000);
	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static int flooded(struct edu_hw *edu)
{
	int i, event = eventfd(0, EFD_NONBLOCK);

	edu_hw_start(edu);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	for (i = 0; i < 2000; i++)
		edu_hw_raise(edu, 1);
	/* On a busy machine many raises are one interrupt. */
	for (i = 0; i < 200; i++) {
		edu_hw_raise(edu, 1);
		usleep(100);
	}
	edu_hw_ack(edu, 1);
	return event;
}

static void storms_are_masked_and_told(void **state)
{
	struct usrpci_ioc_event event_told;
	struct edu_hw *edu = *state;
	int event;

	assert_int_equal(module_parameter("storm_rate", "100"), 0);
	event = flooded(edu);
	assert_int_equal(polled(edu->fd, 1000), POLLPRI);
	assert_in_range(signals(event), 11, 2200);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event), 0);
	edu_hw_ack(edu, 1);
	/* More often than once, if one was on its way to another CPU. */
	assert_int_equal(function_event(edu->fd, &event_told), 0);
	assert_int_equal(event_told.type, USRPCI_EVENT_STORM);
	assert_int_equal(event_told.detail, 0);
	told_no_more(edu->fd, -EAGAIN);
	close(event);
}

static void storms_end_with_unmasking(void **state)
{
	struct edu_hw *edu = *state;
	int event;

	assert_int_equal(module_parameter("storm_rate", "100"), 0);
	event = flooded(edu);
	signals(event);
	usleep(120000);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	/* Once, since some may have been lost. */
	assert_int_equal(signals(event), 1);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event), 1);
	edu_hw_ack(edu, 1);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	assert_int_equal(signals(event), 0);
	close(event);
}

static void masked_vectors_can_be_set_up_anew(void **state)
{
	struct edu_hw *edu = *state;
	int event, i;

	assert_int_equal(module_parameter("storm_rate", "100"), 0);
	event = flooded(edu);
	signals(event);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
	for (i = USRPCI_IRQ_INTX; i <= USRPCI_IRQ_MSI; i++) {
		assert_int_equal(function_irq_setup(edu->fd, i, 1), 0);
		assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
		edu_hw_raise(edu, 1);
		assert_int_equal(signals(event), 1);
		edu_hw_ack(edu, 1);
		assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
	}
	close(event);
}

static void few_interrupts_are_no_storm(void **state)
{
	struct edu_hw *edu = *state;
	int event;

	assert_int_equal(module_parameter("storm_rate", "0"), 0);
	event = flooded(edu);
	told_no_more(edu->fd, -EAGAIN);
	assert_true(signals(event) > 0);
	close(event);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
	assert_int_equal(module_parameter("storm_rate", STORM_RATE), 0);
	event = flooded(edu);
	told_no_more(edu->fd, -EAGAIN);
	close(event);
}

/* INTx stuck for ever, and a program that unmasks it for ever: others get on. */
static void stuck_intx_leaves_the_machine_usable(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = eventfd(0, EFD_NONBLOCK);
	pid_t pid;

	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_INTX, 1), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(polled(event, 5000), POLLIN);
	assert_int_equal(signals(event), 1);
	for (i = 0; i < 2000; i++)
		assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	pid = fork();
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(signals(event), 2000);
	edu_hw_ack(edu, 1);
	close(event);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, nothing_held_setup, nothing_held_teardown)
#define STORM(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, calm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_happens_by_itself),
		TEST(unbinding_is_told_once),
		TEST(answers_that_cannot_be_written_keep_the_event),
		TEST(resets_by_others_are_told_and_counted),
		TEST(own_resets_are_not_told),
		TEST(removal_comes_last),
		TEST(sleepers_are_woken),
		TEST(suspended_while_closed_it_opens_with_interrupts_off),
		TEST(forgotten_configuration_is_put_back),
		cmocka_unit_test_setup_teardown(suspending_is_a_reset_by_others, edu_hw_setup,
						edu_hw_teardown),
		STORM(storms_are_masked_and_told),
		STORM(storms_end_with_unmasking),
		STORM(masked_vectors_can_be_set_up_anew),
		STORM(few_interrupts_are_no_storm),
		STORM(stuck_intx_leaves_the_machine_usable),
	};

	function_require();
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
