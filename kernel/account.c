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
int usrpci_charge_within(struct mm_struct *mm, unsigned long pages, u64 limit, u64 *missing)
{
	s64 pinned = atomic64_read(&mm->pinned_vm);
	u64 held;

	do {
		held = pinned + pages + READ_ONCE(mm->locked_vm);
		if (held > limit) {
			*missing = (held - limit) << PAGE_SHIFT;
			return -ENOMEM;
		}
	} while (!atomic64_try_cmpxchg(&mm->pinned_vm, &pinned, pinned + pages));
	return 0;
}

static u64 usrpci_charge_rlimit(void)
{
	return rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

int usrpci_charge(struct mm_struct *mm, unsigned long pages, u64 *missing)
{
	int err = usrpci_charge_within(mm, pages, usrpci_charge_rlimit(), missing);

	/* Using a privilege is noted by the kernel: only if it's needed. */
	if (err && capable(CAP_IPC_LOCK))
		err = usrpci_charge_within(mm, pages, U64_MAX, missing);
	return err;
}

u64 usrpci_charge_limit(void)
{
	return capable(CAP_IPC_LOCK) ? U64_MAX : usrpci_charge_rlimit();
}

void usrpci_uncharge(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}
