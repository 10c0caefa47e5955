/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_MAPPING_H
#define USRPCI_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/scatterlist.h>

#include "object.h"

struct mm_struct;
struct usrpci_file;
struct usrpci_ioc_region;

/**
 * struct usrpci_mapping - Streaming: user memory, pinned and in the device's hands.
 * @obj: its handle
 * @mm: whom it's charged to; grabbed
 * @charged: pages charged
 * @addr: virtual address
 * @len: bytes
 * @nr_pages: pinned, or to be
 * @dir: who writes
 * @bounced: goes through a bounce buffer
 * @attached: the device has been able to reach it
 * @pins: the pages, neighbours merged, and their bus addresses
 */
struct usrpci_mapping {
	struct usrpci_object obj;
	struct mm_struct *mm;
	unsigned long charged;
	u64 addr;
	u64 len;
	unsigned long nr_pages;
	enum dma_data_direction dir;
	bool bounced;
	bool attached;
	struct sg_append_table pins;
};

static inline struct usrpci_mapping *to_usrpci_mapping(struct usrpci_object *obj)
{
	return container_of(obj, struct usrpci_mapping, obj);
}

/* A mapping of what @region says, nothing pinned yet. */
struct usrpci_mapping *usrpci_mapping_alloc(const struct usrpci_ioc_region *region);

/* Let the device reach it. Inside the gate; 0, -ERANGE, -ENOMEM, -EIO. */
int usrpci_mapping_attach(struct usrpci_file *file, struct usrpci_mapping *m, bool may_bounce);

/*
 * The two halves of undoing, for objects off the table: take the memory away
 * from the device (inside the gate, or in teardown), then unpin and free (never
 * inside the gate). They are done for many at once since a flush of the IOTLB
 * costs as much for one.
 */
void usrpci_mappings_detach(struct usrpci_file *file, struct list_head *mappings);
void usrpci_mappings_free(struct list_head *mappings);

#endif /* USRPCI_MAPPING_H */
