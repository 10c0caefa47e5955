/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The only place that knows kernel versions. Included by the compiler before
 * every file; a difference that can't be papered over here gets a function of
 * its own in compat/.
 */
#ifndef USRPCI_COMPAT_H
#define USRPCI_COMPAT_H

#include <linux/device/class.h>
#include <linux/dma-direction.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/version.h>

/* Not zeroed where all others are, since it's written before it's read. */
#ifndef __uninitialized
#define __uninitialized
#endif

struct page;
struct pci_dev;
struct scatterlist;
struct usrpci_pinned;
struct sg_table;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define USRPCI_DEVNODE_DEVICE	struct device
#else
#define USRPCI_DEVNODE_DEVICE	const struct device
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define usrpci_class_create(name)	class_create(THIS_MODULE, name)
#else
#define usrpci_class_create(name)	class_create(name)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define usrpci_eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#else
#define usrpci_eventfd_signal(ctx)	eventfd_signal(ctx)
#endif

/*
 * Pin @nr pages at @addr for a long time; @to_device: the device only reads.
 * No page that is pinned for reading may be a shared copy-on-write one, or the
 * process's next write would go to another page. Returns pages or -errno.
 */
long usrpci_pin(unsigned long addr, unsigned long nr, bool to_device, struct page **pages);

/* As get_user_pages_fast_only(), pinned for a long time; may wait for memory to move. */
int usrpci_pin_fast_only(unsigned long addr, unsigned int nr, unsigned int flags,
			 struct page **pages);

/*
 * A page of another process's memory, with the mmap lock: brought in, letting go of the
 * lock where @locked says so; and pinned for a long time, moved if it has to be. 1 or
 * -errno, or 0 if that has to be tried again.
 */
long usrpci_get_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page, int *locked);
long usrpci_pin_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
		       struct page **page);

/* A filesystem wants to know of each write to its pages. */
bool usrpci_is_tracked_file(struct vm_area_struct *vma);

/* The function's driver_override names this module. */
bool usrpci_is_named(struct pci_dev *pdev);

/* What stands between the device and memory. */
enum usrpci_translation {
	USRPCI_NO_IOMMU,
	USRPCI_IDENTITY,
	USRPCI_TRANSLATED_LAZY,
	USRPCI_TRANSLATED,
};

enum usrpci_translation usrpci_translation(struct device *dev);

/* What the CPU and the device write each other sees at once. */
bool usrpci_is_coherent(struct device *dev);

/* Interrupts are remapped, so that the device can't forge one. */
bool usrpci_irqs_remapped(struct device *dev);

/* Wait till no translation of an unmapped address is left in the IOMMU. */
void usrpci_flush_iotlb(struct device *dev);

/**
 * struct usrpci_reach - What memory a device reaches, as things are with its mask now.
 * @translated: all, by an IOMMU
 * @can_bounce: what it doesn't reach goes through a bounce buffer
 */
struct usrpci_reach {
	bool translated;
	bool can_bounce;
};

void usrpci_reach(struct device *dev, struct usrpci_reach *reach);

/* Some of @sgt, not mapped yet, lies where the device's mask doesn't reach; not translated. */
bool usrpci_beyond_mask(struct device *dev, struct sg_table *sgt);

/*
 * How many runs of bus addresses what was mapped has, neighbours merged; and whether
 * some of it goes through a bounce buffer.
 */
unsigned int usrpci_count_runs(struct device *dev, const struct usrpci_reach *reach,
			       struct usrpci_pinned *pins, bool *bounced);

/* The same of one page or a large one, and of its bus address. */
bool usrpci_page_beyond_mask(struct device *dev, struct page *page, size_t len);
bool usrpci_page_is_bounced(struct device *dev, struct page *page, dma_addr_t bus);

/* Sync a part of a mapped entry. */
void usrpci_sync_part(struct device *dev, struct scatterlist *sg, u64 offset, size_t len,
		      enum dma_data_direction dir, bool for_cpu);

/* The page frame of an address in coherent memory, and how a user maps it. */
unsigned long usrpci_coherent_page(void *cpu);
pgprot_t usrpci_coherent_prot(struct device *dev, pgprot_t prot);

#endif /* USRPCI_COMPAT_H */
