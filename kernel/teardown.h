/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_TEARDOWN_H
#define USRPCI_TEARDOWN_H

struct pci_dev;
struct usrpci_file;

/*
 * The one way in which a file loses its function: closed, killed, unbound,
 * unplugged. Under device_lock, with @file dead and nobody inside the gate.
 */
void usrpci_teardown(struct usrpci_file *file);

/*
 * Reset @pdev alone. Under device_lock, outside the gate. 0; -EOPNOTSUPP where
 * it can't be, -EIO when it could and didn't.
 */
int usrpci_reset_function(struct pci_dev *pdev);

#endif /* USRPCI_TEARDOWN_H */
