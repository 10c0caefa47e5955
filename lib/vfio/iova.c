// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stddef.h>
#include "iova.h"

#define PAGE	4096ULL

/* Addresses strictly between two that are taken. */
static uint64_t between(uint64_t last, uint64_t first)
{
	return first - last - 1;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void update(struct usrpci_iova *node)
{
	node->low = node->left ? node->left->low : node->first;
	node->high = node->right ? node->right->high : node->last;
	node->hole = 0;
	if (node->left)
		node->hole = larger(node->left->hole, between(node->left->high, node->first));
	if (node->right)
		node->hole = larger(node->hole,
				    larger(node->right->hole,
					   between(node->last, node->right->low)));
}

/* All of @low is before all of @high. */
static struct usrpci_iova *join(struct usrpci_iova *low, struct usrpci_iova *high)
{
	if (!low || !high)
		return low ? low : high;
	if (low->priority >= high->priority) {
		low->right = join(low->right, high);
		update(low);
		return low;
	}
	high->left = join(low, high->left);
	update(high);
	return high;
}

static void split(struct usrpci_iova *node, uint64_t at, struct usrpci_iova **low,
		  struct usrpci_iova **high)
{
	if (!node) {
		*low = NULL;
		*high = NULL;
		return;
	}
	if (node->first < at) {
		split(node->right, at, &node->right, high);
		*low = node;
	} else {
		split(node->left, at, low, &node->left);
		*high = node;
	}
	update(node);
}

/* xorshift64: nobody who could guess it gains anything. */
static uint64_t draw(struct usrpci_iovas *iovas)
{
	iovas->random ^= iovas->random << 13;
	iovas->random ^= iovas->random >> 7;
	iovas->random ^= iovas->random << 17;
	return iovas->random;
}

void usrpci_iovas_take_fixed(struct usrpci_iovas *iovas, struct usrpci_iova *iova)
{
	struct usrpci_iova *low, *high;

	iova->left = NULL;
	iova->right = NULL;
	iova->priority = draw(iovas);
	update(iova);
	split(iovas->root, iova->first, &low, &high);
	iovas->root = join(join(low, iova), high);
}

void usrpci_iovas_init(struct usrpci_iovas *iovas)
{
	iovas->root = NULL;
	iovas->random = 0x9e3779b97f4a7c15;
}

void usrpci_iovas_keep_ends(struct usrpci_iovas *iovas)
{
	iovas->bottom = (struct usrpci_iova){ .first = 0, .last = PAGE - 1 };
	iovas->top = (struct usrpci_iova){ .first = UINT64_MAX - PAGE + 1, .last = UINT64_MAX };
	usrpci_iovas_take_fixed(iovas, &iovas->bottom);
	usrpci_iovas_take_fixed(iovas, &iovas->top);
}

/* The first address of the lowest hole of @len; there is one below @node. */
static uint64_t lowest(const struct usrpci_iova *node, uint64_t len)
{
	for (;;) {
		const struct usrpci_iova *left = node->left;

		if (left && between(left->high, node->first) >= len && left->hole < len)
			return left->high + 1;
		if (left && left->hole >= len) {
			node = left;
			continue;
		}
		if (between(node->last, node->right->low) >= len)
			return node->last + 1;
		node = node->right;
	}
}

int usrpci_iovas_take(struct usrpci_iovas *iovas, struct usrpci_iova *iova, uint64_t len,
		      uint64_t last, uint64_t align, uint64_t phase)
{
	const uint64_t room = align > PAGE ? len + align - PAGE : len;
	uint64_t first;

	if (!len || room < len || !iovas->root || iovas->root->hole < room)
		return -ENOSPC;
	first = lowest(iovas->root, room);
	if (align > PAGE)
		first += (phase - first) & (align - 1);
	if (first > last || len - 1 > last - first)
		return -ENOSPC;
	iova->first = first;
	iova->last = first + len - 1;
	usrpci_iovas_take_fixed(iovas, iova);
	return 0;
}

void usrpci_iovas_give(struct usrpci_iovas *iovas, struct usrpci_iova *iova)
{
	struct usrpci_iova *low, *rest, *self, *high = NULL;

	split(iovas->root, iova->first, &low, &rest);
	/* Nothing can be after the last address of all. */
	if (iova->first != UINT64_MAX)
		split(rest, iova->first + 1, &self, &high);
	iovas->root = join(low, high);
}

struct usrpci_iova *usrpci_iovas_next(const struct usrpci_iovas *iovas, uint64_t addr)
{
	struct usrpci_iova *node = iovas->root, *next = NULL;

	while (node) {
		if (node->last < addr) {
			node = node->right;
		} else {
			next = node;
			node = node->left;
		}
	}
	return next;
}

struct usrpci_iova *usrpci_iovas_find(const struct usrpci_iovas *iovas, uint64_t addr)
{
	struct usrpci_iova *next = usrpci_iovas_next(iovas, addr);

	return next && next->first <= addr ? next : NULL;
}
