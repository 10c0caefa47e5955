// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "file.h"
#include "pages.h"

/* What one fault brings in. */
#define USRPCI_FAULT_AROUND	(2UL << 20)

struct usrpci_insert {
	struct vm_area_struct *vma;
	usrpci_pfn_t pfn;
};

/* As remap_pfn_range() does it, but that a neighbour may be there already. */
static int usrpci_insert_one(pte_t *pte, unsigned long addr, void *data)
{
	struct usrpci_insert *insert = data;
	struct vm_area_struct *vma = insert->vma;

	if (!pte_none(*pte))
		return 0;
	set_pte_at(vma->vm_mm, addr, pte,
		   pte_mkspecial(pfn_pte(insert->pfn(vma, addr - vma->vm_start),
					 vma->vm_page_prot)));
	return 0;
}

vm_fault_t usrpci_pages_insert(struct vm_fault *vmf, usrpci_pfn_t pfn)
{
	struct vm_area_struct *vma = vmf->vma;
	struct usrpci_insert insert = { .vma = vma, .pfn = pfn };
	unsigned long around = ALIGN_DOWN(vmf->address, USRPCI_FAULT_AROUND);
	unsigned long start = max(vma->vm_start, around);
	unsigned long end = min(vma->vm_end, around + USRPCI_FAULT_AROUND);

	if (apply_to_page_range(vma->vm_mm, start, end - start, usrpci_insert_one, &insert))
		return VM_FAULT_OOM;
	return VM_FAULT_NOPAGE;
}

void usrpci_pages_zap_bars(struct usrpci_file *file)
{
	unmap_mapping_range(file->mapping, 0, USRPCI_COHERENT_BIT, 1);
}

void usrpci_pages_zap(struct usrpci_file *file)
{
	unmap_mapping_range(file->mapping, 0, 0, 1);
}
