/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_BAR_H
#define USRPCI_BAR_H

#include <linux/types.h>
#include <linux/usrpci.h>

struct pci_dev;
struct usrpci_command;
struct usrpci_file;
struct vm_area_struct;

/* Of a function just claimed. */
void usrpci_bar_init(struct usrpci_file *file);

/* The command USRPCI_BAR. */
int usrpci_bar_describe(struct usrpci_command *cmd);

/* @pos: offset in the file. */
int usrpci_bar_mmap(struct usrpci_file *file, struct vm_area_struct *vma, u64 pos);

enum usrpci_bar_kind usrpci_bar_kind(struct pci_dev *pdev, unsigned int bar);

/* Where the MSI-X table lies in @bar, if it may not be touched; else [0, 0). */
void usrpci_bar_msix_table(struct usrpci_file *file, unsigned int bar, u64 *start, u64 *end);

#endif /* USRPCI_BAR_H */
