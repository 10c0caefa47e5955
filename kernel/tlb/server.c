// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mmu_notifier.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "event.h"
#include "file.h"
#include "gate.h"
#include "irq.h"
#include "trace.h"
#include "device.h"
#include "page.h"
#include "server.h"
#include "slot.h"
#include "space.h"
#include "tlb.h"

/* Misses that are served before anything else is looked at, and at most as one. */
#define USRPCI_SERVER_ROUND	64
/* Times that memory may change while it's brought in before others have their turn. */
#define USRPCI_SERVER_TRIES	8
/* And times that it's brought in and gone again. */
#define USRPCI_SERVER_MOST	32
/* How long it may run before it's one of many, in jiffies. */
#define USRPCI_SERVER_BURST	(HZ / 50 + 1)
/* Misses that wait for memory at a time; a device has no more engines. */
#define USRPCI_SERVER_WAITING	4096
/* How often it's looked whether a process is there still whose memory doesn't come, in jiffies. */
#define USRPCI_SERVER_LOOK	HZ
/* Workers of a space, and how many all together may have before nobody else is bound. */
#define USRPCI_SPACE_WORKERS	16
#define USRPCI_MANY_WORKERS	256
#define USRPCI_MOST_WORKERS	512

static atomic_t usrpci_workers;
static struct workqueue_struct *usrpci_server_queue;

/**
 * struct usrpci_server_turn - Of the thread's, at a CPU.
 * @began: when it last had nothing to do, in jiffies
 * @fair: it has no priority
 */
struct usrpci_server_turn {
	unsigned long began;
	bool fair;
};

/**
 * struct usrpci_request - A miss that is being served.
 * @miss: the miss
 * @space: whose; referenced
 * @at: when its interrupt came, in ns; 0: it's a neighbour, that wasn't missed
 * @took: till it was answered, with those that were served as one
 * @era: of the TLB, when it was taken
 * @waited: times that its memory was brought in
 * @retries: times that memory changed meanwhile
 * @target: what was brought in for it, if @brought
 * @brought: 0; -EAGAIN: nothing; or enum usrpci_refusal_code
 * @seq: of the space, before that
 * @err: what became of it: 0, -EAGAIN, -ERESTART, or enum usrpci_refusal_code
 */
struct usrpci_request {
	struct usrpci_miss miss;
	struct usrpci_space *space;
	u64 at;
	u64 took;
	unsigned int era;
	unsigned int waited;
	unsigned int retries;
	struct usrpci_target target;
	int brought;
	unsigned long seq;
	int err;
};

/**
 * struct usrpci_batch - Misses that were taken together.
 * @requests: they
 * @targets: of a run of them
 * @large: the last run's last one was
 */
struct usrpci_batch {
	struct usrpci_request requests[USRPCI_SERVER_ROUND];
	struct usrpci_target targets[USRPCI_SERVER_ROUND];
	bool large;
};

/**
 * struct usrpci_wait - A miss whose memory isn't there.
 * @work: brings it in
 * @all: of those that wait; the server's, as what follows
 * @started: it has a worker
 * @answered: it was, though its memory hasn't come
 * @list: of those that are ready
 * @request: the miss
 */
struct usrpci_wait {
	struct work_struct work;
	struct list_head all;
	bool started;
	bool answered;
	struct list_head list;
	struct usrpci_request request;
};

int usrpci_server_init(void)
{
	usrpci_server_queue = alloc_workqueue("usrpci", WQ_UNBOUND, USRPCI_MOST_WORKERS);
	return usrpci_server_queue ? 0 : -ENOMEM;
}

void usrpci_server_exit(void)
{
	destroy_workqueue(usrpci_server_queue);
}

static void usrpci_server_kick(struct usrpci_tlb *tlb)
{
	struct task_struct *server = READ_ONCE(tlb->server);

	if (server)
		wake_up_process(server);
}

/* The first of some asks for all of them. */
static void usrpci_server_ask(struct usrpci_tlb *tlb)
{
	if (READ_ONCE(tlb->asked))
		return;
	WRITE_ONCE(tlb->asked_at, ktime_get_ns());
	/* After its time, which the server reads once it has seen this. */
	smp_store_release(&tlb->asked, true);
}

void usrpci_server_wake(struct usrpci_tlb *tlb)
{
	usrpci_server_ask(tlb);
	usrpci_server_kick(tlb);
}

void usrpci_server_refuse(struct usrpci_tlb *tlb)
{
	spin_lock(&tlb->queue_lock);
	WRITE_ONCE(tlb->unbound, true);
	usrpci_server_kick(tlb);
	spin_unlock(&tlb->queue_lock);
}

void usrpci_server_unpin_later(struct usrpci_tlb *tlb, struct list_head *pins)
{
	if (list_empty(pins))
		return;
	spin_lock(&tlb->queue_lock);
	list_splice_tail(pins, &tlb->unpin);
	usrpci_server_kick(tlb);
	spin_unlock(&tlb->queue_lock);
}

void usrpci_server_unpin(struct usrpci_tlb *tlb)
{
	struct usrpci_pin *pin, *next;
	LIST_HEAD(pins);

	spin_lock(&tlb->queue_lock);
	list_splice_init(&tlb->unpin, &pins);
	spin_unlock(&tlb->queue_lock);
	list_for_each_entry_safe(pin, next, &pins, list) {
		usrpci_pin_free(tlb, pin);
		cond_resched();
	}
}

/* --- memory that isn't there --- */

static void usrpci_request_forget(struct usrpci_request *rq)
{
	if (!rq->brought)
		usrpci_target_put(rq->space, &rq->target);
	rq->brought = -EAGAIN;
}

/* Nobody answers it any more. */
static void usrpci_wait_drop(struct usrpci_wait *wait)
{
	struct usrpci_space *space = wait->request.space;

	usrpci_request_forget(&wait->request);
	kfree(wait);
	usrpci_space_put(space);
}

/* Also till nothing changes, by this or by others. */
static void usrpci_request_bring_in(struct usrpci_request *rq)
{
	struct usrpci_space *space = rq->space;
	unsigned int tries = 0;

	do {
		usrpci_request_forget(rq);
		rq->seq = mmu_interval_read_begin(&space->notifier);
		WRITE_ONCE(space->seq, rq->seq);
		rq->target = (struct usrpci_target){
			.addr = rq->miss.addr & PAGE_MASK,
			.write = rq->miss.write,
		};
		rq->brought = usrpci_target_bring_in(space, &rq->target);
		rq->retries += !!tries;
	} while (++tries < USRPCI_SERVER_TRIES &&
		 mmu_interval_check_retry(&space->notifier, rq->seq));
}

static void usrpci_wait_work(struct work_struct *work)
{
	struct usrpci_wait *wait = container_of(work, struct usrpci_wait, work);
	struct usrpci_tlb *tlb = wait->request.space->tlb;
	bool served;

	usrpci_request_bring_in(&wait->request);
	spin_lock(&tlb->queue_lock);
	served = tlb->server;
	if (served) {
		list_add_tail(&wait->list, &tlb->ready);
		usrpci_server_kick(tlb);
	}
	spin_unlock(&tlb->queue_lock);
	if (!served)
		usrpci_wait_drop(wait);
	atomic_dec(&usrpci_workers);
	/* Its end is awaited by the queue's. */
	module_put(THIS_MODULE);
}

bool usrpci_server_is_busy(void)
{
	return atomic_read(&usrpci_workers) >= USRPCI_MANY_WORKERS;
}

/* Whatever else is queued would wait for memory that isn't its own. */
static bool usrpci_server_is_full(void)
{
	return atomic_read(&usrpci_workers) >= USRPCI_MOST_WORKERS;
}

/* One process that doesn't get its memory has a few workers, and leaves the others. */
static void usrpci_wait_start(struct usrpci_wait *wait)
{
	struct usrpci_space *space = wait->request.space;

	if (space->workers == USRPCI_SPACE_WORKERS ||
	    (space->workers && usrpci_server_is_full()))
		return;
	space->workers++;
	wait->started = true;
	atomic_inc(&usrpci_workers);
	__module_get(THIS_MODULE);
	queue_work(usrpci_server_queue, &wait->work);
}

static void usrpci_server_start_next(struct usrpci_tlb *tlb, struct usrpci_space *space)
{
	struct usrpci_wait *wait;

	space->workers--;
	list_for_each_entry(wait, &tlb->waits, all) {
		if (wait->started || wait->request.space != space)
			continue;
		usrpci_wait_start(wait);
		return;
	}
}

static void usrpci_wait_end(struct usrpci_tlb *tlb, struct usrpci_wait *wait)
{
	list_del(&wait->all);
	tlb->waiting--;
}

static bool usrpci_server_wait(struct usrpci_tlb *tlb, const struct usrpci_request *rq)
{
	struct usrpci_wait *wait;

	if (tlb->waiting == USRPCI_SERVER_WAITING ||
	    (!rq->space->workers && usrpci_server_is_full()))
		return false;
	wait = kmalloc(sizeof(*wait), GFP_KERNEL);
	if (!wait)
		return false;
	tlb->waiting++;
	list_add_tail(&wait->all, &tlb->waits);
	wait->started = false;
	wait->answered = false;
	INIT_WORK(&wait->work, usrpci_wait_work);
	wait->request = *rq;
	wait->request.waited++;
	usrpci_wait_start(wait);
	return true;
}

static struct usrpci_wait *usrpci_server_next_ready(struct usrpci_tlb *tlb)
{
	struct usrpci_wait *wait;

	spin_lock(&tlb->queue_lock);
	wait = list_first_entry_or_null(&tlb->ready, struct usrpci_wait, list);
	if (wait)
		list_del(&wait->list);
	spin_unlock(&tlb->queue_lock);
	return wait;
}

/* --- some misses, or one --- */

static void usrpci_server_unuse(void)
{
	struct mm_struct *mm = current->mm;

	if (!mm)
		return;
	kthread_unuse_mm(mm);
	mmput_async(mm);
}

/* A run of misses is mostly of one process. */
static bool usrpci_server_use(struct usrpci_space *space)
{
	if (current->mm == space->mm)
		return true;
	usrpci_server_unuse();
	if (!mmget_not_zero(space->mm))
		return false;
	kthread_use_mm(space->mm);
	return true;
}

static unsigned int usrpci_bin(u64 ns)
{
	return min_t(unsigned int, fls64(ns), USRPCI_SPACE_NR_BINS - 1);
}

/*
 * Under tlb->lock: @nr are answered, which only one of them by itself had to wait for. A neighbour
 * is no miss.
 */
static void usrpci_server_count(struct usrpci_request *rq, unsigned int nr)
{
	struct usrpci_space_stats *stats = &rq->space->stats;

	if (!rq->at || !nr)
		return;
	rq->took = ktime_get_ns() - rq->at;
	stats->misses += nr;
	stats->faults += !!rq->waited;
	stats->retries += rq->retries;
	stats->latency[usrpci_bin(rq->took)] += nr;
}

static void usrpci_request_go_on(struct usrpci_request *rq)
{
	if (rq->at)
		usrpci_tlb_answer(rq->space->tlb, rq->miss.id, true);
}

/*
 * Under tlb->lock. The device goes on as soon as it can: who looks for its entry, or how many
 * there were, waits for the lock.
 */
static int usrpci_request_fill(struct usrpci_request *rq, struct usrpci_target *target)
{
	struct usrpci_tlb *tlb = rq->space->tlb;
	struct usrpci_slot *slot;
	int err;

	if (usrpci_slot_vacate(tlb, rq->miss.entry, &slot))
		return USRPCI_REFUSAL_ENDED;
	err = usrpci_target_map(tlb, target, slot);
	if (err)
		return err;
	slot->space = rq->space;
	usrpci_tlb_write_entry(tlb, slot - tlb->slots);
	usrpci_request_go_on(rq);
	usrpci_slot_occupy(slot);
	return 0;
}

/* The page is as it was when @seq was read, unless -ERESTART. Under tlb->lock. */
static int usrpci_request_enter(struct usrpci_request *rq, struct usrpci_target *target,
				unsigned long seq)
{
	struct usrpci_space *space = rq->space;
	struct usrpci_tlb *tlb = space->tlb;
	struct usrpci_slot *old;

	if (!space->bound || space->ended || tlb->broken || tlb->holds)
		return USRPCI_REFUSAL_ENDED;
	if (mmu_interval_read_retry(&space->notifier, seq))
		return -ERESTART;
	old = usrpci_slot_find(space, rq->miss.addr);
	if (old && (old->write || !target->write)) {
		usrpci_request_go_on(rq);
		return 0;
	}
	/* Of a small page only what was found there can be in the way. */
	if ((old || target->nr > 1) &&
	    usrpci_slots_take_back(space, target->addr,
				   target->addr + target->nr * PAGE_SIZE - 1))
		return USRPCI_REFUSAL_ENDED;
	return usrpci_request_fill(rq, target);
}

/*
 * Under tlb->lock, between two of many: what was taken back for one had the device or the IOTLB
 * waited for, and whoever changes memory, or reclaims it, isn't to wait for that of all.
 */
static void usrpci_server_let_others(struct usrpci_tlb *tlb)
{
	if (!tlb->took_back)
		return;
	tlb->took_back = false;
	mutex_unlock(&tlb->lock);
	cond_resched();
	mutex_lock(&tlb->lock);
}

static void usrpci_run_enter(struct usrpci_request *rqs, struct usrpci_target *targets,
			     unsigned int nr, unsigned long seq)
{
	struct usrpci_space *space = rqs->space;
	unsigned int i, answered = 0;

	mutex_lock(&space->tlb->lock);
	for (i = 0; i < nr; i++) {
		rqs[i].err = usrpci_request_enter(&rqs[i], &targets[i], seq);
		answered += !rqs[i].err;
		if (space->tlb->took_back) {
			/* What was answered is counted before anybody can ask. */
			usrpci_server_count(rqs, answered);
			answered = 0;
			usrpci_server_let_others(space->tlb);
		}
	}
	usrpci_server_count(rqs, answered);
	mutex_unlock(&space->tlb->lock);
	for (i = 0; i < nr; i++) {
		rqs[i].took = rqs->took;
		usrpci_target_put(space, &targets[i]);
	}
}

static int usrpci_run_look(struct usrpci_request *rqs, struct usrpci_target *targets,
			   unsigned int *nr)
{
	u64 addr = rqs->miss.addr & PAGE_MASK;
	unsigned int i;

	for (i = 0; i < *nr; i++, addr += PAGE_SIZE) {
		targets[i].addr = addr;
		targets[i].write = rqs->miss.write;
		targets[i].extra = !rqs->at || !rqs->brought;
	}
	return usrpci_targets_get(rqs->space, targets, nr);
}

/*
 * What is there now, which may be more than was brought in; or that. Where memory has
 * changed since somebody looked it may be changing yet, and a worker waits for its end.
 */
static int usrpci_run_find(struct usrpci_request *rqs, struct usrpci_target *targets,
			   unsigned int *nr, unsigned long *seq)
{
	struct usrpci_space *space = rqs->space;
	int err = -EAGAIN;

	*seq = READ_ONCE(space->seq);
	if (!mmu_interval_check_retry(&space->notifier, *seq))
		err = usrpci_run_look(rqs, targets, nr);
	if (rqs->brought)
		return err;
	/* To look again it would have to be charged twice. */
	if (err != -EAGAIN && err != USRPCI_REFUSAL_LIMIT) {
		usrpci_request_forget(rqs);
		return err;
	}
	*targets = rqs->target;
	*seq = rqs->seq;
	rqs->brought = -EAGAIN;
	return 0;
}

/*
 * Of @nr neighbours, each of which has its @err then; returns how many do, from the first. One
 * that has been brought in is alone.
 */
static unsigned int usrpci_run_try(struct usrpci_request *rqs, unsigned int nr)
{
	struct usrpci_batch *batch = rqs->space->tlb->batch;
	unsigned long seq;

	rqs->err = usrpci_run_find(rqs, batch->targets, &nr, &seq);
	if (rqs->err)
		return 1;
	batch->large = batch->targets[nr - 1].nr > 1;
	usrpci_run_enter(rqs, batch->targets, nr, seq);
	return nr;
}

static void usrpci_server_refuse_it(struct usrpci_tlb *tlb, struct usrpci_request *rq, int refusal)
{
	mutex_lock(&tlb->lock);
	usrpci_server_count(rq, 1);
	usrpci_space_refuse(rq->space, rq->miss.addr, rq->miss.write, refusal);
	mutex_unlock(&tlb->lock);
	/* Who sees the job's end can ask why, and how often. */
	usrpci_tlb_answer(tlb, rq->miss.id, false);
	trace_usrpci_miss(tlb->file->function, &rq->miss, refusal, rq->took);
}

/* Neighbours that are there already, each in an entry of its own. */
static void usrpci_server_look_around(struct usrpci_request *rq)
{
	struct usrpci_space *space = rq->space;
	u64 half = (u64)(space->around / 2) << PAGE_SHIFT;
	u64 at, addr = rq->miss.addr & PAGE_MASK;
	u64 first = addr > half ? addr - half : 0;

	for (at = first; at <= first + ((u64)space->around << PAGE_SHIFT); at += PAGE_SIZE) {
		struct usrpci_request other = { .space = space, .brought = -EAGAIN };

		if (at == addr || at >= TASK_SIZE_MAX)
			continue;
		other.miss = rq->miss;
		other.miss.addr = at;
		other.miss.entry = USRPCI_ANY_ENTRY;
		usrpci_run_try(&other, 1);
		if (other.err > 0)
			break;
	}
}

static void usrpci_request_end(struct usrpci_tlb *tlb, struct usrpci_request *rq)
{
	int err = rq->err;

	if (err == -ERESTART) {
		rq->retries++;
		err = -EAGAIN;
	}
	if (err == -EAGAIN && rq->waited < USRPCI_SERVER_MOST && usrpci_server_wait(tlb, rq))
		return;
	if (err == -EAGAIN)
		err = USRPCI_REFUSAL_NO_MEMORY;
	if (err)
		usrpci_server_refuse_it(tlb, rq, err);
	else
		trace_usrpci_miss(tlb->file->function, &rq->miss, 0, rq->took);
	if (!err && rq->space->around)
		usrpci_server_look_around(rq);
	usrpci_space_put(rq->space);
}

/* How many from the first on are neighbours, the one's page before the next one's. */
static unsigned int usrpci_run_length(const struct usrpci_request *rqs, unsigned int nr)
{
	u64 first = rqs->miss.addr >> PAGE_SHIFT;
	unsigned int n = 1;

	while (n < nr && rqs[n].space == rqs->space && rqs[n].miss.write == rqs->miss.write &&
	       rqs[n].miss.addr >> PAGE_SHIFT == first + n)
		n++;
	return n;
}

/* Nobody is bound to its tag: nobody could be told but the device's opener. */
static void usrpci_server_turn_away(struct usrpci_tlb *tlb, const struct usrpci_miss *miss)
{
	usrpci_tlb_answer(tlb, miss->id, false);
	/* Those that aren't are told as one. */
	usrpci_event_add(tlb->file, USRPCI_EVENT_NOBODY, min(miss->tag, tlb->desc.tags));
}

/*
 * Of @nr, as many as can be as one; returns how many. After a large page the next is looked at
 * alone: it's mostly part of that.
 */
static unsigned int usrpci_server_serve(struct usrpci_tlb *tlb, struct usrpci_request *rqs,
					unsigned int nr)
{
	unsigned int i, n = 1;

	if (!rqs->space) {
		usrpci_server_turn_away(tlb, &rqs->miss);
		return 1;
	}
	rqs->err = max(rqs->brought, 0);
	if (!rqs->err && !usrpci_server_use(rqs->space)) {
		usrpci_request_forget(rqs);
		rqs->err = USRPCI_REFUSAL_ENDED;
	}
	if (!rqs->err)
		n = usrpci_run_try(rqs, tlb->batch->large ? 1 : usrpci_run_length(rqs, nr));
	for (i = 0; i < n; i++)
		usrpci_request_end(tlb, &rqs[i]);
	return n;
}

/* --- all of them --- */

static void usrpci_server_serve_ready(struct usrpci_tlb *tlb)
{
	struct usrpci_request rq;
	struct usrpci_wait *wait;

	while ((wait = usrpci_server_next_ready(tlb))) {
		usrpci_wait_end(tlb, wait);
		usrpci_server_start_next(tlb, wait->request.space);
		if (wait->answered || wait->request.era != tlb->era) {
			usrpci_wait_drop(wait);
			continue;
		}
		rq = wait->request;
		kfree(wait);
		usrpci_server_serve(tlb, &rq, 1);
	}
}

/* A process that has died, but whose memory a worker waits for, and so keeps, isn't bound. */
static bool usrpci_server_is_bound(struct usrpci_space *space)
{
	if (!READ_ONCE(space->bound))
		return false;
	if (!usrpci_space_is_orphan(space))
		return true;
	mutex_lock(&space->tlb->lock);
	usrpci_space_unbind(space);
	mutex_unlock(&space->tlb->lock);
	return false;
}

/*
 * Memory may never come, but the device isn't to wait for what is nobody's any more, nor
 * others for what it doesn't wait for.
 */
static void usrpci_server_refuse_unbound(struct usrpci_tlb *tlb)
{
	struct usrpci_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &tlb->waits, all) {
		if (!wait->answered && wait->request.era == tlb->era) {
			if (usrpci_server_is_bound(wait->request.space))
				continue;
			wait->answered = true;
			usrpci_server_refuse_it(tlb, &wait->request, USRPCI_REFUSAL_ENDED);
		}
		if (wait->started)
			continue;
		usrpci_wait_end(tlb, wait);
		usrpci_wait_drop(wait);
	}
}

/*
 * A storm of misses that are served goes on. One of nothing is looked at again after a
 * while, since the last interrupt that came may have told of what had been seen before.
 */
static void usrpci_server_rearm(struct usrpci_tlb *tlb, unsigned int served)
{
	bool masked = usrpci_irq_is_masked(tlb->file, tlb->desc.vector);

	if (masked && (served || tlb->rested)) {
		usrpci_irq_rearm(tlb->file, tlb->desc.vector);
		masked = false;
	}
	tlb->masked = masked;
	tlb->rested = false;
}

/* Under tlb->lock. */
static void usrpci_server_begin(struct usrpci_tlb *tlb, struct usrpci_request *rq, u64 at)
{
	u32 tag = rq->miss.tag;

	/* The rest is for what is brought in. */
	rq->at = at;
	rq->era = tlb->era;
	rq->waited = 0;
	rq->retries = 0;
	rq->brought = -EAGAIN;
	/* Whatever becomes of the miss: who finds memory in it would wait for ever. */
	if (rq->miss.entry != USRPCI_ANY_ENTRY)
		usrpci_slot_given_up(tlb, rq->miss.entry);
	rq->space = tag < USRPCI_TLB_MAX_TAGS ? tlb->spaces[tag] : NULL;
	if (rq->space)
		usrpci_space_get(rq->space);
}

/* Up to @most; returns how many. */
static unsigned int usrpci_server_take(struct usrpci_tlb *tlb, unsigned int most, u64 at)
{
	struct usrpci_request *rqs = tlb->batch->requests;
	unsigned int i, nr = 0;

	while (nr < most && usrpci_tlb_take_miss(tlb, &rqs[nr].miss))
		nr++;
	if (!nr)
		return 0;
	mutex_lock(&tlb->lock);
	for (i = 0; i < nr; i++) {
		usrpci_server_begin(tlb, &rqs[i], at);
		usrpci_server_let_others(tlb);
	}
	mutex_unlock(&tlb->lock);
	return nr;
}

/*
 * Returns whether there may be more. The first isn't to wait till it's known whether there are
 * others, which takes a register; those that came meanwhile are taken together.
 */
static bool usrpci_server_serve_new(struct usrpci_tlb *tlb)
{
	unsigned int i, nr, most = 1, served = 0;
	u64 at = READ_ONCE(tlb->asked_at);

	usrpci_tlb_acknowledge(tlb);
	do {
		nr = usrpci_server_take(tlb, most, at);
		for (i = 0; i < nr;)
			i += usrpci_server_serve(tlb, &tlb->batch->requests[i], nr - i);
		served += nr;
		if (nr < most)
			break;
		most = USRPCI_SERVER_ROUND - served;
	} while (most);
	if (served)
		usrpci_tlb_taken(tlb);
	usrpci_server_rearm(tlb, served);
	return served == USRPCI_SERVER_ROUND;
}

/* While its registers can't be used nothing is looked at; the release asks again. */
static void usrpci_server_serve_all(struct usrpci_tlb *tlb)
{
	if (tlb->holds)
		return;
	if (!list_empty_careful(&tlb->ready))
		usrpci_server_serve_ready(tlb);
	if (xchg(&tlb->unbound, false))
		usrpci_server_refuse_unbound(tlb);
	if (xchg(&tlb->asked, false) && usrpci_server_serve_new(tlb))
		usrpci_server_ask(tlb);
	usrpci_server_unuse();
}

/* What can't be reached any more is unpinned in any case. */
static void usrpci_server_round(struct usrpci_tlb *tlb)
{
	if (!usrpci_enter(tlb->file)) {
		usrpci_server_serve_all(tlb);
		usrpci_leave(tlb->file);
	}
	usrpci_server_unpin(tlb);
}

static bool usrpci_server_has_work(struct usrpci_tlb *tlb)
{
	if (!list_empty_careful(&tlb->unpin))
		return true;
	if (READ_ONCE(tlb->holds) || READ_ONCE(tlb->file->dead))
		return false;
	/* Before its time is read. */
	return smp_load_acquire(&tlb->asked) || READ_ONCE(tlb->unbound) ||
	       !list_empty_careful(&tlb->ready);
}

/*
 * It comes before others for as long as an interrupt thread would; a device whose
 * misses don't end, or a description that has them so, takes a share of a CPU.
 */
static void usrpci_server_take_turns(struct usrpci_server_turn *turn)
{
	if (turn->fair || time_before(jiffies, turn->began + USRPCI_SERVER_BURST))
		return;
	sched_set_normal(current, 0);
	turn->fair = true;
}

static void usrpci_server_sleep(struct usrpci_tlb *tlb)
{
	if (!tlb->masked && !tlb->waiting) {
		schedule();
		return;
	}
	if (schedule_timeout(tlb->masked ? USRPCI_STORM_WINDOW : USRPCI_SERVER_LOOK))
		return;
	if (tlb->waiting)
		WRITE_ONCE(tlb->unbound, true);
	if (tlb->masked) {
		tlb->rested = true;
		usrpci_server_ask(tlb);
	}
}

/* Before it has nothing to do. */
static void usrpci_server_be_quick(struct usrpci_server_turn *turn)
{
	if (turn->fair)
		sched_set_fifo(current);
	turn->fair = false;
}

static int usrpci_server_run(void *data)
{
	struct usrpci_server_turn turn = { .fair = true, .began = jiffies };
	struct usrpci_tlb *tlb = data;

	while (!kthread_should_stop()) {
		if (usrpci_server_has_work(tlb)) {
			usrpci_server_round(tlb);
			usrpci_server_take_turns(&turn);
			cond_resched();
			continue;
		}
		usrpci_server_be_quick(&turn);
		set_current_state(TASK_IDLE);
		/* Whoever starts or stops it may be inside the gate, alone. */
		if (!kthread_should_stop() && !usrpci_server_has_work(tlb)) {
			usrpci_server_sleep(tlb);
			turn.began = jiffies;
		}
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

int usrpci_server_start(struct usrpci_tlb *tlb)
{
	struct task_struct *server;

	tlb->batch = kvzalloc(sizeof(*tlb->batch), GFP_KERNEL_ACCOUNT);
	if (!tlb->batch)
		return -ENOMEM;
	server = kthread_create(usrpci_server_run, tlb, "usrpci/%s",
				pci_name(usrpci_pdev(tlb->file)));
	if (IS_ERR(server)) {
		kvfree(tlb->batch);
		return PTR_ERR(server);
	}
	tlb->server = get_task_struct(server);
	wake_up_process(server);
	return 0;
}

/* Those that have no worker: nobody would come by them. */
static void usrpci_server_forget_waits(struct usrpci_tlb *tlb)
{
	struct usrpci_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &tlb->waits, all) {
		if (wait->started)
			continue;
		usrpci_wait_end(tlb, wait);
		usrpci_wait_drop(wait);
	}
}

void usrpci_server_stop(struct usrpci_tlb *tlb)
{
	struct task_struct *server = tlb->server;
	struct usrpci_wait *wait;

	if (!server)
		return;
	kthread_stop(server);
	usrpci_server_forget_waits(tlb);
	/* From then on those that are under way free themselves; the list of all is nobody's. */
	spin_lock(&tlb->queue_lock);
	tlb->server = NULL;
	spin_unlock(&tlb->queue_lock);
	put_task_struct(server);
	kvfree(tlb->batch);
	while ((wait = usrpci_server_next_ready(tlb)))
		usrpci_wait_drop(wait);
	usrpci_server_unpin(tlb);
}
