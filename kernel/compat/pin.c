// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/sched.h>

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

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

/*
 * A filesystem that wants to know of each write to a file's page isn't told of a
 * device's. 6.5 refuses to pin such pages for writing; before, the data is lost.
 */
bool usrpci_is_tracked_file(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED && vma->vm_ops && vma->vm_ops->page_mkwrite;
}

/* Returns how many of the pages may be pinned as they are asked for. */
static long check_files(unsigned long addr, unsigned long nr)
{
	unsigned long end = addr + (nr << PAGE_SHIFT);
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	vma_iter_init(&vmi, current->mm, addr);
	for_each_vma_range(vmi, vma, end) {
		if (usrpci_is_tracked_file(vma)) {
			end = max(addr, vma->vm_start);
			break;
		}
	}
	mmap_read_unlock(current->mm);
	return (end - addr) >> PAGE_SHIFT;
}

/* So few pages are sooner looked at than the VMAs that they're in. */
#define PIN_FEW		32UL

/*
 * Pages that are there, and of no file: as they are nobody else's, nobody wants to know
 * that they are written to. Returns how many there are, from the first.
 */
static long pin_anonymous(unsigned long addr, unsigned long nr, struct page **pages)
{
	long i, n;

	if (nr > PIN_FEW)
		return 0;
	n = pin_user_pages_fast_only(addr, nr, FOLL_LONGTERM | FOLL_WRITE, pages);
	for (i = 0; i < n && PageAnon(pages[i]); i++)
		;
	if (i < n)
		unpin_user_pages(pages + i, n - i);
	return i;
}

#else

bool usrpci_is_tracked_file(struct vm_area_struct *vma)
{
	return false;
}

static long check_files(unsigned long addr, unsigned long nr)
{
	return nr;
}

static long pin_anonymous(unsigned long addr, unsigned long nr, struct page **pages)
{
	return 0;
}

#endif

long usrpci_pin(unsigned long addr, unsigned long nr, bool to_device, struct page **pages)
{
	long n = pin_anonymous(addr, nr, pages);
	long allowed;

	if (n)
		return n;
	allowed = check_files(addr, nr);
	if (allowed < 0)
		return allowed;
	if (!allowed && !to_device)
		return -EFAULT;
	if (!allowed)
		n = pin_user_pages_fast(addr, 1, FOLL_LONGTERM, pages);
	else if (to_device)
		n = pin_for_reading(addr, allowed, pages);
	else
		n = pin_user_pages_fast(addr, allowed, FOLL_LONGTERM | FOLL_WRITE, pages);
	/* A filesystem of persistent memory says it in its own way. */
	return n == -EOPNOTSUPP ? -EFAULT : n;
}
