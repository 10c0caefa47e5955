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
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 pinned = atomic64_read(&mm->pinned_vm);
	u64 held;

	do {
		held = pinned + pages + READ_ONCE(mm->locked_vm);
		if (held > limit && !capable(CAP_IPC_LOCK)) {
			*missing = (held - limit) << PAGE_SHIFT;
			return -ENOMEM;
		}
	} while (!atomic64_try_cmpxchg(&mm->pinned_vm, &pinned, pinned + pages));
	return 0;
}

void usrpci_uncharge(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}
