/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_BACKEND_VFIO_USER_H
#define LIB_BACKEND_VFIO_USER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "vfio/vfio.h"
#include "vfio-user/channel.h"
#include "vfio-user/version.h"

#define USRPCI_SOCKET_PREFIX	"vfio-user:"
#define USRPCI_SIM_PREFIX	"sim:"

/**
 * struct usrpci_socket_device - A device behind a socket.
 * @vfio: what it has in common with VFIO's
 * @lock: guards @reply, @id, and what goes over @channel
 * @channel: the socket
 * @twin: where the server's commands come; -1: over @channel
 * @caps: what the server can take
 * @id: of the last command
 * @reply: the last one
 * @command: the server's last one
 * @gone: the server isn't there any more
 * @told: so has usrpci_event()
 * @patience_ms: a server that hasn't answered after so long won't
 * @end_ms: when opening or closing, which take many exchanges, has to be over; 0: it's neither
 * @hangup: a pipe; what's left of it is read or hangs up when @gone is set
 * @stop: eventfd that ends @thread
 * @thread: answers the server
 * @started: there is one
 * @simulator: process that the library started; 0 if none
 */
struct usrpci_socket_device {
	struct usrpci_vfio_device vfio;
	pthread_mutex_t lock;
	int channel;
	int twin;
	struct vfio_user_capabilities caps;
	uint16_t id;
	struct vfio_user_message reply;
	struct vfio_user_message command;
	atomic_bool gone;
	atomic_bool told;
	unsigned int patience_ms;
	int64_t end_ms;
	int hangup[2];
	int stop;
	pthread_t thread;
	bool started;
	pid_t simulator;
};

static inline struct usrpci_socket_device *usrpci_socket(const struct usrpci_vfio_device *dev)
{
	return usrpci_container_of(dev, struct usrpci_socket_device, vfio);
}

/**
 * struct usrpci_exchange - A command and its reply.
 * @command: enum vfio_user_command
 * @parts: of its payload
 * @nr_parts: how many
 * @fds: descriptors that go with it
 * @nr_fds: how many
 * @reply: where the reply's payload is put, as much as there is room for
 * @room: bytes there
 * @data: where more of it is put
 * @data_room: bytes there
 * @len: set to the bytes of the reply's payload
 * @fd: set to its first descriptor, the caller's; -1: none
 * @fd_index: which descriptor, if not the first
 */
struct usrpci_exchange {
	unsigned int command;
	const struct vfio_user_part *parts;
	unsigned int nr_parts;
	const int *fds;
	unsigned int nr_fds;
	void *reply;
	size_t room;
	void *data;
	size_t data_room;
	size_t len;
	int fd;
	unsigned int fd_index;
};

/* exchange.c: 0; -ENODEV the server has gone; what the server says. */
int usrpci_socket_exchange(struct usrpci_socket_device *dev, struct usrpci_exchange *x);

/* What is exchanged from now on has to be over in a while, however many exchanges that takes. */
void usrpci_socket_hurry(struct usrpci_socket_device *dev);

/* Nothing can be said to the server any more. */
void usrpci_socket_lose(struct usrpci_socket_device *dev);

/* serve.c: carries out a command of the server's, which is in @dev->command, and answers. */
int usrpci_socket_serve(struct usrpci_socket_device *dev, int channel);
int usrpci_socket_start(struct usrpci_socket_device *dev);
void usrpci_socket_stop(struct usrpci_socket_device *dev);

/* ops.c */
extern const struct usrpci_vfio_ops usrpci_socket_ops;

/*
 * share.c: whether a touch of a map never ends the program, whatever somebody else does who has the
 * file, too: it can't be made shorter, nor are its pages huge ones, of which there may be none
 * left once a hole was made.
 */
bool usrpci_socket_stays(int fd);

/*
 * A descriptor of @dma's memory, if this process has one that may be given away: of a file that
 * stays, unless whoever gets it is @trusted. -1: none; -EFAULT.
 */
int usrpci_socket_find_fd(const struct usrpci_dma *dma, bool trusted, uint64_t *offset);

/* connect.c */
int usrpci_socket_connect(const char *path, unsigned int patience_ms, int *channel);
int usrpci_socket_spawn(const char *device, int *channel, pid_t *pid);

/*
 * Waits for a simulator that has no channel any more, and ends one that stays; what became of it:
 * 0 or -errno.
 */
int usrpci_socket_reap(pid_t pid, unsigned int patience_ms);

/* open.c */
bool usrpci_socket_serves(const char *root, const char *address);
int usrpci_socket_open(struct usrpci_device **devp, const char *address);

/* Of a server at the other end of @channel, which is the device's from then on, or closed. */
int usrpci_socket_open_channel(struct usrpci_device **devp, const char *address, int channel,
			       unsigned int patience_ms);
void usrpci_socket_close(struct usrpci_device *dev);

/* explain.c */
int usrpci_socket_explain_open(const char *root, const char *address, int err,
			       char *buf, size_t len);

/* event.c */
int usrpci_socket_fd(const struct usrpci_device *dev);
int usrpci_socket_event(struct usrpci_device *dev, struct usrpci_event *event);

/* vfio-user.c */
int usrpci_socket_info(struct usrpci_device *dev, struct usrpci_info *info);

#endif /* LIB_BACKEND_VFIO_USER_H */
