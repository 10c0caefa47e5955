/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_RESET_H
#define USRPCI_RESET_H

struct pci_dev;
struct usrpci_command;

/*
 * Reset @pdev alone. Under device_lock, outside the gate. 0; -EOPNOTSUPP where
 * it can't be, -EIO when it could and didn't.
 */
int usrpci_reset_function(struct pci_dev *pdev);

/* Around every reset, whoever asked for it: close the gate, and open it. Under device_lock. */
void usrpci_reset_prepare(struct pci_dev *pdev);
void usrpci_reset_done(struct pci_dev *pdev);

/* The same after a reset by others that nobody told of: all is put back. Under device_lock. */
void usrpci_reset_restore(struct pci_dev *pdev);

/* The command USRPCI_RESET. */
int usrpci_reset(struct usrpci_command *cmd);

#endif /* USRPCI_RESET_H */
