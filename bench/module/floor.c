// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/*
 * The least that serving a miss takes: an interrupt thread woken, the page looked up, mapped for
 * DMA, and the registers that the device wants to be read and written. No memory is brought in,
 * nothing is accounted, and memory that changes isn't taken back.
 */

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <htex/registers.h>
#include "abi.h"
#include "floor.h"

/**
 * struct bench_entry - Of the device's TLB.
 * @page: that it leads to, held; NULL: it's empty
 * @bus: its bus address
 * @dir: what the device may do there
 */
struct bench_entry {
	struct page *page;
	dma_addr_t bus;
	enum dma_data_direction dir;
};

/**
 * struct bench_floor - The one device.
 * @mutex: guards @pdev, @mm and all of it against being used twice
 * @pdev: the function, or NULL
 * @regs: BAR 0
 * @tlb: BAR 2
 * @mm: whose memory the device has; grabbed. NULL: nobody's
 * @pinned: its pages are pinned
 * @lock: guards what follows
 * @nr: entries
 * @entries: they
 */
struct bench_floor {
	struct mutex mutex; /* see there */
	struct pci_dev *pdev;
	void __iomem *regs;
	void __iomem *tlb;
	struct mm_struct *mm;
	bool pinned;
	struct mutex lock; /* entries */
	u32 nr;
	struct bench_entry *entries;
};

static struct bench_floor bench_floor = {
	.mutex = __MUTEX_INITIALIZER(bench_floor.mutex),
	.lock = __MUTEX_INITIALIZER(bench_floor.lock),
};

/* --- entries --- */

static void bench_page_put(struct bench_floor *f, struct page *page)
{
	if (f->pinned)
		unpin_user_page(page);
	else
		put_page(page);
}

static struct page *bench_page_get(struct bench_floor *f, unsigned long addr, bool write)
{
	unsigned int flags = write ? FOLL_WRITE : 0;
	struct page *page;
	int n;

	if (f->pinned)
		n = pin_user_pages_fast_only(addr, 1, flags, &page);
	else
		n = get_user_pages_fast_only(addr, 1, flags, &page);
	return n == 1 ? page : NULL;
}

/* The device can't reach it any more. */
static void bench_entry_empty(struct bench_floor *f, struct bench_entry *entry)
{
	if (!entry->page)
		return;
	dma_unmap_page(&f->pdev->dev, entry->bus, PAGE_SIZE, entry->dir);
	bench_page_put(f, entry->page);
	entry->page = NULL;
}

static bool bench_entry_fill(struct bench_floor *f, u32 index, unsigned long addr, u64 first)
{
	bool write = first & HTEX_MISS_WRITE;
	struct bench_entry *entry = &f->entries[index];
	u64 word = HTEX_ENTRY_VALID | (write ? HTEX_ENTRY_WRITE : 0);

	bench_entry_empty(f, entry);
	entry->page = bench_page_get(f, addr, write);
	if (!entry->page)
		return false;
	entry->dir = write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
	entry->bus = dma_map_page(&f->pdev->dev, entry->page, 0, PAGE_SIZE, entry->dir);
	if (dma_mapping_error(&f->pdev->dev, entry->bus)) {
		bench_page_put(f, entry->page);
		entry->page = NULL;
		return false;
	}
	writeq(addr, f->tlb + index * HTEX_ENTRY_LEN + 8);
	writeq(word | entry->bus, f->tlb + index * HTEX_ENTRY_LEN);
	return true;
}

/* --- misses --- */

/* Where a measurement ends: a function that the compiler leaves alone. */
static noinline __noclone void bench_floor_answer(struct bench_floor *f, u32 engine,
						  bool translated)
{
	writel(engine, f->regs + (translated ? HTEX_GO_ON : HTEX_REFUSE));
}

static noinline __noclone void bench_floor_done(struct bench_floor *f)
{
	mutex_unlock(&f->lock);
}

static void bench_floor_serve(struct bench_floor *f, u64 first)
{
	u64 addr = readq(f->regs + HTEX_MISS_ADDRESS);
	u32 index = first >> HTEX_MISS_ENTRY_SHIFT;
	u32 engine = first >> HTEX_MISS_ENGINE_SHIFT & 0xff;
	bool translated = index < f->nr && bench_entry_fill(f, index, addr & PAGE_MASK, first);

	bench_floor_answer(f, engine, translated);
}

static void bench_floor_serve_all(struct bench_floor *f)
{
	u64 first;

	mutex_lock(&f->lock);
	for (;;) {
		first = readq(f->regs + HTEX_MISS);
		/* All ones: it was pulled out. */
		if (!(first & HTEX_MISS_VALID) || first == U64_MAX)
			break;
		bench_floor_serve(f, first);
	}
	bench_floor_done(f);
}

static irqreturn_t bench_floor_thread(int line, void *data)
{
	struct bench_floor *f = data;

	writel(HTEX_IRQ_MISS, f->regs + HTEX_IRQ);
	/* Its memory has gone: misses wait till the device is stopped. */
	if (!mmget_not_zero(f->mm))
		return IRQ_HANDLED;
	kthread_use_mm(f->mm);
	bench_floor_serve_all(f);
	kthread_unuse_mm(f->mm);
	mmput(f->mm);
	return IRQ_HANDLED;
}

/* --- the device --- */

static void bench_floor_forget(struct bench_floor *f)
{
	u32 i;

	mutex_lock(&f->lock);
	writel(0, f->regs + HTEX_INVALIDATE_TAG);
	while (readl(f->regs + HTEX_BUSY) == 1)
		cpu_relax();
	for (i = 0; i < f->nr; i++)
		bench_entry_empty(f, &f->entries[i]);
	mutex_unlock(&f->lock);
}

/* Under the mutex. */
static void bench_floor_stop(struct bench_floor *f)
{
	if (!f->mm)
		return;
	writel(0, f->regs + HTEX_CONTROL);
	free_irq(pci_irq_vector(f->pdev, HTEX_VECTOR_MISS), f);
	pci_free_irq_vectors(f->pdev);
	bench_floor_forget(f);
	pci_clear_master(f->pdev);
	vfree(f->entries);
	f->entries = NULL;
	mmdrop(f->mm);
	f->mm = NULL;
}

static int bench_floor_request(struct bench_floor *f)
{
	int err;

	err = pci_alloc_irq_vectors(f->pdev, 1, 1, PCI_IRQ_MSIX);
	if (err < 0)
		return err;
	err = request_threaded_irq(pci_irq_vector(f->pdev, HTEX_VECTOR_MISS), NULL,
				   bench_floor_thread, IRQF_ONESHOT, "usrpci-floor", f);
	if (err)
		pci_free_irq_vectors(f->pdev);
	return err;
}

/* Under the mutex. */
static int bench_floor_start(struct bench_floor *f, bool pinned)
{
	int err;

	if (!f->pdev)
		return -ENODEV;
	if (f->mm)
		return -EBUSY;
	f->nr = readl(f->regs + HTEX_ENTRIES);
	if (f->nr > pci_resource_len(f->pdev, HTEX_TLB_BAR) / HTEX_ENTRY_LEN)
		return -EIO;
	f->entries = vcalloc(f->nr, sizeof(*f->entries));
	if (!f->entries)
		return -ENOMEM;
	f->pinned = pinned;
	f->mm = current->mm;
	mmgrab(f->mm);
	pci_set_master(f->pdev);
	err = bench_floor_request(f);
	if (err) {
		pci_clear_master(f->pdev);
		mmdrop(f->mm);
		f->mm = NULL;
		vfree(f->entries);
		return err;
	}
	writel(HTEX_TRANSLATE | HTEX_IRQ_AT_MISS, f->regs + HTEX_CONTROL);
	return 0;
}

static int bench_floor_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bench_floor *f = &bench_floor;
	int err;

	if (f->pdev)
		return -EBUSY;
	err = pcim_enable_device(pdev);
	if (!err)
		err = pcim_iomap_regions(pdev, BIT(0) | BIT(HTEX_TLB_BAR), "usrpci-floor");
	if (!err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	mutex_lock(&f->mutex);
	f->regs = pcim_iomap_table(pdev)[0];
	f->tlb = pcim_iomap_table(pdev)[HTEX_TLB_BAR];
	f->pdev = pdev;
	mutex_unlock(&f->mutex);
	return 0;
}

/* A map of the registers stays with whoever has it. */
static void bench_floor_remove(struct pci_dev *pdev)
{
	struct bench_floor *f = &bench_floor;

	mutex_lock(&f->mutex);
	bench_floor_stop(f);
	f->pdev = NULL;
	mutex_unlock(&f->mutex);
}

/* Of no device: driver_override names this driver. */
static const struct pci_device_id bench_floor_ids[] = { {} };

static struct pci_driver bench_floor_driver = {
	.name = "usrpci-floor",
	.id_table = bench_floor_ids,
	.probe = bench_floor_probe,
	.remove = bench_floor_remove,
};

/* --- the file --- */

static long bench_floor_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct bench_floor *f = &bench_floor;
	long err = 0;

	mutex_lock(&f->mutex);
	if (cmd == BENCH_FLOOR_START)
		err = bench_floor_start(f, arg);
	else if (cmd != BENCH_FLOOR_FORGET)
		err = -ENOTTY;
	else if (f->mm)
		bench_floor_forget(f);
	else
		err = -EINVAL;
	mutex_unlock(&f->mutex);
	return err;
}

static int bench_floor_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct bench_floor *f = &bench_floor;
	int err = -ENODEV;

	mutex_lock(&f->mutex);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	if (f->pdev)
		err = vm_iomap_memory(vma, pci_resource_start(f->pdev, 0),
				      pci_resource_len(f->pdev, 0));
	mutex_unlock(&f->mutex);
	return err;
}

static int bench_floor_release(struct inode *inode, struct file *filp)
{
	struct bench_floor *f = &bench_floor;

	mutex_lock(&f->mutex);
	bench_floor_stop(f);
	mutex_unlock(&f->mutex);
	return 0;
}

static const struct file_operations bench_floor_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_floor_ioctl,
	.mmap = bench_floor_mmap,
	.release = bench_floor_release,
};

static struct miscdevice bench_floor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "usrpci-floor",
	.mode = 0600,
	.fops = &bench_floor_fops,
};

int bench_floor_init(void)
{
	int err;

	err = misc_register(&bench_floor_device);
	if (err)
		return err;
	err = pci_register_driver(&bench_floor_driver);
	if (err)
		misc_deregister(&bench_floor_device);
	return err;
}

void bench_floor_exit(void)
{
	pci_unregister_driver(&bench_floor_driver);
	misc_deregister(&bench_floor_device);
}
