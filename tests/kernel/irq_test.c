// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define REWIRES		10000
#define CAP_MSIX	0x11

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static int new_event(void)
{
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(event >= 0);
	return event;
}

/* What the eventfd has counted within @ms; 0 if it stays silent. */
static uint64_t signals(int event, int ms)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&p, 1, ms) == 1)
		assert_int_equal(read(event, &count, 8), 8);
	return count;
}

static void set_up(int fd, unsigned int type, int event)
{
	assert_int_equal(function_irq_setup(fd, type, 1), 0);
	assert_int_equal(function_irq_wire(fd, 0, 1, &event), 0);
	if (type != USRPCI_IRQ_INTX)
		assert_int_equal(function_master(fd, 1), 0);
}

static void give_back(int fd, int event)
{
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	assert_int_equal(function_master(fd, 0), 0);
	close(event);
}

static void msi_is_counted(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = new_event();

	set_up(edu->fd, USRPCI_IRQ_MSI, event);
	assert_int_equal(signals(event, 20), 0);
	for (i = 0; i < 50; i++) {
		edu_hw_raise(edu, 1);
		assert_int_equal(signals(event, 1000), 1);
		edu_hw_ack(edu, 1);
	}
	assert_int_equal(signals(event, 20), 0);
	give_back(edu->fd, event);
}

static void msi_without_master_is_silent(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event();

	set_up(edu->fd, USRPCI_IRQ_MSI, event);
	assert_int_equal(function_master(edu->fd, 0), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 50), 0);
	edu_hw_ack(edu, 1);
	give_back(edu->fd, event);
}

static void intx_is_counted(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = new_event();

	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	for (i = 0; i < 50; i++) {
		edu_hw_raise(edu, 1);
		assert_int_equal(signals(event, 1000), 1);
		edu_hw_ack(edu, 1);
		assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	}
	assert_int_equal(signals(event, 20), 0);
	give_back(edu->fd, event);
}

static void intx_masks_itself(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event();

	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	assert_int_equal(signals(event, 50), 0);
	edu_hw_ack(edu, 1);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 50), 0);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	assert_int_equal(signals(event, 20), 0);
	give_back(edu->fd, event);
}

static void intx_still_asserted_is_signalled_at_unmask(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = new_event();

	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	for (i = 0; i < 10; i++) {
		assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
		assert_int_equal(signals(event, 1000), 1);
		assert_int_equal(signals(event, 10), 0);
	}
	edu_hw_ack(edu, 1);
	assert_int_equal(function_irq_unmask(edu->fd, 0), 0);
	assert_int_equal(signals(event, 20), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	give_back(edu->fd, event);
}

/* Nobody serves it: it stays masked by itself, and the machine lives. */
static void stuck_intx_does_no_harm(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event(), mark = log_mark();

	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	edu_hw_raise(edu, 1);
	usleep(300000);
	assert_int_equal(signals(event, 0), 1);
	give_back(edu->fd, event);
	assert_false(log_grew(mark));
	event = new_event();
	/* Still asserted by the device when it's set up the next time. */
	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	give_back(edu->fd, event);
}

static void close_with_intx_asserted_is_quiet(void **state)
{
	struct edu_hw *edu;
	int event = new_event(), mark = log_mark();

	assert_int_equal(edu_hw_setup((void **)&edu), 0);
	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	edu_hw_raise(edu, 1);
	assert_int_equal(edu_hw_teardown((void **)&edu), 0);
	usleep(100000);
	assert_false(log_grew(mark));
	assert_int_equal(edu_hw_setup((void **)&edu), 0);
	edu_hw_ack(edu, ~0U);
	assert_int_equal(edu_hw_teardown((void **)&edu), 0);
	close(event);
}

static void fired_unwired_is_signalled_when_wired(struct edu_hw *edu, unsigned int type)
{
	int none = -1, event = new_event();

	set_up(edu->fd, type, none);
	edu_hw_raise(edu, 1);
	usleep(20000);
	edu_hw_ack(edu, 1);
	assert_int_equal(signals(event, 0), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	assert_int_equal(signals(event, 1000), 1);
	assert_int_equal(signals(event, 20), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &none), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	assert_int_equal(signals(event, 20), 0);
	give_back(edu->fd, event);
}

static void msi_fired_unwired_is_not_lost(void **state)
{
	fired_unwired_is_signalled_when_wired(*state, USRPCI_IRQ_MSI);
}

static void intx_fired_unwired_is_not_lost(void **state)
{
	fired_unwired_is_signalled_when_wired(*state, USRPCI_IRQ_INTX);
}

static void fired_before_any_wire_is_not_lost(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event();

	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_master(edu->fd, 1), 0);
	edu_hw_raise(edu, 1);
	usleep(20000);
	edu_hw_ack(edu, 1);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
	assert_int_equal(signals(event, 1000), 1);
	give_back(edu->fd, event);
}

static void rewired_signals_the_new_one(void **state)
{
	struct edu_hw *edu = *state;
	int first = new_event(), second = new_event();

	set_up(edu->fd, USRPCI_IRQ_MSI, first);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &second), 0);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(second, 1000), 1);
	assert_int_equal(signals(first, 20), 0);
	edu_hw_ack(edu, 1);
	close(first);
	give_back(edu->fd, second);
}

static void bad_descriptors_are_refused(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event(), bad[] = { 9999, -2, INT32_MIN, INT32_MAX }, file, pipes[2];
	unsigned int i;

	set_up(edu->fd, USRPCI_IRQ_MSI, event);
	for (i = 0; i < 4; i++)
		assert_int_equal(function_irq_wire(edu->fd, 0, 1, &bad[i]), -EBADF);
	file = open("/dev/null", O_RDWR);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &file), -EINVAL);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &edu->fd), -EINVAL);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, pipes), -EINVAL);
	/* What was wired is wired yet. */
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	give_back(edu->fd, event);
}

static void vectors_out_of_range_are_invalid(void **state)
{
	int fd = fd_of(state), events[2] = { new_event(), -1 };

	assert_int_equal(function_irq_wire(fd, 0, 1, events), -EINVAL);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_wire(fd, 1, 1, events), -EINVAL);
	assert_int_equal(function_irq_wire(fd, 0, 2, events), -EINVAL);
	assert_int_equal(function_irq_wire(fd, UINT32_MAX, 1, events), -EINVAL);
	assert_int_equal(function_irq_wire(fd, UINT32_MAX, 2, events), -EINVAL);
	assert_int_equal(function_irq_wire(fd, 1, 0, events), -EINVAL);
	assert_int_equal(function_irq_unmask(fd, 1), -EINVAL);
	assert_int_equal(function_irq_unmask(fd, UINT32_MAX), -EINVAL);
	give_back(fd, events[0]);
	assert_int_equal(function_irq_unmask(fd, 0), -EINVAL);
}

static void setups_are_checked(void **state)
{
	int fd = fd_of(state);

	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 0), -EINVAL);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 1), -EINVAL);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 2), -EINVAL);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 0), -EINVAL);
	assert_int_equal(function_irq_setup(fd, 4, 1), -EINVAL);
	assert_int_equal(function_irq_setup(fd, UINT32_MAX, 1), -EINVAL);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSIX, 1), -EOPNOTSUPP);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 2), -ENOSPC);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, UINT32_MAX), -ENOSPC);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), 0);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), -EBUSY);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), -EBUSY);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), -EBUSY);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
}

/* What /proc/interrupts calls this module's. */
static unsigned int lines_in_use(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	unsigned int nr = 0;
	char line[512];

	while (fgets(line, sizeof(line), file))
		nr += !!strstr(line, "usrpci-");
	fclose(file);
	return nr;
}

static void setups_give_their_lines_back(void **state)
{
	static const uint32_t types[] = { USRPCI_IRQ_MSI, USRPCI_IRQ_INTX };
	int i, fd = fd_of(state);

	for (i = 0; i < 100; i++) {
		assert_int_equal(function_irq_setup(fd, types[i & 1], 1), 0);
		assert_int_equal(lines_in_use(), 1);
		assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
		assert_int_equal(lines_in_use(), 0);
	}
}

static volatile bool stop;

static void *raiser(void *arg)
{
	struct edu_hw *edu = arg;

	while (!stop) {
		edu_hw_raise(edu, 1);
		edu_hw_ack(edu, 1);
	}
	return NULL;
}

/* Nothing is lost or counted twice for good: the last one wired sees interrupts. */
static void rewired_while_firing(void **state)
{
	struct edu_hw *edu = *state;
	int i, events[3] = { new_event(), new_event(), -1 };
	pthread_t thread;

	set_up(edu->fd, USRPCI_IRQ_MSI, events[0]);
	stop = false;
	pthread_create(&thread, NULL, raiser, edu);
	for (i = 0; i < REWIRES; i++)
		assert_int_equal(function_irq_wire(edu->fd, 0, 1, &events[i % 3]), 0);
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &events[0]), 0);
	signals(events[0], 0);
	assert_int_not_equal(signals(events[0], 1000), 0);
	stop = true;
	pthread_join(thread, NULL);
	close(events[1]);
	give_back(edu->fd, events[0]);
}

static void closed_while_firing(void **state)
{
	struct edu_hw *edu = *state;
	pthread_t thread;
	int i, event;

	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_master(edu->fd, 1), 0);
	stop = false;
	pthread_create(&thread, NULL, raiser, edu);
	for (i = 0; i < (int)times(1000); i++) {
		event = new_event();
		assert_int_equal(function_irq_wire(edu->fd, 0, 1, &event), 0);
		close(event);
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
}

static void set_up_while_firing(struct edu_hw *edu, unsigned int type)
{
	int i, event = new_event();
	pthread_t thread;

	assert_int_equal(function_master(edu->fd, 1), 0);
	stop = false;
	pthread_create(&thread, NULL, raiser, edu);
	for (i = 0; i < 200; i++) {
		set_up(edu->fd, type, event);
		assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	give_back(edu->fd, event);
}

/* The platform may tell of one MSI that was under way. */
static void msi_set_up_while_firing(void **state)
{
	set_up_while_firing(*state, USRPCI_IRQ_MSI);
}

static void intx_set_up_while_firing(void **state)
{
	int mark = log_mark();

	set_up_while_firing(*state, USRPCI_IRQ_INTX);
	assert_false(log_grew(mark));
}

static void *unmasker(void *arg)
{
	struct edu_hw *edu = arg;

	while (!stop) {
		edu_hw_raise(edu, 1);
		edu_hw_ack(edu, 1);
		function_irq_unmask(edu->fd, 0);
	}
	return NULL;
}

/* COMMAND holds the bit that masks INTx: writing the rest must leave that alone. */
static void command_is_written_while_intx_fires(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = new_event(), mark = log_mark();
	uint32_t command;
	pthread_t thread;

	set_up(edu->fd, USRPCI_IRQ_INTX, event);
	stop = false;
	pthread_create(&thread, NULL, unmasker, edu);
	for (i = 0; i < (int)times(20000); i++)
		if (!config_read(edu->fd, 4, 2, &command))
			config_write(edu->fd, 4, 2, command);
	stop = true;
	pthread_join(thread, NULL);
	assert_false(log_grew(mark));
	edu_hw_ack(edu, 1);
	function_irq_unmask(edu->fd, 0);
	signals(event, 20);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	give_back(edu->fd, event);
}

/* The kernel doesn't wait for room in the counter. */
static void full_eventfd_does_not_hang(void **state)
{
	struct edu_hw *edu = *state;
	int i, event = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	uint64_t nearly = UINT64_MAX - 1;

	assert_int_equal(write(event, &nearly, 8), 8);
	set_up(edu->fd, USRPCI_IRQ_MSI, event);
	for (i = 0; i < 10; i++) {
		edu_hw_raise(edu, 1);
		edu_hw_ack(edu, 1);
	}
	usleep(20000);
	give_back(edu->fd, event);
}

static void debugfs_counts(void **state)
{
	struct edu_hw *edu = *state;
	int event = new_event();
	char *text;

	set_up(edu->fd, USRPCI_IRQ_MSI, event);
	edu_hw_raise(edu, 1);
	assert_int_equal(signals(event, 1000), 1);
	edu_hw_ack(edu, 1);
	text = function_holders(function_edu());
	assert_non_null(strstr(text, "irq type 2 vectors 1 fired 1"));
	free(text);
	give_back(edu->fd, event);
}

/* The kernel's number of an eventfd; numbers of those that were let go are used again. */
static int event_id(void)
{
	int event = new_event(), id = -1;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", event);
	file = fopen(line, "r");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "eventfd-id: %d", &id) == 1)
			break;
	fclose(file);
	close(event);
	return id;
}

static void eventfds_are_let_go(void **state)
{
	int fd = fd_of(state), i, event, bad[2], before = event_id();

	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	for (i = 0; i < 100; i++) {
		event = new_event();
		assert_int_equal(function_irq_wire(fd, 0, 1, &event), 0);
		bad[0] = event;
		bad[1] = -2;
		assert_int_equal(function_irq_wire(fd, 0, 2, bad), -EBADF);
		assert_int_equal(function_irq_wire(fd, 1, 1, &event), -EINVAL);
		close(event);
	}
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	assert_true(event_id() <= before + 1);
}

/* --- MSI-X, of nvme --- */

static int nvme = -1;

static int nvme_setup(void **state)
{
	nothing_held_setup(state);
	nvme = function_nvme() ? function_open(function_nvme()) : -1;
	return 0;
}

static int nvme_teardown(void **state)
{
	if (nvme >= 0)
		close(nvme);
	return nothing_held_teardown(state);
}

static void all_msix_vectors_are_wired(void **state)
{
	int events[2048], i;
	unsigned int nr, got;

	if (nvme < 0)
		skip();
	nr = function_info(nvme).nr_msix;
	for (i = 0; i < 2048; i++)
		events[i] = i % 3 ? -1 : new_event();
	assert_int_equal(function_irq_setup(nvme, USRPCI_IRQ_MSIX, nr + 1), -ENOSPC);
	/* The platform's may be fewer. */
	for (got = nr; got && function_irq_setup(nvme, USRPCI_IRQ_MSIX, got); got /= 2)
		;
	assert_true(got > 0);
	assert_int_equal(lines_in_use(), got);
	assert_int_equal(function_irq_wire(nvme, 0, got, events), 0);
	assert_int_equal(function_irq_wire(nvme, 0, got + 1, events), -EINVAL);
	assert_int_equal(function_irq_wire(nvme, got - 1, 1, events), 0);
	assert_int_equal(function_irq_wire(nvme, got, 1, events), -EINVAL);
	events[got - 1] = 9999;
	assert_int_equal(function_irq_wire(nvme, 0, got, events), -EBADF);
	assert_int_equal(function_irq_setup(nvme, USRPCI_IRQ_NONE, 0), 0);
	assert_int_equal(lines_in_use(), 0);
	for (i = 0; i < 2048; i += 3)
		close(events[i]);
}

/* The first vector's entry of the table: is it set and unmasked? */
static bool vector_is_programmed(void)
{
	uint32_t table, address = 0, control = 0;
	unsigned int cap = config_capability(nvme, CAP_MSIX);
	struct usrpci_ioc_bar bar;

	assert_int_equal(config_read(nvme, cap + 4, 4, &table), 0);
	bar = function_bar(nvme, table & 7);
	assert_int_equal(pread(nvme, &address, 4, bar.offset + (table & ~7U)), 4);
	assert_int_equal(pread(nvme, &control, 4, bar.offset + (table & ~7U) + 12), 4);
	return address && !(control & 1);
}

/* The table is in a BAR: refused, or done, but not lost. */
static void msix_without_decode_is_not_lost(void **state)
{
	uint32_t command;
	int err;

	if (nvme < 0)
		skip();
	assert_int_equal(config_read(nvme, 4, 2, &command), 0);
	assert_int_equal(config_write(nvme, 4, 2, command & ~2U), 0);
	err = function_irq_setup(nvme, USRPCI_IRQ_MSIX, 1);
	assert_int_equal(config_read(nvme, 4, 2, &command), 0);
	assert_int_equal(config_write(nvme, 4, 2, command | 2), 0);
	if (!err)
		assert_true(vector_is_programmed());
	function_irq_setup(nvme, USRPCI_IRQ_NONE, 0);
	assert_int_equal(function_irq_setup(nvme, USRPCI_IRQ_MSIX, 1), 0);
	assert_true(vector_is_programmed());
}

static void reset_keeps_vectors(void **state)
{
	if (nvme < 0)
		skip();
	assert_int_equal(function_irq_setup(nvme, USRPCI_IRQ_MSIX, 1), 0);
	assert_true(vector_is_programmed());
	assert_int_equal(function_reset(nvme), 0);
	assert_true(vector_is_programmed());
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)
#define TEST_NVME(_f) cmocka_unit_test_setup_teardown(_f, nvme_setup, nvme_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(msi_is_counted),
		TEST(msi_without_master_is_silent),
		TEST(intx_is_counted),
		TEST(intx_masks_itself),
		TEST(intx_still_asserted_is_signalled_at_unmask),
		TEST(stuck_intx_does_no_harm),
		cmocka_unit_test(close_with_intx_asserted_is_quiet),
		TEST(msi_fired_unwired_is_not_lost),
		TEST(intx_fired_unwired_is_not_lost),
		TEST(fired_before_any_wire_is_not_lost),
		TEST(rewired_signals_the_new_one),
		TEST(bad_descriptors_are_refused),
		TEST(vectors_out_of_range_are_invalid),
		TEST(setups_are_checked),
		TEST(setups_give_their_lines_back),
		TEST(rewired_while_firing),
		TEST(closed_while_firing),
		TEST(msi_set_up_while_firing),
		TEST(intx_set_up_while_firing),
		TEST(command_is_written_while_intx_fires),
		TEST(full_eventfd_does_not_hang),
		TEST(debugfs_counts),
		TEST(eventfds_are_let_go),
		TEST_NVME(all_msix_vectors_are_wired),
		TEST_NVME(msix_without_decode_is_not_lost),
		TEST_NVME(reset_keeps_vectors),
	};

	function_require();
	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
