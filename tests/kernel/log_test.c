// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* However often a call is wrong, the kernel's log stays quiet. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define ROUNDS	times(10000)

static void bad_commands_are_quiet(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char arg[256];
	int mark = log_mark();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		memset(arg, i, sizeof(arg));
		*(uint32_t *)arg = i % 200;
		function_call(edu->fd, _IO(USRPCI_IOC_TYPE, i % 16), arg);
		function_call(edu->fd, i * 2654435761U, arg);
	}
	assert_false(log_grew(mark));
}

static void bad_arguments_are_quiet(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_region region;
	struct usrpci_ioc_coherent buffer;
	int mark = log_mark(), wrong = 9999;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		region = function_region((void *)(uintptr_t)(i * PAGE), ~0UL >> i % 64, i % 4);
		function_map(edu->fd, &region);
		function_unmap_one(edu->fd, i);
		function_sync(edu->fd, i, i % 4, i, ~0UL);
		function_mask(edu->fd, i % 20);
		function_irq_setup(edu->fd, i % 8, i);
		function_irq_wire(edu->fd, i, i, &wrong);
		if (!(i % 100))
			function_coherent(edu->fd, 1ULL << 40, &buffer);
	}
	function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0);
	assert_false(log_grew(mark));
}

static void bad_accesses_are_quiet(void **state)
{
	struct edu_hw *edu = *state;
	int mark = log_mark();
	uint64_t value = 0;
	unsigned int i;
	void *addr;

	for (i = 0; i < ROUNDS; i++) {
		config_write(edu->fd, i % 256, 1 << i % 3, ~0U);
		if (pread(edu->fd, &value, i % 9, (uint64_t)i << 36 | (i % 256)) == 3)
			break;
		addr = mmap(NULL, PAGE, PROT_READ, i % 2 ? MAP_SHARED : MAP_PRIVATE, edu->fd,
			    (uint64_t)i << 50);
		if (addr != MAP_FAILED)
			munmap(addr, PAGE);
	}
	assert_false(log_grew(mark));
}

static void busy_opens_are_quiet(void **state)
{
	int mark = log_mark();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		assert_true(function_open(function_edu()) < 0);
	assert_false(log_grew(mark));
}

/* Memory that the device can't be given, where that's so; and opening and closing. */
static void good_calls_are_quiet(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	int mark = log_mark(), fd;
	struct usrpci_ioc_region region;
	unsigned int i;

	for (i = 0; i < times(200); i++) {
		fd = function_open(function_edu());
		function_mask(fd, edu_hw_bits());
		region = function_region(memory, PAGE, 0);
		function_map(fd, &region);
		function_irq_setup(fd, 1 + i % 2, 1);
		close(fd);
	}
	assert_false(log_grew(mark));
	pages_free(memory, 1);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_commands_are_quiet),
		TEST(bad_arguments_are_quiet),
		TEST(bad_accesses_are_quiet),
		TEST(busy_opens_are_quiet),
		cmocka_unit_test_setup_teardown(good_calls_are_quiet, nothing_held_setup,
						nothing_held_teardown),
	};

	function_require();
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
