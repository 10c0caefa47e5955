// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/*
 * Before 6.2 a long-term pin for reading may get the page cache's page of a
 * private file mapping, or the zero page. Asking for write access breaks the
 * copy-on-write first; shared mappings that are read-only refuse it, and need
 * no such care.
 */
static long pin_for_reading(unsigned long addr, unsigned long nr, struct page **pages)
{
	long n;

	n = pin_user_pages_fast(addr, nr, FOLL_LONGTERM | FOLL_WRITE | FOLL_FORCE, pages);
	if (n == -EFAULT)
		n = pin_user_pages_fast(addr, 1, FOLL_LONGTERM, pages);
	return n;
}

#else

static long pin_for_reading(unsigned long addr, unsigned long nr, struct page **pages)
{
	return pin_user_pages_fast(addr, nr, FOLL_LONGTERM, pages);
}

#endif

long usrpci_pin(unsigned long addr, unsigned long nr, bool to_device, struct page **pages)
{
	if (to_device)
		return pin_for_reading(addr, nr, pages);
	return pin_user_pages_fast(addr, nr, FOLL_LONGTERM | FOLL_WRITE, pages);
}
