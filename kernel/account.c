// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "account.h"

/*
 * Counted in pinned_vm (VmPin in /proc/PID/status), since what mlock(2) counts
 * needs the mmap lock. The limit holds for both together.
 */
int usrpci_charge(struct mm_struct *mm, unsigned long pages, u64 *missing)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK);
	u64 limit_pages = limit >> PAGE_SHIFT;
	u64 held;

	held = atomic64_add_return(pages, &mm->pinned_vm) + READ_ONCE(mm->locked_vm);
	if (held <= limit_pages || limit == RLIM_INFINITY || capable(CAP_IPC_LOCK))
		return 0;
	usrpci_uncharge(mm, pages);
	*missing = (held - limit_pages) << PAGE_SHIFT;
	return -ENOMEM;
}

void usrpci_uncharge(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}
