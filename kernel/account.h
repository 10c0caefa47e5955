/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_ACCOUNT_H
#define USRPCI_ACCOUNT_H

#include <linux/mm_types.h>

/*
 * Charge @pages to @mm against RLIMIT_MEMLOCK of the caller. -ENOMEM if that is
 * too low, with the bytes that lack in @missing. A charge needs no reference on
 * the mm's users, only mmgrab() for as long as it stands.
 */
int usrpci_charge(struct mm_struct *mm, unsigned long pages, u64 *missing);

/* For who charges later, on the caller's behalf: the caller's limit, in pages. */
u64 usrpci_charge_limit(void);
int usrpci_charge_within(struct mm_struct *mm, unsigned long pages, u64 limit, u64 *missing);

void usrpci_uncharge(struct mm_struct *mm, unsigned long pages);

#endif /* USRPCI_ACCOUNT_H */
