/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_TEARDOWN_H
#define USRPCI_TEARDOWN_H

struct usrpci_file;

/*
 * The one way in which a file loses its function: closed, killed, unbound,
 * unplugged. Under device_lock, with @file dead and nobody inside the gate.
 */
void usrpci_teardown(struct usrpci_file *file);

#endif /* USRPCI_TEARDOWN_H */
