// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "vfio-user.h"
#include "vfio-user/message.h"

/* Of one exchange: as long as many of them may take together. */
#define PATIENCES	10

void usrpci_socket_hurry(struct usrpci_socket_device *dev)
{
	dev->end_ms = usrpci_message_now_ms() + (int64_t)PATIENCES * dev->patience_ms;
}

void usrpci_socket_lose(struct usrpci_socket_device *dev)
{
	if (atomic_exchange(&dev->gone, true))
		return;
	shutdown(dev->channel, SHUT_RDWR);
	if (dev->twin >= 0)
		shutdown(dev->twin, SHUT_RDWR);
	/* Whoever polls finds something to read, and nobody at the other end. */
	if (write(dev->hangup[1], "", 1) == 1)
		close(dev->hangup[1]);
	dev->hangup[1] = -1;
}

/* Commands that come in between are the server's, which may wait for the answer. */
static int await_reply(struct usrpci_socket_device *dev)
{
	const int64_t end = usrpci_message_now_ms() + dev->patience_ms;
	int err;

	for (;;) {
		err = usrpci_message_receive(dev->channel, &dev->reply);
		if (err)
			return err;
		if (dev->reply.header.flags & VFIO_USER_REPLY)
			return 0;
		if (dev->twin >= 0)
			return -EPROTO;
		/* It takes the other's place for as long as it's carried out. */
		err = usrpci_socket_serve(dev, dev->channel);
		if (err)
			return err;
		/* Else it could go on asking, and never answer. */
		if (usrpci_message_now_ms() >= end)
			return -ETIMEDOUT;
	}
}

static int error_of(const struct vfio_user_header *header)
{
	return header->error && header->error < 4096 ? -(int)header->error : -EIO;
}

static void take(struct usrpci_exchange *x, struct vfio_user_message *reply)
{
	size_t fixed = reply->len < x->room ? reply->len : x->room;
	size_t rest = reply->len - fixed;

	if (x->reply)
		memcpy(x->reply, reply->payload, fixed);
	if (x->data)
		memcpy(x->data, reply->payload + fixed, rest < x->data_room ? rest : x->data_room);
	x->len = reply->len;
	x->fd = usrpci_message_take_fd(reply, x->fd_index);
}

/* Sets @said to what the server says; else the connection is of no use. */
static int converse(struct usrpci_socket_device *dev, struct usrpci_exchange *x, int *said)
{
	struct vfio_user_header header = { .id = ++dev->id, .command = (uint16_t)x->command };
	struct vfio_user_message *reply = &dev->reply;
	int err;

	/* Each of a thousand answers may come late, but not too late. */
	if (dev->end_ms && usrpci_message_now_ms() >= dev->end_ms)
		return -ETIMEDOUT;
	err = usrpci_message_send(dev->channel, &header, x->parts, x->nr_parts, x->fds, x->nr_fds);
	if (!err)
		err = await_reply(dev);
	if (err)
		return err;
	if (reply->header.id != header.id || reply->header.command != header.command)
		return -EPROTO;
	if (reply->header.flags & VFIO_USER_ERROR) {
		*said = error_of(&reply->header);
		return 0;
	}
	err = usrpci_message_check_reply(x->command, reply->payload, reply->len, reply->nr_fds);
	if (!err && reply->len)
		take(x, reply);
	return err;
}

int usrpci_socket_exchange(struct usrpci_socket_device *dev, struct usrpci_exchange *x)
{
	int err, said = 0;

	x->fd = -1;
	x->len = 0;
	/* Two can't tell their answers apart, and a thread of the parent's may hold the lock. */
	if (!usrpci_vfio_is_owner(&dev->vfio))
		return -ENODEV;
	pthread_mutex_lock(&dev->lock);
	err = atomic_load(&dev->gone) ? -ENODEV : converse(dev, x, &said);
	usrpci_message_drop_fds(&dev->reply);
	/* Before anybody else can ask, who would wait for as long. */
	if (err)
		usrpci_socket_lose(dev);
	pthread_mutex_unlock(&dev->lock);
	return err ? -ENODEV : said;
}
