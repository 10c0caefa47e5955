// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/usrpci.h>

#include "bar.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "pages.h"
#include "trace.h"

enum usrpci_bar_kind usrpci_bar_kind(struct pci_dev *pdev, unsigned int bar)
{
	unsigned long flags = pci_resource_flags(pdev, bar);

	if (!pci_resource_len(pdev, bar) || flags & IORESOURCE_UNSET)
		return USRPCI_BAR_NONE;
	if (flags & IORESOURCE_MEM)
		return USRPCI_BAR_MEM;
	return flags & IORESOURCE_IO ? USRPCI_BAR_IO : USRPCI_BAR_NONE;
}

/* Read once, since it decides what may be mapped: a device that fails says anything. */
void usrpci_bar_init(struct usrpci_file *file)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	u32 table;

	file->msix_bar = -1;
	if (!pdev->msix_cap)
		return;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	file->msix_bar = table & PCI_MSIX_TABLE_BIR;
	file->msix_start = table & PCI_MSIX_TABLE_OFFSET;
	file->msix_end = file->msix_start + max(pci_msix_vec_count(pdev), 0) * PCI_MSIX_ENTRY_SIZE;
}

void usrpci_bar_msix_table(struct usrpci_file *file, unsigned int bar, u64 *start, u64 *end)
{
	bool forbidden = file->msix_bar == (int)bar &&
			 !usrpci_irqs_remapped(usrpci_dma_device(file));

	*start = forbidden ? file->msix_start : 0;
	*end = forbidden ? file->msix_end : 0;
}

/*
 * What may be mapped of a memory BAR. Who writes the MSI-X table chooses which
 * interrupt it raises, so where nothing checks that its pages are left out.
 */
static unsigned int usrpci_windows(struct usrpci_file *file, unsigned int bar,
				   struct usrpci_ioc_window *windows)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	u64 len = pci_resource_len(pdev, bar);
	unsigned int nr = 0;
	u64 start, end;

	/* A smaller BAR shares its page with who knows whom. */
	if (usrpci_bar_kind(pdev, bar) != USRPCI_BAR_MEM ||
	    !PAGE_ALIGNED(pci_resource_start(pdev, bar)) || !PAGE_ALIGNED(len))
		return 0;
	usrpci_bar_msix_table(file, bar, &start, &end);
	start = min_t(u64, ALIGN_DOWN(start, PAGE_SIZE), len);
	end = min_t(u64, PAGE_ALIGN(end), len);
	if (start)
		windows[nr++] = (struct usrpci_ioc_window){ .offset = 0, .len = start };
	if (end < len)
		windows[nr++] = (struct usrpci_ioc_window){ .offset = end, .len = len - end };
	return nr;
}

static u32 usrpci_bar_attrs(struct pci_dev *pdev, unsigned int bar, unsigned int nr_windows)
{
	unsigned long flags = pci_resource_flags(pdev, bar);
	u32 attrs = 0;

	if (flags & IORESOURCE_PREFETCH)
		attrs |= USRPCI_BAR_PREFETCH;
	if (flags & IORESOURCE_MEM_64)
		attrs |= USRPCI_BAR_64BIT;
	if (nr_windows)
		attrs |= USRPCI_BAR_MAPPABLE;
	return attrs;
}

static void usrpci_bar_fill(struct usrpci_ioc_bar *arg, struct usrpci_file *file, u32 bar)
{
	struct pci_dev *pdev = usrpci_pdev(file);

	*arg = (struct usrpci_ioc_bar){
		.size = sizeof(*arg),
		.index = bar,
		.kind = usrpci_bar_kind(pdev, bar),
	};
	if (arg->kind == USRPCI_BAR_NONE)
		return;
	arg->addr = pci_resource_start(pdev, bar);
	arg->len = pci_resource_len(pdev, bar);
	arg->offset = usrpci_bar_offset(bar);
	arg->nr_windows = usrpci_windows(file, bar, arg->windows);
	arg->attrs = usrpci_bar_attrs(pdev, bar, arg->nr_windows);
}

int usrpci_bar_describe(struct usrpci_command *cmd)
{
	struct usrpci_ioc_bar *arg = cmd->arg;
	int err;

	if (arg->index >= USRPCI_NR_BARS)
		return -EINVAL;
	err = usrpci_enter(cmd->file);
	if (err)
		return err;
	usrpci_bar_fill(arg, cmd->file, arg->index);
	usrpci_leave(cmd->file);
	return usrpci_respond(cmd, sizeof(*arg));
}

/* The BAR that a map or a fault is for. */
static unsigned int usrpci_vma_bar(struct vm_area_struct *vma)
{
	return (vma->vm_pgoff >> (USRPCI_BAR_SHIFT - PAGE_SHIFT)) - 1;
}

static u64 usrpci_vma_offset(struct vm_area_struct *vma)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) - usrpci_bar_offset(usrpci_vma_bar(vma));
}

static unsigned long usrpci_bar_pfn(struct vm_area_struct *vma, unsigned long offset)
{
	struct usrpci_file *file = vma->vm_private_data;

	return PHYS_PFN(pci_resource_start(usrpci_pdev(file), usrpci_vma_bar(vma)) +
			usrpci_vma_offset(vma) + offset);
}

static vm_fault_t usrpci_bar_fault(struct vm_fault *vmf)
{
	struct usrpci_file *file = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (!usrpci_enter(file)) {
		if (file->decode & IORESOURCE_MEM)
			ret = usrpci_pages_insert(vmf, usrpci_bar_pfn);
		usrpci_leave(file);
	}
	trace_usrpci_fault(file->function, vmf->address, vmf->pgoff,
			   (__force unsigned int)ret);
	return ret;
}

static const struct vm_operations_struct usrpci_bar_vm_ops = {
	.fault = usrpci_bar_fault,
};

static bool usrpci_in_window(struct usrpci_file *file, unsigned int bar, u64 offset, u64 len)
{
	struct usrpci_ioc_window windows[2];
	unsigned int i, nr = usrpci_windows(file, bar, windows);

	for (i = 0; i < nr; i++)
		if (offset >= windows[i].offset && offset - windows[i].offset < windows[i].len &&
		    len <= windows[i].len - (offset - windows[i].offset))
			return true;
	return false;
}

/* Inside the gate. */
static int usrpci_bar_check(struct usrpci_file *file, unsigned int bar, u64 offset, u64 len,
			    bool combine)
{
	struct pci_dev *pdev = usrpci_pdev(file);

	if (!usrpci_in_window(file, bar, offset, len))
		return -EINVAL;
	if (combine && !(pci_resource_flags(pdev, bar) & IORESOURCE_PREFETCH))
		return -EINVAL;
	return 0;
}

/* Only prepares: see pages.h. */
int usrpci_bar_mmap(struct usrpci_file *file, struct vm_area_struct *vma, u64 pos)
{
	bool combine = pos & USRPCI_MMAP_WC;
	unsigned int bar;
	int err;

	pos &= ~USRPCI_MMAP_WC;
	bar = (pos >> USRPCI_BAR_SHIFT) - 1;
	if (bar >= USRPCI_NR_BARS)
		return -EINVAL;
	err = usrpci_enter(file);
	if (err)
		return err;
	err = usrpci_bar_check(file, bar, pos - usrpci_bar_offset(bar),
			       vma->vm_end - vma->vm_start, combine);
	usrpci_leave(file);
	if (err)
		return err;
	vma->vm_pgoff = pos >> PAGE_SHIFT;
	/* A child would hold registers of a device it doesn't drive. */
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_page_prot = combine ? pgprot_writecombine(vma->vm_page_prot) :
				      pgprot_noncached(vma->vm_page_prot);
	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);
	vma->vm_ops = &usrpci_bar_vm_ops;
	vma->vm_private_data = file;
	return 0;
}
