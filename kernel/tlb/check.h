/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Whether a device's TLB can be as it's described, apart from what registers and
 * buffers there are. Used by the library, too.
 */
#ifndef USRPCI_TLB_CHECK_H
#define USRPCI_TLB_CHECK_H

#include <linux/usrpci.h>

enum usrpci_tlb_fault usrpci_tlb_check(const struct usrpci_ioc_tlb *desc);

#endif /* USRPCI_TLB_CHECK_H */
