// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include "ranges.h"

static int by_address(const void *one, const void *other)
{
	const struct usrpci_range *a = one, *b = other;

	return ((uintptr_t)a->addr > (uintptr_t)b->addr) -
	       ((uintptr_t)a->addr < (uintptr_t)b->addr);
}

void usrpci_ranges_init(struct usrpci_ranges *ranges)
{
	pthread_mutex_init(&ranges->lock, NULL);
	ranges->tree = NULL;
}

void usrpci_ranges_destroy(struct usrpci_ranges *ranges)
{
	pthread_mutex_destroy(&ranges->lock);
}

int usrpci_ranges_add(struct usrpci_ranges *ranges, const struct usrpci_range *range)
{
	struct usrpci_range *copy = malloc(sizeof(*copy));
	struct usrpci_range **node;

	if (!copy)
		return -ENOMEM;
	*copy = *range;
	pthread_mutex_lock(&ranges->lock);
	node = tsearch(copy, &ranges->tree, by_address);
	/* The program munmapped what was there before behind our back. */
	if (node && *node != copy)
		**node = *range;
	else if (node)
		copy = NULL;
	pthread_mutex_unlock(&ranges->lock);
	free(copy);
	return node ? 0 : -ENOMEM;
}

/* Under the lock; @node is tsearch's, whose first field points to the range. */
static bool take(struct usrpci_ranges *ranges, void *node, struct usrpci_range *range)
{
	struct usrpci_range *found;

	if (!node)
		return false;
	found = *(struct usrpci_range **)node;
	tdelete(found, &ranges->tree, by_address);
	*range = *found;
	free(found);
	return true;
}

bool usrpci_ranges_take(struct usrpci_ranges *ranges, const void *addr,
			struct usrpci_range *range)
{
	const struct usrpci_range key = { .addr = (void *)addr };
	bool taken;

	pthread_mutex_lock(&ranges->lock);
	taken = take(ranges, tfind(&key, &ranges->tree, by_address), range);
	pthread_mutex_unlock(&ranges->lock);
	return taken;
}

/** struct search - For a handle. */
struct search {
	uint32_t handle;
	const struct usrpci_range *found;
};

static void look_at(const void *node, VISIT visit, void *arg)
{
	const struct usrpci_range *range = *(const struct usrpci_range *const *)node;
	struct search *search = arg;

	if (range->handle == search->handle)
		search->found = range;
}

bool usrpci_ranges_find(struct usrpci_ranges *ranges, uint32_t handle,
			struct usrpci_range *range)
{
	struct search search = { .handle = handle };

	pthread_mutex_lock(&ranges->lock);
	twalk_r(ranges->tree, look_at, &search);
	if (search.found)
		*range = *search.found;
	pthread_mutex_unlock(&ranges->lock);
	return search.found;
}

bool usrpci_ranges_take_any(struct usrpci_ranges *ranges, struct usrpci_range *range)
{
	bool taken;

	pthread_mutex_lock(&ranges->lock);
	taken = take(ranges, ranges->tree, range);
	pthread_mutex_unlock(&ranges->lock);
	return taken;
}
