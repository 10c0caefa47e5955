// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/usrpci.h>

#include "account.h"
#include "file.h"
#include "mapping.h"
#include "pin.h"
#include "trace.h"

static struct kmem_cache *usrpci_mappings;

/* Nothing is to be made, but what has a constructor isn't zeroed at each allocation. */
static void usrpci_mapping_construct(void *m)
{
}

int usrpci_mapping_init(void)
{
	usrpci_mappings = kmem_cache_create("usrpci_mapping", sizeof(struct usrpci_mapping), 0,
					    SLAB_ACCOUNT, usrpci_mapping_construct);
	return usrpci_mappings ? 0 : -ENOMEM;
}

void usrpci_mapping_exit(void)
{
	kmem_cache_destroy(usrpci_mappings);
}

static int usrpci_region_check(const struct usrpci_ioc_region *region)
{
	if (!region->len || region->addr + region->len - 1 < region->addr)
		return -EINVAL;
	if (region->direction > USRPCI_FROM_DEVICE || region->reserved ||
	    region->flags & ~USRPCI_MAP_NO_BOUNCE)
		return -EINVAL;
	if (!access_ok(u64_to_user_ptr(region->addr), region->len))
		return -EFAULT;
	return 0;
}

static enum dma_data_direction usrpci_dma_direction(u32 direction)
{
	switch (direction) {
	case USRPCI_TO_DEVICE:
		return DMA_TO_DEVICE;
	case USRPCI_FROM_DEVICE:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

struct usrpci_mapping *usrpci_mapping_alloc(const struct usrpci_ioc_region *region)
{
	struct usrpci_mapping *m;
	int err;

	err = usrpci_region_check(region);
	if (err)
		return ERR_PTR(err);
	m = kmem_cache_alloc(usrpci_mappings, GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	*m = (struct usrpci_mapping){
		.refs = REFCOUNT_INIT(2),
		.mm = current->mm,
		.addr = region->addr,
		.len = region->len,
		.nr_pages = PFN_UP(offset_in_page(region->addr) + region->len),
		.sg = region->sg,
		.room = region->nr_sg,
		.dir = usrpci_dma_direction(region->direction),
		.may_bounce = !(region->flags & USRPCI_MAP_NO_BOUNCE),
	};
	mmgrab(m->mm);
	return m;
}

void usrpci_mapping_put(struct usrpci_mapping *m)
{
	if (!refcount_dec_and_test(&m->refs))
		return;
	usrpci_pinned_free(&m->pins);
	kmem_cache_free(usrpci_mappings, m);
}

int usrpci_mapping_attach(struct usrpci_file *file, struct usrpci_mapping *m,
			  const struct usrpci_reach *reach)
{
	struct device *dev = usrpci_dma_device(file);
	struct sg_table *sgt = &m->pins.sgt;
	bool may_bounce = m->may_bounce && reach->can_bounce;
	int err;

	if (!may_bounce && !reach->translated && usrpci_beyond_mask(dev, sgt))
		return -ERANGE;
	err = dma_map_sgtable(dev, sgt, m->dir, DMA_ATTR_NO_WARN);
	if (err)
		return err == -ENOMEM ? err : -EIO;
	m->nr_runs = usrpci_count_runs(dev, reach, &m->pins, &m->bounced);
	if (m->bounced && !may_bounce) {
		/* What the program wrote to it meanwhile stays. */
		dma_unmap_sgtable(dev, sgt, m->dir, DMA_ATTR_SKIP_CPU_SYNC);
		usrpci_flush_iotlb(dev);
		return -ERANGE;
	}
	m->attached = true;
	return 0;
}

void usrpci_mapping_detach(struct usrpci_file *file, struct usrpci_mapping *m)
{
	trace_usrpci_unmap(file->function, m);
	dma_unmap_sgtable(usrpci_dma_device(file), &m->pins.sgt, m->dir, 0);
}

void usrpci_mapping_undo(struct usrpci_mapping *m)
{
	usrpci_unpin_mapping(m, m->attached && m->dir != DMA_TO_DEVICE);
	usrpci_uncharge(m->mm, m->charged);
	mmdrop(m->mm);
	usrpci_mapping_put(m);
}

void usrpci_mappings_detach(struct usrpci_file *file, struct usrpci_object *taken)
{
	struct usrpci_object *obj;

	for (obj = taken; obj; obj = obj->next)
		usrpci_mapping_detach(file, to_usrpci_mapping(obj));
	if (taken)
		usrpci_flush_iotlb(usrpci_dma_device(file));
}

void usrpci_mappings_undo(struct usrpci_object *taken)
{
	struct usrpci_object *next;

	for (; taken; taken = next) {
		next = taken->next;
		usrpci_mapping_undo(to_usrpci_mapping(taken));
	}
}
