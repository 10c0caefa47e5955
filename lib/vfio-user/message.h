/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Whether a message is one: pure functions of its bytes. Who gets past them may use the
 * structure that belongs to the command, and as many bytes after it as that says.
 */
#ifndef LIB_VFIO_USER_MESSAGE_H
#define LIB_VFIO_USER_MESSAGE_H

#include <stddef.h>
#include "protocol.h"

/* The payload's bytes, or -EPROTO. */
int64_t usrpci_message_check_header(const struct vfio_user_header *header);

/*
 * A command's payload and number of descriptors. 0; -ENOTSUP for a command that isn't known;
 * -EINVAL.
 */
int usrpci_message_check_command(unsigned int command, const void *payload, size_t len,
				 unsigned int nr_fds);

/* The payload of the reply to a command that was carried out. 0 or -EPROTO. */
int usrpci_message_check_reply(unsigned int command, const void *payload, size_t len,
			       unsigned int nr_fds);

#endif /* LIB_VFIO_USER_MESSAGE_H */
