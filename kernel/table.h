/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Handles, and what they stand for. To give one, find one or take one back costs the
 * same however many there are. A handle that was taken back is given again as late as
 * can be, so that one who still uses it is told so: after some 250 others at least, unless
 * memory is short.
 */
#ifndef USRPCI_TABLE_H
#define USRPCI_TABLE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct usrpci_table - A table of handles, from 1 on.
 * @lock: guards all of it, but for what is said to need it not
 * @growing: whoever makes it larger: one at a time
 * @leaves: slots, USRPCI_TABLE_LEAF at a time: an object, or a free handle's successor
 * @nr_leaves: that there are
 * @room: for so many
 * @nr: handles that are given
 * @first: free handle, the next to be given; 0: there's none
 * @last: free handle, the one that was taken back last
 */
struct usrpci_table {
	spinlock_t lock; /* see there */
	struct mutex growing; /* see there */
	unsigned long **leaves;
	u32 nr_leaves;
	u32 room;
	u32 nr;
	u32 first;
	u32 last;
};

/* 0 or -ENOMEM: it has some room from the start, so that most calls leave it as it is. */
int usrpci_table_init(struct usrpci_table *table);
void usrpci_table_destroy(struct usrpci_table *table);

/* Without the lock; may sleep. 0, -ENOMEM, -ENOSPC. */
int usrpci_table_add(struct usrpci_table *table, void *object, u32 *handle);

/* Under the lock. @handle may be any number, or, to be removed, was found. */
void *usrpci_table_find(struct usrpci_table *table, u32 handle);
void usrpci_table_remove(struct usrpci_table *table, u32 handle);

/* All handles are below; without the lock, as long as nobody adds one. */
u32 usrpci_table_size(const struct usrpci_table *table);

/*
 * Under the lock: the first object from *@handle on, and its handle. NULL: there's none for a
 * while, and *@handle is where to look on, so that the lock isn't held for all of the table.
 */
void *usrpci_table_next(struct usrpci_table *table, u32 *handle);

#endif /* USRPCI_TABLE_H */
