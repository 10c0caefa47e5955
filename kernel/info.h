/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_INFO_H
#define USRPCI_INFO_H

struct usrpci_command;

int usrpci_info(struct usrpci_command *cmd);

#endif /* USRPCI_INFO_H */
