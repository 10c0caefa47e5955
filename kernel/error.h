/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/* What PCI's error recovery, and whoever resets a function, tell its driver. */
#ifndef USRPCI_ERROR_H
#define USRPCI_ERROR_H

struct pci_error_handlers;

extern const struct pci_error_handlers usrpci_error_handlers;

#endif /* USRPCI_ERROR_H */
