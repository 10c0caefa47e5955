/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Stay inside the gate while touching the function; nothing may wait for a user
 * there. usrpci_enter_alone() keeps everybody else out. Both give 0 or -ENODEV.
 */
#ifndef USRPCI_GATE_H
#define USRPCI_GATE_H

struct usrpci_file;

int usrpci_enter(struct usrpci_file *file);
void usrpci_leave(struct usrpci_file *file);
int usrpci_enter_alone(struct usrpci_file *file);
void usrpci_leave_alone(struct usrpci_file *file);

#endif /* USRPCI_GATE_H */
