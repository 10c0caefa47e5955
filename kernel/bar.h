/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_BAR_H
#define USRPCI_BAR_H

#include <linux/types.h>

struct usrpci_command;
struct usrpci_file;
struct vm_area_struct;

/* Of a function just claimed. */
void usrpci_bar_init(struct usrpci_file *file);

/* The command USRPCI_BAR. */
int usrpci_bar_describe(struct usrpci_command *cmd);

/* @pos: offset in the file. */
int usrpci_bar_mmap(struct usrpci_file *file, struct vm_area_struct *vma, u64 pos);

/* A naturally aligned access of @width bytes, 1, 2, 4 or 8. */
int usrpci_bar_access(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width,
		      u64 *value, bool write);

/* In teardown: the kernel's own maps. */
void usrpci_bars_unmap(struct usrpci_file *file);

#endif /* USRPCI_BAR_H */
