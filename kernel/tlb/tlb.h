/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The TLB that a device has, and which translations are in it.
 *
 * Lock order, from the outside in:
 *    device_lock, mmap_lock    outside, with what the kernel holds when it changes
 *                              page tables or reclaims memory
 *    gate                      read: while misses are served
 *    tlb->lock                 entries, spaces, and all the device's registers for them
 *    vector lock, queue lock   (spinlocks)
 * An address space's notifier takes tlb->lock from the midst of reclaim: nothing under
 * it waits for memory, and it isn't under the gate. So whoever makes the registers
 * unusable holds the TLB first, which leaves it empty.
 */
#ifndef USRPCI_TLB_H
#define USRPCI_TLB_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/usrpci.h>

#include "record.h"

struct usrpci_batch;
struct usrpci_coherent;
struct usrpci_command;
struct usrpci_file;
struct usrpci_pins;
struct usrpci_space;

/**
 * struct usrpci_tlb_reg - A register, found.
 * @reg: where; NULL: none
 * @width: bytes
 */
struct usrpci_tlb_reg {
	void __iomem *reg;
	u32 width;
};

/**
 * struct usrpci_tlb_command - A register that tells the device something.
 * @to: it
 * @arg: where its argument lies
 * @value: the rest of what is written
 */
struct usrpci_tlb_command {
	struct usrpci_tlb_reg to;
	struct usrpci_bits arg;
	u64 value;
};

/**
 * struct usrpci_pin - A page that the device has, pinned.
 * @list: of those to be unpinned
 * @next: of those that are spare
 * @page: the first
 * @nr: how many of 4 KiB
 * @dirty: the device may have written there
 * @mm: whom it's charged to; grabbed
 */
struct usrpci_pin {
	union {
		struct list_head list;
		struct usrpci_pin *next;
	};
	struct page *page;
	unsigned int nr;
	bool dirty;
	struct mm_struct *mm;
};

/**
 * struct usrpci_slot - An entry of the TLB.
 * @node: its addresses, among those of its space
 * @space: whose; NULL: it's empty
 * @age: among those of its space, oldest first
 * @gone: of those that are taken back together
 * @bus: bus address
 * @large: 2 MiB
 * @write: the device may write there
 * @pin: of its page; NULL where pages are mirrored
 */
struct usrpci_slot {
	struct interval_tree_node node;
	struct usrpci_space *space;
	struct list_head age;
	struct list_head gone;
	dma_addr_t bus;
	bool large;
	bool write;
	struct usrpci_pin *pin;
};

/* The fields of a miss and of an entry, as of the description. */
struct usrpci_miss_bits {
	struct usrpci_bits valid;
	struct usrpci_bits addr;
	struct usrpci_bits tag;
	struct usrpci_bits write;
	struct usrpci_bits entry;
	struct usrpci_bits id;
};

struct usrpci_entry_bits {
	struct usrpci_bits valid;
	struct usrpci_bits addr;
	struct usrpci_bits tag;
	struct usrpci_bits bus;
	struct usrpci_bits write;
	struct usrpci_bits large;
};

/**
 * struct usrpci_tlb - A device's TLB.
 * @ref: the file's, and one of each space
 * @file: whose; only while it isn't dead
 * @desc: what the user said of it
 * @miss_bits: of it, made ready
 * @entry_bits: the same
 * @miss: FIFO or the ring's counter
 * @entries: the first word of the first
 * @ack: commands, as of @desc
 * @go_on: -"-
 * @refuse: -"-
 * @invalidate: -"-
 * @invalidate_tag: -"-
 * @done: -"-
 * @ring: what the ring lies in; referenced
 * @ring_at: the ring
 * @taken: misses taken off the ring
 * @lock: guards what follows
 * @slots: entries
 * @hand: where to look for one to replace
 * @spaces: by tag
 * @next_tag: that is given away, if it's free
 * @holds: why the device's registers can't be used: nobody has an entry meanwhile
 * @era: resets so far: a miss of before is the device's no more
 * @broken: the device doesn't do what it's told, and gets no DMA
 * @stopped: the device was, and is told nothing any more
 * @took_back: entries were, by who has the lock, since it last let others have it
 * @scratch: room for the pages of 2 MiB; the server's
 * @server: the thread that serves misses
 * @batch: those that it serves now; the server's
 * @waiting: misses that wait for memory; the server's
 * @waits: they; the server's
 * @unbound: a space was, of which some may wait
 * @masked: so is the vector, by a storm; the server's
 * @rested: it was for a while
 * @asked: an interrupt has come since it last looked
 * @asked_at: when, in ns
 * @queue_lock: guards what follows
 * @ready: misses whose memory has been brought in
 * @unpin: pages that the device can't reach any more
 * @spare: pins that nobody needs now
 * @pins: what all of them lie in
 */
struct usrpci_tlb {
	struct kref ref;
	struct usrpci_file *file;
	struct usrpci_ioc_tlb desc;
	struct usrpci_miss_bits miss_bits;
	struct usrpci_entry_bits entry_bits;
	struct usrpci_tlb_reg miss;
	struct usrpci_tlb_reg entries;
	struct usrpci_tlb_command ack;
	struct usrpci_tlb_command go_on;
	struct usrpci_tlb_command refuse;
	struct usrpci_tlb_command invalidate;
	struct usrpci_tlb_command invalidate_tag;
	struct usrpci_tlb_reg done;
	struct usrpci_coherent *ring;
	void *ring_at;
	u32 taken;
	struct mutex lock; /* slots, spaces, registers */
	struct usrpci_slot *slots;
	u32 hand;
	struct usrpci_space *spaces[USRPCI_TLB_MAX_TAGS];
	u32 next_tag;
	unsigned long holds;
	unsigned int era;
	bool broken;
	bool stopped;
	bool took_back;
	struct page **scratch;
	struct task_struct *server;
	struct usrpci_batch *batch;
	unsigned int waiting;
	struct list_head waits;
	bool unbound;
	bool masked;
	bool rested;
	bool asked;
	u64 asked_at;
	spinlock_t queue_lock; /* what follows */
	struct list_head ready;
	struct list_head unpin;
	struct usrpci_pin *spare;
	struct usrpci_pins *pins;
};

/* Why the TLB is held. */
enum usrpci_hold {
	USRPCI_HOLD_RESET,
	USRPCI_HOLD_DECODE,
};

/*
 * Before the device's registers can't be used any more: the device has no entry from
 * then on, and none is made till the last reason is gone. Inside the gate, alone, as
 * far as there is a file's TLB.
 */
void usrpci_tlb_hold(struct usrpci_file *file, enum usrpci_hold why);
void usrpci_tlb_release(struct usrpci_file *file, enum usrpci_hold why);

/*
 * Whether the function decodes its memory is known anew. Inside the gate, alone; held already,
 * for this or another reason.
 */
void usrpci_tlb_follow_decode(struct usrpci_file *file);

/* The device has reset itself, while it was held. Inside the gate, alone. */
void usrpci_tlb_forget_reset(struct usrpci_file *file);

/*
 * What the device has, and which answers it waits for, nobody knows any more: it gets no
 * DMA. Under device_lock.
 */
void usrpci_tlb_give_up(struct usrpci_file *file);

/*
 * The device may do DMA: -EIO if it didn't forget what it was told to, which may turn
 * out at any time. Inside the gate.
 */
int usrpci_tlb_start_master(struct usrpci_file *file);
bool usrpci_tlb_broken(struct usrpci_file *file);

/* The device has entries, made under the DMA mask of their time. Inside the gate, alone. */
bool usrpci_tlb_in_use(struct usrpci_file *file);

/*
 * In teardown. Before the function is stopped, if it can be reached: it forgets all;
 * and once it is, in any case: nobody serves it any more.
 */
void usrpci_tlb_retire(struct usrpci_file *file);
void usrpci_tlb_destroy(struct usrpci_file *file);

/* Its thread and its ring; of one that never was a file's, too. */
void usrpci_tlb_detach(struct usrpci_tlb *tlb);

void usrpci_tlb_put(struct usrpci_tlb *tlb);

/* The command USRPCI_TLB. */
int usrpci_tlb_describe(struct usrpci_command *cmd);

#endif /* USRPCI_TLB_H */
