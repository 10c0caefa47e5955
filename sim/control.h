/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A socket for whoever plays with the knobs. A line each: "NAME=VALUE" sets one; "status" asks
 * for all of them and for what the device did, as JSON. The answer is a line: "ok", the JSON,
 * or "error: " and a sentence.
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <poll.h>
#include "sim.h"

#define SIM_CONTROL_CLIENTS	4
#define SIM_CONTROL_FDS		(1 + SIM_CONTROL_CLIENTS)

/**
 * struct sim_control - The socket.
 * @path: where it is
 * @listener: it
 * @clients: who is connected, -1 for nobody
 * @lines: what each has sent of a line
 * @lens: bytes of that
 */
struct sim_control {
	const char *path;
	int listener;
	int clients[SIM_CONTROL_CLIENTS];
	char lines[SIM_CONTROL_CLIENTS][256];
	size_t lens[SIM_CONTROL_CLIENTS];
};

/* @path NULL: none. 0 or -errno. */
int sim_control_open(struct sim_control *control, const char *path);
void sim_control_close(struct sim_control *control);

/* What to poll for, SIM_CONTROL_FDS of them; and what to do when that's done. */
void sim_control_poll(const struct sim_control *control, struct pollfd *fds);
void sim_control_serve(struct sim_control *control, struct sim *sim, const struct pollfd *fds);

/* A listening Unix socket at @path, in the place of one that nobody serves; or -errno. */
int sim_listen(const char *path);

#endif /* SIM_CONTROL_H */
