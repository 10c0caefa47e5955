// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/usrpci.h>

#include "account.h"
#include "coherent.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "isolation.h"
#include "object.h"
#include "pages.h"
#include "trace.h"

/**
 * struct usrpci_coherent - A coherent buffer.
 * @obj: its handle
 * @file: it belongs to; a map holds that
 * @users: handle and maps
 * @entry: of the file's buffers
 * @cpu: the memory, NULL when freed; under coherent_lock
 * @pages: held till the IOTLB is flushed, where that isn't done by freeing; or NULL
 * @copy: pages for the maps once the memory was revoked; an entry, or all, may be
 *	NULL; stays as it is from then on
 * @bus_addr: bus address
 * @len: bytes, whole pages
 * @mm: whom it's charged to; grabbed
 */
struct usrpci_coherent {
	struct usrpci_object obj;
	struct usrpci_file *file;
	refcount_t users;
	struct list_head entry;
	void *cpu;
	struct page **pages;
	struct page **copy;
	dma_addr_t bus_addr;
	size_t len;
	struct mm_struct *mm;
};

static struct usrpci_coherent *to_coherent(struct usrpci_object *obj)
{
	return container_of(obj, struct usrpci_coherent, obj);
}

u64 usrpci_coherent_len(struct usrpci_object *obj)
{
	return to_coherent(obj)->len;
}

u64 usrpci_coherent_bus_addr(struct usrpci_object *obj)
{
	return to_coherent(obj)->bus_addr;
}

/*
 * A lazy IOMMU still translates for a while after the buffer was freed: hold its
 * pages till then. A strict one may become lazy in the buffer's life.
 */
static int usrpci_coherent_hold(struct usrpci_coherent *c)
{
	size_t i, nr = c->len >> PAGE_SHIFT;

	if (usrpci_translation(usrpci_dma_device(c->file)) < USRPCI_TRANSLATED_LAZY ||
	    !is_vmalloc_addr(c->cpu))
		return 0;
	c->pages = kvmalloc_array(nr, sizeof(*c->pages), GFP_KERNEL_ACCOUNT);
	if (!c->pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		c->pages[i] = vmalloc_to_page(c->cpu + i * PAGE_SIZE);
		get_page(c->pages[i]);
	}
	return 0;
}

static void usrpci_coherent_free_copy(struct usrpci_coherent *c)
{
	size_t i;

	if (!c->copy)
		return;
	for (i = 0; i < c->len >> PAGE_SHIFT; i++)
		if (c->copy[i])
			__free_page(c->copy[i]);
	kvfree(c->copy);
}

/* Under coherent_lock, so that teardown doesn't end before it. */
static void usrpci_coherent_free_memory(struct usrpci_coherent *c)
{
	struct device *dev = usrpci_dma_device(c->file);
	size_t i;

	if (!c->cpu)
		return;
	dma_free_coherent(dev, c->len, c->cpu, c->bus_addr);
	c->cpu = NULL;
	if (!c->pages)
		return;
	usrpci_flush_iotlb(dev);
	for (i = 0; i < c->len >> PAGE_SHIFT; i++)
		put_page(c->pages[i]);
	kvfree(c->pages);
	c->pages = NULL;
}

void usrpci_coherent_put(struct usrpci_coherent *c)
{
	if (!refcount_dec_and_test(&c->users))
		return;
	mutex_lock(&c->file->coherent_lock);
	list_del(&c->entry);
	usrpci_coherent_free_memory(c);
	mutex_unlock(&c->file->coherent_lock);
	usrpci_coherent_free_copy(c);
	usrpci_uncharge(c->mm, c->len >> PAGE_SHIFT);
	mmdrop(c->mm);
	kfree(c);
}

struct usrpci_coherent *usrpci_coherent_get(struct usrpci_file *file, u32 handle, u64 offset,
					    u64 len, void **at)
{
	struct usrpci_object *obj = usrpci_object_get(file, handle, USRPCI_OBJECT_COHERENT);
	struct usrpci_coherent *c = NULL;

	if (!obj)
		return NULL;
	if (offset < to_coherent(obj)->len && len <= to_coherent(obj)->len - offset) {
		c = to_coherent(obj);
		refcount_inc(&c->users);
		*at = c->cpu + offset;
	}
	usrpci_object_put(obj);
	return c;
}

void usrpci_coherent_drop(struct usrpci_file *file, struct usrpci_object *obj)
{
	usrpci_coherent_put(to_coherent(obj));
}

/*
 * What the device was handed can't outlive its DMA mapping, and what the process
 * has in it should: pages that there's no memory for are lost to it.
 */
static void usrpci_coherent_copy(struct usrpci_coherent *c)
{
	size_t i, nr = c->len >> PAGE_SHIFT;

	c->copy = kvcalloc(nr, sizeof(*c->copy), GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!c->copy)
		return;
	for (i = 0; i < nr; i++) {
		/* Once there's no more, looking harder for each would take for ever. */
		c->copy[i] = alloc_page(GFP_HIGHUSER | __GFP_NOWARN | __GFP_NORETRY);
		if (!c->copy[i])
			break;
		memcpy_to_page(c->copy[i], 0, c->cpu + i * PAGE_SIZE, PAGE_SIZE);
		cond_resched();
	}
}

void usrpci_coherents_revoke(struct usrpci_file *file)
{
	struct usrpci_coherent *c;

	mutex_lock(&file->coherent_lock);
	list_for_each_entry(c, &file->coherents, entry) {
		usrpci_coherent_copy(c);
		usrpci_coherent_free_memory(c);
	}
	mutex_unlock(&file->coherent_lock);
}

/* Of a map, from the buffer's start. */
static u64 usrpci_coherent_offset(struct vm_area_struct *vma)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) & ((1ULL << USRPCI_COHERENT_SHIFT) - 1);
}

static void usrpci_coherent_open(struct vm_area_struct *vma)
{
	struct usrpci_coherent *c = vma->vm_private_data;

	refcount_inc(&c->users);
}

static void usrpci_coherent_close(struct vm_area_struct *vma)
{
	usrpci_coherent_put(vma->vm_private_data);
}

static unsigned long usrpci_coherent_pfn(struct vm_area_struct *vma, unsigned long offset)
{
	struct usrpci_coherent *c = vma->vm_private_data;

	return usrpci_coherent_page(c->cpu + usrpci_coherent_offset(vma) + offset);
}

/* The function has gone. Teardown makes the copies, and waits for nobody. */
static vm_fault_t usrpci_coherent_fault_copy(struct vm_fault *vmf, struct usrpci_coherent *c)
{
	struct vm_area_struct *vma = vmf->vma;
	size_t i = (usrpci_coherent_offset(vma) + vmf->address - vma->vm_start) >> PAGE_SHIFT;

	if (wait_for_completion_killable(&c->file->torn_down))
		return VM_FAULT_SIGBUS;
	if (!c->copy || !c->copy[i])
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn_prot(vma, vmf->address & PAGE_MASK, page_to_pfn(c->copy[i]),
				   vm_get_page_prot(vma->vm_flags));
}

static vm_fault_t usrpci_coherent_fault(struct vm_fault *vmf)
{
	struct usrpci_coherent *c = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (usrpci_enter(c->file))
		return usrpci_coherent_fault_copy(vmf, c);
	ret = usrpci_pages_insert(vmf, usrpci_coherent_pfn);
	usrpci_leave(c->file);
	return ret;
}

static const struct vm_operations_struct usrpci_coherent_vm_ops = {
	.open = usrpci_coherent_open,
	.close = usrpci_coherent_close,
	.fault = usrpci_coherent_fault,
};

/* Only prepares: see pages.h. */
static int usrpci_coherent_map(struct usrpci_coherent *c, struct vm_area_struct *vma)
{
	u64 offset = usrpci_coherent_offset(vma);

	if (offset >= c->len || vma->vm_end - vma->vm_start > c->len - offset)
		return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = usrpci_coherent_prot(usrpci_dma_device(c->file), vma->vm_page_prot);
	vma->vm_ops = &usrpci_coherent_vm_ops;
	vma->vm_private_data = c;
	refcount_inc(&c->users);
	return 0;
}

int usrpci_coherent_mmap(struct usrpci_file *file, struct vm_area_struct *vma, u64 pos)
{
	struct usrpci_object *obj;
	int err;

	err = usrpci_enter(file);
	if (err)
		return err;
	obj = usrpci_object_get(file, pos >> USRPCI_COHERENT_SHIFT, USRPCI_OBJECT_COHERENT);
	if (obj) {
		err = usrpci_coherent_map(to_coherent(obj), vma);
		usrpci_object_put(obj);
	} else {
		err = -EINVAL;
	}
	usrpci_leave(file);
	return err;
}

/* Inside the gate. The buffer has one user then, its handle. */
static int usrpci_coherent_fill(struct usrpci_coherent *c)
{
	struct usrpci_file *file = c->file;
	int err;

	/* Whoever asks for more than there is gets an error, and kills nobody. */
	c->cpu = dma_alloc_coherent(usrpci_dma_device(file), c->len, &c->bus_addr,
				    GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!c->cpu)
		return -ENOMEM;
	err = usrpci_coherent_hold(c);
	if (err)
		return err;
	mutex_lock(&file->coherent_lock);
	list_add(&c->entry, &file->coherents);
	mutex_unlock(&file->coherent_lock);
	return usrpci_object_add(file, &c->obj, USRPCI_OBJECT_COHERENT);
}

static struct usrpci_coherent *usrpci_coherent_new(struct usrpci_file *file, size_t len,
						   u64 *missing)
{
	struct usrpci_coherent *c;

	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return ERR_PTR(-ENOMEM);
	if (usrpci_charge(current->mm, len >> PAGE_SHIFT, missing)) {
		kfree(c);
		return ERR_PTR(-ENOMEM);
	}
	c->file = file;
	c->len = len;
	c->mm = current->mm;
	mmgrab(c->mm);
	refcount_set(&c->users, 1);
	INIT_LIST_HEAD(&c->entry);
	return c;
}

/* Make a buffer that teardown finds and users don't yet. */
static int usrpci_coherent_make(struct usrpci_file *file, struct usrpci_ioc_coherent *arg,
				struct usrpci_object **made)
{
	struct usrpci_coherent *c;
	int err;

	c = usrpci_coherent_new(file, arg->len, &arg->missing);
	if (IS_ERR(c))
		return PTR_ERR(c);
	err = usrpci_enter(file);
	if (err) {
		usrpci_coherent_put(c);
		return err;
	}
	err = -EPERM;
	if (usrpci_isolation_permits(usrpci_pdev(file), file->needs_strict))
		err = usrpci_coherent_fill(c);
	if (err) {
		usrpci_coherent_put(c);
	} else {
		arg->handle = c->obj.handle;
		arg->bus_addr = c->bus_addr;
		arg->mmap_offset = USRPCI_COHERENT_BIT |
				   (u64)arg->handle << USRPCI_COHERENT_SHIFT;
		*made = &c->obj;
		trace_usrpci_coherent(file->function, arg->handle, c->bus_addr, c->len);
	}
	usrpci_leave(file);
	return err;
}

int usrpci_coherent_alloc(struct usrpci_command *cmd)
{
	struct usrpci_ioc_coherent *arg = cmd->arg;
	struct usrpci_file *file = cmd->file;
	struct usrpci_object *made = NULL;
	int err, answered;
	u64 asked;

	if (!arg->len || arg->reserved)
		return -EINVAL;
	asked = arg->len;
	arg->missing = 0;
	err = -ENOMEM;
	if (arg->len <= 1ULL << USRPCI_COHERENT_SHIFT && PFN_UP(arg->len) <= totalram_pages()) {
		arg->len = PAGE_ALIGN(arg->len);
		err = usrpci_coherent_make(file, arg, &made);
	}
	if (err == -ENOMEM) {
		arg->len = asked;
		usrpci_respond(cmd, sizeof(*arg));
	}
	if (err)
		return err;
	answered = usrpci_respond(cmd, sizeof(*arg));
	/* If the function has gone by now, teardown has taken the buffer. */
	err = usrpci_enter(file);
	if (err)
		return err;
	if (answered) {
		usrpci_object_remove(file, made);
		usrpci_coherent_drop(file, made);
	} else {
		usrpci_objects_publish(file, made);
	}
	usrpci_leave(file);
	return answered;
}
