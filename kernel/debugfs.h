/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_DEBUGFS_H
#define USRPCI_DEBUGFS_H

struct usrpci_function;

/* /sys/kernel/debug/usrpci/DDDD:BB:DD.F: who holds what. */
void usrpci_debugfs_init(void);
void usrpci_debugfs_exit(void);
void usrpci_debugfs_add(struct usrpci_function *f);
void usrpci_debugfs_remove(struct usrpci_function *f);

#endif /* USRPCI_DEBUGFS_H */
