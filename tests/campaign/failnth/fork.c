// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

static int in_child(struct scene *s, int (*what)(struct scene *s))
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(what(s));
	return reap(pid, 0);
}

static int nothing(struct scene *s)
{
	return 0;
}

static int unmap_and_close(struct scene *s)
{
	unmap_coherent(s);
	close(s->fd);
	return 0;
}

static int touch_coherent(struct scene *s)
{
	return touch_all(s->coherent, s->buffer.len) ? 1 : 0;
}

static int act_fork(struct scene *s)
{
	return in_child(s, nothing);
}

static int act_fork_unmap(struct scene *s)
{
	return in_child(s, unmap_and_close);
}

/* The child's touches may fail as well; it's the child then that's told. */
static int act_fork_touch(struct scene *s)
{
	return in_child(s, touch_coherent);
}

static const struct sequence sequences[] = {
	{ "fork", EDU, .n = 4, .kind = MSI, .setup = setup_held, .act = act_fork,
	  .end = end_unmap_close },
	{ "fork, the child unmaps", EDU, .n = 7, .setup = setup_coherent_mapped,
	  .act = act_fork_unmap, .end = end_unmap_close },
	{ "fork, the child touches", NVME, .n = 9, .setup = setup_coherent_mapped,
	  .act = act_fork_touch, .end = end_unmap_close },
};

const struct group fork_group = GROUP(sequences);
