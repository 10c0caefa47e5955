// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define KIB	1024UL
#define MIB	(1024 * KIB)

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static unsigned char *map_at(int fd, struct usrpci_ioc_coherent *buffer, size_t from, size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  buffer->mmap_offset + from);

	return addr == MAP_FAILED ? NULL : addr;
}

static unsigned char *map(int fd, struct usrpci_ioc_coherent *buffer)
{
	unsigned char *addr = map_at(fd, buffer, 0, buffer->len);

	assert_non_null(addr);
	return addr;
}

static bool is_zero(const unsigned char *memory, size_t len)
{
	return !memory[0] && !memcmp(memory, memory + 1, len - 1);
}

static void size_works(int fd, size_t len)
{
	struct usrpci_ioc_coherent buffer;
	size_t pages = (len + PAGE - 1) / PAGE;
	unsigned char *memory;

	assert_int_equal(function_coherent(fd, len, &buffer), 0);
	assert_int_equal(buffer.len, pages * PAGE);
	assert_int_equal(buffer.bus_addr % PAGE, 0);
	assert_true(buffer.bus_addr + buffer.len - 1 <= function_info(fd).coherent_mask);
	assert_int_equal(pages_charged(), pages);
	memory = map(fd, &buffer);
	assert_true(is_zero(memory, buffer.len));
	memset(memory, 0xff, buffer.len);
	assert_int_equal(munmap(memory, buffer.len), 0);
	assert_int_equal(function_unmap_one(fd, buffer.handle), 0);
	assert_int_equal(pages_charged(), 0);
}

static void sizes_work(void **state)
{
	static const size_t sizes[] = { 1, PAGE - 1, PAGE, PAGE + 1, 64 * KIB, 3 * MIB };
	unsigned int i, again;

	assert_int_equal(function_mask(fd_of(state), 64), 0);
	for (again = 0; again < 3; again++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			size_works(fd_of(state), sizes[i]);
}

static int try_impossible_sizes(int fd)
{
	static const uint64_t sizes[] = {
		1ULL << 36, (1ULL << 36) + 1, 1ULL << 40, 1ULL << 63, UINT64_MAX, -PAGE, -PAGE + 1,
	};
	struct usrpci_ioc_coherent buffer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (function_coherent(fd, sizes[i], &buffer) != -ENOMEM)
			return i + 1;
	return 0;
}

/* Should memory run out after all, it's the child that is killed. */
static void impossible_sizes_fail(void **state)
{
	struct usrpci_ioc_coherent buffer;
	int status;
	pid_t pid = fork();

	if (!pid) {
		file_write("/proc/self/oom_score_adj", "1000");
		_exit(try_impossible_sizes(fd_of(state)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(function_coherent(fd_of(state), 0, &buffer), -EINVAL);
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(status, 0);
}

static void parts_map(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *whole, *part;

	assert_int_equal(function_coherent(fd_of(state), 8 * PAGE, &buffer), 0);
	whole = map(fd_of(state), &buffer);
	part = map_at(fd_of(state), &buffer, 3 * PAGE, 2 * PAGE);
	assert_non_null(part);
	whole[3 * PAGE] = 1;
	whole[5 * PAGE - 1] = 2;
	assert_int_equal(part[0], 1);
	assert_int_equal(part[2 * PAGE - 1], 2);
	assert_int_equal(munmap(whole, 8 * PAGE), 0);
	assert_int_equal(part[0], 1);
	assert_int_equal(munmap(part, 2 * PAGE), 0);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
}

static void maps_beyond_it_are_invalid(void **state)
{
	struct usrpci_ioc_coherent buffer;
	int fd = fd_of(state);

	assert_int_equal(function_coherent(fd, 4 * PAGE, &buffer), 0);
	assert_null(map_at(fd, &buffer, 0, 5 * PAGE));
	assert_int_equal(errno, EINVAL);
	assert_null(map_at(fd, &buffer, 3 * PAGE, 2 * PAGE));
	assert_null(map_at(fd, &buffer, 4 * PAGE, PAGE));
	assert_null(map_at(fd, &buffer, 1UL << 36, PAGE));
	assert_null(map_at(fd, &buffer, -PAGE, PAGE));
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
			      buffer.mmap_offset), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      buffer.mmap_offset | USRPCI_MMAP_WC), MAP_FAILED);
	assert_int_equal(function_unmap_one(fd, buffer.handle), 0);
	assert_null(map_at(fd, &buffer, 0, PAGE));
	assert_int_equal(errno, EINVAL);
}

static void mapping_handles_do_not_map(void **state)
{
	unsigned char *memory = pages_new(1, 0);
	struct usrpci_ioc_region region = function_region(memory, PAGE, 0);
	struct usrpci_ioc_coherent wrong = { .len = PAGE };

	assert_int_equal(function_map(fd_of(state), &region), 0);
	wrong.mmap_offset = 1ULL << 62 | (uint64_t)region.handle << 36;
	assert_null(map_at(fd_of(state), &wrong, 0, PAGE));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(function_unmap_one(fd_of(state), region.handle), 0);
	pages_free(memory, 1);
}

static void map_outlives_the_handle(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory;

	assert_int_equal(function_coherent(fd_of(state), 4 * PAGE, &buffer), 0);
	memory = map(fd_of(state), &buffer);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
	memset(memory, 0x5a, 4 * PAGE);
	assert_int_equal(pages_charged(), 4);
	assert_int_equal(munmap(memory + PAGE, PAGE), 0);
	assert_int_equal(memory[0], 0x5a);
	assert_int_equal(memory[2 * PAGE], 0x5a);
	assert_int_equal(pages_charged(), 4);
	assert_int_equal(munmap(memory, 4 * PAGE), 0);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), -EINVAL);
}

static void freed_with_the_last_of_two_maps(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *a, *b;

	assert_int_equal(function_coherent(fd_of(state), PAGE, &buffer), 0);
	a = map(fd_of(state), &buffer);
	b = map(fd_of(state), &buffer);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
	a[1] = 7;
	assert_int_equal(munmap(a, PAGE), 0);
	assert_int_equal(b[1], 7);
	assert_int_equal(pages_charged(), 1);
	assert_int_equal(munmap(b, PAGE), 0);
	assert_int_equal(pages_charged(), 0);
}

static void fork_shares_a_map(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory;
	int go[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(function_coherent(fd_of(state), PAGE, &buffer), 0);
	memory = map(fd_of(state), &buffer);
	pid = fork();
	if (!pid) {
		close(go[1]);
		memory[0] = 9;
		if (read(go[0], &byte, 1))
			_exit(1);
		_exit(memory[1] != 8);
	}
	memory[1] = 8;
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
	assert_int_equal(munmap(memory, PAGE), 0);
	/* The child has it yet. */
	assert_int_equal(pages_charged(), 1);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pages_charged(), 0);
	close(go[0]);
}

static void mremap_moves_and_does_not_grow(void **state)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory, *moved;

	assert_int_equal(function_coherent(fd_of(state), 2 * PAGE, &buffer), 0);
	memory = map(fd_of(state), &buffer);
	memory[PAGE] = 3;
	assert_ptr_equal(mremap(memory, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	moved = mremap(memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages_new(2, 0));
	assert_ptr_not_equal(moved, MAP_FAILED);
	assert_int_equal(moved[PAGE], 3);
	assert_int_equal(munmap(moved, 2 * PAGE), 0);
	assert_int_equal(function_unmap_one(fd_of(state), buffer.handle), 0);
}

static void device_reads_and_writes_it(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory;
	unsigned int i;

	edu_hw_start(edu);
	assert_int_equal(function_coherent(edu->fd, 3 * PAGE, &buffer), 0);
	assert_true(buffer.bus_addr + buffer.len <= 1ULL << edu_hw_bits());
	memory = map(edu->fd, &buffer);
	for (i = 0; i < 4095; i++)
		memory[i] = i * 7;
	edu_hw_read(edu, buffer.bus_addr, 4095);
	edu_hw_write(edu, buffer.bus_addr + PAGE + 1, 4095);
	assert_memory_equal(memory, memory + PAGE + 1, 4095);
	assert_int_equal(memory[PAGE], 0);
	assert_int_equal(memory[2 * PAGE - 1], 4094 * 7 & 0xff);
	assert_int_equal(memory[2 * PAGE], 0);
	assert_int_equal(munmap(memory, buffer.len), 0);
	assert_int_equal(function_unmap_one(edu->fd, buffer.handle), 0);
}

/* The freed pages may be anybody's by the next transfer: only ours are looked at. */
static void device_reaches_nothing_after_it_is_freed(void **state)
{
	struct edu_hw *edu = *state;
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory, *others;

	if (function_info(edu->fd).isolation < USRPCI_ISOLATION_LAZY)
		skip();
	edu_hw_start(edu);
	assert_int_equal(function_coherent(edu->fd, 64 * PAGE, &buffer), 0);
	memory = map(edu->fd, &buffer);
	memset(memory, 0x66, 64 * PAGE);
	edu_hw_read(edu, buffer.bus_addr, 64);
	edu_hw_write(edu, buffer.bus_addr, 64);
	assert_int_equal(munmap(memory, buffer.len), 0);
	assert_int_equal(function_unmap_one(edu->fd, buffer.handle), 0);
	others = pages_new(20000, 0);
	edu_hw_write(edu, buffer.bus_addr, 64);
	assert_true(is_zero(others, 20000 * PAGE));
	pages_free(others, 20000);
}

static void close_frees_what_is_left(void **state)
{
	struct usrpci_ioc_coherent a, b;
	unsigned char *memory;
	int i, fd;

	for (i = 0; i < 20; i++) {
		fd = function_open(function_edu());
		assert_true(fd >= 0);
		assert_int_equal(function_coherent(fd, 5 * PAGE, &a), 0);
		assert_int_equal(function_coherent(fd, 64 * KIB, &b), 0);
		memory = map(fd, &a);
		close(fd);
		/* The map keeps the file open. */
		memory[0] = 1;
		assert_int_equal(function_open(function_edu()), -EBUSY);
		assert_int_equal(munmap(memory, a.len), 0);
		assert_int_equal(pages_charged(), 0);
	}
}

struct churn {
	int fd;
	int failed;
};

static void *churner(void *arg)
{
	struct churn *churn = arg;
	struct usrpci_ioc_coherent buffer;
	unsigned char *memory;
	int i;

	for (i = 0; i < 500; i++) {
		if (function_coherent(churn->fd, 2 * PAGE, &buffer)) {
			churn->failed++;
			continue;
		}
		memory = map_at(churn->fd, &buffer, 0, buffer.len);
		churn->failed += !memory || !is_zero(memory, buffer.len);
		memset(memory, i, buffer.len);
		function_unmap_one(churn->fd, buffer.handle);
		munmap(memory, buffer.len);
	}
	return NULL;
}

static void threads_use_buffers_at_once(void **state)
{
	struct churn churn[3] = {
		{ fd_of(state), 0 }, { fd_of(state), 0 }, { fd_of(state), 0 },
	};
	pthread_t threads[3];
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, churner, &churn[i]);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(churn[i].failed, 0);
	}
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sizes_work),
		TEST(impossible_sizes_fail),
		TEST(parts_map),
		TEST(maps_beyond_it_are_invalid),
		TEST(mapping_handles_do_not_map),
		TEST(map_outlives_the_handle),
		TEST(freed_with_the_last_of_two_maps),
		TEST(fork_shares_a_map),
		TEST(mremap_moves_and_does_not_grow),
		TEST(device_reads_and_writes_it),
		TEST(device_reaches_nothing_after_it_is_freed),
		cmocka_unit_test_setup_teardown(close_frees_what_is_left, nothing_held_setup,
						nothing_held_teardown),
		TEST(threads_use_buffers_at_once),
	};

	function_require();
	return cmocka_run_group_tests_name("coherent", tests, NULL, NULL);
}
