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

/* Misses that are served before anything else is looked at. */
#define USRPCI_SERVER_ROUND	64
/* Times that memory may change while it's brought in before others have their turn. */
#define USRPCI_SERVER_TRIES	8
/* And times that it's brought in and gone again. */
#define USRPCI_SERVER_MOST	32
/* How long it may run before it's one of many, in jiffies. */
#define USRPCI_SERVER_BURST	(HZ / 50 + 1)
/* Misses that wait for memory at a time; a device has no more engines. */
#define USRPCI_SERVER_WAITING	4096
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
 * @took: till it was answered
 * @era: of the TLB, when it was taken
 * @waited: times that its memory was brought in
 * @retries: times that memory changed meanwhile
 * @target: what was brought in for it, if @brought
 * @brought: 0; -EAGAIN: nothing; or enum usrpci_refusal_code
 * @seq: of the space, before that
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
			.addr = rq->miss.addr,
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

/* One process that doesn't get its memory has a few workers, and leaves the others. */
static void usrpci_wait_start(struct usrpci_wait *wait)
{
	struct usrpci_space *space = wait->request.space;

	if (space->workers == USRPCI_SPACE_WORKERS)
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

	if (tlb->waiting == USRPCI_SERVER_WAITING)
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

/* --- one miss --- */

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

/* Under tlb->lock, before it's answered. A neighbour is no miss. */
static void usrpci_server_count(struct usrpci_request *rq)
{
	struct usrpci_space_stats *stats = &rq->space->stats;

	if (!rq->at)
		return;
	rq->took = ktime_get_ns() - rq->at;
	stats->misses++;
	if (rq->waited || rq->retries) {
		stats->faults += !!rq->waited;
		stats->retries += rq->retries;
	}
	stats->latency[usrpci_bin(rq->took)]++;
}

/* The page is as it was when @seq was read, unless -ERESTART. Under tlb->lock. */
static int usrpci_server_enter(struct usrpci_request *rq, struct usrpci_target *target,
			       unsigned long seq)
{
	struct usrpci_space *space = rq->space;
	struct usrpci_tlb *tlb = space->tlb;
	struct usrpci_slot *slot, *old;
	int err;

	if (!space->bound || space->ended || tlb->broken || tlb->holds)
		return USRPCI_REFUSAL_ENDED;
	if (mmu_interval_read_retry(&space->notifier, seq))
		return -ERESTART;
	old = usrpci_slot_find(space, rq->miss.addr);
	if (old && (old->write || !target->write))
		return 0;
	/* Of a small page only what was found there can be in the way. */
	if ((old || target->nr > 1) &&
	    usrpci_slots_take_back(space, target->addr,
				   target->addr + target->nr * PAGE_SIZE - 1))
		return USRPCI_REFUSAL_ENDED;
	if (usrpci_slot_vacate(tlb, rq->miss.entry, &slot))
		return USRPCI_REFUSAL_ENDED;
	err = usrpci_target_map(tlb, target, slot);
	if (!err)
		usrpci_slot_occupy(space, slot);
	return err;
}

/*
 * What is there now, which may be more than was brought in; or that. Where memory has
 * changed since somebody looked it may be changing yet, and a worker waits for its end.
 */
static int usrpci_server_find(struct usrpci_request *rq, struct usrpci_target *target,
			      unsigned long *seq)
{
	struct usrpci_space *space = rq->space;
	int err = -EAGAIN;

	*seq = READ_ONCE(space->seq);
	if (!mmu_interval_check_retry(&space->notifier, *seq))
		err = usrpci_target_get(space, target);
	if (rq->brought)
		return err;
	if (err != -EAGAIN) {
		usrpci_request_forget(rq);
		return err;
	}
	*target = rq->target;
	*seq = rq->seq;
	rq->brought = -EAGAIN;
	return 0;
}

static int usrpci_server_try(struct usrpci_request *rq)
{
	struct usrpci_space *space = rq->space;
	struct usrpci_target target;
	unsigned long seq;
	int err;

	target.addr = rq->miss.addr;
	target.write = rq->miss.write;
	target.extra = !rq->at;
	err = usrpci_server_find(rq, &target, &seq);
	if (err)
		return err;
	mutex_lock(&space->tlb->lock);
	err = usrpci_server_enter(rq, &target, seq);
	if (!err)
		usrpci_server_count(rq);
	mutex_unlock(&space->tlb->lock);
	usrpci_target_put(space, &target);
	return err;
}

/* 0, -EAGAIN its memory has to be brought in, or enum usrpci_refusal_code. */
static int usrpci_server_fill(struct usrpci_request *rq)
{
	int err;

	if (!usrpci_server_use(rq->space)) {
		usrpci_request_forget(rq);
		return USRPCI_REFUSAL_ENDED;
	}
	err = usrpci_server_try(rq);
	if (err != -ERESTART)
		return err;
	rq->retries++;
	return -EAGAIN;
}

static void usrpci_server_refuse_it(struct usrpci_tlb *tlb, struct usrpci_request *rq, int refusal)
{
	mutex_lock(&tlb->lock);
	usrpci_server_count(rq);
	usrpci_space_refuse(rq->space, rq->miss.addr, rq->miss.write, refusal);
	mutex_unlock(&tlb->lock);
}

/* Who sees the job's end can ask why, and how often. */
static void usrpci_server_answer(struct usrpci_tlb *tlb, struct usrpci_request *rq, int refusal)
{
	if (refusal)
		usrpci_server_refuse_it(tlb, rq, refusal);
	usrpci_tlb_answer(tlb, rq->miss.id, !refusal);
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
		if (usrpci_server_try(&other) > 0)
			break;
	}
}

static void usrpci_server_serve(struct usrpci_tlb *tlb, struct usrpci_request *rq)
{
	int err = max(rq->brought, 0);

	if (!err)
		err = usrpci_server_fill(rq);
	if (err == -EAGAIN && rq->waited < USRPCI_SERVER_MOST && usrpci_server_wait(tlb, rq))
		return;
	if (err == -EAGAIN)
		err = USRPCI_REFUSAL_NO_MEMORY;
	usrpci_server_answer(tlb, rq, err);
	if (!err && rq->space->around)
		usrpci_server_look_around(rq);
	usrpci_space_put(rq->space);
}

/* Nobody is bound to its tag: nobody could be told but the device's opener. */
static void usrpci_server_turn_away(struct usrpci_tlb *tlb, const struct usrpci_miss *miss)
{
	usrpci_tlb_answer(tlb, miss->id, false);
	/* Those that aren't are told as one. */
	usrpci_event_add(tlb->file, USRPCI_EVENT_NOBODY, min(miss->tag, tlb->desc.tags));
}

static void usrpci_server_begin(struct usrpci_tlb *tlb, const struct usrpci_miss *miss, u64 at)
{
	struct usrpci_request rq;

	/* The rest is for what is brought in. */
	rq.miss = *miss;
	rq.at = at;
	rq.took = 0;
	rq.era = tlb->era;
	rq.waited = 0;
	rq.retries = 0;
	rq.brought = -EAGAIN;
	mutex_lock(&tlb->lock);
	/* Whatever becomes of the miss: who finds memory in it would wait for ever. */
	if (miss->entry != USRPCI_ANY_ENTRY)
		usrpci_slot_given_up(tlb, miss->entry);
	rq.space = miss->tag < USRPCI_TLB_MAX_TAGS ? tlb->spaces[miss->tag] : NULL;
	if (rq.space)
		usrpci_space_get(rq.space);
	mutex_unlock(&tlb->lock);
	if (rq.space)
		usrpci_server_serve(tlb, &rq);
	else
		usrpci_server_turn_away(tlb, miss);
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
		usrpci_server_serve(tlb, &rq);
	}
}

/* Memory may never come, but the device isn't to wait for what is nobody's any more. */
static void usrpci_server_refuse_unbound(struct usrpci_tlb *tlb)
{
	struct usrpci_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &tlb->waits, all) {
		if (wait->answered || wait->request.era != tlb->era ||
		    READ_ONCE(wait->request.space->bound))
			continue;
		wait->answered = true;
		usrpci_server_answer(tlb, &wait->request, USRPCI_REFUSAL_ENDED);
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

/* Returns whether there may be more. */
static bool usrpci_server_serve_new(struct usrpci_tlb *tlb)
{
	u64 at = READ_ONCE(tlb->asked_at);
	struct usrpci_miss miss;
	unsigned int nr = 0;

	usrpci_tlb_acknowledge(tlb);
	while (nr < USRPCI_SERVER_ROUND && usrpci_tlb_take_miss(tlb, &miss)) {
		usrpci_server_begin(tlb, &miss, at);
		nr++;
	}
	if (nr)
		usrpci_tlb_taken(tlb);
	usrpci_server_rearm(tlb, nr);
	return nr == USRPCI_SERVER_ROUND;
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
	if (!tlb->masked) {
		schedule();
	} else if (!schedule_timeout(USRPCI_STORM_WINDOW)) {
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

	server = kthread_create(usrpci_server_run, tlb, "usrpci/%s",
				pci_name(usrpci_pdev(tlb->file)));
	if (IS_ERR(server))
		return PTR_ERR(server);
	tlb->server = get_task_struct(server);
	wake_up_process(server);
	return 0;
}

static void usrpci_server_forget(struct usrpci_tlb *tlb)
{
	struct usrpci_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &tlb->waits, all) {
		if (wait->started)
			continue;
		usrpci_wait_end(tlb, wait);
		usrpci_wait_drop(wait);
	}
	/* Others that are under way drop themselves. */
	while ((wait = usrpci_server_next_ready(tlb)))
		usrpci_wait_drop(wait);
}

void usrpci_server_stop(struct usrpci_tlb *tlb)
{
	struct task_struct *server = tlb->server;

	if (!server)
		return;
	kthread_stop(server);
	spin_lock(&tlb->queue_lock);
	tlb->server = NULL;
	spin_unlock(&tlb->queue_lock);
	put_task_struct(server);
	usrpci_server_forget(tlb);
	usrpci_server_unpin(tlb);
}
