// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Memory is accounted to the process that maps it, and given back by whoever closes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

static void limit(size_t pages)
{
	struct rlimit r = { pages * PAGE, pages * PAGE };

	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &r), 0);
}

/* In a child without privileges; a failed assertion there is its exit status. */
static void as_user(int (*body)(int fd), int fd)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		limit(10);
		if (setgid(1000) || setuid(1000))
			_exit(100);
		_exit(body(fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define CHECK(_x) do { if (!(_x)) return __LINE__ % 200 + 1; } while (0)

static int map_to_the_limit(int fd)
{
	unsigned char *memory = pages_new(12, 1);
	struct usrpci_ioc_region r[2] = {
		function_region(memory, 10 * PAGE, 0), function_region(memory, 1, 0),
	};
	uint64_t missing = 7;

	CHECK(!function_map_regions(fd, r, 1, &missing));
	CHECK(pages_charged() == 10);
	CHECK(function_map_regions(fd, r + 1, 1, &missing) == -ENOMEM);
	CHECK(missing == PAGE);
	CHECK(!function_unmap_one(fd, r[0].handle));
	CHECK(!pages_charged());
	CHECK(function_map_regions(fd, r, 2, &missing) == -ENOMEM);
	CHECK(missing == PAGE);
	CHECK(!pages_charged());
	r[0].len = 10 * PAGE + 1;
	CHECK(function_map_regions(fd, r, 1, &missing) == -ENOMEM);
	CHECK(missing == PAGE);
	r[0] = function_region(memory + 1, 10 * PAGE, 0);
	CHECK(function_map_regions(fd, r, 1, &missing) == -ENOMEM);
	r[0] = function_region(memory + 1, 10 * PAGE - 1, 0);
	CHECK(!function_map_regions(fd, r, 1, &missing));
	CHECK(!function_unmap_one(fd, r[0].handle));
	return 0;
}

static int coherent_to_the_limit(int fd)
{
	struct usrpci_ioc_coherent a, b;

	CHECK(!function_coherent(fd, 9 * PAGE + 1, &a));
	CHECK(pages_charged() == 10);
	CHECK(function_coherent(fd, 1, &b) == -ENOMEM);
	CHECK(b.missing == PAGE);
	CHECK(!function_unmap_one(fd, a.handle));
	CHECK(!pages_charged());
	CHECK(function_coherent(fd, 1 << 20, &b) == -ENOMEM);
	CHECK(b.missing == (1 << 20) - 10 * PAGE);
	return 0;
}

static int mlock_counts_too(int fd)
{
	unsigned char *memory = pages_new(10, 1);
	struct usrpci_ioc_region r = function_region(memory, 5 * PAGE, 0);
	uint64_t missing = 0;

	CHECK(!mlock(memory, 6 * PAGE));
	CHECK(function_map_regions(fd, &r, 1, &missing) == -ENOMEM);
	CHECK(missing == PAGE);
	r.len = 4 * PAGE;
	CHECK(!function_map(fd, &r));
	CHECK(!function_unmap_one(fd, r.handle));
	return 0;
}

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static void maps_count_to_the_page(void **state)
{
	as_user(map_to_the_limit, fd_of(state));
}

static void buffers_count_to_the_page(void **state)
{
	as_user(coherent_to_the_limit, fd_of(state));
}

static void locked_memory_counts_too(void **state)
{
	as_user(mlock_counts_too, fd_of(state));
}

static void ipc_lock_has_no_limit(void **state)
{
	unsigned char *memory = pages_new(20, 1);
	struct usrpci_ioc_region r = function_region(memory, 20 * PAGE, 0);
	struct rlimit old;

	getrlimit(RLIMIT_MEMLOCK, &old);
	limit(1);
	assert_int_equal(function_map(fd_of(state), &r), 0);
	assert_int_equal(pages_charged(), 20);
	assert_int_equal(function_unmap_one(fd_of(state), r.handle), 0);
	setrlimit(RLIMIT_MEMLOCK, &old);
	pages_free(memory, 20);
}

/* A user opens it himself where it's isolated. */
static int opens_and_maps(int unused)
{
	unsigned char *memory = pages_new(10, 1);
	struct usrpci_ioc_region r = function_region(memory, 10 * PAGE, 0);
	int fd = function_open(function_edu());

	CHECK(fd >= 0);
	CHECK(!function_map(fd, &r));
	CHECK(map_to_the_limit(fd));
	close(fd);
	CHECK(!pages_charged());
	return 0;
}

static void user_opens_where_isolated(void **state)
{
	struct usrpci_ioc_info info;
	char path[64];
	int fd = function_open(function_edu());

	info = function_info(fd);
	close(fd);
	if (info.isolation != USRPCI_ISOLATION_STRICT)
		skip();
	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	assert_int_equal(chmod(path, 0666), 0);
	as_user(opens_and_maps, -1);
	assert_int_equal(chmod(path, 0600), 0);
}

static void failures_give_it_back(void **state)
{
	unsigned char *memory = pages_new(20, 1);
	struct usrpci_ioc_region r = function_region(memory, 20 * PAGE, 0);
	long before = pages_pinned();

	munmap(memory + 10 * PAGE, PAGE);
	assert_int_equal(function_map(fd_of(state), &r), -EFAULT);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(pages_pinned(), before);
	munmap(memory, 20 * PAGE);
}

/* The child unmaps what the parent mapped: the parent gets it back. */
static void another_process_gives_it_back(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_region r = function_region(memory, 4 * PAGE, 0);
	int status, fd = fd_of(state);
	pid_t pid;

	assert_int_equal(function_map(fd, &r), 0);
	pid = fork();
	if (!pid)
		_exit(pages_charged() || function_unmap_one(fd, r.handle) || pages_charged());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pages_charged(), 0);
	pages_free(memory, 4);
}

static void last_close_gives_it_back(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_region r = function_region(memory, 4 * PAGE, 0);
	struct usrpci_ioc_coherent buffer;
	int go[2], fd = function_open(function_edu());
	long before = pages_pinned();
	char byte;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(function_map(fd, &r), 0);
	assert_int_equal(function_coherent(fd, PAGE, &buffer), 0);
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &byte, 1));
	}
	close(fd);
	assert_int_equal(pages_charged(), 5);
	assert_int_equal(pages_pinned(), before + 4);
	close(go[1]);
	waitpid(pid, NULL, 0);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(pages_pinned(), before);
	close(go[0]);
	pages_free(memory, 4);
}

/* The memory's process has gone, and the file lives on: it stays the device's till the close. */
static void memory_outlives_its_process(void **state)
{
	int fd = function_open(function_edu()), status;
	long before = pages_pinned();
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct usrpci_ioc_region r = function_region(pages_new(4, 1), 4 * PAGE, 0);

		_exit(function_map(fd, &r));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pages_pinned(), before + 4);
	assert_int_equal(pages_charged(), 0);
	close(fd);
	assert_int_equal(pages_pinned(), before);
	assert_int_equal(pages_charged(), 0);
}

static void exec_keeps_it_till_close(void **state)
{
	int fd = function_open(function_edu()), status;
	long before = pages_pinned();
	pid_t pid;

	pid = fork();
	if (!pid) {
		struct usrpci_ioc_region r = function_region(pages_new(4, 1), 4 * PAGE, 0);

		if (function_map(fd, &r))
			_exit(1);
		fcntl(fd, F_SETFD, 0);
		execl("/bin/sh", "sh", "-c", "grep -q 'VmPin:.* 0 kB' /proc/self/status", NULL);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pages_pinned(), before);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)
#define TEST_ALONE(_f) \
	cmocka_unit_test_setup_teardown(_f, nothing_held_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(maps_count_to_the_page),
		TEST(buffers_count_to_the_page),
		TEST(locked_memory_counts_too),
		TEST(ipc_lock_has_no_limit),
		TEST_ALONE(user_opens_where_isolated),
		TEST(failures_give_it_back),
		TEST(another_process_gives_it_back),
		TEST_ALONE(last_close_gives_it_back),
		TEST_ALONE(memory_outlives_its_process),
		TEST_ALONE(exec_keeps_it_till_close),
	};

	function_require();
	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
