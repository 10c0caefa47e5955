/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_SYNC_H
#define USRPCI_SYNC_H

struct usrpci_command;

/* The command USRPCI_SYNC. */
int usrpci_sync(struct usrpci_command *cmd);

#endif /* USRPCI_SYNC_H */
