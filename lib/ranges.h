/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_RANGES_H
#define LIB_RANGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct usrpci_range - Memory that this process has mapped.
 * @addr: first byte
 * @len: bytes
 * @handle: the backend's, for coherent memory
 */
struct usrpci_range {
	void *addr;
	size_t len;
	uint32_t handle;
};

/**
 * struct usrpci_ranges - Finds a range by its first byte.
 * @lock: guards @tree
 * @tree: of tsearch(3), so that a search doesn't grow with the ranges
 */
struct usrpci_ranges {
	pthread_mutex_t lock;
	void *tree;
};

void usrpci_ranges_init(struct usrpci_ranges *ranges);

/* The ranges must have been taken out. */
void usrpci_ranges_destroy(struct usrpci_ranges *ranges);

/* Return: 0 or -ENOMEM. */
int usrpci_ranges_add(struct usrpci_ranges *ranges, const struct usrpci_range *range);

/* Take the range that starts at @addr. Of two callers one gets it. */
bool usrpci_ranges_take(struct usrpci_ranges *ranges, const void *addr,
			struct usrpci_range *range);

/* A copy of the one that has @handle; looks at all of them. */
bool usrpci_ranges_find(struct usrpci_ranges *ranges, uint32_t handle,
			struct usrpci_range *range);

/* Take any range. */
bool usrpci_ranges_take_any(struct usrpci_ranges *ranges, struct usrpci_range *range);

#endif /* LIB_RANGES_H */
