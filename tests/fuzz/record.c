// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Makes corpora of what a program and the simulator say to each other: it stands between them.
 * record FOLDER: writes FOLDER/server, FOLDER/client, FOLDER/message.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "backend/vfio-user/vfio-user.h"
#include "connection.h"
#include "program.h"
#include "sim.h"
#include "stream.h"

#define KIND_MEMORY	(1U << PART_KIND_SHIFT)
#define KIND_EVENT	(7U << PART_KIND_SHIFT)

enum { PROGRAM, SIM, PROGRAM_TWIN, SIM_TWIN, NR_ENDS };

/**
 * struct middle - Who stands between.
 * @ends: sockets, to the program and to the simulator
 * @twin: the program is told of one
 * @logs: of what either says, as the fuzzers read it
 * @folder: for the corpora
 * @session: which one it is
 * @nr: messages written so far
 */
struct middle {
	int ends[NR_ENDS];
	bool twin;
	FILE *logs[2];
	const char *folder;
	unsigned int session;
	unsigned int nr;
};

static FILE *create(const char *folder, const char *fuzzer, unsigned int session,
		    unsigned int number)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/session-%u-%03u", folder, fuzzer, session, number);
	file = fopen(path, "w");
	must(file, path);
	return file;
}

static void write_part(FILE *log, unsigned int flags, const struct vfio_user_message *message)
{
	const size_t len = sizeof(message->header) + message->len;
	unsigned int kind = message->header.command == VFIO_USER_DEVICE_SET_IRQS ? KIND_EVENT :
										 KIND_MEMORY;
	uint8_t head[PART_HEAD] = {
		(uint8_t)flags, (uint8_t)(message->nr_fds | (message->nr_fds ? kind : 0)),
		(uint8_t)len, (uint8_t)(len >> 8),
	};

	must(len < PART_MOST, "a message that isn't long");
	fwrite(head, sizeof(head), 1, log);
	fwrite(&message->header, sizeof(message->header), 1, log);
	if (message->len)
		fwrite(message->payload, message->len, 1, log);
}

/* One of each kind is enough. */
static void write_message(struct middle *m, const struct vfio_user_message *message)
{
	static bool seen[2][32];
	bool reply = message->header.flags & VFIO_USER_REPLY;
	FILE *file;

	if (message->header.command >= 32 || seen[reply][message->header.command])
		return;
	seen[reply][message->header.command] = true;
	file = create(m->folder, "message", m->session, m->nr++);
	fputc((int)message->nr_fds, file);
	fwrite(&message->header, sizeof(message->header), 1, file);
	if (message->len)
		fwrite(message->payload, message->len, 1, file);
	fclose(file);
}

/* The program offers a twin in any case; what's left without it is shorter. */
static void hide_twin(struct vfio_user_message *message)
{
	message->len = usrpci_version_format(message->payload, false, -1);
}

static void split_twin(struct middle *m, struct vfio_user_message *message)
{
	int sockets[2];

	if (!message->nr_fds)
		return;
	make_pair(sockets);
	m->ends[SIM_TWIN] = message->fds[0];
	m->ends[PROGRAM_TWIN] = sockets[0];
	message->fds[0] = sockets[1];
}

/* False at the end. */
static bool pass_on(struct middle *m, unsigned int from)
{
	struct vfio_user_message message = { 0 };
	struct vfio_user_part part;
	unsigned int flags = from >= PROGRAM_TWIN ? PART_TWIN : 0;
	int err = usrpci_message_receive(m->ends[from], &message);

	if (!err && message.header.command == VFIO_USER_VERSION) {
		if (from == PROGRAM && !m->twin)
			hide_twin(&message);
		if (from == SIM && message.nr_fds) {
			split_twin(m, &message);
			flags = PART_TWIN;
		}
	}
	if (!err) {
		write_part(m->logs[from % 2], flags, &message);
		write_message(m, &message);
		part = (struct vfio_user_part){ message.payload, message.len };
		err = usrpci_message_send(m->ends[from ^ 1], &message.header, &part, 1,
					  message.fds, message.nr_fds);
	}
	usrpci_message_free(&message);
	return !err;
}

static void *stand_between(void *arg)
{
	struct middle *m = arg;
	struct pollfd p[NR_ENDS];
	bool going = true;
	unsigned int i;

	while (going) {
		for (i = 0; i < NR_ENDS; i++)
			p[i] = (struct pollfd){ .fd = m->ends[i], .events = POLLIN };
		poll(p, NR_ENDS, -1);
		for (i = 0; i < NR_ENDS && going; i++)
			if (p[i].revents)
				going = pass_on(m, i);
	}
	for (i = 0; i < NR_ENDS; i++)
		if (m->ends[i] >= 0)
			close(m->ends[i]);
	return NULL;
}

static void *play(void *arg)
{
	struct sim_connection *connection = arg;
	struct sim *sim = connection->sim;

	while (!sim_connection_serve(connection))
		sim_run_clock(sim);
	sim_connection_close(connection);
	sim_disconnect(sim);
	return NULL;
}

static void record(const char *folder, unsigned int session, bool twin, const uint8_t *calls,
		   size_t nr)
{
	struct middle m = {
		.ends = { -1, -1, -1, -1 }, .twin = twin, .folder = folder, .session = session,
	};
	char text[] = "edu,dma-us=0";
	struct usrpci_device *dev;
	pthread_t threads[2];
	int program[2], played[2];
	const char *why;
	struct sim *sim = sim_create(text, &why);

	must(sim, "a simulator");
	make_pair(program);
	make_pair(played);
	m.ends[PROGRAM] = program[0];
	m.ends[SIM] = played[0];
	m.logs[PROGRAM] = create(folder, "server", session, 0);
	m.logs[SIM] = create(folder, "client", session, 0);
	fputc(0, m.logs[PROGRAM]);
	fputc((int)nr, m.logs[SIM]);
	fwrite(calls, nr, 1, m.logs[SIM]);
	pthread_create(&threads[0], NULL, play, sim_connection_open(sim, played[1]));
	pthread_create(&threads[1], NULL, stand_between, &m);
	must(!usrpci_socket_open_channel(&dev, "vfio-user:record", program[1], 1000), "a device");
	program_run(dev, calls, nr);
	pthread_join(threads[1], NULL);
	pthread_join(threads[0], NULL);
	fclose(m.logs[PROGRAM]);
	fclose(m.logs[SIM]);
	sim_destroy(sim);
}

/* What, and how: see program.c. */
#define CALL(what, how)	((what) + PROGRAM_KINDS * (how))

int main(int argc, char **argv)
{
	static const uint8_t sessions[][8] = {
		{ CALL(0, 1), CALL(1, 2), CALL(6, 0) },
		{ CALL(0, 1), CALL(7, 0), CALL(8, 1), CALL(8, 0), CALL(1, 0) },
		{ CALL(0, 1), CALL(2, 1), CALL(8, 0), CALL(3, 0), CALL(8, 0) },
		{ CALL(0, 1), CALL(2, 2), CALL(8, 5), CALL(2, 0), CALL(6, 0) },
		{ CALL(0, 1), CALL(4, 5), CALL(5, 2), CALL(2, 0), CALL(8, 1), CALL(4, 0) },
		{ CALL(0, 1), CALL(4, 6), CALL(5, 2), CALL(5, 0), CALL(2, 0), CALL(8, 3) },
		{ CALL(2, 9), CALL(3, 0), CALL(7, 0), CALL(0, 16), CALL(1, 18), CALL(1, 3) },
		{ CALL(4, 5), CALL(5, 3), CALL(7, 0), CALL(2, 0), CALL(6, 0), CALL(1, 1) },
	};
	unsigned int i;

	if (argc != 2)
		return 2;
	for (i = 0; i < 2 * sizeof(sessions) / sizeof(sessions[0]); i++)
		record(argv[1], i, i % 2, sessions[i / 2], sizeof(sessions[0]));
	return 0;
}
