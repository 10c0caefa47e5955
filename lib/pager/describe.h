/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_PAGER_DESCRIBE_H
#define LIB_PAGER_DESCRIBE_H

#include <linux/usrpci.h>
#include <usrpci/tlb.h>

/* A description as the module takes it, and the pager. */
void usrpci_tlb_to_ioc(struct usrpci_ioc_tlb *to, const struct usrpci_tlb *from);

#endif /* LIB_PAGER_DESCRIBE_H */
