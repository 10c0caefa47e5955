/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_IOCTL_H
#define USRPCI_IOCTL_H

#include <linux/types.h>

struct file;
struct usrpci_file;
struct usrpci_space;

/**
 * struct usrpci_command - A call that is being served.
 * @filp: the descriptor it was made on
 * @file: the device's file
 * @space: whose descriptor it is, or NULL
 * @arg: the caller's struct, copied in; as long as the kernel's
 * @size: bytes of the caller's struct
 * @user: the caller's struct
 */
struct usrpci_command {
	struct file *filp;
	struct usrpci_file *file;
	struct usrpci_space *space;
	void *arg;
	u32 size;
	void __user *user;
};

/* Of a device's file, and of a space. */
long usrpci_ioctl(struct file *filp, unsigned int nr, unsigned long arg);
long usrpci_space_ioctl(struct file *filp, unsigned int nr, unsigned long arg);

/* Write @len bytes of the answer back, as many as the caller has room for. */
int usrpci_respond(struct usrpci_command *cmd, size_t len);

#endif /* USRPCI_IOCTL_H */
