/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Registers in a BAR, read and written by the kernel: for a user's pread and
 * pwrite, and to quiesce the device.
 */
#ifndef USRPCI_REGISTER_H
#define USRPCI_REGISTER_H

#include <linux/types.h>

struct usrpci_file;

/* A naturally aligned access of @width bytes, 1, 2, 4 or 8. */
int usrpci_register_access(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width,
			   u64 *value, bool write);

/*
 * Where a register is: inside the gate. 0; -EINVAL no such register, -EPERM it may
 * not be written, -ENOMEM. It stays till the registers are unmapped.
 */
int usrpci_register_find(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width,
			 bool write, void __iomem **reg);

/* One access to what was found. */
u64 usrpci_register_read(void __iomem *reg, size_t width);
void usrpci_register_write(void __iomem *reg, size_t width, u64 value);

/* In teardown: the kernel's own maps. */
void usrpci_registers_unmap(struct usrpci_file *file);

#endif /* USRPCI_REGISTER_H */
