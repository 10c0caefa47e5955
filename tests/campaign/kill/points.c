// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "points.h"

#define TURNS	2

/**
 * struct tracer - One that is traced.
 * @pid: it
 * @call: number of the system call it's in
 * @signal: to be passed on to it
 */
struct tracer {
	pid_t pid;
	uint64_t call;
	int signal;
};

static bool only_passes_time(uint64_t call)
{
	switch (call) {
	case SYS_sched_yield:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_ppoll:
	case SYS_poll:
		return true;
	}
	return false;
}

static bool begin(struct tracer *t, pid_t pid)
{
	int status;

	*t = (struct tracer){ .pid = pid };
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return false;
	return !ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
}

/* Lets it run to the next point; false if it ended. */
static bool advance(struct tracer *t)
{
	struct __ptrace_syscall_info info;
	int status;

	for (;;) {
		ptrace(PTRACE_SYSCALL, t->pid, NULL, t->signal);
		t->signal = 0;
		if (waitpid(t->pid, &status, __WALL) != t->pid || !WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			t->signal = WSTOPSIG(status);
			continue;
		}
		ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			t->call = info.entry.nr;
		if (!only_passes_time(t->call))
			return true;
	}
}

unsigned int points_count(pid_t pid, const struct life *l)
{
	unsigned int points = 0;
	struct tracer t;

	if (!begin(&t, pid))
		return 0;
	while (__atomic_load_n(&l->box->turns, __ATOMIC_RELAXED) < TURNS) {
		if (!advance(&t))
			return 0;
		points++;
	}
	kill(pid, SIGKILL);
	return points;
}

bool points_kill_at(pid_t pid, unsigned int point)
{
	struct tracer t;

	if (!begin(&t, pid))
		return false;
	while (point--)
		if (!advance(&t))
			return false;
	kill(pid, SIGKILL);
	return true;
}
