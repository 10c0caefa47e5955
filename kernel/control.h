/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_CONTROL_H
#define USRPCI_CONTROL_H

struct usrpci_command;

/* Commands that act on the function as a whole. */
int usrpci_set_dma_mask(struct usrpci_command *cmd);
int usrpci_set_master(struct usrpci_command *cmd);

#endif /* USRPCI_CONTROL_H */
