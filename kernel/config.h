/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Configuration space: free to read; written only where that can't move a BAR,
 * switch bus mastering on, or forge an interrupt. What may be written stands in
 * a table of bits; all else is refused if it would change.
 */
#ifndef USRPCI_CONFIG_H
#define USRPCI_CONFIG_H

#include <linux/types.h>

struct pci_dev;
struct pci_saved_state;
struct usrpci_file;

/* Keep all of it, for kfree(); -ENODEV if the function had gone by then, -ENOMEM. */
int usrpci_config_save(struct pci_dev *pdev, struct pci_saved_state **saved);
void usrpci_config_restore(struct pci_dev *pdev, struct pci_saved_state *saved);

int usrpci_config_init(struct usrpci_file *file);
void usrpci_config_destroy(struct usrpci_file *file);

/* A naturally aligned access of @width bytes. */
int usrpci_config_access(struct usrpci_file *file, u64 offset, size_t width, u64 *value,
			 bool write);

/* Look again whether the function decodes its BARs; its TLB follows. Inside the gate, alone. */
void usrpci_config_update_decode(struct usrpci_file *file);

#endif /* USRPCI_CONFIG_H */
