/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FUZZ_EPISODE_H
#define FUZZ_EPISODE_H

#include "caller.h"

/* Who calls. */
enum episode_user {
	EPISODE_ROOT,
	EPISODE_USER,		/* who has no capability, and opens it so */
	EPISODE_HANDED,		/* who was handed the file by root */
};

/* How it ends. */
enum episode_end {
	EPISODE_CLOSE,		/* all is given back first */
	EPISODE_EXIT,		/* with all held */
	EPISODE_KILL,		/* amid calls */
};

/* The whole of it, in a process of its own; never returns. */
void episode_run(struct episode *e, enum episode_user user, enum episode_end end)
	__attribute__((noreturn));

#endif /* FUZZ_EPISODE_H */
