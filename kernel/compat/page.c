// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

int usrpci_pin_fast_only(unsigned long addr, unsigned int nr, unsigned int flags,
			 struct page **pages)
{
	return pin_user_pages_fast_only(addr, nr, flags | FOLL_LONGTERM, pages);
}

long usrpci_get_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page, int *locked)
{
	return get_user_pages_remote(mm, addr, 1, flags, page, NULL, locked);
}

long usrpci_pin_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page)
{
	return pin_user_pages_remote(mm, addr, 1, FOLL_LONGTERM | flags, page, NULL, NULL);
}

#else

int usrpci_pin_fast_only(unsigned long addr, unsigned int nr, unsigned int flags,
			 struct page **pages)
{
	/* It would fault and migrate, which the caller mustn't. The worker pins. */
	return 0;
}

long usrpci_get_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page, int *locked)
{
	return get_user_pages_remote(mm, addr, 1, flags, page, locked);
}

long usrpci_pin_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page)
{
	int locked = 1;
	long n;

	n = pin_user_pages_remote(mm, addr, 1, FOLL_LONGTERM | flags, page, &locked);
	if (!locked)
		mmap_read_lock(mm);
	return n;
}

#endif
