/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: bus addresses that the library chooses itself
 *
 * A tree of all that is taken, which knows the largest hole below each of its
 * nodes: taking, giving back and looking up cost the logarithm of what is there.
 */
#ifndef LIB_VFIO_IOVA_H
#define LIB_VFIO_IOVA_H

#include <stdint.h>

/**
 * struct usrpci_iova - Bus addresses that are taken; whoever takes them embeds this.
 * @first: first of them
 * @last: last of them
 * @left: below it in the tree, and before it
 * @right: below it in the tree, and after it
 * @priority: no less than theirs; at random, which balances the tree
 * @low: first address of the subtree
 * @high: last address of the subtree
 * @hole: most addresses between two neighbours of the subtree
 */
struct usrpci_iova {
	uint64_t first;
	uint64_t last;
	struct usrpci_iova *left;
	struct usrpci_iova *right;
	uint64_t priority;
	uint64_t low;
	uint64_t high;
	uint64_t hole;
};

/**
 * struct usrpci_iovas - Those of one device.
 * @root: of the tree
 * @random: state of the generator of priorities
 * @bottom: the page at 0, which nobody gets
 * @top: the last page of 64 bits
 */
struct usrpci_iovas {
	struct usrpci_iova *root;
	uint64_t random;
	struct usrpci_iova bottom;
	struct usrpci_iova top;
};

void usrpci_iovas_init(struct usrpci_iovas *iovas);

/* Keeps the first and the last page from everybody; before anything can be taken by length. */
void usrpci_iovas_keep_ends(struct usrpci_iovas *iovas);

/*
 * Takes @len bytes that end at @last or before, the lowest there are; the first is @phase
 * modulo @align, a power of two. @len, @phase, and all that is taken already, are whole pages.
 * -ENOSPC.
 */
int usrpci_iovas_take(struct usrpci_iovas *iovas, struct usrpci_iova *iova, uint64_t len,
		      uint64_t last, uint64_t align, uint64_t phase);

/* Takes @iova->first to @iova->last, in which nothing may be taken. */
void usrpci_iovas_take_fixed(struct usrpci_iovas *iovas, struct usrpci_iova *iova);

void usrpci_iovas_give(struct usrpci_iovas *iovas, struct usrpci_iova *iova);

/* The first of which not all is below @addr, or NULL. */
struct usrpci_iova *usrpci_iovas_next(const struct usrpci_iovas *iovas, uint64_t addr);

/* What holds @addr, or NULL. */
struct usrpci_iova *usrpci_iovas_find(const struct usrpci_iovas *iovas, uint64_t addr);

#endif /* LIB_VFIO_IOVA_H */
