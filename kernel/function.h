/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A PCI function that was given to this module: from probe till its last user
 * lets go, with the character device that stands for it.
 *
 * Lock order, outermost first:
 *    device_lock(&pdev->dev)   open, release, reset, probe, remove, resume, recovery from
 *                              errors: one at a time
 *    mmap_lock                 (the kernel's) around faults, mmap and munmap
 *    gate                      read: about to touch the function; write: nobody may
 *    irq.mutex, coherent_lock, io_lock
 *    vector lock, table's lock (spinlocks)
 * Under the gate nothing waits for a user: no user memory is touched, no page
 * pinned or unpinned.
 */
#ifndef USRPCI_FUNCTION_H
#define USRPCI_FUNCTION_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/usrpci.h>

struct usrpci_file;

/**
 * struct usrpci_function - A function bound to this module.
 * @dev: the class device; its last reference frees this
 * @cdev: /dev/usrpci/DDDD:BB:DD.F
 * @pdev: the function; referenced till this is freed
 * @gate: see above
 * @gate_key: its class
 * @gone: removed; written under device_lock and the gate
 * @saved: configuration space once probe had enabled it, for when it forgets
 * @needs_reset: what drove it before may have left it active; under device_lock
 * @deaf: nor can it be used without, since it may reach memory that was taken from it
 * @file: the open file, or NULL; written under device_lock and the gate
 * @debugfs: who holds what
 */
struct usrpci_function {
	struct device dev;
	struct cdev cdev;
	struct pci_dev *pdev;
	struct rw_semaphore gate;
	struct lock_class_key gate_key;
	bool gone;
	bool needs_reset;
	bool deaf;
	struct pci_saved_state *saved;
	struct usrpci_file *file;
	struct dentry *debugfs;
};

int usrpci_function_init(void);
void usrpci_function_exit(void);

/* Whoever has it open loses it. Under device_lock. */
void usrpci_function_revoke(struct usrpci_function *f, enum usrpci_removal why);

extern struct pci_driver usrpci_driver;

#endif /* USRPCI_FUNCTION_H */
