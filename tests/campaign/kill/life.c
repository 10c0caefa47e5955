// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#include "canary.h"
#include "function.h"
#include "life.h"

const struct workload workloads[] = {
	{ .name = "nvme reads", .nvme = true, .run = nvme_reads },
	{ .name = "nvme interrupts", .nvme = true, .run = nvme_interrupts },
	{ .name = "nvme remaps", .nvme = true, .run = nvme_remaps },
	{ .name = "edu both ways", .lent = true, .run = edu_both_ways },
	{ .name = "edu churns", .run = edu_churns },
	{ .name = "edu opens", .run = edu_opens },
	{ .name = "edu forks", .run = edu_forks },
};

const unsigned int nr_workloads = ARRAY_SIZE(workloads);

/* A signal of the process's own timer comes by the microsecond, wherever it is then. */
static void kill_after(uint64_t us)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = {
		.it_value = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 + 1 },
	};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &when, NULL))
		life_fails("a timer", -1);
}

void life_fails(const char *what, int err)
{
	fprintf(stderr, "kill: a child: %s: %s\n", what, strerror(-err));
	_exit(3);
}

void life_note(struct life *l, unsigned int at, const void *addr, unsigned int nr)
{
	physical_addresses(addr, nr, &l->box->pages[at]);
}

void life_moves(struct life *l)
{
	if (!l->box->moving && l->end == LIFE_MOVING)
		kill_after(l->end_us);
	l->box->moving = 1;
}

void life_turns(struct life *l)
{
	__atomic_add_fetch(&l->box->turns, 1, __ATOMIC_RELAXED);
}

pid_t life_begin(struct life *l, const struct workload *w)
{
	pid_t pid;

	*l->box = (struct life_box){ };
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (l->end == LIFE_TIMED)
		kill_after(l->end_us);
	if (l->end == LIFE_TRACED && !ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		raise(SIGSTOP);
	w->run(l);
	_exit(0);
}
