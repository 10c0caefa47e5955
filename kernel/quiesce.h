/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Register accesses that stop the device, given in advance by its user, made by
 * teardown, when the user may be dead.
 */
#ifndef USRPCI_QUIESCE_H
#define USRPCI_QUIESCE_H

struct usrpci_command;
struct usrpci_file;

/* The command USRPCI_QUIESCE. */
int usrpci_quiesce(struct usrpci_command *cmd);

/* In teardown, with the function present and its bus mastering as the user left it. */
void usrpci_quiesce_run(struct usrpci_file *file);

/* Forget the list. Nobody is inside the gate. */
void usrpci_quiesce_destroy(struct usrpci_file *file);

#endif /* USRPCI_QUIESCE_H */
