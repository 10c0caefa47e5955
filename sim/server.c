// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "connection.h"
#include "server.h"

/* From a device that goes away: who asks more is one who goes on asking. */
#define MOST_LAST_ANSWERS	100

enum { STOP, PROGRAM, LISTENER, VISITOR, CONTROL, NR_FDS = CONTROL + SIM_CONTROL_FDS };

/* How long nothing is due: NULL for as long as it takes. */
static struct timespec *time_left(const struct sim *sim, struct timespec *left)
{
	uint64_t next = sim_next_ns(sim), now;

	if (!next)
		return NULL;
	now = sim_now_ns();
	now = next > now ? next - now : 0;
	left->tv_sec = (time_t)(now / 1000000000);
	left->tv_nsec = (long)(now % 1000000000);
	return left;
}

static void wait_for(struct sim_server *server, struct sim_connection *connection,
		     struct pollfd *fds)
{
	static const struct timespec none;
	bool waiting = connection && connection->nr_backlog;
	struct timespec left;

	fds[STOP] = (struct pollfd){ .fd = server->stop, .events = POLLIN };
	fds[PROGRAM] = (struct pollfd){
		.fd = connection ? connection->channel : -1, .events = POLLIN,
	};
	fds[LISTENER] = (struct pollfd){
		.fd = server->visitor < 0 ? server->listener : -1, .events = POLLIN,
	};
	fds[VISITOR] = (struct pollfd){ .fd = server->visitor, .events = POLLIN };
	sim_control_poll(&server->control, &fds[CONTROL]);
	if (ppoll(fds, NR_FDS, waiting ? &none : time_left(server->sim, &left), NULL) < 0)
		fds[STOP].revents = 0;
	if (waiting)
		fds[PROGRAM].revents = POLLIN;
}

/* There is one device: who comes second is told so once he has said what he wants. */
static struct sim_connection *accept_program(struct sim_server *server,
					     struct sim_connection *connection)
{
	int channel = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection) {
		server->visitor = channel;
		return connection;
	}
	if (channel >= 0)
		connection = sim_connection_open(server->sim, channel);
	if (channel >= 0 && !connection)
		close(channel);
	return connection;
}

/* Who came second, and has said nothing till the first one left, is the first now. */
static struct sim_connection *let_in(struct sim_server *server)
{
	struct sim_connection *connection = sim_connection_open(server->sim, server->visitor);

	if (!connection)
		close(server->visitor);
	server->visitor = -1;
	return connection;
}

static void send_away(struct sim_server *server)
{
	sim_connection_refuse(server->visitor);
	close(server->visitor);
	server->visitor = -1;
}

/* With the program all of it goes that the device had. */
static struct sim_connection *lose(struct sim_server *server, struct sim_connection *connection)
{
	sim_connection_close(connection);
	sim_disconnect(server->sim);
	return NULL;
}

/* Who has asked gets an answer, as from nothing: QEMU would wait 5 s for one that doesn't come. */
static void vanish(struct sim_server *server, struct sim_connection *connection)
{
	struct pollfd asked = { .fd = connection ? connection->channel : -1, .events = POLLIN };
	unsigned int answers = 0;

	server->sim->faults.all_ones = 1;
	while (answers++ < MOST_LAST_ANSWERS && poll(&asked, 1, 0) == 1)
		if (sim_connection_serve(connection))
			return;
}

void sim_server_run(struct sim_server *server, int channel)
{
	struct sim_connection *connection = NULL;
	struct pollfd fds[NR_FDS];

	if (channel >= 0)
		connection = sim_connection_open(server->sim, channel);
	while (connection || server->listener >= 0) {
		if (!connection && server->visitor >= 0)
			connection = let_in(server);
		wait_for(server, connection, fds);
		if (fds[STOP].revents)
			break;
		/* Knobs first: what comes to the device after them finds them turned. */
		sim_control_serve(&server->control, server->sim, &fds[CONTROL]);
		if (server->sim->faults.remove) {
			vanish(server, connection);
			break;
		}
		sim_run_clock(server->sim);
		if (connection && (connection->broken ||
				   (fds[PROGRAM].revents && sim_connection_serve(connection))))
			connection = lose(server, connection);
		if (connection && fds[VISITOR].revents)
			send_away(server);
		if (fds[LISTENER].revents)
			connection = accept_program(server, connection);
	}
	if (server->visitor >= 0)
		close(server->visitor);
	if (connection)
		lose(server, connection);
}
