/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_MAPPING_H
#define USRPCI_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/refcount.h>

#include "object.h"
#include "pin.h"

struct mm_struct;
struct usrpci_file;
struct usrpci_ioc_region;
struct usrpci_reach;

/**
 * struct usrpci_mapping - Streaming: user memory, pinned and in the device's hands.
 * @obj: its handle
 * @refs: 1 till it's undone, by whoever does that, and 1 for the call that makes it,
 *	which tells of it outside the gate while teardown may undo it
 * @mm: whom it's charged to; grabbed
 * @charged: pages charged
 * @addr: virtual address
 * @len: bytes
 * @nr_pages: pinned, or to be
 * @sg: where in the caller's memory its runs are told
 * @room: for so many; 0: it doesn't want to know
 * @nr_runs: bus addresses that don't follow each other
 * @dir: who writes
 * @may_bounce: the caller lets it
 * @bounced: goes through a bounce buffer
 * @attached: the device has been able to reach it
 * @pins: the pages and their bus addresses
 */
struct usrpci_mapping {
	struct usrpci_object obj;
	refcount_t refs;
	struct mm_struct *mm;
	unsigned long charged;
	u64 addr;
	u64 len;
	unsigned long nr_pages;
	u64 sg;
	u32 room;
	u32 nr_runs;
	enum dma_data_direction dir;
	bool may_bounce;
	bool bounced;
	bool attached;
	struct usrpci_pinned pins;
};

static inline struct usrpci_mapping *to_usrpci_mapping(struct usrpci_object *obj)
{
	return container_of(obj, struct usrpci_mapping, obj);
}

int usrpci_mapping_init(void);
void usrpci_mapping_exit(void);

/* A mapping of what @region says, nothing pinned yet. */
struct usrpci_mapping *usrpci_mapping_alloc(const struct usrpci_ioc_region *region);

/* The call that made it is done with it. */
void usrpci_mapping_put(struct usrpci_mapping *m);

/* Let the device reach it. Inside the gate; 0, -ERANGE, -ENOMEM, -EIO. */
int usrpci_mapping_attach(struct usrpci_file *file, struct usrpci_mapping *m,
			  const struct usrpci_reach *reach);

/*
 * The two halves of undoing, for objects off the table: take the memory away
 * from the device (inside the gate, or in teardown), then unpin and let go (never
 * inside the gate). Between them lies usrpci_flush_iotlb(), once for many
 * since it costs as much for one.
 */
void usrpci_mapping_detach(struct usrpci_file *file, struct usrpci_mapping *m);
void usrpci_mapping_undo(struct usrpci_mapping *m);

/* Both halves' loops, over what was taken off the table. */
void usrpci_mappings_detach(struct usrpci_file *file, struct usrpci_object *taken);
void usrpci_mappings_undo(struct usrpci_object *taken);

#endif /* USRPCI_MAPPING_H */
