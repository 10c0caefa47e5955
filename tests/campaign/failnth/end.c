// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

/* All that one can hold. */
int hold(struct scene *s)
{
	return map_bar(s) ?: touch_all(s->map, PAGE) ?: act_coherent_map(s) ?:
	       map_and_note(s, 4, s->q->n) ?: act_irq(s) ?: act_wire(s) ?:
	       function_master(s->fd, 1);
}

int setup_held(struct scene *s)
{
	return setup_coherent(s) ?: hold(s);
}

int act_close(struct scene *s)
{
	close_it(s);
	return 0;
}

static int act_close_all(struct scene *s)
{
	end_unmap_close(s);
	return 0;
}

int end_of_child(struct scene *s, int (*setup)(struct scene *s), void (*how)(void), int wanted)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (setup(s))
			_exit(1);
		if (s->nth)
			s->injector->arm(s->nth);
		how();
	}
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		return -errno;
	s->failed = s->nth && s->injector->has_failed(pid);
	return reap(pid, wanted);
}

void exit_now(void)
{
	_exit(0);
}

void die_now(void)
{
	kill(getpid(), SIGKILL);
}

static int act_exit(struct scene *s)
{
	return end_of_child(s, setup_held, exit_now, 0);
}

static int act_die(struct scene *s)
{
	return end_of_child(s, setup_held, die_now, SIGKILL);
}

static const struct sequence sequences[] = {
	{ "close", EDU, .n = 3, .kind = MSI, .setup = setup_held, .act = act_close,
	  .end = end_unmap_close },
	{ "close, nvme", NVME, .n = 3, .kind = MSIX, .setup = setup_held, .act = act_close,
	  .end = end_unmap_close },
	{ "unmap and close", NVME, .n = 20, .kind = INTX, .setup = setup_held,
	  .act = act_close_all },
	{ "exit", EDU, .n = 2, .kind = INTX, .act = act_exit, .arms = true },
	{ "exit, nvme", NVME, .n = 6, .kind = MSIX, .act = act_exit, .arms = true },
	{ "killed", EDU, .n = 4, .kind = MSI, .act = act_die, .arms = true },
};

const struct group end_group = GROUP(sequences);
