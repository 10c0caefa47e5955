// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The simulator against a program that sends what it likes. The first byte says which knobs are
 * set; parts follow. All of them are sent before the simulator reads the first.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connection.h"
#include "sim.h"
#include "stream.h"

/* Nobody reads while the simulator writes: what doesn't fit into the socket won't. */
#define PATIENCE_MS	2

static const char *const devices[] = {
	"edu,dma-us=0",
	"edu,dma-us=0,stray-dma=2",
	"edu,dma-us=0,irq-doubled=2,irq-lost=3",
	"edu,dma-us=0,all-ones=1",
	"edu,dma-us=0,reset-fails=1",
	"edu,dma-us=1",
	"edu,dma-us=0,irq-storm=1000000",
	"edu,dma-us=0,hang=1",
};

static void send_all(struct input in, int channel, unsigned int which)
{
	struct part part;

	while (part_next(&in, &part))
		if ((part.flags & PART_TWIN) == which && part_send(channel, &part))
			break;
	shutdown(channel, SHUT_WR);
}

/* Takes the answers, and says on the twin what is to be said there, once there is one. */
static void answer(struct input in, int channel, int *twin)
{
	const bool had_twin = *twin >= 0;

	while (drain(channel, MSG_DONTWAIT, twin) > 0)
		;
	if (!had_twin && *twin >= 0)
		send_all(in, *twin, PART_TWIN);
	while (*twin >= 0 && drain(*twin, MSG_DONTWAIT, NULL) > 0)
		;
}

static void serve_all(struct sim *sim, struct input in)
{
	struct sim_connection *connection;
	int sockets[2], twin = -1, err;

	make_pair(sockets);
	send_all(in, sockets[1], 0);
	connection = sim_connection_open(sim, sockets[0]);
	do {
		usrpci_message_set_patience(connection->twin >= 0 ? connection->twin :
					    connection->channel, PATIENCE_MS);
		usrpci_message_set_patience(connection->channel, PATIENCE_MS);
		err = sim_connection_serve(connection);
		sim_run_clock(sim);
		answer(in, sockets[1], &twin);
	} while (!err);
	sim_connection_close(connection);
	sim_disconnect(sim);
	must(!sim->memory.nr && !sim->memory.areas.root, "memory that stays");
	close(sockets[1]);
	if (twin >= 0)
		close(twin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	const int next = next_fd();
	char text[64];
	const char *why;
	struct sim *sim;

	snprintf(text, sizeof(text), "%s", devices[input_u8(&in) % 8]);
	sim = sim_create(text, &why);
	must(sim, "a simulator");
	serve_all(sim, in);
	must(next_fd() == next, "a descriptor is left open");
	sim_destroy(sim);
	return 0;
}
