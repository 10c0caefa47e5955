// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The register accesses that stop a device when its program can't. edu's register
 * 0x04 gives back the complement of what was written to it, and has no reset.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define LIVENESS	0x04
#define ALL		0xffffffffU

static struct usrpci_ioc_quiesce_step put(uint64_t offset, uint32_t value)
{
	return (struct usrpci_ioc_quiesce_step){
		.kind = USRPCI_QUIESCE_WRITE, .width = 4, .offset = offset, .value = value,
		.mask = ALL,
	};
}

static struct usrpci_ioc_quiesce_step until(uint64_t offset, uint32_t value, uint32_t us)
{
	return (struct usrpci_ioc_quiesce_step){
		.kind = USRPCI_QUIESCE_UNTIL, .width = 4, .offset = offset, .value = value,
		.mask = ALL, .timeout_us = us,
	};
}

static int edu_open(void)
{
	int fd = function_open(function_edu());

	assert_true(fd >= 0);
	return fd;
}

static uint32_t liveness(int fd)
{
	uint32_t value;

	assert_int_equal(pread(fd, &value, 4, function_bar(fd, 0).offset + LIVENESS), 4);
	return ~value;
}

static void set_liveness(int fd, uint32_t value)
{
	assert_int_equal(pwrite(fd, &value, 4, function_bar(fd, 0).offset + LIVENESS), 4);
}

/* What the next one to open finds there. */
static uint32_t left_behind(void)
{
	int fd = edu_open();
	uint32_t value = liveness(fd);

	close(fd);
	return value;
}

static void done_at_close(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 0x12345678);
	int fd = edu_open();

	set_liveness(fd, 1);
	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	assert_int_equal(liveness(fd), 1);
	close(fd);
	assert_int_equal(left_behind(), 0x12345678);
}

static void done_when_killed(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 0x6b696c6c);
	int ready[2], fd;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		fd = edu_open();
		set_liveness(fd, 1);
		if (!function_quiesce(fd, &step, 1) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	assert_int_equal(left_behind(), 0x6b696c6c);
}

static void done_when_unbound(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 0x756e6269);
	int fd = edu_open();

	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(function_quiesce(fd, &step, 1), -ENODEV);
	assert_int_equal(function_bind(function_edu()), 0);
	assert_int_equal(left_behind(), 0x756e6269);
	close(fd);
}

static void done_once(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 7);
	int fd = edu_open();

	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	close(fd);
	fd = edu_open();
	set_liveness(fd, 1);
	close(fd);
	assert_int_equal(left_behind(), 1);
}

static void done_though_decoding_is_off(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 0x6f6666);
	uint32_t command;
	int fd = edu_open();

	set_liveness(fd, 1);
	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	assert_int_equal(config_read(fd, 4, 2, &command), 0);
	assert_int_equal(config_write(fd, 4, 2, command & ~3U), 0);
	close(fd);
	assert_int_equal(left_behind(), 0x6f6666);
}

/* The device can still tell of it: an interrupt of a step arrives, given a moment. */
static void done_before_master_is_off(void **state)
{
	struct usrpci_ioc_quiesce_step steps[] = { put(EDU_RAISE, 1), until(EDU_ID, 0, 50000) };
	struct usrpci_ioc_quiesce_step step;
	int event = eventfd(0, EFD_NONBLOCK), fd = edu_open();
	uint64_t count = 0;

	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_wire(fd, 0, 1, &event), 0);
	assert_int_equal(function_master(fd, 1), 0);
	assert_int_equal(function_quiesce(fd, steps, 2), 0);
	close(fd);
	assert_int_equal(read(event, &count, 8), 8);
	assert_int_equal(count, 1);
	close(event);
	fd = edu_open();
	step = put(EDU_ACK, 1);
	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	close(fd);
}

static void masked_bits_alone_change(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(LIVENESS, 0x5600);
	int fd = edu_open();

	step.mask = 0xff00;
	/* Read-modify-write of a register that reads as its complement. */
	set_liveness(fd, 0x11223344);
	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	close(fd);
	assert_int_equal(left_behind(), (~0x11223344U & ~0xff00U) | 0x5600);
}

static void waiting_ends_with_success(void **state)
{
	struct usrpci_ioc_quiesce_step steps[] = {
		put(LIVENESS, 5), until(LIVENESS, ~5U, USRPCI_QUIESCE_MAX_US), put(LIVENESS, 6),
	};
	int fd = edu_open();
	uint64_t start = now_ms();

	assert_int_equal(function_quiesce(fd, steps, 3), 0);
	close(fd);
	/* Closing takes as long, on a kernel that checks each access. */
	assert_true(kernel_is_slow() || now_ms() - start < 300);
	assert_int_equal(left_behind(), 6);
}

static void waiting_has_an_end(void **state)
{
	struct usrpci_ioc_quiesce_step steps[] = {
		put(LIVENESS, 5), until(LIVENESS, 5, 300000), put(LIVENESS, 6),
	};
	int fd = edu_open();
	uint64_t start;

	assert_int_equal(function_quiesce(fd, steps, 3), 0);
	start = now_ms();
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_in_range(now_ms() - start, 300, kernel_is_slow() ? 20000 : 1000);
	assert_int_equal(function_bind(function_edu()), 0);
	assert_int_equal(left_behind(), 6);
	close(fd);
}

static void last_list_counts(void **state)
{
	struct usrpci_ioc_quiesce_step first = put(LIVENESS, 1), second = put(LIVENESS, 2);
	int fd = edu_open();

	assert_int_equal(function_quiesce(fd, &first, 1), 0);
	assert_int_equal(function_quiesce(fd, &second, 1), 0);
	close(fd);
	assert_int_equal(left_behind(), 2);
	fd = edu_open();
	assert_int_equal(function_quiesce(fd, &first, 1), 0);
	assert_int_equal(function_quiesce(fd, NULL, 0), 0);
	close(fd);
	assert_int_equal(left_behind(), 2);
}

static void bad(int fd, struct usrpci_ioc_quiesce_step step)
{
	assert_int_equal(function_quiesce(fd, &step, 1), -EINVAL);
}

/* A list that is refused leaves the one before. */
static void lists_are_checked(void **state)
{
	struct usrpci_ioc_quiesce_step good = put(LIVENESS, 3), s;
	struct usrpci_ioc_quiesce_step many[USRPCI_QUIESCE_MAX_STEPS + 1];
	int i, fd = edu_open();

	assert_int_equal(function_quiesce(fd, &good, 1), 0);
	s = put(LIVENESS, 1), s.kind = 2, bad(fd, s);
	s = put(LIVENESS, 1), s.bar = 1, bad(fd, s);
	s = put(LIVENESS, 1), s.bar = 6, bad(fd, s);
	s = put(LIVENESS, 1), s.bar = UINT32_MAX, bad(fd, s);
	s = put(LIVENESS, 1), s.width = 0, bad(fd, s);
	s = put(LIVENESS, 1), s.width = 3, bad(fd, s);
	s = put(LIVENESS, 1), s.width = 16, bad(fd, s);
	s = put(LIVENESS, 1), s.width = UINT32_MAX, bad(fd, s);
	s = put(LIVENESS, 1), s.width = 2, bad(fd, s);
	s = put(LIVENESS, 1), s.mask = 0, s.value = 0, bad(fd, s);
	s = put(LIVENESS, 1), s.mask = 2, bad(fd, s);
	s = put(LIVENESS, 1), s.timeout_us = 1, bad(fd, s);
	bad(fd, put(LIVENESS + 1, 1));
	bad(fd, put(function_bar(fd, 0).len, 1));
	bad(fd, put(UINT64_MAX - 3, 1));
	bad(fd, until(LIVENESS, 1, USRPCI_QUIESCE_MAX_US + 1));
	bad(fd, until(LIVENESS, 1, UINT32_MAX));
	for (i = 0; i <= USRPCI_QUIESCE_MAX_STEPS; i++)
		many[i] = until(LIVENESS, ~3U, USRPCI_QUIESCE_MAX_US / USRPCI_QUIESCE_MAX_STEPS);
	assert_int_equal(function_quiesce(fd, many, i), -EINVAL);
	assert_int_equal(function_quiesce(fd, many, i - 1), 0);
	many[0].timeout_us++;
	assert_int_equal(function_quiesce(fd, many, i - 1), -EINVAL);
	assert_int_equal(function_quiesce(fd, &good, 1), 0);
	assert_int_equal(function_quiesce(fd, NULL, 1), -EFAULT);
	close(fd);
	assert_int_equal(left_behind(), 3);
}

static void msix_table_is_left_alone(void **state)
{
	struct usrpci_ioc_quiesce_step step = put(0, 0);
	uint32_t where;
	int fd;

	if (!function_nvme())
		skip();
	fd = function_open(function_nvme());
	assert_true(fd >= 0);
	assert_int_equal(config_read(fd, config_capability(fd, 0x11) + 4, 4, &where), 0);
	step.bar = where & 7;
	step.offset = where & ~7U;
	assert_int_equal(function_quiesce(fd, &step, 1),
			 function_info(fd).caps & USRPCI_CAP_IRQ_REMAP ? 0 : -EPERM);
	step.kind = USRPCI_QUIESCE_UNTIL;
	assert_int_equal(function_quiesce(fd, &step, 1), 0);
	close(fd);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, nothing_held_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(done_at_close),
		TEST(done_when_killed),
		TEST(done_when_unbound),
		TEST(done_once),
		TEST(done_though_decoding_is_off),
		TEST(done_before_master_is_off),
		TEST(masked_bits_alone_change),
		TEST(waiting_ends_with_success),
		TEST(waiting_has_an_end),
		TEST(last_list_counts),
		TEST(lists_are_checked),
		TEST(msix_table_is_left_alone),
	};

	function_require();
	return cmocka_run_group_tests_name("quiesce", tests, NULL, NULL);
}
