// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "arena.h"
#include "episode.h"
#include "field.h"
#include "function.h"
#include "guard.h"
#include "handle.h"
#include "memory.h"
#include "space.h"
#include "window.h"

#define USER		1000
#define ENOUGH_GONE	256	/* calls that find the function gone */

/* Nothing that a user could use is kept, but for /proc. */
static void become_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		_exit(3);
	prctl(PR_SET_DUMPABLE, 1);
}

static void *work(void *arg)
{
	struct caller *t = arg;

	while (t->nth < t->e->budget && t->e->gone < ENOUGH_GONE)
		caller_step(t);
	return NULL;
}

/* The first thread's injection file has to be opened by itself: it's the thread's. */
static void *start(void *arg)
{
	struct caller *t = arg;

	if (!caller_init(t, t->e, t->id))
		_exit(4);
	return work(t);
}

static void run_threads(struct episode *e, enum episode_end end)
{
	static struct caller callers[NR_THREADS];
	pthread_t threads[NR_THREADS];
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++) {
		callers[i] = (struct caller){ .e = e, .id = i };
		if (pthread_create(&threads[i], NULL, start, &callers[i]))
			_exit(5);
	}
	/* One of them has come to its end, the other hasn't quite. */
	pthread_join(threads[0], NULL);
	if (end == EPISODE_KILL)
		raise(SIGKILL);
	for (i = 1; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Nobody without a capability gets a function that isn't isolated. */
static void open_it(struct episode *e, enum episode_user user)
{
	char isolation[32] = "", name[64];

	e->fd = function_open(e->bdf);
	snprintf(name, sizeof(name), "usrpci/%s/isolation", e->bdf);
	if (e->fd >= 0 && user == EPISODE_USER &&
	    function_attribute(e->bdf, name, isolation, sizeof(isolation)) &&
	    strcmp(isolation, "strict"))
		campaign_fault(e->c, "a user opened a function with isolation %s", isolation);
}

/* Root may have taken it away by now, or have asked for isolation. */
static bool may_fail(const struct episode *e, enum episode_user user)
{
	if (e->fd == -EPERM)
		return e->watched || user == EPISODE_USER;
	return e->watched && (e->fd == -ENODEV || e->fd == -ENOENT || e->fd == -ENXIO);
}

static void give_back(struct episode *e)
{
	window_clear();
	space_close_all();
	close(e->fd);
	if (pages_charged())
		campaign_fault(e->c, "%ld pages stay charged", pages_charged());
}

void episode_run(struct episode *e, enum episode_user user, enum episode_end end)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	guard_install();
	handle_forget_all();
	if (user == EPISODE_USER)
		become_user();
	open_it(e, user);
	if (e->fd < 0)
		_exit(may_fail(e, user) ? 0 : 2);
	if (user == EPISODE_HANDED)
		become_user();
	arena_make();
	shape_open_files(e->fd);
	run_threads(e, end);
	if (end == EPISODE_CLOSE)
		give_back(e);
	_exit(0);
}
