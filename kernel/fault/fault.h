/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Makes the calls fail that can fail for lack of something, or by the caller's
 * memory: the Nth one of a task, once. Only in a module that was built with
 * FAULT=y, where the compiler includes this before every file; the files
 * themselves know nothing of it.
 */
#ifndef USRPCI_FAULT_H
#define USRPCI_FAULT_H

/* What declares the calls, before their names are taken. */
#include <linux/anon_inodes.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/pid.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

/**
 * struct usrpci_fault_site - A call that can be made to fail.
 * @file: where it is
 * @line: in that
 * @function: whose it is
 * @call: what is called, and how it fails if that can be in more than one way
 * @reached: how often it was come by
 * @injected: how often it failed
 */
struct usrpci_fault_site {
	const char *file;
	int line;
	const char *function;
	const char *call;
	atomic_long_t reached;
	atomic_long_t injected;
};

/* It's this call's turn to fail. In any context; only a task's own calls fail. */
bool usrpci_fault_hit(struct usrpci_fault_site *site);

/* What the module asks for and must give back; in debugfs, usrpci-fault/held. */
enum usrpci_held {
	USRPCI_HELD_MEMORY,
	USRPCI_HELD_PAGES,
	USRPCI_HELD_COHERENT,
	USRPCI_HELD_EVENTFDS,
	USRPCI_HELD_MMS,
	USRPCI_HELD_PIDS,
	USRPCI_NR_HELD,
};

extern atomic_long_t usrpci_held[USRPCI_NR_HELD];

static inline void *usrpci_take(enum usrpci_held what, void *object)
{
	if (!IS_ERR_OR_NULL(object))
		atomic_long_inc(&usrpci_held[what]);
	return object;
}

static inline void usrpci_give(enum usrpci_held what, const void *object)
{
	if (object)
		atomic_long_dec(&usrpci_held[what]);
}

/* What the module itself does first and last: this begins before and ends after it. */
extern int (*const usrpci_own_init)(void);
extern void (*const usrpci_own_exit)(void);

/* The linker puts all sites together, between those of first.c and last.c. */
#define usrpci_fault(_call)							\
({										\
	static struct usrpci_fault_site __site = {				\
		.file = __FILE__,						\
		.line = __LINE__,						\
		.function = __func__,						\
		.call = _call,							\
	};									\
	static struct usrpci_fault_site *const __entry __used			\
		__section("usrpci_fault_sites") = &__site;			\
										\
	usrpci_fault_hit(&__site);						\
})

#define usrpci_fault_or(_call, _failed, _real)					\
	(usrpci_fault(_call) ? (_failed) : (_real))

#define usrpci_fault_take(_what, _call, _failed, _real)				\
	usrpci_take(USRPCI_HELD_##_what, usrpci_fault_or(_call, _failed, _real))

/* The real ones, for what is a macro on some kernels. */
static inline void *usrpci_real_kmalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags);
}

static inline void *usrpci_real_kzalloc(size_t size, gfp_t flags)
{
	return kzalloc(size, flags);
}

static inline void *usrpci_real_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kcalloc(n, size, flags);
}

static inline void *usrpci_real_kvzalloc(size_t size, gfp_t flags)
{
	return kvzalloc(size, flags);
}

static inline void *usrpci_real_kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvcalloc(n, size, flags);
}

static inline void *usrpci_real_kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array(n, size, flags);
}

static inline void *usrpci_real_memdup_user(const void __user *src, size_t len)
{
	return memdup_user(src, len);
}

static inline void *usrpci_real_vmemdup_user(const void __user *src, size_t len)
{
	return vmemdup_user(src, len);
}

static inline int usrpci_real_mutex_lock_killable(struct mutex *mutex)
{
	return mutex_lock_killable(mutex);
}

static inline struct class *usrpci_real_class_create(const char *name)
{
	return usrpci_class_create(name);
}

/* A pin fails, or pins fewer pages than it was asked for. */
#define usrpci_fault_pin(_addr, _nr, _flags, _pages)				\
	(usrpci_fault("pin_user_pages_fast") ? -ENOMEM :			\
	 pin_user_pages_fast(_addr, (_nr) > 1 &&				\
			     usrpci_fault("pin_user_pages_fast, short") ?	\
			     (_nr) / 2 : (_nr), _flags, _pages))

/* All pages' tables are there, none of them, or those of the first half. */
#define usrpci_fault_apply(_mm, _addr, _len, _fn, _data)			\
({										\
	unsigned long __len = _len;						\
	int __err = usrpci_fault("apply_to_page_range") ? -ENOMEM : 0;		\
										\
	if (!__err && __len > PAGE_SIZE &&					\
	    usrpci_fault("apply_to_page_range, midway")) {			\
		__err = -ENOMEM;						\
		__len = PAGE_ALIGN(__len / 2);					\
		apply_to_page_range(_mm, _addr, __len, _fn, _data);		\
	} else if (!__err) {							\
		__err = apply_to_page_range(_mm, _addr, __len, _fn, _data);	\
	}									\
	__err;									\
})

/* A cache that is made may be a macro as well. */
static inline struct kmem_cache *usrpci_real_kmem_cache_create(const char *name,
							       unsigned int size,
							       unsigned int align,
							       slab_flags_t flags,
							       void (*ctor)(void *object))
{
	return kmem_cache_create(name, size, align, flags, ctor);
}

static inline void *usrpci_real_kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
	return kmem_cache_alloc(cache, flags);
}

static inline bool usrpci_real_user_access_begin(const void __user *ptr, size_t len)
{
	return user_access_begin(ptr, len);
}

#undef kmalloc
#undef kmem_cache_create
#undef kmem_cache_alloc
#undef user_access_begin
#undef kzalloc
#undef kcalloc
#undef kvzalloc
#undef kvcalloc
#undef kvmalloc_array
#undef memdup_user
#undef vmemdup_user
#undef __get_free_page
#undef get_user
#undef put_user
#undef mutex_lock_killable
#undef usrpci_class_create
#undef free_page
#undef alloc_page
#undef __free_page
#undef module_init
#undef module_exit

/* Memory */
#define kmalloc(...) \
	usrpci_fault_take(MEMORY, "kmalloc", NULL, usrpci_real_kmalloc(__VA_ARGS__))
#define kzalloc(...) \
	usrpci_fault_take(MEMORY, "kzalloc", NULL, usrpci_real_kzalloc(__VA_ARGS__))
#define kcalloc(...) \
	usrpci_fault_take(MEMORY, "kcalloc", NULL, usrpci_real_kcalloc(__VA_ARGS__))
#define kvzalloc(...) \
	usrpci_fault_take(MEMORY, "kvzalloc", NULL, usrpci_real_kvzalloc(__VA_ARGS__))
#define kvcalloc(...) \
	usrpci_fault_take(MEMORY, "kvcalloc", NULL, usrpci_real_kvcalloc(__VA_ARGS__))
#define kvmalloc_array(...) \
	usrpci_fault_take(MEMORY, "kvmalloc_array", NULL, usrpci_real_kvmalloc_array(__VA_ARGS__))
#define kmem_cache_create(...) \
	usrpci_fault_or("kmem_cache_create", NULL, usrpci_real_kmem_cache_create(__VA_ARGS__))
#define kmem_cache_alloc(...) \
	usrpci_fault_take(MEMORY, "kmem_cache_alloc", NULL, \
			  usrpci_real_kmem_cache_alloc(__VA_ARGS__))
#define __get_free_page(...) \
	((unsigned long)usrpci_fault_take(PAGES, "__get_free_page", NULL, \
					  (void *)__get_free_pages(__VA_ARGS__, 0)))
#define alloc_page(_gfp) \
	usrpci_fault_take(PAGES, "alloc_page", NULL, alloc_pages(_gfp, 0))
#define kasprintf(_gfp, ...) \
	(!((_gfp) & __GFP_NOFAIL) && usrpci_fault("kasprintf") ? NULL : \
	 kasprintf(_gfp, __VA_ARGS__))
#define ida_alloc_max(...) \
	usrpci_fault_or("ida_alloc_max", -ENOMEM, ida_alloc_max(__VA_ARGS__))
#define apply_to_page_range(...) usrpci_fault_apply(__VA_ARGS__)

/* The caller's memory */
#define memdup_user(...) \
	usrpci_fault_take(MEMORY, "memdup_user", ERR_PTR(-ENOMEM), \
			  usrpci_real_memdup_user(__VA_ARGS__))
#define vmemdup_user(...) \
	usrpci_fault_take(MEMORY, "vmemdup_user", ERR_PTR(-ENOMEM), \
			  usrpci_real_vmemdup_user(__VA_ARGS__))
#define copy_from_user(_to, _from, _len) \
	usrpci_fault_or("copy_from_user", (unsigned long)(_len), \
			copy_from_user(_to, _from, _len))
#define copy_to_user(_to, _from, _len) \
	usrpci_fault_or("copy_to_user", (unsigned long)(_len), copy_to_user(_to, _from, _len))
#define copy_struct_from_user(...) \
	usrpci_fault_or("copy_struct_from_user", -EFAULT, copy_struct_from_user(__VA_ARGS__))
#define get_user(_x, _ptr) \
	usrpci_fault_or("get_user", -EFAULT, \
			access_ok(_ptr, sizeof(*(_ptr))) ? __get_user(_x, _ptr) : -EFAULT)
#define put_user(_x, _ptr) \
	usrpci_fault_or("put_user", -EFAULT, \
			access_ok(_ptr, sizeof(*(_ptr))) ? __put_user(_x, _ptr) : -EFAULT)
#define user_access_begin(...) \
	usrpci_fault_or("user_access_begin", false, usrpci_real_user_access_begin(__VA_ARGS__))
#define pin_user_pages_fast(...) usrpci_fault_pin(__VA_ARGS__)
#define mmap_read_lock_killable(...) \
	usrpci_fault_or("mmap_read_lock_killable", -EINTR, mmap_read_lock_killable(__VA_ARGS__))
#define mutex_lock_killable(...) \
	usrpci_fault_or("mutex_lock_killable", -EINTR, \
			usrpci_real_mutex_lock_killable(__VA_ARGS__))
#define wait_for_completion_killable(...) \
	usrpci_fault_or("wait_for_completion_killable", -ERESTARTSYS, \
			wait_for_completion_killable(__VA_ARGS__))
#define vmf_insert_pfn_prot(...) \
	usrpci_fault_or("vmf_insert_pfn_prot", VM_FAULT_OOM, vmf_insert_pfn_prot(__VA_ARGS__))
#define eventfd_ctx_fdget(...) \
	usrpci_fault_take(EVENTFDS, "eventfd_ctx_fdget", ERR_PTR(-EBADF), \
			  eventfd_ctx_fdget(__VA_ARGS__))

/* Another process's memory: it isn't there, can't be had, or has changed meanwhile */
#define get_user_pages_fast_only(...) \
	usrpci_fault_or("get_user_pages_fast_only", 0, get_user_pages_fast_only(__VA_ARGS__))
#define pin_user_pages_fast_only(...) \
	usrpci_fault_or("pin_user_pages_fast_only", 0, pin_user_pages_fast_only(__VA_ARGS__))
#define get_user_pages_remote(...) \
	usrpci_fault_or("get_user_pages_remote", -ENOMEM, get_user_pages_remote(__VA_ARGS__))
#define pin_user_pages_remote(...) \
	usrpci_fault_or("pin_user_pages_remote", -ENOMEM, pin_user_pages_remote(__VA_ARGS__))
#define mmget_not_zero(...) \
	usrpci_fault_or("mmget_not_zero", false, mmget_not_zero(__VA_ARGS__))
#define mmu_interval_notifier_insert(...) \
	usrpci_fault_or("mmu_interval_notifier_insert", -ENOMEM, \
			mmu_interval_notifier_insert(__VA_ARGS__))
#define mmu_interval_read_retry(...) \
	usrpci_fault_or("mmu_interval_read_retry", true, mmu_interval_read_retry(__VA_ARGS__))

/* Files and threads */
#define anon_inode_getfile(...) \
	usrpci_fault_or("anon_inode_getfile", ERR_PTR(-ENFILE), anon_inode_getfile(__VA_ARGS__))
#define get_unused_fd_flags(...) \
	usrpci_fault_or("get_unused_fd_flags", -EMFILE, get_unused_fd_flags(__VA_ARGS__))
#define kthread_create_on_node(...) \
	usrpci_fault_or("kthread_create_on_node", ERR_PTR(-ENOMEM), \
			kthread_create_on_node(__VA_ARGS__))
#define alloc_workqueue(...) \
	usrpci_fault_or("alloc_workqueue", NULL, alloc_workqueue(__VA_ARGS__))

/* The device */
#define dma_map_page_attrs(...) \
	usrpci_fault_or("dma_map_page_attrs", DMA_MAPPING_ERROR, dma_map_page_attrs(__VA_ARGS__))
#define dma_map_sgtable(...) \
	usrpci_fault_or("dma_map_sgtable", -EIO, dma_map_sgtable(__VA_ARGS__))
#define dma_alloc_coherent(...) \
	usrpci_fault_take(COHERENT, "dma_alloc_coherent", NULL, dma_alloc_coherent(__VA_ARGS__))
#define dma_set_mask(...) \
	usrpci_fault_or("dma_set_mask", -EIO, dma_set_mask(__VA_ARGS__))
#define dma_set_coherent_mask(...) \
	usrpci_fault_or("dma_set_coherent_mask", -EIO, dma_set_coherent_mask(__VA_ARGS__))
#define dma_set_mask_and_coherent(...) \
	usrpci_fault_or("dma_set_mask_and_coherent", -EIO, dma_set_mask_and_coherent(__VA_ARGS__))
#define request_irq(...) \
	usrpci_fault_or("request_irq", -ENOMEM, request_irq(__VA_ARGS__))
#define pci_alloc_irq_vectors(...) \
	usrpci_fault_or("pci_alloc_irq_vectors", -ENOSPC, pci_alloc_irq_vectors(__VA_ARGS__))
#define pci_enable_device(...) \
	usrpci_fault_or("pci_enable_device", -EINVAL, pci_enable_device(__VA_ARGS__))
#define pci_request_regions(...) \
	usrpci_fault_or("pci_request_regions", -EBUSY, pci_request_regions(__VA_ARGS__))
#define pci_store_saved_state(...) \
	usrpci_fault_take(MEMORY, "pci_store_saved_state", NULL, \
			  pci_store_saved_state(__VA_ARGS__))
#define pci_iomap(...) \
	usrpci_fault_or("pci_iomap", NULL, pci_iomap(__VA_ARGS__))
#define pci_reset_function_locked(...) \
	usrpci_fault_or("pci_reset_function_locked", -EIO, pci_reset_function_locked(__VA_ARGS__))
#define pci_set_power_state(...) \
	usrpci_fault_or("pci_set_power_state", -EIO, pci_set_power_state(__VA_ARGS__))

/* What gives it back */
#define usrpci_fault_give(_what, _object, _call, ...)				\
({										\
	usrpci_give(USRPCI_HELD_##_what, (const void *)(_object));		\
	_call(__VA_ARGS__);							\
})

#define kfree(_p) usrpci_fault_give(MEMORY, _p, kfree, _p)
#define kmem_cache_free(_cache, _p) usrpci_fault_give(MEMORY, _p, kmem_cache_free, _cache, _p)
#define kvfree(_p) usrpci_fault_give(MEMORY, _p, kvfree, _p)
#define __free_page(_page) usrpci_fault_give(PAGES, _page, __free_pages, _page, 0)
#define free_page(_addr) usrpci_fault_give(PAGES, _addr, free_pages, _addr, 0)
#define dma_free_coherent(_dev, _len, _cpu, _bus) \
	usrpci_fault_give(COHERENT, _cpu, dma_free_coherent, _dev, _len, _cpu, _bus)
#define eventfd_ctx_put(_ctx) usrpci_fault_give(EVENTFDS, _ctx, eventfd_ctx_put, _ctx)

#define mmgrab(_mm) \
({										\
	usrpci_take(USRPCI_HELD_MMS, _mm);					\
	mmgrab(_mm);								\
})
#define mmdrop(_mm) usrpci_fault_give(MMS, _mm, mmdrop, _mm)
#define get_pid(_pid) usrpci_take(USRPCI_HELD_PIDS, get_pid(_pid))
#define put_pid(_pid) usrpci_fault_give(PIDS, _pid, put_pid, _pid)

/* The module and its functions */
#define alloc_chrdev_region(...) \
	usrpci_fault_or("alloc_chrdev_region", -EBUSY, alloc_chrdev_region(__VA_ARGS__))
#define usrpci_class_create(...) \
	usrpci_fault_or("class_create", ERR_PTR(-ENOMEM), usrpci_real_class_create(__VA_ARGS__))
#define dev_set_name(...) \
	usrpci_fault_or("dev_set_name", -ENOMEM, dev_set_name(__VA_ARGS__))
#define cdev_device_add(...) \
	usrpci_fault_or("cdev_device_add", -ENOMEM, cdev_device_add(__VA_ARGS__))
#undef pci_register_driver
#define pci_register_driver(_driver) \
	usrpci_fault_or("pci_register_driver", -ENOMEM, \
			__pci_register_driver(_driver, THIS_MODULE, KBUILD_MODNAME))

#define module_init(_init) __refconst int (*const usrpci_own_init)(void) = _init
#define module_exit(_exit) __refconst void (*const usrpci_own_exit)(void) = _exit

#endif /* USRPCI_FAULT_H */
