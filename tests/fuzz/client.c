// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The library against a server that answers what it likes. The first byte says how many calls
 * a program makes, the next ones which; parts follow. To each command of the library's the
 * server sends parts up to the next reply.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include "backend/vfio-user/vfio-user.h"
#include "program.h"
#include "stream.h"

#define PATIENCE_MS	5

/**
 * struct server - Who answers.
 * @in: the parts
 * @channel: its end
 * @twin: what came with the last reply that was sent, for parts that go there
 * @id: of the last command
 */
struct server {
	struct input in;
	int channel;
	int twin;
	uint16_t id;
};

/* A reply that carries a twin: the library gets the other end. */
static void send_twin(struct server *server, struct part *part)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { part->data, part->len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	int twin[2];

	make_pair(twin);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(head) = twin[1];
	sendmsg(server->channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(twin[1]);
	if (server->twin >= 0)
		close(server->twin);
	server->twin = twin[0];
}

/* Whether there is more to come. */
static bool send_next(struct server *server)
{
	struct part part;
	int err = 0;

	while (!err && part_next(&server->in, &part)) {
		bool reply = part_is_reply(&part);

		if (part.flags & PART_TWIN && server->twin >= 0) {
			part_send(server->twin, &part);
			while (drain(server->twin, MSG_DONTWAIT, NULL) > 0)
				;
			continue;
		}
		if (reply)
			part_set_id(&part, server->id);
		if (part.flags & PART_TWIN)
			send_twin(server, &part);
		else
			err = part_send(server->channel, &part);
		if (reply)
			return true;
	}
	return false;
}

/* A read is a command: the library sends each at once, and waits. */
static void *serve(void *arg)
{
	struct server *server = arg;

	while (drain(server->channel, 0, NULL) > 0) {
		server->id++;
		if (!send_next(server))
			break;
	}
	shutdown(server->channel, SHUT_RDWR);
	if (server->twin >= 0)
		shutdown(server->twin, SHUT_RDWR);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct server server = { .in = { data, len }, .twin = -1 };
	size_t nr = input_u8(&server.in) % (PROGRAM_CALLS + 1);
	const uint8_t *calls = input_bytes(&server.in, &nr);
	const int next = next_fd();
	struct usrpci_device *dev;
	pthread_t thread;
	int sockets[2];

	make_pair(sockets);
	server.channel = sockets[1];
	must(!pthread_create(&thread, NULL, serve, &server), "a thread");
	if (!usrpci_socket_open_channel(&dev, "vfio-user:fuzz", sockets[0], PATIENCE_MS))
		program_run(dev, calls, nr);
	pthread_join(thread, NULL);
	close(sockets[1]);
	if (server.twin >= 0)
		close(server.twin);
	must(next_fd() == next, "a descriptor is left open");
	return 0;
}
