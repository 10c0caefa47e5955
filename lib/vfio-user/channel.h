/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_VFIO_USER_CHANNEL_H
#define LIB_VFIO_USER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include "protocol.h"

/**
 * struct vfio_user_message - A message that has come; zeroed, it holds nothing.
 * @header: as it came
 * @payload: what followed it
 * @len: bytes of @payload
 * @room: bytes that @payload has room for
 * @fds: descriptors that came with it, closed with it; -1 where one was taken
 * @nr_fds: how many
 */
struct vfio_user_message {
	struct vfio_user_header header;
	unsigned char *payload;
	size_t len;
	size_t room;
	int fds[VFIO_USER_FDS];
	unsigned int nr_fds;
};

/** struct vfio_user_part - Bytes to send. */
struct vfio_user_part {
	const void *data;
	size_t len;
};

/*
 * How long the peer has to take a message, to send one that's waited for, and to go on with one
 * that has begun; 0: for ever. It's the socket's, so whoever else has that may change it.
 */
void usrpci_message_set_patience(int channel, unsigned int ms);

/*
 * Sends a header and the parts of a payload; @header->size is set. 0; -EPIPE and other negative
 * errno: the channel is of no use any more.
 */
int usrpci_message_send(int channel, struct vfio_user_header *header,
			const struct vfio_user_part *parts, unsigned int nr_parts,
			const int *fds, unsigned int nr_fds);

/*
 * Takes the next message, whose header is one. 0; -EPIPE the peer has gone; -ETIMEDOUT it
 * stopped amid a message, or SO_RCVTIMEO passed; -EPROTO and other negative errno. After any but
 * 0 the channel is of no use any more.
 */
int usrpci_message_receive(int channel, struct vfio_user_message *message);

/* Of a clock that only goes on. */
int64_t usrpci_message_now_ms(void);

/* Closes the descriptors that nobody took, and keeps the room. */
void usrpci_message_drop_fds(struct vfio_user_message *message);

/* Descriptor @index, which is the caller's from then on; -1 if there is none. */
int usrpci_message_take_fd(struct vfio_user_message *message, unsigned int index);

/* Frees what a message holds, and zeroes it. */
void usrpci_message_free(struct vfio_user_message *message);

#endif /* LIB_VFIO_USER_CHANNEL_H */
