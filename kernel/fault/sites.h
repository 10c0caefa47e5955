/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/* All sites of the module, in the order in which it was linked. */
#ifndef USRPCI_FAULT_SITES_H
#define USRPCI_FAULT_SITES_H

struct usrpci_fault_site;

extern struct usrpci_fault_site *const usrpci_fault_first[];
extern struct usrpci_fault_site *const usrpci_fault_last[];

#endif /* USRPCI_FAULT_SITES_H */
