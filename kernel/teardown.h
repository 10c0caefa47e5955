/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_TEARDOWN_H
#define USRPCI_TEARDOWN_H

#include <linux/types.h>

struct usrpci_file;

/*
 * The one way in which a file loses its function: closed, killed, unbound,
 * unplugged. Under device_lock, with @file dead and nobody inside the gate. A function
 * that @failed is left alone: its link is reset by others.
 */
void usrpci_teardown(struct usrpci_file *file, bool failed);

#endif /* USRPCI_TEARDOWN_H */
