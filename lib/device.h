/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_DEVICE_H
#define LIB_DEVICE_H

#include "backend.h"

/*
 * The public functions with their surroundings as arguments: the backends, and a
 * @root that goes before /sys, /run and /dev: "" but for tests.
 */
int usrpci_open_from(const struct usrpci_backend *const *backends, const char *root,
		     struct usrpci_device **devp, const char *address);
int usrpci_open_fd_from(const struct usrpci_backend *const *backends,
			struct usrpci_device **devp, int fd);

/* Whether @width is 1, 2, 4 .. @widest and @offset a multiple of it. */
bool usrpci_is_register(uint64_t offset, unsigned int width, unsigned int widest);

#endif /* LIB_DEVICE_H */
