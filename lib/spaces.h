/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: address spaces, whoever serves them
 *
 * A backend whose kernel serves misses has spaces of its own; those of all others are
 * lib/pager's. Both embed struct usrpci_space.
 */
#ifndef LIB_SPACES_H
#define LIB_SPACES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci/space.h>

struct usrpci_pager;

/**
 * struct usrpci_space_ops - What a space can do. All return 0 or a negative errno.
 * @forget: @first to @last
 * @refusal: see usrpci_space_refusal()
 * @stats: see usrpci_space_stats()
 * @detach: the device is about to be closed: nothing is translated any more, and the descriptor
 *	hangs up
 * @free: the same if that wasn't yet, and the space is gone
 */
struct usrpci_space_ops {
	int (*forget)(struct usrpci_space *space, uint64_t first, uint64_t last);
	int (*refusal)(struct usrpci_space *space, struct usrpci_refusal *refusal);
	int (*stats)(struct usrpci_space *space, struct usrpci_space_stats *stats);
	void (*detach)(struct usrpci_space *space);
	void (*free)(struct usrpci_space *space);
};

/**
 * struct usrpci_space - A process's memory, bound to a device's TLB.
 * @ops: who serves it
 * @dev: the device; NULL once it has been closed
 * @tag: what the device calls it
 * @fd: to poll
 * @next: of the device's
 */
struct usrpci_space {
	const struct usrpci_space_ops *ops;
	struct usrpci_device *dev;
	unsigned int tag;
	int fd;
	struct usrpci_space *next;
};

/**
 * struct usrpci_spaces - A device's.
 * @lock: guards the rest, but for reading @pager
 * @described: so was the TLB, through this device
 * @refused: the last description that was none, to be explained
 * @pager: serves misses; NULL: the kernel does, or nobody
 * @first: all of them
 */
struct usrpci_spaces {
	pthread_mutex_t lock;
	bool described;
	struct usrpci_tlb refused;
	struct usrpci_pager *pager;
	struct usrpci_space *first;
};

void usrpci_spaces_init(struct usrpci_spaces *spaces);
void usrpci_spaces_destroy(struct usrpci_spaces *spaces);

/* The device is about to be closed: its spaces end. */
void usrpci_spaces_detach(struct usrpci_spaces *spaces);

static inline struct usrpci_pager *usrpci_spaces_pager(struct usrpci_spaces *spaces)
{
	return __atomic_load_n(&spaces->pager, __ATOMIC_ACQUIRE);
}

#endif /* LIB_SPACES_H */
