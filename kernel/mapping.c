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
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->addr = region->addr;
	m->len = region->len;
	m->nr_pages = PFN_UP(offset_in_page(region->addr) + region->len);
	m->dir = usrpci_dma_direction(region->direction);
	m->mm = current->mm;
	mmgrab(m->mm);
	return m;
}

static void usrpci_mapping_free(struct usrpci_mapping *m)
{
	usrpci_unpin_mapping(m, m->attached && m->dir != DMA_TO_DEVICE);
	usrpci_uncharge(m->mm, m->charged);
	mmdrop(m->mm);
	kfree(m);
}

int usrpci_mapping_attach(struct usrpci_file *file, struct usrpci_mapping *m, bool may_bounce)
{
	struct device *dev = usrpci_dma_device(file);
	struct sg_table *sgt = &m->pins.sgt;
	int err;

	may_bounce = may_bounce && usrpci_can_bounce(dev);
	if (!may_bounce && usrpci_beyond_mask(dev, sgt))
		return -ERANGE;
	err = dma_map_sgtable(dev, sgt, m->dir, DMA_ATTR_NO_WARN);
	if (err)
		return err == -ENOMEM ? err : -EIO;
	m->bounced = usrpci_is_bounced(dev, sgt);
	if (m->bounced && !may_bounce) {
		/* What the program wrote to it meanwhile stays. */
		dma_unmap_sgtable(dev, sgt, m->dir, DMA_ATTR_SKIP_CPU_SYNC);
		usrpci_flush_iotlb(dev);
		return -ERANGE;
	}
	m->attached = true;
	return 0;
}

void usrpci_mappings_detach(struct usrpci_file *file, struct list_head *mappings)
{
	struct device *dev = usrpci_dma_device(file);
	struct usrpci_object *obj;

	if (list_empty(mappings))
		return;
	list_for_each_entry(obj, mappings, list) {
		struct usrpci_mapping *m = to_usrpci_mapping(obj);

		trace_usrpci_unmap(file->function, m);
		dma_unmap_sgtable(dev, &m->pins.sgt, m->dir, 0);
	}
	usrpci_flush_iotlb(dev);
}

void usrpci_mappings_free(struct list_head *mappings)
{
	struct usrpci_object *obj, *next;

	list_for_each_entry_safe(obj, next, mappings, list)
		usrpci_mapping_free(to_usrpci_mapping(obj));
}
