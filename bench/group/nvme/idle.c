// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A processor that sleeps executes nothing, and yet the count goes on: so it never sleeps. */
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../meter.h"
#include "load.h"

/* Of the loop. */
#define INSTRUCTIONS	2

static volatile unsigned long *turns;
static pid_t child;

static void be_idle(void)
{
	const struct sched_param param = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "sched_setscheduler");
	__asm__ __volatile__("1: incq (%0)\n\tjmp 1b" : : "r"(turns) : "memory");
}

void idle_start(void)
{
	if (!meter_counts())
		return;
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (turns == MAP_FAILED)
		err(1, "memory");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		be_idle();
}

double idle_so_far(void)
{
	return turns ? (double)*turns * INSTRUCTIONS : 0;
}

void idle_stop(void)
{
	if (!turns)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap((void *)turns, sizeof(*turns));
	turns = NULL;
}
