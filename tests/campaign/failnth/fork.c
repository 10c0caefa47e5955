// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

static int act_fork(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	return reap(pid, 0);
}

static int act_fork_unmap(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		unmap_coherent(s);
		close(s->fd);
		_exit(0);
	}
	return reap(pid, 0);
}

/* The child's touches may fail as well; it's the child then that's told. */
static int act_fork_touch(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(touch_all(s->coherent, s->buffer.len) ? 1 : 0);
	return reap(pid, 0);
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
