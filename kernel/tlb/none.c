// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/* In place of all others, where the kernel tells nobody that memory changes. */

#include <linux/pci.h>

#include "file.h"
#include "server.h"
#include "space.h"
#include "tlb.h"

int usrpci_server_init(void)
{
	return 0;
}

void usrpci_server_exit(void)
{
}

void usrpci_server_wake(struct usrpci_tlb *tlb)
{
}

void usrpci_tlb_hold(struct usrpci_file *file, enum usrpci_hold why)
{
}

void usrpci_tlb_release(struct usrpci_file *file, enum usrpci_hold why)
{
}

void usrpci_tlb_follow_decode(struct usrpci_file *file)
{
}

void usrpci_tlb_forget_reset(struct usrpci_file *file)
{
}

void usrpci_tlb_give_up(struct usrpci_file *file)
{
}

int usrpci_tlb_start_master(struct usrpci_file *file)
{
	pci_set_master(usrpci_pdev(file));
	return 0;
}

bool usrpci_tlb_broken(struct usrpci_file *file)
{
	return false;
}

bool usrpci_tlb_in_use(struct usrpci_file *file)
{
	return false;
}

void usrpci_tlb_retire(struct usrpci_file *file)
{
}

void usrpci_tlb_destroy(struct usrpci_file *file)
{
}

int usrpci_tlb_describe(struct usrpci_command *cmd)
{
	return -EOPNOTSUPP;
}

int usrpci_bind(struct usrpci_command *cmd)
{
	return -EOPNOTSUPP;
}

void usrpci_spaces_show(struct seq_file *s, struct usrpci_file *file)
{
}

int usrpci_space_info(struct usrpci_command *cmd)
{
	return -EOPNOTSUPP;
}

int usrpci_space_refusal(struct usrpci_command *cmd)
{
	return -EOPNOTSUPP;
}

int usrpci_space_forget(struct usrpci_command *cmd)
{
	return -EOPNOTSUPP;
}
