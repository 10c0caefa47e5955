// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Commands that take too long, and the way back from a reset of the controller.
 *
 * Whoever finds that one is due does it, under the lock, and touches no queue but the admin's: the
 * epoch goes up once the controller has forgotten all of them, and can reach no memory of theirs.
 * The thread of each queue sees that, ends its own commands, and has the controller know the queue
 * again. What it writes to the old doorbell meanwhile reaches a queue that isn't there.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include "internal.h"

#define MIN_GRACE_MS	100
#define MAX_GRACE_MS	5000
/* The coarse clock is as old as that, if the kernel ticks seldom. */
#define TICK_MS		10

int64_t nvme_look_every(const struct nvme *nvme)
{
	return nvme->timeout_ms / 4 < NVME_HEALTH_MS ? nvme->timeout_ms / 4 : NVME_HEALTH_MS;
}

/* What a command gets to end in that was aborted. */
static int64_t grace_ms(const struct nvme *nvme)
{
	int64_t ms = nvme->timeout_ms / 4;

	if (ms < MIN_GRACE_MS)
		return MIN_GRACE_MS;
	return ms < MAX_GRACE_MS ? ms : MAX_GRACE_MS;
}

bool nvme_is_stale(const struct nvme_queue *queue)
{
	return queue->epoch !=
	       atomic_load_explicit(&queue->nvme->epoch, memory_order_acquire);
}

/* --- the end --- */

/* Those who sleep, so that they learn of it at once. */
static void wake_all(struct nvme *nvme)
{
	unsigned int i;

	for (i = 0; i < nvme->info.queues; i++)
		if (nvme->queues[i].eventfd >= 0)
			eventfd_write(nvme->queues[i].eventfd, 1);
}

int nvme_give_up(struct nvme *nvme, int why)
{
	pthread_mutex_lock(&nvme->lock);
	if (!atomic_load(&nvme->failed)) {
		nvme_fail(nvme, why);
		wake_all(nvme);
	}
	pthread_mutex_unlock(&nvme->lock);
	return why;
}

/* --- a reset --- */

/* A controller that doesn't even stop may still obey PCI. */
static int stop(struct nvme *nvme)
{
	int err = nvme_disable(nvme);

	if (!err || err == -ENODEV)
		return err;
	err = usrpci_reset(nvme->dev);
	if (!err)
		err = usrpci_set_master(nvme->dev, true);
	return err ? err : nvme_disable(nvme);
}

static int restart(struct nvme *nvme)
{
	unsigned int given;
	int err;

	err = stop(nvme);
	if (err)
		return err;
	nvme->shadowed = false;
	nvme_queue_rewind(&nvme->admin);
	nvme_queue_shadow(&nvme->admin);
	err = nvme_enable(nvme);
	if (!err)
		err = nvme_set_queues(nvme, nvme->info.queues, &given);
	if (!err)
		err = nvme_set_shadow(nvme);
	return err;
}

int nvme_recover(struct nvme_queue *queue)
{
	struct nvme *nvme = queue->nvme;
	int err;

	pthread_mutex_lock(&nvme->lock);
	err = atomic_load(&nvme->failed);
	if (!err && !nvme_is_stale(queue)) {
		err = restart(nvme);
		if (err)
			nvme_fail(nvme, err);
		else
			atomic_fetch_add_explicit(&nvme->epoch, 1, memory_order_release);
		wake_all(nvme);
	}
	pthread_mutex_unlock(&nvme->lock);
	return err;
}

/* --- the queue's side of it --- */

static int end_commands(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max)
{
	unsigned int cid, count = 0;

	for (cid = 0; cid < queue->depth && count < max; cid++) {
		if (!queue->slots[cid].busy)
			continue;
		done[count++] = (struct nvme_completion){
			.cookie = queue->slots[cid].cookie,
			.error = queue->slots[cid].aborted ? -ETIMEDOUT : -ECANCELED,
		};
		nvme_queue_give(queue, cid);
	}
	return (int)count;
}

int nvme_renew(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max)
{
	struct nvme *nvme = queue->nvme;
	int err;

	if (nvme_queue_busy(queue))
		return end_commands(queue, done, max);
	nvme_queue_rewind(queue);
	pthread_mutex_lock(&nvme->lock);
	err = atomic_load(&nvme->failed);
	if (!err) {
		err = nvme_create_queue(queue);
		if (err)
			nvme_fail(nvme, err);
		else
			queue->epoch = atomic_load(&nvme->epoch);
	}
	pthread_mutex_unlock(&nvme->lock);
	return err;
}

/* --- timeouts --- */

static bool is_due(const struct nvme_queue *queue, unsigned int cid, int64_t now, int64_t ms)
{
	return queue->slots[cid].busy && now - queue->slots[cid].since_ms >= ms + TICK_MS;
}

/* 0 too if there was no need any more. */
static int tell_to_abort(struct nvme_queue *queue, unsigned int cid)
{
	struct nvme *nvme = queue->nvme;
	int err = 0;

	pthread_mutex_lock(&nvme->lock);
	if (!atomic_load(&nvme->failed) && !nvme_is_stale(queue))
		err = nvme_abort(nvme, queue, cid);
	pthread_mutex_unlock(&nvme->lock);
	return err;
}

/* Aborts what is due, if that wasn't done yet. An errno: only a reset will help. */
static int abort_due(struct nvme_queue *queue, int64_t now)
{
	struct nvme *nvme = queue->nvme;
	struct nvme_slot *slot;
	unsigned int cid;
	int err = 0;

	for (cid = 0; cid < queue->depth && !err; cid++) {
		slot = &queue->slots[cid];
		if (slot->aborted && is_due(queue, cid, now, grace_ms(nvme)))
			return -ETIMEDOUT;
		if (slot->aborted || !is_due(queue, cid, now, nvme->timeout_ms))
			continue;
		slot->aborted = true;
		slot->since_ms = nvme_coarse_ms();
		err = tell_to_abort(queue, cid);
	}
	return err;
}

/* Not amid somebody's reset, when it may look like anything. */
static int look_at_health(struct nvme_queue *queue)
{
	struct nvme *nvme = queue->nvme;
	int err;

	pthread_mutex_lock(&nvme->lock);
	err = atomic_load(&nvme->failed);
	if (!err && !nvme_is_stale(queue)) {
		err = nvme_health(nvme);
		if (err == -ENODEV) {
			nvme_fail(nvme, err);
			wake_all(nvme);
		}
	}
	pthread_mutex_unlock(&nvme->lock);
	return err;
}

int nvme_expire(struct nvme_queue *queue)
{
	const int64_t now = nvme_coarse_ms();
	int err;

	queue->look_ms = now + nvme_look_every(queue->nvme);
	err = look_at_health(queue);
	if (!err)
		err = abort_due(queue, now);
	return err ? nvme_recover(queue) : 0;
}
