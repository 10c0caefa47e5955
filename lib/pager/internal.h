/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_PAGER_INTERNAL_H
#define LIB_PAGER_INTERNAL_H

#include <linux/usrpci.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "backend.h"
#include "pager.h"
#include "vfio/iova.h"

/* Refusals that are kept till they're asked for. */
#define USRPCI_PAGER_REFUSALS	32U

/* No entry was named: the pager chooses. */
#define USRPCI_ANY_ENTRY	UINT32_MAX

#define USRPCI_SMALL_PAGE	4096ULL
#define USRPCI_LARGE_PAGE	(2ULL << 20)

struct usrpci_pager_space;

/**
 * struct usrpci_slot - An entry of the TLB.
 * @node: its addresses, among those of its space
 * @space: whose; NULL: it's empty
 * @older: among those of its space
 * @newer: the same
 * @bus: bus address
 * @handle: of the mapping
 * @write: the device may write there
 */
struct usrpci_slot {
	struct usrpci_iova node;
	struct usrpci_pager_space *space;
	struct usrpci_slot *older;
	struct usrpci_slot *newer;
	uint64_t bus;
	uint32_t handle;
	bool write;
};

/**
 * struct usrpci_pager_space - The process's memory, bound to the TLB.
 * @base: what the core knows
 * @pager: who serves it
 * @refs: the program's, and of a miss that is being served
 * @around: neighbours of a missed page that are translated too
 * @hangup: the other end of what is polled; -1: nothing is translated any more
 * @bound: it is, by its tag
 * @wanted: first byte of what is being mapped, or was last
 * @wanted_last: the last one
 * @outdated: it was taken back meanwhile
 * @resident: entries that the device has, by address
 * @oldest: the same, by age
 * @newest: the same
 * @stats: figures
 * @refusals: oldest first
 * @nr_refusals: of them
 * @lost: refusals that had no room
 *
 * All but the first two is guarded by the pager's lock.
 */
struct usrpci_pager_space {
	struct usrpci_space base;
	struct usrpci_pager *pager;
	unsigned int refs;
	unsigned int around;
	int hangup;
	bool bound;
	uint64_t wanted;
	uint64_t wanted_last;
	bool outdated;
	struct usrpci_iovas resident;
	struct usrpci_slot *oldest;
	struct usrpci_slot *newest;
	struct usrpci_space_stats stats;
	struct usrpci_refusal refusals[USRPCI_PAGER_REFUSALS];
	unsigned int nr_refusals;
	uint64_t lost;
};

/**
 * struct usrpci_pager - Who serves a device's misses.
 * @dev: the device
 * @desc: its TLB, as it was described
 * @ring: misses; NULL: they're in a FIFO
 * @owner: the process that has the thread; not its children
 * @gone: the device has
 * @wire: eventfd that the vector signals
 * @look: eventfd that has @thread look at the device, with no interrupt
 * @stop: eventfd that ends @thread
 * @thread: it
 * @lock: guards the rest
 * @taken: misses taken off the ring
 * @slots: entries
 * @hand: where to look for one to replace
 * @spaces: by tag
 * @held: how many are resetting the device
 * @era: times that it was
 * @broken: it doesn't do what it's told, and gets no DMA
 * @tell_broken: and that wasn't told yet
 * @nobody: misses of tags that no space has, not told yet
 * @nobody_tag: the last of these
 * @passed_on: eventfd of the program's that the vector is to signal; -1: none
 * @fired: so it would have, had there been one
 */
struct usrpci_pager {
	struct usrpci_device *dev;
	struct usrpci_ioc_tlb desc;
	const unsigned char *ring;
	pid_t owner;
	atomic_bool gone;
	int wire;
	int look;
	int stop;
	pthread_t thread;
	pthread_mutex_t lock;
	uint32_t taken;
	struct usrpci_slot *slots;
	uint32_t hand;
	struct usrpci_pager_space *spaces[USRPCI_TLB_MAX_TAGS];
	unsigned int held;
	unsigned int era;
	bool broken;
	bool tell_broken;
	uint64_t nobody;
	unsigned int nobody_tag;
	int passed_on;
	bool fired;
};

/**
 * struct usrpci_miss - What the device reports.
 * @addr: virtual address
 * @tag: whose
 * @write: it wants to write, or can't be kept from it
 * @entry: that it has given up, or USRPCI_ANY_ENTRY
 * @id: to answer by
 * @era: of the pager
 */
struct usrpci_miss {
	uint64_t addr;
	uint32_t tag;
	bool write;
	uint32_t entry;
	uint32_t id;
	unsigned int era;
};

/* Whether entries can be made and taken back. Under the lock. */
static inline bool usrpci_pager_reaches(const struct usrpci_pager *pager)
{
	return !pager->held && !pager->broken && !atomic_load(&pager->gone);
}

/* A child has the device, but neither the thread nor what it knows. */
bool usrpci_pager_is_ours(const struct usrpci_pager *pager);

uint64_t usrpci_pager_now_ns(void);

/* place.c: whether all that is described is there. */
int usrpci_pager_find(struct usrpci_pager *pager, unsigned int *fault);

/* --- talk.c: what is said to the device, in the words of its description. Under the lock --- */

void usrpci_pager_acknowledge(struct usrpci_pager *pager);
bool usrpci_pager_take_miss(struct usrpci_pager *pager, struct usrpci_miss *miss);
/* It was the last for now. */
void usrpci_pager_taken(struct usrpci_pager *pager);
void usrpci_pager_answer(struct usrpci_pager *pager, const struct usrpci_miss *miss,
			 bool translated);

/* The fields have room for this translation. */
bool usrpci_pager_can_hold(const struct usrpci_pager *pager, uint64_t addr, uint64_t bus);
void usrpci_pager_write_entry(struct usrpci_pager *pager, uint32_t index);

/* Tell the device to forget an entry, or all of a tag; then wait till it has. */
void usrpci_pager_clear_entry(struct usrpci_pager *pager, uint32_t index);
bool usrpci_pager_clear_tag(struct usrpci_pager *pager, uint32_t tag);
bool usrpci_pager_wait_cleared(struct usrpci_pager *pager, uint32_t index);

/* --- slot.c: which translations the device has. Under the lock --- */

struct usrpci_slot *usrpci_slot_find(struct usrpci_pager_space *space, uint64_t addr);

/*
 * Take back what overlaps @first to @last, or the oldest. When they return the device can't reach
 * that memory any more: if it doesn't obey it gets no DMA at all, and they give -EIO.
 */
int usrpci_slots_take_back(struct usrpci_pager_space *space, uint64_t first, uint64_t last);
int usrpci_slots_take_oldest(struct usrpci_pager_space *space);

/* The device has given it up, as it said itself. */
void usrpci_slot_given_up(struct usrpci_pager *pager, uint32_t index);

/* An empty entry: @index, or any; -EIO as above. */
int usrpci_slot_choose(struct usrpci_pager *pager, uint32_t index, struct usrpci_slot **slotp);

/* @slot, filled in, is @space's from now on. */
void usrpci_slot_occupy(struct usrpci_pager_space *space, struct usrpci_slot *slot);

/* Nothing that the device has is known any more: it has gone, or was stopped. */
void usrpci_slots_drop_all(struct usrpci_pager *pager);

/* --- page.c --- */

/**
 * struct usrpci_page - What a miss is translated to.
 * @addr: virtual address, of a page of that size
 * @len: bytes
 * @bus: bus address
 * @handle: of the mapping
 * @write: the device may write
 */
struct usrpci_page {
	uint64_t addr;
	uint64_t len;
	uint64_t bus;
	uint32_t handle;
	bool write;
};

/* Without the lock: it may wait for memory. 0 or enum usrpci_refusal_reason. */
int usrpci_page_map(struct usrpci_pager_space *space, uint64_t addr, bool write,
		    struct usrpci_page *page);
void usrpci_page_unmap(struct usrpci_pager *pager, const struct usrpci_page *page);

/* It is there: nothing has to be brought in. */
bool usrpci_page_is_there(uint64_t addr);

/* Why the process itself couldn't do that there. */
int usrpci_page_refusal(uint64_t addr, bool write);

/* --- space.c; under the lock --- */

void usrpci_pager_space_put(struct usrpci_pager_space *space);
void usrpci_pager_space_unbind(struct usrpci_pager_space *space);
void usrpci_pager_space_hang_up(struct usrpci_pager_space *space);
void usrpci_pager_space_refuse(struct usrpci_pager_space *space, const struct usrpci_miss *miss,
			       enum usrpci_refusal_reason reason);

/* --- serve.c --- */

/* Until told to stop, or the device has gone. */
void *usrpci_pager_run(void *arg);

#endif /* LIB_PAGER_INTERNAL_H */
