// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "channel.h"
#include "message.h"

#define MOST_PARTS	3

union control {
	char room[CMSG_SPACE(VFIO_USER_FDS * sizeof(int))];
	struct cmsghdr align;
};

void usrpci_message_set_patience(int channel, unsigned int ms)
{
	const struct timeval patience = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

int64_t usrpci_message_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* When what begins now has to be over. */
static int64_t deadline(int channel, int option)
{
	struct timeval patience = { 0 };
	socklen_t len = sizeof(patience);

	getsockopt(channel, SOL_SOCKET, option, &patience, &len);
	if (!patience.tv_sec && !patience.tv_usec)
		return INT64_MAX;
	return usrpci_message_now_ms() + (int64_t)patience.tv_sec * 1000 +
	       patience.tv_usec / 1000;
}

/* Somebody who takes a byte now and then doesn't keep us for ever: so sendmsg() doesn't wait. */
static int await_room(int channel, int64_t end)
{
	struct pollfd p = { .fd = channel, .events = POLLOUT };
	int64_t left = end == INT64_MAX ? -1 : end - usrpci_message_now_ms();
	int ret;

	if (end != INT64_MAX && left <= 0)
		return -ETIMEDOUT;
	ret = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	return ret < 0 && errno != EINTR ? -errno : 0;
}

/* The rest of what sendmsg() began: descriptors went with the first byte. */
static int send_rest(int channel, struct msghdr *msg)
{
	int64_t end = 0;
	ssize_t sent;
	int err;

	for (;;) {
		sent = sendmsg(channel, msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			end = end ?: deadline(channel, SO_SNDTIMEO);
			err = await_room(channel, end);
			if (err)
				return err;
			continue;
		}
		if (sent < 0)
			return -errno;
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		while (msg->msg_iovlen && (size_t)sent >= msg->msg_iov->iov_len) {
			sent -= (ssize_t)msg->msg_iov->iov_len;
			msg->msg_iov++;
			msg->msg_iovlen--;
		}
		if (!msg->msg_iovlen)
			return 0;
		msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + sent;
		msg->msg_iov->iov_len -= (size_t)sent;
	}
}

static void attach(struct msghdr *msg, union control *control, const int *fds, unsigned int nr)
{
	struct cmsghdr *head;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control->room;
	msg->msg_controllen = CMSG_SPACE(nr * sizeof(int));
	head = CMSG_FIRSTHDR(msg);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(head), fds, nr * sizeof(int));
}

int usrpci_message_send(int channel, struct vfio_user_header *header,
			const struct vfio_user_part *parts, unsigned int nr_parts,
			const int *fds, unsigned int nr_fds)
{
	struct iovec iov[1 + MOST_PARTS] = {
		{ .iov_base = header, .iov_len = sizeof(*header) },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 1 };
	union control control;
	unsigned int i;

	if (nr_parts > MOST_PARTS || nr_fds > VFIO_USER_FDS)
		return -EINVAL;
	header->size = sizeof(*header);
	for (i = 0; i < nr_parts; i++) {
		if (!parts[i].len)
			continue;
		iov[msg.msg_iovlen].iov_base = (void *)parts[i].data;
		iov[msg.msg_iovlen++].iov_len = parts[i].len;
		header->size += (uint32_t)parts[i].len;
	}
	if (nr_fds)
		attach(&msg, &control, fds, nr_fds);
	return send_rest(channel, &msg);
}

/* Returns whether there was room for all. */
static bool keep_fds(struct vfio_user_message *message, struct msghdr *msg)
{
	bool kept = true;
	struct cmsghdr *head;
	size_t i, nr;
	int fd;

	for (head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < nr; i++) {
			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
			if (message->nr_fds < VFIO_USER_FDS) {
				message->fds[message->nr_fds++] = fd;
				continue;
			}
			close(fd);
			kept = false;
		}
	}
	return kept;
}

/* -ETIMEDOUT if what began is over by now; @end: when that is, 0 till it's first asked. */
static int check_end(int channel, int64_t *end)
{
	*end = *end ?: deadline(channel, SO_RCVTIMEO);
	return usrpci_message_now_ms() >= *end ? -ETIMEDOUT : 0;
}

/* Reads once; descriptors come with whatever byte they were sent with. */
static ssize_t receive_some(int channel, struct vfio_user_message *message, void *buf, size_t len,
			    int64_t *end)
{
	union control control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	ssize_t got;

	/* SO_RCVTIMEO starts anew after each signal, and a program may have a timer's. */
	while ((got = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		if (check_end(channel, end))
			return -ETIMEDOUT;
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (msg.msg_controllen && !keep_fds(message, &msg))
		return -EPROTO;
	if (msg.msg_flags & MSG_CTRUNC)
		return -EPROTO;
	return got ? got : -EPIPE;
}

static int receive_all(int channel, struct vfio_user_message *message, void *buf, size_t len,
		       int64_t *end)
{
	size_t done = 0;
	ssize_t got;

	while (done < len) {
		got = receive_some(channel, message, (char *)buf + done, len - done, end);
		if (got < 0)
			return (int)got;
		done += (size_t)got;
		/* Somebody who sends a byte now and then doesn't keep us for ever. */
		if (done < len && check_end(channel, end))
			return -ETIMEDOUT;
	}
	return 0;
}

static int make_room(struct vfio_user_message *message, size_t len)
{
	unsigned char *payload;

	if (len <= message->room)
		return 0;
	payload = realloc(message->payload, len);
	if (!payload)
		return -ENOMEM;
	message->payload = payload;
	message->room = len;
	return 0;
}

int usrpci_message_receive(int channel, struct vfio_user_message *message)
{
	const size_t first = sizeof(message->header);
	int64_t len, end = 0;
	ssize_t got;
	int err = 0;

	usrpci_message_drop_fds(message);
	message->len = 0;
	got = receive_some(channel, message, &message->header, first, &end);
	if (got < 0)
		return (int)got;
	if ((size_t)got < first)
		err = receive_all(channel, message, (char *)&message->header + got,
				  first - (size_t)got, &end);
	if (err)
		return err;
	len = usrpci_message_check_header(&message->header);
	if (len < 0)
		return (int)len;
	err = make_room(message, (size_t)len);
	if (!err)
		err = receive_all(channel, message, message->payload, (size_t)len, &end);
	if (!err)
		message->len = (size_t)len;
	return err;
}

void usrpci_message_drop_fds(struct vfio_user_message *message)
{
	while (message->nr_fds) {
		int fd = message->fds[--message->nr_fds];

		if (fd >= 0)
			close(fd);
	}
}

int usrpci_message_take_fd(struct vfio_user_message *message, unsigned int index)
{
	int fd;

	if (index >= message->nr_fds)
		return -1;
	fd = message->fds[index];
	message->fds[index] = -1;
	return fd;
}

void usrpci_message_free(struct vfio_user_message *message)
{
	usrpci_message_drop_fds(message);
	free(message->payload);
	*message = (struct vfio_user_message){ 0 };
}
