/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_VFIO_USER_VERSION_H
#define LIB_VFIO_USER_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFIO_USER_TEXT	256

/**
 * struct vfio_user_capabilities - What a peer can take.
 * @max_fds: descriptors in a message
 * @max_transfer: bytes of data in a message
 * @twin: commands from the server go over a socket of their own
 * @twin_fd: index of that among the descriptors of the reply, -1 if it isn't said
 */
struct vfio_user_capabilities {
	unsigned int max_fds;
	uint32_t max_transfer;
	bool twin;
	int twin_fd;
};

/*
 * What a VERSION message says; its payload was checked. 0; -EPROTONOSUPPORT another version;
 * -EPROTO; -ENOMEM.
 */
int usrpci_version_parse(const void *payload, size_t len,
			 struct vfio_user_capabilities *caps);

/* The payload of one that tells what we can take; its bytes. */
size_t usrpci_version_format(unsigned char payload[VFIO_USER_TEXT], bool twin, int twin_fd);

#endif /* LIB_VFIO_USER_VERSION_H */
