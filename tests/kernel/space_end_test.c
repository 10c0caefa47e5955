// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A device whose TLB the kernel serves goes away, or doesn't obey, or who is bound to it dies or
 * never gets its memory: nobody waits for ever, and nobody's memory is written to.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "canary.h"
#include "function.h"
#include "htex.h"
#include "memory.h"
#include "stall.h"

#define RING	20U

/* How memory is held: each test runs in both ways. */
static unsigned int flags;

/* Nothing waits for a user. */
static uint64_t patience_ms(void)
{
	return kernel_is_slow() ? 30000 : 3000;
}

static int open_bound(struct htex_hw *htex, uint32_t *tag)
{
	int space;

	htex_hw_start(htex, 0);
	space = htex_hw_bind(htex, flags, 0, tag);
	assert_true(space >= 0);
	return space;
}

/* Pages of a list that leads round. */
static uint64_t *new_ring(void)
{
	uint64_t *mem = (uint64_t *)pages_new(RING, 0);
	size_t i;

	for (i = 0; i < RING; i++)
		mem[i * PAGE / 8] = (uintptr_t)(mem + (i + 1) % RING * PAGE / 8);
	return mem;
}

static void start(struct htex_hw *htex, unsigned int engine, uint32_t job, uint32_t tag,
		  const void *source, void *target, uint64_t length)
{
	htex_hw_run(htex, engine, &(struct htex_hw_job){
		.job = job, .tag = tag, .source = (uintptr_t)source,
		.target = (uintptr_t)target, .length = length,
	});
}

static void await_misses(struct htex_hw *htex, unsigned int engine, uint64_t nr)
{
	uint64_t end = now_ms() + 10 * patience_ms();

	while (htex_hw_engine(htex, engine, HTEX_MISSES) < nr && now_ms() < end)
		usleep(500);
	assert_true(htex_hw_engine(htex, engine, HTEX_MISSES) >= nr);
}

static void await_unpinned(long pinned)
{
	uint64_t end = now_ms() + patience_ms();

	while (pages_pinned() != pinned && now_ms() < end)
		usleep(1000);
	assert_int_equal(pages_pinned(), pinned);
}

/* Memory that the device had, and has no more, is written to by nobody. */
static void assert_let_go(unsigned char *mem, size_t nr)
{
	static struct canary canary;
	uint64_t physical[RING];

	physical_addresses(mem, nr, physical);
	pages_free(mem, nr);
	canary_catch(&canary, physical, nr);
	usleep(20000);
	assert_int_equal(canary_changed(&canary), 0);
	canary_free(&canary);
}

static bool has_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, (int)patience_ms()) == 1 && p.revents & POLLHUP;
}

/* --- removal --- */

static int remove_function(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	return file_write(path, "1");
}

static void removed_amid_jobs(struct htex_hw *htex, int (*take)(const char *bdf))
{
	uint64_t *ring = new_ring();
	unsigned char *from = pages_new(RING, 1), *to = pages_new(RING, 2);
	struct usrpci_ioc_space_info info = { .size = sizeof(info) };
	struct usrpci_ioc_bind bind = { .size = sizeof(bind) };
	long pinned = pages_pinned();
	struct usrpci_ioc_event event;
	uint64_t begun, took;
	uint32_t tag;
	int space = open_bound(htex, &tag);

	start(htex, 0, HTEX_JOB_LIST, tag, ring, NULL, 0);
	await_misses(htex, 0, RING);
	start(htex, 1, HTEX_JOB_COPY, tag, from, to, RING * PAGE);
	begun = now_ms();
	assert_int_equal(take(function_htex()), 0);
	took = now_ms() - begun;
	if (took > patience_ms())
		fail_msg("it took %d ms", (int)took);
	assert_int_equal(touch(htex->regs), SIGBUS);
	assert_true(has_hung_up(space));
	assert_int_equal(function_call(space, USRPCI_SPACE_INFO, &info), 0);
	assert_int_equal(info.entries, 0);
	assert_int_equal(space_forget(space, ring, PAGE), -ENODEV);
	assert_int_equal(function_call(htex->fd, USRPCI_BIND, &bind), -ENODEV);
	while (!function_event(htex->fd, &event) && event.type != USRPCI_EVENT_REMOVED)
		;
	assert_int_equal(event.type, USRPCI_EVENT_REMOVED);
	await_unpinned(pinned);
	assert_let_go(to, RING);
	assert_let_go((unsigned char *)ring, RING);
	pages_free(from, RING);
	htex_hw_unbind(htex, space);
	file_write("/sys/bus/pci/rescan", "1");
	assert_int_equal(function_bind(function_htex()), 0);
}

static void unbound_amid_jobs(void **state)
{
	removed_amid_jobs(*state, function_unbind);
}

static void unplugged_amid_jobs(void **state)
{
	removed_amid_jobs(*state, remove_function);
}

/* --- a device that doesn't obey --- */

static void assert_stopped(struct htex_hw *htex, int space)
{
	struct usrpci_ioc_event event;

	assert_int_equal(function_event(htex->fd, &event), 0);
	assert_int_equal(event.type, USRPCI_EVENT_DEAF);
	assert_int_equal(function_event(htex->fd, &event), -EAGAIN);
	assert_int_equal(function_command(getenv("USRPCI_HTEX_DEAF")) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(function_master(htex->fd, 1), -EIO);
	assert_true(has_hung_up(space));
	assert_int_equal(htex_hw_bind(htex, flags, 0, NULL), -EIO);
}

static int deaf_setup(void **state)
{
	const char *deaf = getenv("USRPCI_HTEX_DEAF");
	char *other;
	int err;

	if (!deaf)
		return 0;
	other = strdup(function_htex());
	setenv("USRPCI_HTEX", deaf, 1);
	err = htex_hw_setup(state);
	setenv("USRPCI_HTEX", other, 1);
	free(other);
	return err;
}

static int deaf_teardown(void **state)
{
	return *state ? htex_hw_teardown(state) : 0;
}

/* The job goes on, as far as it goes without memory. */
static void deaf_device_is_stopped(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *ring, begun, took;
	unsigned char *from, *to;
	long pinned = pages_pinned();
	uint32_t tag;
	int space;

	if (!htex)
		skip();
	ring = new_ring();
	from = pages_new(RING, 1);
	to = pages_new(RING, 2);
	space = open_bound(htex, &tag);
	start(htex, 0, HTEX_JOB_LIST, tag, ring, NULL, 0);
	start(htex, 1, HTEX_JOB_COPY, tag, from, to, RING * PAGE);
	await_misses(htex, 0, RING);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_DONE);
	begun = now_ms();
	assert_let_go(to, RING);
	took = now_ms() - begun;
	if (took > patience_ms())
		fail_msg("it took %d ms", (int)took);
	assert_stopped(htex, space);
	assert_int_not_equal(htex_hw_wait(htex, 0), HTEX_STATE_DONE);
	htex_hw_unbind(htex, space);
	await_unpinned(pinned);
	assert_let_go((unsigned char *)ring, RING);
	pages_free(from, RING);
}

/* The kernel's teardown of its memory is what the device doesn't hear. */
static void killed_on_a_deaf_device(void **state)
{
	struct htex_hw *htex = *state;
	struct usrpci_ioc_event event;
	long pinned = pages_pinned();
	uint64_t *ring, begun, took;
	int pipes[2], status;
	uint32_t tag;
	pid_t pid;

	if (!htex)
		skip();
	htex_hw_start(htex, 0);
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		ring = new_ring();
		htex_hw_bind(htex, flags, 0, &tag);
		if (write(pipes[1], &tag, sizeof(tag)) != sizeof(tag) ||
		    write(pipes[1], &ring, sizeof(ring)) != sizeof(ring))
			_exit(1);
		pause();
	}
	assert_int_equal(read(pipes[0], &tag, sizeof(tag)), sizeof(tag));
	assert_int_equal(read(pipes[0], &ring, sizeof(ring)), sizeof(ring));
	start(htex, 0, HTEX_JOB_LIST, tag, ring, NULL, 0);
	await_misses(htex, 0, RING);
	begun = now_ms();
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	took = now_ms() - begun;
	if (took > patience_ms())
		fail_msg("it took %d ms", (int)took);
	await_unpinned(pinned);
	assert_int_equal(function_event(htex->fd, &event), 0);
	assert_int_equal(event.type, USRPCI_EVENT_DEAF);
	assert_int_equal(function_command(getenv("USRPCI_HTEX_DEAF")) & PCI_COMMAND_MASTER, 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- memory that never comes --- */

/**
 * struct stalled - A process that waits for its own memory, and who could give it.
 * @pid: the process
 * @holder: its child, that keeps the userfaultfd
 * @tag: of its space
 * @page: what never comes
 * @ring: of its, that is there
 */
struct stalled {
	pid_t pid;
	pid_t holder;
	uint32_t tag;
	void *page;
	uint64_t *ring;
};

/* It has nothing else of its parents'. */
static void hold(int one, int other) __attribute__((noreturn));

static void hold(int one, int other)
{
	int fd;

	for (fd = 3; fd < 64; fd++)
		if (fd != one && fd != other)
			close(fd);
	pause();
	_exit(0);
}

static void run_stalled(struct htex_hw *htex, int out, bool shares)
{
	struct stalled s = { .pid = getpid() };
	struct stall stall;
	int space;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!stall_new(&stall))
		_exit(SKIPPED);
	s.page = stall.page;
	s.ring = new_ring();
	space = htex_hw_bind(htex, flags, 0, &s.tag);
	s.holder = fork();
	if (!s.holder)
		hold(stall.fd, shares ? space : -1);
	if (space < 0 || write(out, &s, sizeof(s)) != sizeof(s))
		_exit(1);
	pause();
	_exit(0);
}

/* If its child @shares its space, too, that goes on when it has died. */
static bool begin_stalled(struct htex_hw *htex, struct stalled *s, bool shares)
{
	int pipes[2];
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid)
		run_stalled(htex, pipes[1], shares);
	close(pipes[1]);
	n = read(pipes[0], s, sizeof(*s));
	close(pipes[0]);
	return n == sizeof(*s);
}

static void memory_that_never_comes(void **state)
{
	struct htex_hw *htex = *state;
	uint64_t *ring = new_ring(), begun, took;
	struct usrpci_ioc_space_info info;
	long pinned = pages_pinned();
	struct stalled s;
	uint32_t tag;
	int space = open_bound(htex, &tag);

	if (!begin_stalled(htex, &s, false))
		skip();
	start(htex, 0, HTEX_JOB_COPY, s.tag, s.page, s.ring, 8);
	await_misses(htex, 0, 1);
	usleep(50000);
	assert_int_equal(htex_hw_state(htex, 0), HTEX_STATE_WAITING);
	/* Neither its own other misses nor those of others wait for that. */
	start(htex, 1, HTEX_JOB_LIST, s.tag, s.ring, NULL, 3 * RING);
	start(htex, 2, HTEX_JOB_LIST, tag, ring, NULL, 3 * RING);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_DONE);
	assert_int_equal(htex_hw_wait(htex, 2), HTEX_STATE_DONE);
	assert_int_equal(htex_hw_state(htex, 0), HTEX_STATE_WAITING);
	/* Nor does its death; and the device hears of it. */
	begun = now_ms();
	kill(s.pid, SIGKILL);
	assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
	took = now_ms() - begun;
	if (took > patience_ms())
		fail_msg("it took %d ms to die", (int)took);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_UNTRANSLATED);
	info = space_info(space);
	assert_int_equal(info.refusals, 0);
	start(htex, 2, HTEX_JOB_LIST, tag, ring, NULL, 3 * RING);
	assert_int_equal(htex_hw_wait(htex, 2), HTEX_STATE_DONE);
	kill(s.holder, SIGKILL);
	htex_hw_unbind(htex, space);
	await_unpinned(pinned);
	pages_free(ring, RING);
}

/* Whoever has its descriptor, and whoever waits for its memory, doesn't keep it bound. */
static void dead_process_is_bound_no_more(void **state)
{
	struct htex_hw *htex = *state;
	long pinned = pages_pinned();
	struct stalled s;
	uint64_t none;

	htex_hw_start(htex, 0);
	if (!begin_stalled(htex, &s, true))
		skip();
	start(htex, 1, HTEX_JOB_LIST, s.tag, s.ring, NULL, 3 * RING);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_DONE);
	start(htex, 0, HTEX_JOB_COPY, s.tag, s.page, s.ring, 8);
	await_misses(htex, 0, 1);
	usleep(50000);
	kill(s.pid, SIGKILL);
	assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
	assert_int_equal(htex_hw_wait(htex, 0), HTEX_STATE_UNTRANSLATED);
	/* Its memory is there yet, and the device had it. */
	start(htex, 1, HTEX_JOB_LIST, s.tag, s.ring, &none, 1);
	assert_int_equal(htex_hw_wait(htex, 1), HTEX_STATE_UNTRANSLATED);
	if (!(flags & USRPCI_BIND_MIRRORED))
		await_unpinned(pinned);
	kill(s.holder, SIGKILL);
	await_unpinned(pinned);
}

#define MANY	40U	/* more than a space has workers */

static void device_close(struct htex_hw *htex)
{
	munmap((void *)htex->regs, htex->len);
	close(htex->fd);
}

static void device_open(struct htex_hw *htex)
{
	htex->fd = function_open(function_htex());
	assert_true(htex->fd >= 0);
	htex->regs = mmap(NULL, htex->len, PROT_READ | PROT_WRITE, MAP_SHARED, htex->fd,
			  function_bar(htex->fd, 0).offset);
	assert_ptr_not_equal(htex->regs, MAP_FAILED);
}

/* The memory that misses wait for comes just when the device goes. */
static void device_goes_when_memory_comes(void **state)
{
	struct htex_hw *htex = *state;
	long pinned = pages_pinned();
	unsigned int i, round;
	struct stalled s;

	for (round = 0; round < times(20); round++) {
		htex_hw_start(htex, 0);
		if (*(volatile uint32_t *)(htex->regs + HTEX_ENGINES) < MANY ||
		    !begin_stalled(htex, &s, false))
			skip();
		for (i = 0; i < MANY; i++)
			start(htex, i, HTEX_JOB_COPY, s.tag, s.page, s.ring, 8);
		for (i = 0; i < MANY; i++)
			await_misses(htex, i, 1);
		kill(s.holder, SIGKILL);
		usleep(round * 100);
		kill(s.pid, SIGKILL);
		device_close(htex);
		assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
		/* By those who brought it in. */
		await_unpinned(pinned);
		device_open(htex);
	}
}

#define TEST(_test) cmocka_unit_test_setup_teardown(_test, htex_hw_setup, htex_hw_teardown)
#define DEAF(_test) cmocka_unit_test_setup_teardown(_test, deaf_setup, deaf_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(unbound_amid_jobs),
		TEST(unplugged_amid_jobs),
		DEAF(deaf_device_is_stopped),
		DEAF(killed_on_a_deaf_device),
		TEST(memory_that_never_comes),
		TEST(dead_process_is_bound_no_more),
		TEST(device_goes_when_memory_comes),
	};
	int failed;

	function_require();
	if (!function_htex())
		return SKIPPED;
	failed = cmocka_run_group_tests_name("pinned", tests, NULL, NULL);
	flags = USRPCI_BIND_MIRRORED;
	return failed + cmocka_run_group_tests_name("mirrored", tests, NULL, NULL);
}
