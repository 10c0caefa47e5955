/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A process's memory, bound to a device's TLB.
 */
#ifndef USRPCI_TLB_SPACE_H
#define USRPCI_TLB_SPACE_H

#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/rbtree.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/usrpci.h>

struct seq_file;
struct usrpci_command;
struct usrpci_file;
struct usrpci_tlb;

/* Refusals that are kept till they're asked for. */
#define USRPCI_NR_REFUSALS	32

/**
 * struct usrpci_space_stats - As of struct usrpci_ioc_space_info.
 */
struct usrpci_space_stats {
	u64 misses;
	u64 fills;
	u64 evictions;
	u64 invalidations;
	u64 refusals;
	u64 retries;
	u64 faults;
	u64 entries;
	u64 pages;
	u64 latency[USRPCI_SPACE_NR_BINS];
};

/**
 * struct usrpci_kept_refusal - A miss that got no translation.
 * @addr: virtual address
 * @reason: enum usrpci_refusal_code
 * @write: the device wanted to write
 */
struct usrpci_kept_refusal {
	u64 addr;
	u32 reason;
	u32 write;
};

/**
 * struct usrpci_space - A process's memory, bound to a device's TLB.
 * @ref: of its descriptor, and of each miss that waits for memory
 * @tlb: the device's; referenced
 * @filp: the device's file, held by the space's descriptor
 * @tag: what the device calls it
 * @mirrored: pages aren't pinned
 * @seq: when its memory had last changed, as of the notifier
 * @workers: that bring it in; the server's
 * @around: neighbours of a missed page that are translated too
 * @mm: the memory; grabbed
 * @pid: whose
 * @limit: pages that may be pinned of it, as of RLIMIT_MEMLOCK when it was bound
 * @notifier: tells when @mm changes
 * @wait: woken when something is refused, or the space ends
 * @bound: by @tag; this and what follows is under tlb->lock
 * @ended: the process has: nothing is translated any more
 * @resident: entries that the device has, by address
 * @oldest: the same, by age
 * @stats: figures
 * @refusals: oldest first
 * @nr_refusals: of them
 * @lost: refusals that had no room
 */
struct usrpci_space {
	struct kref ref;
	struct usrpci_tlb *tlb;
	struct file *filp;
	u32 tag;
	bool mirrored;
	u32 around;
	unsigned long seq;
	unsigned int workers;
	struct mm_struct *mm;
	struct pid *pid;
	u64 limit;
#ifdef CONFIG_MMU_NOTIFIER
	struct mmu_interval_notifier notifier;
#endif
	wait_queue_head_t wait;
	bool bound;
	bool ended;
	struct rb_root_cached resident;
	struct list_head oldest;
	struct usrpci_space_stats stats;
	struct usrpci_kept_refusal refusals[USRPCI_NR_REFUSALS];
	u32 nr_refusals;
	u64 lost;
};

static inline void usrpci_space_get(struct usrpci_space *space)
{
	kref_get(&space->ref);
}

void usrpci_space_put(struct usrpci_space *space);

/* Nothing of it is translated from now on. Under tlb->lock. */
void usrpci_space_unbind(struct usrpci_space *space);

/* Its process dies, or has died; others may hold its memory for a while, or for long. */
bool usrpci_space_is_orphan(struct usrpci_space *space);

/* Take its oldest entry back; false if there's none. By the server. */
bool usrpci_space_shrink(struct usrpci_space *space);

/* Under tlb->lock. */
void usrpci_space_refuse(struct usrpci_space *space, u64 addr, bool write, u32 reason);

/* A line for each of the file's. Inside the gate. */
void usrpci_spaces_show(struct seq_file *s, struct usrpci_file *file);

/* The command USRPCI_BIND, and those of a space's descriptor. */
int usrpci_bind(struct usrpci_command *cmd);
int usrpci_space_info(struct usrpci_command *cmd);
int usrpci_space_refusal(struct usrpci_command *cmd);
int usrpci_space_forget(struct usrpci_command *cmd);

#endif /* USRPCI_TLB_SPACE_H */
