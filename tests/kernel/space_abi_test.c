// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What the ABI promises of the commands about a device's TLB, and of those of a space. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi.h"
#include "function.h"
#include "htex.h"
#include "memory.h"

static struct usrpci_ioc_tlb described;

/* It's the file's for good, so a second one is refused. */
static void fill_tlb(int fd, union abi_arg *arg)
{
	arg->tlb = described;
}

static void undo_bind(int fd, union abi_arg *arg)
{
	assert_int_equal(close(arg->bind.fd), 0);
}

static void fill_forget(int fd, union abi_arg *arg)
{
	arg->space_forget.addr = PAGE;
	arg->space_forget.len = PAGE;
}

static const struct abi_command of_device[] = {
	ABI_COMMAND(USRPCI_TLB, usrpci_ioc_tlb, .fill = fill_tlb, .result = -EBUSY,
		    ABI_RESERVED(usrpci_ioc_tlb)),
	ABI_COMMAND(USRPCI_BIND, usrpci_ioc_bind, .undo = undo_bind, .answers = true,
		    .flags = USRPCI_BIND_MIRRORED, ABI_RESERVED(usrpci_ioc_bind)),
};

static const struct abi_command of_space[] = {
	ABI_COMMAND(USRPCI_SPACE_INFO, usrpci_ioc_space_info, .answers = true,
		    ABI_RESERVED(usrpci_ioc_space_info)),
	ABI_COMMAND(USRPCI_SPACE_REFUSAL, usrpci_ioc_space_refusal, .result = -EAGAIN),
	ABI_COMMAND(USRPCI_SPACE_FORGET, usrpci_ioc_space_forget, .fill = fill_forget),
};

static int open_described(void **state)
{
	struct htex_hw *htex;

	if (htex_hw_setup(state))
		return -1;
	htex = *state;
	htex_hw_start(htex, 0);
	described = htex_hw_tlb(htex, 0);
	return 0;
}

static void try_both(void **state, void (*promise)(const struct abi *abi))
{
	struct htex_hw *htex = *state;
	struct abi abi = {
		.bdf = function_htex(), .fd = htex->fd, .commands = of_device,
		.nr = ARRAY_SIZE(of_device),
	};

	promise(&abi);
	abi.fd = htex_hw_bind(htex, 0, 0, NULL);
	assert_true(abi.fd >= 0);
	abi.commands = of_space;
	abi.nr = ARRAY_SIZE(of_space);
	abi.held = 1;
	promise(&abi);
}

#define OF_EACH(_promise)						\
	static void _promise(void **state)				\
	{								\
		try_both(state, abi_##_promise);			\
	}

OF_EACH(exact_size_is_taken)
OF_EACH(short_sizes_are_invalid)
OF_EACH(zero_tail_is_taken)
OF_EACH(other_tail_is_too_big)
OF_EACH(largest_size_fails)
OF_EACH(unknown_flags_are_invalid)
OF_EACH(reserved_fields_are_zero)
OF_EACH(struct_across_the_end_faults)
OF_EACH(struct_that_is_read_only_faults)
OF_EACH(wild_pointers_fault)
OF_EACH(calls_without_answer_write_nothing)
OF_EACH(answers_end_with_their_struct)

static void each_descriptor_has_its_own_commands(void **state)
{
	struct htex_hw *htex = *state;
	union abi_arg arg;
	unsigned int i;
	int space;

	space = htex_hw_bind(htex, 0, 0, NULL);
	assert_true(space >= 0);
	for (i = 0; i < ARRAY_SIZE(of_device); i++) {
		abi_good_call(&of_device[i], space, &arg);
		assert_int_equal(function_call(space, of_device[i].nr, &arg), -ENOTTY);
	}
	for (i = 0; i < ARRAY_SIZE(of_space); i++) {
		abi_good_call(&of_space[i], htex->fd, &arg);
		assert_int_equal(function_call(htex->fd, of_space[i].nr, &arg), -ENOTTY);
	}
	for (i = _IOC_NR(USRPCI_SPACE_FORGET) + 1; i < 256; i++)
		assert_int_equal(function_call(space, _IO(USRPCI_IOC_TYPE, i), &arg), -ENOTTY);
}

/* The process has an end of its own for each; the device is told apart by tag. */
static void as_many_spaces_as_tags(void **state)
{
	struct htex_hw *htex = *state;
	uint32_t tag;
	unsigned int i;

	for (i = 0; i < HTEX_TAGS; i++) {
		assert_true(htex_hw_bind(htex, 0, 0, &tag) >= 0);
		assert_int_equal(tag, i);
	}
	assert_int_equal(function_nr_held(function_htex()), HTEX_TAGS);
	assert_int_equal(htex_hw_bind(htex, 0, 0, NULL), -ENOSPC);
	htex_hw_unbind(htex, htex->spaces[7]);
	assert_int_equal(function_nr_held(function_htex()), HTEX_TAGS - 1);
	assert_true(htex_hw_bind(htex, USRPCI_BIND_MIRRORED, 0, &tag) >= 0);
	assert_int_equal(tag, 7);
}

/* Jobs of the one that had it may miss yet. */
static void tags_go_round(void **state)
{
	struct htex_hw *htex = *state;
	uint32_t tag;
	unsigned int i;

	for (i = 0; i < 2 * HTEX_TAGS; i++) {
		int space = htex_hw_bind(htex, 0, 0, &tag);

		assert_true(space >= 0);
		assert_int_equal(tag, i % HTEX_TAGS);
		htex_hw_unbind(htex, space);
	}
}

/* They were made under the mask of their time. */
static void mask_stays_while_there_are_entries(void **state)
{
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .length = 1 };
	struct htex_hw *htex = *state;
	static uint64_t node[2] = { 0, 7 };
	int space;

	space = htex_hw_bind(htex, USRPCI_BIND_MIRRORED, 0, &job.tag);
	assert_true(space >= 0);
	assert_int_equal(function_mask(htex->fd, 48), 0);
	job.source = (uintptr_t)node;
	htex_hw_run(htex, 0, &job);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
	assert_int_equal(function_mask(htex->fd, 32), -EBUSY);
	assert_int_equal(space_forget(space, NULL, UINT64_MAX), 0);
	assert_int_equal(function_mask(htex->fd, 32), 0);
}

static void wrong_values_are_invalid(void **state)
{
	struct htex_hw *htex = *state;
	int space;

	/* This device chooses entries, so neighbours would have none. */
	assert_int_equal(htex_hw_bind(htex, 0, 1, NULL), -EINVAL);
	assert_int_equal(htex_hw_bind(htex, 0, USRPCI_BIND_MAX_AROUND + 1, NULL), -EINVAL);
	assert_int_equal(htex_hw_bind(htex, 0, UINT32_MAX, NULL), -EINVAL);
	space = htex_hw_bind(htex, 0, 0, NULL);
	assert_true(space >= 0);
	assert_int_equal(space_forget(space, NULL, 0), -EINVAL);
	assert_int_equal(space_forget(space, (void *)-1L, 2), -EINVAL);
	assert_int_equal(space_forget(space, (void *)2, UINT64_MAX), -EINVAL);
	assert_int_equal(space_forget(space, NULL, UINT64_MAX), 0);
}

static void nothing_is_bound_to_no_tlb(void **state)
{
	struct htex_hw *htex = *state;
	struct usrpci_ioc_tlb tlb;

	assert_int_equal(htex_hw_bind(htex, 0, 0, NULL), -EINVAL);
	tlb = htex_hw_tlb(htex, 0);
	assert_int_equal(function_call(htex->fd, USRPCI_TLB, &tlb), -EINVAL);
	assert_int_equal(tlb.fault, USRPCI_TLB_FAULT_VECTOR);
	htex_hw_start(htex, 0);
	assert_true(htex_hw_bind(htex, 0, 0, NULL) >= 0);
}

/* The thread of the kernel's that serves misses. */
static pid_t find_server(void)
{
	char path[300], name[16] = "";
	struct dirent *entry;
	pid_t found = 0;
	DIR *proc = opendir("/proc");
	FILE *file;

	while (!found && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strncmp(name, "usrpci/", 7))
			found = atoi(entry->d_name);
		fclose(file);
	}
	closedir(proc);
	return found;
}

/* By its description, what the device reports never ends. */
static void misses_without_end_take_turns(void **state)
{
	struct htex_hw_job job = { .job = HTEX_JOB_LIST, .source = PAGE };
	struct htex_hw *htex = *state;
	struct usrpci_ioc_tlb tlb;
	uint64_t end = now_ms() + 60000;
	pid_t server;

	htex_hw_prepare(htex, 0);
	tlb = htex_hw_tlb(htex, 0);
	tlb.misses.reg.offset = HTEX_ID;
	tlb.misses.valid.bit = __builtin_ctz(HTEX_ID_VALUE);
	assert_int_equal(function_call(htex->fd, USRPCI_TLB, &tlb), 0);
	server = find_server();
	assert_true(server > 0);
	while (sched_getscheduler(server) != SCHED_FIFO)
		assert_true(now_ms() < end);
	htex_hw_run(htex, 0, &job);
	while (sched_getscheduler(server) != SCHED_OTHER)
		assert_true(now_ms() < end);
}

#define TEST(_test) cmocka_unit_test_setup_teardown(_test, open_described, htex_hw_teardown)
#define BARE(_test) cmocka_unit_test_setup_teardown(_test, htex_hw_setup, htex_hw_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(exact_size_is_taken),
		TEST(short_sizes_are_invalid),
		TEST(zero_tail_is_taken),
		TEST(other_tail_is_too_big),
		TEST(largest_size_fails),
		TEST(unknown_flags_are_invalid),
		TEST(reserved_fields_are_zero),
		TEST(struct_across_the_end_faults),
		TEST(struct_that_is_read_only_faults),
		TEST(wild_pointers_fault),
		TEST(calls_without_answer_write_nothing),
		TEST(answers_end_with_their_struct),
		TEST(each_descriptor_has_its_own_commands),
		TEST(as_many_spaces_as_tags),
		TEST(tags_go_round),
		TEST(mask_stays_while_there_are_entries),
		TEST(wrong_values_are_invalid),
		BARE(nothing_is_bound_to_no_tlb),
		BARE(misses_without_end_take_turns),
	};

	function_require();
	if (!function_htex())
		return SKIPPED;
	return cmocka_run_group_tests_name("space abi", tests, NULL, NULL);
}
