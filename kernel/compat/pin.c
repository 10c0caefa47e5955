// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/*
 * Before 6.2 a long-term pin for reading may get the page cache's page of a
 * private file mapping, or the zero page. Asking for write access breaks the
 * copy-on-write first. Memory that is read-only for the process needs a closer
 * look: a private mapping is broken by force, a shared one has no such need.
 */
static long pin_read_only(unsigned long addr, struct page **page)
{
	struct page *readable;
	long n;

	n = pin_user_pages_fast(addr, 1, FOLL_LONGTERM, &readable);
	if (n != 1)
		return n;
	n = pin_user_pages_fast(addr, 1, FOLL_LONGTERM | FOLL_WRITE | FOLL_FORCE, page);
	if (n == -EFAULT) {
		*page = readable;
		return 1;
	}
	unpin_user_page(readable);
	return n;
}

static long pin_for_reading(unsigned long addr, unsigned long nr, struct page **pages)
{
	long n;

	n = pin_user_pages_fast(addr, nr, FOLL_LONGTERM | FOLL_WRITE, pages);
	return n == -EFAULT ? pin_read_only(addr, pages) : n;
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
