// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/usrpci.h>

#include "arena.h"
#include "caller.h"
#include "command.h"
#include "handle.h"
#include "injection.h"
#include "register.h"
#include "window.h"

#define PAGE		4096UL
#define INJECT_WITHIN	24	/* allocations and copies of a call, from the first on */

uint64_t pick(struct caller *t, uint64_t n)
{
	return random_below(&t->random, n);
}

bool seldom(struct caller *t, unsigned int n)
{
	return !pick(t, n);
}

void caller_done(struct caller *t, long result)
{
	struct totals *totals = t->e->totals;

	if (result >= 0 && t->wrong)
		campaign_fault(t->e->c, "wrong %s worked (episode %llu, thread %u, call %llu)",
			       caller_op_name(t->op), (unsigned long long)t->e->index, t->id,
			       (unsigned long long)t->nth);
	__atomic_add_fetch(&totals->calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&totals->tried[t->op], 1, __ATOMIC_RELAXED);
	if (result >= 0) {
		__atomic_add_fetch(&totals->ok, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&totals->worked[t->op], 1, __ATOMIC_RELAXED);
	}
	if (result == -ENODEV || (result < 0 && errno == ENODEV))
		__atomic_add_fetch(&t->e->gone, 1, __ATOMIC_RELAXED);
}

static void poll_it(struct caller *t)
{
	struct pollfd p = { .fd = t->e->fd, .events = (short)pick(t, 0x40) };

	caller_done(t, poll(&p, 1, seldom(t, 64)));
}

static void dup_it(struct caller *t)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int fd = fcntl(t->e->fd, F_DUPFD_CLOEXEC, 3);

	caller_done(t, ioctl(fd, USRPCI_INFO, &info));
	caller_done(t, close(fd));
}

/* Nobody else may have it. */
static void open_again(struct caller *t)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/usrpci/%s", t->e->bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && !t->e->gone)
		campaign_fault(t->e->c, "a function was opened twice");
	if (fd >= 0)
		close(fd);
	caller_done(t, fd < 0 ? -errno : 0);
}

/* Of a child: what it inherited, and mappings that are charged to it. */
static void child_calls(struct caller *t)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		t->wrong = false;
		window_touch(t);
		command_call(t);
	}
	if (seldom(t, 2))
		raise(SIGKILL);
	_exit(0);
}

static void fork_it(struct caller *t)
{
	pid_t pid;

	handle_hold();
	pid = fork();
	handle_release();
	if (!pid)
		child_calls(t);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	caller_done(t, pid);
}

/* No call on the file: what the next ones may pin. CAP_IPC_LOCK is this thread's. */
static void change_limits(struct caller *t)
{
	static const rlim_t limits[] = { 0, 16 * PAGE, 8192 << 10, RLIM_INFINITY };
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	limit.rlim_cur = limits[pick(t, 4)];
	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (syscall(SYS_capget, &head, data))
		return;
	data[0].effective = data[0].permitted;
	if (pick(t, 2))
		data[0].effective &= ~(1U << CAP_IPC_LOCK);
	syscall(SYS_capset, &head, data);
}

/* At the file's start there is nothing. */
static void read_it(struct caller *t)
{
	uint64_t value;

	t->wrong = true;
	caller_done(t, read(t->e->fd, &value, 1U << pick(t, 4)));
}

/* What a thread does, and how often of 10,000 times. */
static const struct {
	const char *name;
	void (*run)(struct caller *t);
	unsigned int weight;
	bool may_fail;	/* under fault injection */
} acts[] = {
	{ "ioctl", command_call, 6200, true },
	{ "pread BAR", register_read, 500, true },
	{ "pwrite BAR", register_write, 500, true },
	{ "pread config", register_read_config, 300, true },
	{ "pwrite config", register_write_config, 200, true },
	{ "mmap", window_map, 800, true },
	{ "munmap", window_unmap, 300, true },
	{ "mremap", window_move, 100, true },
	{ "mprotect", window_protect, 150, true },
	{ "madvise", window_advise, 250, true },
	{ "poll", poll_it, 250, true },
	{ "dup", dup_it, 100, false },
	{ "second open", open_again, 30, false },
	{ "read", read_it, 20, true },
	{ "fork", fork_it, 2, false },
	{ "limits", change_limits, 20, false },
};

#define NR_ACTS		(sizeof(acts) / sizeof(acts[0]))
#define NR_WEIGHTS	9722

const char *caller_op_name(unsigned int op)
{
	unsigned int commands = command_count();

	if (op < commands)
		return command_name(op);
	return op - commands < NR_ACTS ? acts[op - commands].name : NULL;
}

static unsigned int choose(struct caller *t)
{
	uint64_t at = pick(t, NR_WEIGHTS);
	unsigned int i;

	if (handle_many() && pick(t, 2))
		return NR_ACTS;
	for (i = 0; i < NR_ACTS - 1 && at >= acts[i].weight; i++)
		at -= acts[i].weight;
	return i;
}

static void run(struct caller *t, unsigned int act)
{
	bool inject = t->injector >= 0 && t->e->inject && acts[act].may_fail &&
		      seldom(t, t->e->inject);

	if (inject)
		injection_arm(t->injector, 1 + pick(t, INJECT_WITHIN));
	acts[act].run(t);
	if (inject && injection_disarm(t->injector))
		__atomic_add_fetch(&t->e->totals->injected, 1, __ATOMIC_RELAXED);
}

/* Its random numbers come from its place alone. */
static uint64_t seed_of(const struct caller *t)
{
	uint64_t seed = t->e->c->seed + t->e->index * 0x100000001b3ULL;

	seed = random_next(&seed) + t->id;
	return random_next(&seed) + t->nth;
}

void caller_step(struct caller *t)
{
	unsigned int act;

	t->random = seed_of(t);
	random_next(&t->random);
	t->wrong = false;
	t->nth++;
	act = choose(t);
	if (seldom(t, 128))
		arena_change(t);
	if (!pick(t, 4))
		window_touch(t);
	t->op = command_count() + act;
	if (act == NR_ACTS)
		command_unmap(t);
	else
		run(t, act);
}

/* Memory with none behind it. */
static unsigned char *ending(size_t len)
{
	unsigned char *at = mmap(NULL, len + PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED || mprotect(at + len, PAGE, PROT_NONE) ? NULL : at;
}

bool caller_init(struct caller *t, struct episode *e, unsigned int id)
{
	*t = (struct caller){ .e = e, .id = id, .injector = -1 };
	t->frame = ending(FRAME_LEN);
	t->arrays = ending(ARRAYS_LEN);
	if (e->inject)
		t->injector = injection_open();
	return t->frame && t->arrays;
}
