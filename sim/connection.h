/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_CONNECTION_H
#define SIM_CONNECTION_H

#include <stdbool.h>
#include "sim.h"
#include "vfio-user/channel.h"
#include "vfio-user/version.h"

/* Messages that wait while the program is asked for its memory. */
#define SIM_BACKLOG	64

/**
 * struct sim_connection - A program that has the device.
 * @sim: the device
 * @channel: its socket
 * @twin: for commands to the program; -1: @channel
 * @caps: what it can take
 * @known: it said so
 * @id: of the last command to it
 * @message: the last one from it
 * @answer: the last one on @twin, or while it's asked
 * @backlog: messages that came while it was asked
 * @nr_backlog: how many
 * @broken: nothing can be said to it any more
 */
struct sim_connection {
	struct sim *sim;
	int channel;
	int twin;
	struct vfio_user_capabilities caps;
	bool known;
	uint16_t id;
	struct vfio_user_message message;
	struct vfio_user_message answer;
	struct vfio_user_message backlog[SIM_BACKLOG];
	unsigned int nr_backlog;
	bool broken;
};

/* @channel is the connection's from then on. NULL: no memory. */
struct sim_connection *sim_connection_open(struct sim *sim, int channel);
void sim_connection_close(struct sim_connection *connection);

/* Says EBUSY to the first message on @channel, if it's there. */
void sim_connection_refuse(int channel);

/* Takes a message, which has come or is waiting, and answers. 0; a negative errno ends it. */
int sim_connection_serve(struct sim_connection *connection);

/* Between memory of the program and @buf, in as many messages as it takes. */
int sim_connection_read(struct sim_connection *connection, uint64_t address, void *buf,
			size_t len);
int sim_connection_write(struct sim_connection *connection, uint64_t address, const void *buf,
			 size_t len);

#endif /* SIM_CONNECTION_H */
