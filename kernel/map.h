/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_MAP_H
#define USRPCI_MAP_H

struct usrpci_command;

/* The command USRPCI_MAP. */
int usrpci_map(struct usrpci_command *cmd);

#endif /* USRPCI_MAP_H */
