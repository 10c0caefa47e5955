/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Coherent buffers. A buffer has one user for its handle and one for each map of
 * it; the last one frees it. Teardown takes the memory away from the device
 * sooner; who has it mapped keeps a copy.
 */
#ifndef USRPCI_COHERENT_H
#define USRPCI_COHERENT_H

#include <linux/types.h>

struct usrpci_coherent;
struct usrpci_command;
struct usrpci_file;
struct usrpci_object;
struct vm_area_struct;

/* The command USRPCI_COHERENT. */
int usrpci_coherent_alloc(struct usrpci_command *cmd);

/* @pos: offset in the part of the file where buffers are. */
int usrpci_coherent_mmap(struct usrpci_file *file, struct vm_area_struct *vma, u64 pos);

/* The handle's use ends; the handle is off the table. */
void usrpci_coherent_drop(struct usrpci_file *file, struct usrpci_object *obj);

/* In teardown: free what is still mapped somewhere, leaving a copy for the maps. */
void usrpci_coherents_revoke(struct usrpci_file *file);

/*
 * @len bytes from @offset of a buffer, for the kernel itself: they stay till it's put,
 * or the function is torn down. Inside the gate; NULL if there aren't so many.
 */
struct usrpci_coherent *usrpci_coherent_get(struct usrpci_file *file, u32 handle, u64 offset,
					    u64 len, void **at);
void usrpci_coherent_put(struct usrpci_coherent *c);

/* Bytes, for debugfs. */
u64 usrpci_coherent_len(struct usrpci_object *obj);
u64 usrpci_coherent_bus_addr(struct usrpci_object *obj);

#endif /* USRPCI_COHERENT_H */
