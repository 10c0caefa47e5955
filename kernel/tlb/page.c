// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/huge_mm.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/usrpci.h>

#include "account.h"
#include "file.h"
#include "device.h"
#include "page.h"
#include "server.h"
#include "space.h"
#include "tlb.h"

#define USRPCI_LARGE		(2UL << 20)
#define USRPCI_LARGE_PAGES	(USRPCI_LARGE / PAGE_SIZE)

/* For a page that was missed an entry that is older goes, if there's one. */
static int usrpci_target_charge(struct usrpci_space *space, const struct usrpci_target *target)
{
	u64 missing;

	while (usrpci_charge_within(space->mm, target->nr, space->limit, &missing)) {
		if (target->nr > 1 || target->extra || !usrpci_space_shrink(space))
			return -ENOMEM;
		usrpci_server_unpin(space->tlb);
	}
	return 0;
}

static void usrpci_pages_put(struct usrpci_space *space, struct page **pages, unsigned int nr)
{
	unsigned int i;

	if (!space->mirrored) {
		unpin_user_pages(pages, nr);
		return;
	}
	for (i = 0; i < nr; i++)
		put_page(pages[i]);
}

/* As many as are there, up to the first that isn't. */
static unsigned int usrpci_pages_get(struct usrpci_space *space, u64 addr, unsigned int nr,
				     bool write, struct page **pages)
{
	unsigned int flags = write ? FOLL_WRITE : 0;
	int n;

	if (space->mirrored)
		n = get_user_pages_fast_only(addr, nr, flags, pages);
	else
		n = usrpci_pin_fast_only(addr, nr, flags, pages);
	return max(n, 0);
}

/* A run of pages that the CPU could map as one. */
static bool usrpci_is_large(struct page **pages)
{
	struct page *first = pages[0];
	unsigned int i;

	if (page_to_pfn(first) % USRPCI_LARGE_PAGES ||
	    compound_head(first) != compound_head(pages[USRPCI_LARGE_PAGES - 1]))
		return false;
	for (i = 1; i < USRPCI_LARGE_PAGES; i++)
		if (pages[i] != first + i)
			return false;
	return true;
}

/* What was charged for it as well. */
static void usrpci_page_drop(struct usrpci_space *space, struct page *page)
{
	usrpci_pages_put(space, &page, 1);
	if (!space->mirrored)
		usrpci_uncharge(space->mm, 1);
}

static bool usrpci_target_get_large(struct usrpci_space *space, struct usrpci_target *target)
{
	struct page **pages = space->tlb->scratch;
	unsigned int n;

	n = usrpci_pages_get(space, target->addr, USRPCI_LARGE_PAGES, target->write, pages);
	if (n == USRPCI_LARGE_PAGES && usrpci_is_large(pages)) {
		target->page = pages[0];
		return true;
	}
	usrpci_pages_put(space, pages, n);
	return false;
}

static void usrpci_target_hold(struct usrpci_target *target)
{
	if (!target->pin)
		return;
	target->pin->page = target->page;
	target->pin->nr = target->nr;
}

static int usrpci_target_try_large(struct usrpci_space *space, struct usrpci_target *target)
{
	struct usrpci_target large = *target;

	large.addr = ALIGN_DOWN(target->addr, USRPCI_LARGE);
	large.nr = USRPCI_LARGE_PAGES;
	if (!space->mirrored && usrpci_target_charge(space, &large))
		return -ENOMEM;
	if (usrpci_target_get_large(space, &large)) {
		usrpci_target_hold(&large);
		*target = large;
		return 0;
	}
	if (!space->mirrored)
		usrpci_uncharge(space->mm, large.nr);
	return -EAGAIN;
}

/* Of others the worker finds out whether they may be written for so long. */
static bool usrpci_target_lasts(struct usrpci_space *space, struct usrpci_target *target)
{
	return space->mirrored || !target->write || PageSwapBacked(target->page) ||
	       PageHuge(target->page);
}

static bool usrpci_may_be_large(struct page *page)
{
	return compound_order(compound_head(page)) >= ilog2(USRPCI_LARGE_PAGES);
}

/* Of the large page that @small is part of, if it can be had; @small is let go then. */
static bool usrpci_target_widen(struct usrpci_space *space, struct usrpci_target *target)
{
	struct usrpci_target small = *target;

	if (!space->mirrored) {
		target->pin = usrpci_pin_new(space, target->write);
		if (!target->pin)
			goto keep;
	}
	if (!usrpci_target_try_large(space, target)) {
		usrpci_target_put(space, &small);
		return true;
	}
	if (target->pin)
		usrpci_pin_free(space->tlb, target->pin);
keep:
	*target = small;
	return false;
}

/* The small page shows whether it's part of a large one, which is then tried. */
static int usrpci_target_choose(struct usrpci_space *space, struct usrpci_target *target)
{
	u32 sizes = space->tlb->desc.page_sizes;

	if (sizes & USRPCI_TLB_2M && usrpci_may_be_large(target->page) &&
	    usrpci_target_widen(space, target))
		return 0;
	if (sizes & USRPCI_TLB_4K)
		return 0;
	usrpci_target_put(space, target);
	return USRPCI_REFUSAL_SMALL;
}

/* Its page is held, and charged. */
static int usrpci_target_take(struct usrpci_space *space, struct usrpci_target *target)
{
	target->nr = 1;
	target->pin = NULL;
	if (!usrpci_target_lasts(space, target)) {
		usrpci_page_drop(space, target->page);
		return -EAGAIN;
	}
	if (!space->mirrored) {
		target->pin = usrpci_pin_new(space, target->write);
		if (!target->pin) {
			usrpci_page_drop(space, target->page);
			return USRPCI_REFUSAL_NO_MEMORY;
		}
		usrpci_target_hold(target);
	}
	return usrpci_target_choose(space, target);
}

/* All of them, or the first alone, for which others may have to go. */
static unsigned int usrpci_targets_charge(struct usrpci_space *space,
					  const struct usrpci_target *targets, unsigned int nr)
{
	u64 missing;

	if (space->mirrored)
		return nr;
	/* Where pages are large alone, neighbours are mostly part of the same. */
	if (nr > 1 && space->tlb->desc.page_sizes & USRPCI_TLB_4K &&
	    !usrpci_charge_within(space->mm, nr, space->limit, &missing))
		return nr;
	return !usrpci_target_charge(space, targets);
}

/* Returns how many are there. */
static unsigned int usrpci_targets_find(struct usrpci_space *space,
					struct usrpci_target *targets, unsigned int nr)
{
	struct page **pages = space->tlb->scratch;
	unsigned int i, n;

	n = usrpci_pages_get(space, targets->addr, nr, targets->write, pages);
	for (i = 0; i < n; i++)
		targets[i].page = pages[i];
	if (!space->mirrored && n < nr)
		usrpci_uncharge(space->mm, nr - n);
	return n;
}

/* Of @n that are held and charged; a large one ends them, since others are mostly part of it. */
static unsigned int usrpci_targets_take(struct usrpci_space *space,
					struct usrpci_target *targets, unsigned int n, int *err)
{
	unsigned int i, taken = 0, looked = 0;

	while (looked < n) {
		*err = usrpci_target_take(space, &targets[looked++]);
		if (*err)
			break;
		if (targets[taken++].nr > 1)
			break;
	}
	for (i = looked; i < n; i++)
		usrpci_page_drop(space, targets[i].page);
	return taken;
}

int usrpci_targets_get(struct usrpci_space *space, struct usrpci_target *targets,
		       unsigned int *nr)
{
	unsigned int n, taken;
	int err = -EAGAIN;

	/* Also one with a tag in its upper bits, which notifiers know without. */
	if (targets->addr >= TASK_SIZE_MAX)
		return USRPCI_REFUSAL_UNMAPPED;
	n = min_t(u64, *nr, (TASK_SIZE_MAX - targets->addr) >> PAGE_SHIFT);
	targets->nr = 1;
	n = usrpci_targets_charge(space, targets, n);
	if (!n)
		return USRPCI_REFUSAL_LIMIT;
	n = usrpci_targets_find(space, targets, n);
	taken = usrpci_targets_take(space, targets, n, &err);
	if (!taken)
		return err;
	*nr = taken;
	return 0;
}

/* Of what is pinned, the entry that it was given to keeps it. */
void usrpci_target_put(struct usrpci_space *space, struct usrpci_target *target)
{
	if (space->mirrored)
		folio_put_refs(page_folio(target->page), target->nr);
	else if (target->pin)
		usrpci_pin_free(space->tlb, target->pin);
}

/*
 * The device may write from now on, and no page table tells of that: what is clean would be
 * reclaimed unsaved. Before it's made clean again the device forgets it. What is pinned becomes
 * dirty when it's unpinned.
 */
static void usrpci_target_dirty(struct usrpci_target *target)
{
	struct folio *folio = page_folio(target->page);

	if (target->write && !target->pin && !folio_test_dirty(folio))
		folio_mark_dirty(folio);
}

int usrpci_target_map(struct usrpci_tlb *tlb, struct usrpci_target *target,
		      struct usrpci_slot *slot)
{
	enum dma_data_direction dir = target->write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
	struct device *dev = usrpci_dma_device(tlb->file);
	size_t len = target->nr * PAGE_SIZE;
	dma_addr_t bus;

	if (usrpci_page_beyond_mask(dev, target->page, len))
		return USRPCI_REFUSAL_BEYOND;
	bus = dma_map_page_attrs(dev, target->page, 0, len, dir, DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, bus))
		return USRPCI_REFUSAL_NO_MEMORY;
	if (usrpci_page_is_bounced(dev, target->page, bus) || !IS_ALIGNED(bus, len) ||
	    !usrpci_tlb_can_hold(tlb, target->addr, bus)) {
		/* What the program wrote to it meanwhile stays. */
		dma_unmap_page_attrs(dev, bus, len, dir, DMA_ATTR_SKIP_CPU_SYNC);
		usrpci_flush_iotlb(dev);
		return USRPCI_REFUSAL_BEYOND;
	}
	usrpci_target_dirty(target);
	slot->bus = bus;
	slot->large = target->nr > 1;
	slot->write = target->write;
	slot->node.start = target->addr;
	slot->node.last = target->addr + len - 1;
	slot->pin = target->pin;
	target->pin = NULL;
	return 0;
}

/* With the mmap lock. No stack grows because a device looks below it. */
static int usrpci_area_check(struct usrpci_space *space, u64 addr, bool write,
			     unsigned int *flags)
{
	struct vm_area_struct *vma = find_vma(space->mm, addr);

	if (!vma || addr < vma->vm_start)
		return USRPCI_REFUSAL_UNMAPPED;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return USRPCI_REFUSAL_SPECIAL;
	if (!(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return USRPCI_REFUSAL_PROTECTED;
	if (write && !space->mirrored && usrpci_is_tracked_file(vma))
		return USRPCI_REFUSAL_SPECIAL;
	/*
	 * A page of its own, where it has none yet: the zero page may not be pinned for long.
	 * Large pages have no such page, nor may they be written to by force.
	 */
	if (!space->mirrored && !is_vm_hugetlb_page(vma) &&
	    (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		*flags = FOLL_WRITE | FOLL_FORCE;
	else
		*flags = write ? FOLL_WRITE : 0;
	return 0;
}

static int usrpci_refusal_of(long err)
{
	if (err >= 0)
		return -EAGAIN;
	return err == -ENOMEM ? USRPCI_REFUSAL_NO_MEMORY : USRPCI_REFUSAL_SPECIAL;
}

/* With the mmap lock, which may be let go. */
static int usrpci_area_get(struct usrpci_space *space, struct usrpci_target *target, int *locked)
{
	struct mm_struct *mm = space->mm;
	unsigned int flags;
	int err;
	long n;

	err = usrpci_area_check(space, target->addr, target->write, &flags);
	if (err)
		return err;
	n = usrpci_get_remote(mm, target->addr, flags, &target->page, locked);
	if (n != 1)
		return usrpci_refusal_of(n);
	if (space->mirrored)
		return 0;
	/* Without the lock it may be another page by now. */
	put_page(target->page);
	if (!*locked)
		return -EAGAIN;
	n = usrpci_pin_remote(mm, target->addr, flags, &target->page);
	return n == 1 ? 0 : usrpci_refusal_of(n);
}

static int usrpci_bring_in(struct usrpci_space *space, struct usrpci_target *target)
{
	int err, locked = 1;

	if (!space->mirrored && usrpci_target_charge(space, target))
		return USRPCI_REFUSAL_LIMIT;
	mmap_read_lock(space->mm);
	err = usrpci_area_get(space, target, &locked);
	if (locked)
		mmap_read_unlock(space->mm);
	if (!err)
		usrpci_target_hold(target);
	else if (!space->mirrored)
		usrpci_uncharge(space->mm, 1);
	return err;
}

/* Before it's brought in. */
static int usrpci_target_init(struct usrpci_space *space, struct usrpci_target *target)
{
	if (target->addr >= TASK_SIZE_MAX)
		return USRPCI_REFUSAL_UNMAPPED;
	target->nr = 1;
	target->pin = NULL;
	if (space->mirrored)
		return 0;
	target->pin = usrpci_pin_new(space, target->write);
	return target->pin ? 0 : USRPCI_REFUSAL_NO_MEMORY;
}

int usrpci_target_bring_in(struct usrpci_space *space, struct usrpci_target *target)
{
	int err;

	err = usrpci_target_init(space, target);
	if (err)
		return err;
	err = USRPCI_REFUSAL_ENDED;
	if (!usrpci_space_is_orphan(space) && mmget_not_zero(space->mm)) {
		err = usrpci_bring_in(space, target);
		mmput_async(space->mm);
	}
	/* It's there now: whoever looks again sees whether it's large. */
	if (!err && !(space->tlb->desc.page_sizes & USRPCI_TLB_4K)) {
		usrpci_target_put(space, target);
		return -EAGAIN;
	}
	if (err && target->pin)
		usrpci_pin_free(space->tlb, target->pin);
	return err;
}
