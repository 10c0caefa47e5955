// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mmu_notifier.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/usrpci.h>

#include "account.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "isolation.h"
#include "device.h"
#include "server.h"
#include "slot.h"
#include "space.h"
#include "tlb.h"

static void usrpci_space_free(struct kref *ref)
{
	struct usrpci_space *space = container_of(ref, struct usrpci_space, ref);

	usrpci_tlb_put(space->tlb);
	mmdrop(space->mm);
	put_pid(space->pid);
	kfree(space);
}

void usrpci_space_put(struct usrpci_space *space)
{
	kref_put(&space->ref, usrpci_space_free);
}

bool usrpci_space_is_orphan(struct usrpci_space *space)
{
	struct task_struct *task;
	bool dead;

	rcu_read_lock();
	task = pid_task(space->pid, PIDTYPE_TGID);
	dead = !task || READ_ONCE(task->signal->flags) & SIGNAL_GROUP_EXIT ||
	       !atomic_read(&task->signal->live);
	rcu_read_unlock();
	return dead;
}

void usrpci_space_unbind(struct usrpci_space *space)
{
	if (!space->bound)
		return;
	usrpci_slots_take_back(space, 0, ULONG_MAX);
	space->tlb->spaces[space->tag] = NULL;
	space->bound = false;
	usrpci_server_refuse(space->tlb);
	wake_up_interruptible_all(&space->wait);
}

bool usrpci_space_shrink(struct usrpci_space *space)
{
	struct usrpci_tlb *tlb = space->tlb;
	bool any;

	mutex_lock(&tlb->lock);
	any = space->stats.pages;
	if (any)
		usrpci_slots_take_oldest(space);
	mutex_unlock(&tlb->lock);
	return any;
}

void usrpci_space_refuse(struct usrpci_space *space, u64 addr, bool write, u32 reason)
{
	space->stats.refusals++;
	if (space->nr_refusals == USRPCI_NR_REFUSALS) {
		space->lost++;
		return;
	}
	space->refusals[space->nr_refusals++] = (struct usrpci_kept_refusal){
		.addr = addr,
		.reason = reason,
		.write = write,
	};
	wake_up_interruptible_poll(&space->wait, EPOLLIN);
}

/*
 * Memory is about to change: the device forgets it first. Who can't wait gets memory
 * elsewhere, unless there's nothing to wait for.
 */
static bool usrpci_space_invalidate(struct mmu_interval_notifier *notifier,
				    const struct mmu_notifier_range *range, unsigned long seq)
{
	struct usrpci_space *space = container_of(notifier, struct usrpci_space, notifier);
	struct usrpci_tlb *tlb = space->tlb;

	if (mmu_notifier_range_blockable(range))
		mutex_lock(&tlb->lock);
	else if (!mutex_trylock(&tlb->lock))
		return false;
	if (!mmu_notifier_range_blockable(range) &&
	    interval_tree_iter_first(&space->resident, range->start, range->end - 1)) {
		mutex_unlock(&tlb->lock);
		return false;
	}
	mmu_interval_set_seq(notifier, seq);
	if (range->event == MMU_NOTIFY_RELEASE) {
		space->ended = true;
		wake_up_interruptible_all(&space->wait);
	}
	usrpci_slots_take_back(space, range->start, range->end - 1);
	mutex_unlock(&tlb->lock);
	return true;
}

static const struct mmu_interval_notifier_ops usrpci_space_notifier_ops = {
	.invalidate = usrpci_space_invalidate,
};

static __poll_t usrpci_space_poll(struct file *filp, poll_table *table)
{
	struct usrpci_space *space = filp->private_data;
	__poll_t events = 0;

	poll_wait(filp, &space->wait, table);
	if (READ_ONCE(space->nr_refusals))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(space->ended) || !READ_ONCE(space->bound) || READ_ONCE(space->tlb->broken))
		events |= EPOLLERR | EPOLLHUP;
	return events;
}

/* By its descriptor's end; a teardown that was first is awaited. */
static void usrpci_space_leave_device(struct usrpci_space *space)
{
	struct usrpci_file *file = space->filp->private_data;

	if (usrpci_enter(file)) {
		wait_for_completion(&file->torn_down);
		return;
	}
	mutex_lock(&space->tlb->lock);
	usrpci_space_unbind(space);
	mutex_unlock(&space->tlb->lock);
	usrpci_leave(file);
	usrpci_server_unpin(space->tlb);
}

static int usrpci_space_release(struct inode *inode, struct file *filp)
{
	struct usrpci_space *space = filp->private_data;

	usrpci_space_leave_device(space);
	mmu_interval_notifier_remove(&space->notifier);
	fput(space->filp);
	usrpci_space_put(space);
	return 0;
}

static const struct file_operations usrpci_space_fops = {
	.owner = THIS_MODULE,
	.release = usrpci_space_release,
	.poll = usrpci_space_poll,
	.unlocked_ioctl = usrpci_space_ioctl,
};

static struct usrpci_space *usrpci_space_new(struct usrpci_tlb *tlb,
					     const struct usrpci_ioc_bind *arg)
{
	struct usrpci_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	int err;

	if (!space)
		return ERR_PTR(-ENOMEM);
	kref_init(&space->ref);
	kref_get(&tlb->ref);
	space->tlb = tlb;
	space->mirrored = arg->flags & USRPCI_BIND_MIRRORED;
	/* Or they would take the place of what was missed. */
	space->around = min(arg->around, tlb->desc.entries.nr / 2);
	space->mm = current->mm;
	mmgrab(space->mm);
	space->pid = get_pid(task_tgid(current));
	space->limit = usrpci_charge_limit();
	init_waitqueue_head(&space->wait);
	space->resident = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&space->oldest);
	err = mmu_interval_notifier_insert(&space->notifier, space->mm, 0, TASK_SIZE_MAX,
					   &usrpci_space_notifier_ops);
	if (err) {
		usrpci_space_put(space);
		return ERR_PTR(err);
	}
	space->seq = mmu_interval_read_begin(&space->notifier);
	return space;
}

/* Inside the gate. */
static int usrpci_space_bind(struct usrpci_file *file, struct usrpci_space *space)
{
	struct usrpci_tlb *tlb = space->tlb;
	u32 i, tag = 0;
	int err = -ENOSPC;

	if (!usrpci_isolation_permits(usrpci_pdev(file), file->needs_strict))
		return -EPERM;
	mutex_lock(&tlb->lock);
	/* In turn: jobs of one that has ended may miss yet. */
	for (i = 0; i < tlb->desc.tags; i++) {
		tag = (tlb->next_tag + i) % tlb->desc.tags;
		if (!tlb->spaces[tag])
			break;
	}
	if (tlb->broken) {
		err = -EIO;
	} else if (i < tlb->desc.tags) {
		tlb->spaces[tag] = space;
		tlb->next_tag = tag + 1;
		space->tag = tag;
		space->bound = true;
		err = 0;
	}
	mutex_unlock(&tlb->lock);
	return err;
}

/* Once it has a file, that undoes all of it. */
static int usrpci_space_answer(struct usrpci_command *cmd, struct usrpci_space *space,
			       struct file *filp)
{
	struct usrpci_ioc_bind *arg = cmd->arg;
	int err;

	arg->fd = get_unused_fd_flags(O_CLOEXEC);
	if (arg->fd < 0)
		return arg->fd;
	arg->tag = space->tag;
	err = usrpci_respond(cmd, sizeof(*arg));
	if (err)
		put_unused_fd(arg->fd);
	else
		fd_install(arg->fd, filp);
	return err;
}

static int usrpci_space_publish(struct usrpci_command *cmd, struct usrpci_space *space)
{
	struct usrpci_file *file = cmd->file;
	struct file *filp;
	int err;

	filp = anon_inode_getfile("[usrpci-space]", &usrpci_space_fops, space, O_RDWR);
	if (IS_ERR(filp))
		return PTR_ERR(filp);
	/* From here on the file's release undoes it. */
	usrpci_space_get(space);
	space->filp = get_file(cmd->filp);
	err = usrpci_enter(file);
	if (!err) {
		err = usrpci_space_bind(file, space);
		usrpci_leave(file);
	}
	if (!err)
		err = usrpci_space_answer(cmd, space, filp);
	if (err)
		fput(filp);
	return err;
}

/* The file's, referenced. */
static struct usrpci_tlb *usrpci_bind_tlb(struct usrpci_file *file)
{
	struct usrpci_tlb *tlb;
	int err;

	err = usrpci_enter(file);
	if (err)
		return ERR_PTR(err);
	tlb = file->tlb;
	if (tlb)
		kref_get(&tlb->ref);
	usrpci_leave(file);
	return tlb ?: ERR_PTR(-EINVAL);
}

static int usrpci_bind_to(struct usrpci_command *cmd, struct usrpci_tlb *tlb)
{
	struct usrpci_ioc_bind *arg = cmd->arg;
	struct usrpci_space *space;
	int err;

	if (arg->around && usrpci_field_exists(&tlb->desc.misses.entry))
		return -EINVAL;
	space = usrpci_space_new(tlb, arg);
	if (IS_ERR(space))
		return PTR_ERR(space);
	err = usrpci_space_publish(cmd, space);
	/* Without a file nobody has bound it, and nobody else removes this. */
	if (!space->filp)
		mmu_interval_notifier_remove(&space->notifier);
	usrpci_space_put(space);
	return err;
}

int usrpci_bind(struct usrpci_command *cmd)
{
	struct usrpci_ioc_bind *arg = cmd->arg;
	struct usrpci_tlb *tlb;
	int err;

	if (arg->reserved || arg->around > USRPCI_BIND_MAX_AROUND)
		return -EINVAL;
	if (usrpci_server_is_busy())
		return -EAGAIN;
	tlb = usrpci_bind_tlb(cmd->file);
	if (IS_ERR(tlb))
		return PTR_ERR(tlb);
	err = usrpci_bind_to(cmd, tlb);
	usrpci_tlb_put(tlb);
	return err;
}

static void usrpci_space_show(struct seq_file *s, struct usrpci_space *space)
{
	seq_printf(s, "space %u pid %d %s entries %llu pages %llu misses %llu refusals %llu%s\n",
		   space->tag, pid_vnr(space->pid), space->mirrored ? "mirrored" : "pinned",
		   space->stats.entries, space->stats.pages, space->stats.misses,
		   space->stats.refusals, space->ended ? " ended" : "");
}

void usrpci_spaces_show(struct seq_file *s, struct usrpci_file *file)
{
	struct usrpci_tlb *tlb = file->tlb;
	u32 tag;

	if (!tlb)
		return;
	mutex_lock(&tlb->lock);
	seq_printf(s, "tlb vector %u entries %u%s%s\n", tlb->desc.vector, tlb->desc.entries.nr,
		   tlb->holds ? " held" : "", tlb->broken ? " broken" : "");
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (tlb->spaces[tag])
			usrpci_space_show(s, tlb->spaces[tag]);
	mutex_unlock(&tlb->lock);
}

int usrpci_space_info(struct usrpci_command *cmd)
{
	struct usrpci_ioc_space_info *arg = cmd->arg;
	struct usrpci_space *space = cmd->space;

	if (arg->reserved)
		return -EINVAL;
	mutex_lock(&space->tlb->lock);
	arg->tag = space->tag;
	arg->misses = space->stats.misses;
	arg->fills = space->stats.fills;
	arg->evictions = space->stats.evictions;
	arg->invalidations = space->stats.invalidations;
	arg->refusals = space->stats.refusals;
	arg->retries = space->stats.retries;
	arg->faults = space->stats.faults;
	arg->entries = space->stats.entries;
	arg->pages = space->stats.pages;
	memcpy(arg->latency, space->stats.latency, sizeof(arg->latency));
	mutex_unlock(&space->tlb->lock);
	return usrpci_respond(cmd, sizeof(*arg));
}

/* Put back if the caller can't have it; then it's the newest. */
int usrpci_space_refusal(struct usrpci_command *cmd)
{
	struct usrpci_ioc_space_refusal *arg = cmd->arg;
	struct usrpci_space *space = cmd->space;
	struct usrpci_kept_refusal kept;
	int err;

	mutex_lock(&space->tlb->lock);
	if (!space->nr_refusals) {
		mutex_unlock(&space->tlb->lock);
		return -EAGAIN;
	}
	kept = space->refusals[0];
	memmove(space->refusals, space->refusals + 1,
		--space->nr_refusals * sizeof(space->refusals[0]));
	arg->lost = space->lost;
	space->lost = 0;
	mutex_unlock(&space->tlb->lock);
	arg->addr = kept.addr;
	arg->reason = kept.reason;
	arg->write = kept.write;
	err = usrpci_respond(cmd, sizeof(*arg));
	if (err) {
		mutex_lock(&space->tlb->lock);
		if (space->nr_refusals < USRPCI_NR_REFUSALS)
			space->refusals[space->nr_refusals++] = kept;
		else
			space->lost++;
		space->lost += arg->lost;
		mutex_unlock(&space->tlb->lock);
	}
	return err;
}

int usrpci_space_forget(struct usrpci_command *cmd)
{
	struct usrpci_ioc_space_forget *arg = cmd->arg;
	struct usrpci_space *space = cmd->space;
	int err;

	if (!arg->len || arg->addr + arg->len - 1 < arg->addr)
		return -EINVAL;
	err = usrpci_enter(cmd->file);
	if (err)
		return err;
	mutex_lock(&space->tlb->lock);
	err = usrpci_slots_take_back(space, arg->addr, arg->addr + arg->len - 1);
	mutex_unlock(&space->tlb->lock);
	usrpci_leave(cmd->file);
	usrpci_server_unpin(space->tlb);
	return err;
}
