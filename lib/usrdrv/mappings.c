// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include "mappings.h"

/**
 * struct mapping - Memory that was mapped.
 * @virtaddr: as in struct mapping_info, as are the next three
 * @dmaaddr: first bus address
 * @size: bytes
 * @direction: who writes
 * @handle: the library's
 * @next: mapped of the same memory before
 */
struct mapping {
	uintptr_t virtaddr;
	unsigned long dmaaddr;
	unsigned int size;
	enum dma_data_direction direction;
	uint32_t handle;
	struct mapping *next;
};

static struct mapping mapping_of(const struct mapping_info *info)
{
	return (struct mapping){
		.virtaddr = (uintptr_t)info->virtaddr,
		.dmaaddr = info->dmaaddr,
		.size = info->size,
		.direction = info->direction,
	};
}

static int order(unsigned long a, unsigned long b)
{
	return (a > b) - (a < b);
}

static int compare(const void *one, const void *other)
{
	const struct mapping *a = one, *b = other;

	if (a->virtaddr != b->virtaddr)
		return order(a->virtaddr, b->virtaddr);
	if (a->dmaaddr != b->dmaaddr)
		return order(a->dmaaddr, b->dmaaddr);
	if (a->size != b->size)
		return order(a->size, b->size);
	return order(a->direction, b->direction);
}

int usrdrv_mappings_add(void **tree, const struct mapping_info *info, uint32_t handle)
{
	struct mapping *mapping = malloc(sizeof(*mapping));
	struct mapping **node;

	if (!mapping)
		return -ENOMEM;
	*mapping = mapping_of(info);
	mapping->handle = handle;
	node = tsearch(mapping, tree, compare);
	if (!node) {
		free(mapping);
		return -ENOMEM;
	}
	if (*node != mapping) {
		mapping->next = *node;
		*node = mapping;
	}
	return 0;
}

static struct mapping **find(void **tree, const struct mapping_info *info)
{
	const struct mapping key = mapping_of(info);

	return tfind(&key, tree, compare);
}

uint32_t usrdrv_mappings_find(void *tree, const struct mapping_info *info)
{
	struct mapping **node = find(&tree, info);

	return node ? (*node)->handle : 0;
}

void usrdrv_mappings_remove(void **tree, const struct mapping_info *info)
{
	struct mapping **node = find(tree, info);
	struct mapping *mapping;

	if (!node)
		return;
	mapping = *node;
	if (mapping->next)
		*node = mapping->next;
	else
		tdelete(mapping, tree, compare);
	free(mapping);
}

static void free_node(void *node)
{
	struct mapping *mapping = node, *next;

	for (; mapping; mapping = next) {
		next = mapping->next;
		free(mapping);
	}
}

void usrdrv_mappings_free(void **tree)
{
	tdestroy(*tree, free_node);
	*tree = NULL;
}
