// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "stream.h"
#include "vfio-user/protocol.h"

#define MOST_FDS	PART_FDS
#define ROOM		(4 << 20)

union control {
	char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
	struct cmsghdr align;
};

bool part_next(struct input *in, struct part *part)
{
	const uint8_t *bytes;
	uint32_t size;

	if (in->len < PART_HEAD)
		return false;
	part->flags = input_u8(in);
	part->fds = input_u8(in);
	part->len = input_u8(in);
	part->len |= (size_t)input_u8(in) << 8;
	part->len %= PART_MOST;
	bytes = input_bytes(in, &part->len);
	if (part->len)
		memcpy(part->data, bytes, part->len);
	size = (uint32_t)part->len;
	if (!(part->flags & PART_RAW) && size >= sizeof(struct vfio_user_header))
		memcpy(part->data + offsetof(struct vfio_user_header, size), &size, sizeof(size));
	return true;
}

bool part_is_reply(const struct part *part)
{
	return part->len >= sizeof(struct vfio_user_header) &&
	       part->data[offsetof(struct vfio_user_header, flags)] & VFIO_USER_REPLY;
}

void part_set_id(struct part *part, uint16_t id)
{
	if (!(part->flags & PART_RAW) && part->len >= sizeof(struct vfio_user_header))
		memcpy(part->data + offsetof(struct vfio_user_header, id), &id, sizeof(id));
}

static int make_memory(size_t len, int seals)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(!ftruncate(fd, (off_t)len) && !fcntl(fd, F_ADD_SEALS, seals), "a file");
	return fd;
}

/* One end of two, of which the other is closed. */
static int make_widow(bool pipe_end)
{
	int fds[2];

	must(!(pipe_end ? pipe2(fds, O_CLOEXEC) :
	       socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)), "two ends");
	close(fds[0]);
	return fds[1];
}

static int make_fd(unsigned int kind)
{
	switch (kind) {
	case 0:
		return make_memory(1 << 16, 0);
	case 1:
		return make_memory(1 << 20, F_SEAL_SHRINK);
	case 2:
		return make_memory(0, 0);
	case 3:
		return make_memory(1 << 16, F_SEAL_WRITE);
	case 4:
		return make_widow(true);
	case 5:
		return make_widow(false);
	case 6:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	return eventfd(0, EFD_CLOEXEC);
}

static size_t attach(struct msghdr *msg, unsigned int fds, int *made)
{
	const size_t nr = fds & PART_FDS;
	struct cmsghdr *head;
	size_t i;

	if (!nr)
		return 0;
	for (i = 0; i < nr; i++)
		made[i] = make_fd(fds >> PART_KIND_SHIFT);
	msg->msg_controllen = CMSG_SPACE(nr * sizeof(int));
	head = CMSG_FIRSTHDR(msg);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(head), made, nr * sizeof(int));
	return nr;
}

int part_send(int channel, const struct part *part)
{
	union control control = { 0 };
	struct iovec iov = { (void *)part->data, part->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room };
	int made[MOST_FDS];
	ssize_t sent;
	size_t nr;

	if (!part->len)
		return 0;
	nr = attach(&msg, part->fds, made);
	sent = sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (nr)
		close(made[--nr]);
	return sent == (ssize_t)part->len ? 0 : -1;
}

void make_pair(int sockets[2])
{
	const int room = ROOM;
	int i;

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), "a socket");
	for (i = 0; i < 2; i++)
		if (setsockopt(sockets[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
			setsockopt(sockets[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static void keep_last(struct msghdr *msg, int *kept)
{
	struct cmsghdr *head;
	size_t i;
	int fd;

	for (head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
		for (i = 0; i < (head->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
			if (!kept || *kept >= 0) {
				close(fd);
				continue;
			}
			*kept = fd;
		}
	}
}

long drain(int channel, int flags, int *kept)
{
	static __thread char room[1 << 16];
	union control control;
	struct iovec iov = { room, sizeof(room) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	ssize_t got = recvmsg(channel, &msg, flags | MSG_CMSG_CLOEXEC);

	if (got >= 0 && msg.msg_controllen)
		keep_last(&msg, kept);
	return got;
}
