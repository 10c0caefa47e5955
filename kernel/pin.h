/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_PIN_H
#define USRPCI_PIN_H

#include <linux/scatterlist.h>

struct usrpci_chunk;
struct usrpci_mapping;

/**
 * struct usrpci_pinned - Pinned pages, neighbours merged, and their bus addresses.
 * @sgt: all of them, from @first on
 * @chunks: where the entries lie that come after it, the newest first
 * @first: an entry, so that one needs no memory of its own; and room for a link
 */
struct usrpci_pinned {
	struct sg_table sgt;
	struct usrpci_chunk *chunks;
	struct scatterlist first[2];
};

/* As sg_next(), but no call: it's a good part of what a page costs. */
static inline struct scatterlist *usrpci_sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

#define usrpci_for_each_sg(_pins, _sg, _i)					\
	for (_i = 0, _sg = (_pins)->sgt.sgl; _i < (_pins)->sgt.orig_nents;	\
	     _i++, _sg = usrpci_sg_next(_sg))

#define usrpci_for_each_dma_sg(_pins, _sg, _i)				\
	for (_i = 0, _sg = (_pins)->sgt.sgl; _i < (_pins)->sgt.nents;	\
	     _i++, _sg = usrpci_sg_next(_sg))

int usrpci_pin_init(void);
void usrpci_pin_exit(void);

/*
 * Pin a mapping's pages into its scatterlist, in entries of up to @max_segment
 * bytes. May sleep for as long as a user likes: never inside the gate.
 */
int usrpci_pin_mapping(struct usrpci_mapping *m, unsigned int max_segment);

/* @dirty: the device may have written there. The scatterlist can still be read. */
void usrpci_unpin_mapping(struct usrpci_mapping *m, bool dirty);

/* Its scatterlist, once its pages are unpinned. */
void usrpci_pinned_free(struct usrpci_pinned *pins);

#endif /* USRPCI_PIN_H */
