// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/bits.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "file.h"
#include "table.h"

#define USRPCI_TABLE_LEAF	(PAGE_SIZE / sizeof(unsigned long))

/* A coherent buffer's file offset has this much room for its handle. */
#define USRPCI_TABLE_LEAVES	((u32)(BIT(62 - USRPCI_COHERENT_SHIFT) / USRPCI_TABLE_LEAF))

/* An object's address is even. */
#define USRPCI_TABLE_FREE	1UL

static unsigned long usrpci_table_link(u32 next)
{
	return (unsigned long)next << 1 | USRPCI_TABLE_FREE;
}

static unsigned long *usrpci_table_slot(struct usrpci_table *table, u32 handle)
{
	return &table->leaves[handle / USRPCI_TABLE_LEAF][handle % USRPCI_TABLE_LEAF];
}

u32 usrpci_table_size(const struct usrpci_table *table)
{
	return READ_ONCE(table->nr_leaves) * USRPCI_TABLE_LEAF;
}

void usrpci_table_destroy(struct usrpci_table *table)
{
	u32 i;

	WARN_ON_ONCE(table->nr);
	for (i = 0; i < table->nr_leaves; i++)
		kfree(table->leaves[i]);
	kvfree(table->leaves);
}

/* Room for more leaves. Only who grows the table changes where they are. */
static int usrpci_table_widen(struct usrpci_table *table)
{
	u32 room = max(2 * table->room, 8U);
	unsigned long **leaves;

	leaves = kvcalloc(room, sizeof(*leaves), GFP_KERNEL_ACCOUNT);
	if (!leaves)
		return -ENOMEM;
	if (table->nr_leaves)
		memcpy(leaves, table->leaves, table->nr_leaves * sizeof(*leaves));
	spin_lock(&table->lock);
	swap(table->leaves, leaves);
	table->room = room;
	spin_unlock(&table->lock);
	kvfree(leaves);
	return 0;
}

/* Free handles from @first to @last, linked, behind those that there are. */
static void usrpci_table_append(struct usrpci_table *table, u32 first, u32 last)
{
	if (table->first)
		*usrpci_table_slot(table, table->last) = usrpci_table_link(first);
	else
		table->first = first;
	table->last = last;
}

static int usrpci_table_grow(struct usrpci_table *table)
{
	u32 first = table->nr_leaves * USRPCI_TABLE_LEAF;
	unsigned long *leaf;
	unsigned int i;

	if (table->nr_leaves == USRPCI_TABLE_LEAVES)
		return -ENOSPC;
	if (table->nr_leaves == table->room && usrpci_table_widen(table))
		return -ENOMEM;
	leaf = kcalloc(USRPCI_TABLE_LEAF, sizeof(*leaf), GFP_KERNEL_ACCOUNT);
	if (!leaf)
		return -ENOMEM;
	for (i = 0; i < USRPCI_TABLE_LEAF - 1; i++)
		leaf[i] = usrpci_table_link(first + i + 1);
	leaf[i] = usrpci_table_link(0);
	spin_lock(&table->lock);
	table->leaves[table->nr_leaves++] = leaf;
	/* 0 is no handle. */
	usrpci_table_append(table, first ?: 1, first + i);
	spin_unlock(&table->lock);
	return 0;
}

int usrpci_table_init(struct usrpci_table *table)
{
	int err;

	spin_lock_init(&table->lock);
	mutex_init(&table->growing);
	err = usrpci_table_grow(table);
	if (err)
		usrpci_table_destroy(table);
	return err;
}

static bool usrpci_table_give(struct usrpci_table *table, void *object, u32 *handle)
{
	unsigned long *slot;

	spin_lock(&table->lock);
	*handle = table->first;
	if (*handle) {
		slot = usrpci_table_slot(table, *handle);
		table->first = *slot >> 1;
		*slot = (unsigned long)object;
		table->nr++;
	}
	spin_unlock(&table->lock);
	return *handle;
}

static bool usrpci_table_is_short(const struct usrpci_table *table)
{
	return usrpci_table_size(table) - READ_ONCE(table->nr) < USRPCI_TABLE_LEAF / 2;
}

/* Before none is free, so that a handle rests before it's given again. */
static int usrpci_table_prepare(struct usrpci_table *table)
{
	int err = 0;

	if (!usrpci_table_is_short(table))
		return 0;
	mutex_lock(&table->growing);
	/* Another may just have done so, or taken handles back. */
	if (usrpci_table_is_short(table))
		err = usrpci_table_grow(table);
	mutex_unlock(&table->growing);
	return err;
}

int usrpci_table_add(struct usrpci_table *table, void *object, u32 *handle)
{
	int err;

	do {
		err = usrpci_table_prepare(table);
	} while (!usrpci_table_give(table, object, handle) && !err);
	return *handle ? 0 : err;
}

void *usrpci_table_find(struct usrpci_table *table, u32 handle)
{
	u32 size = table->nr_leaves * USRPCI_TABLE_LEAF;
	unsigned long slot;

	if (handle >= size)
		return NULL;
	slot = *usrpci_table_slot(table, array_index_nospec(handle, size));
	return slot & USRPCI_TABLE_FREE ? NULL : (void *)slot;
}

void usrpci_table_remove(struct usrpci_table *table, u32 handle)
{
	*usrpci_table_slot(table, handle) = usrpci_table_link(0);
	usrpci_table_append(table, handle, handle);
	table->nr--;
}

void *usrpci_table_next(struct usrpci_table *table, u32 *handle)
{
	u32 end = round_up(*handle + 1, USRPCI_TABLE_LEAF);
	void *object;

	for (; *handle < end; (*handle)++) {
		object = usrpci_table_find(table, *handle);
		if (object)
			return object;
	}
	return NULL;
}
