// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Waiting for completions, and the commands that somebody waits for. */
#include <errno.h>
#include <sched.h>
#include "internal.h"

/* Looks that a waiter who polls makes before others may run: some 10 us. */
#define LOOKS		200
#define REAP		32
/* What brings the controller back shouldn't fail by a short patience with its commands. */
#define MIN_ADMIN_MS	5000

/* Hardware threads share what the other one needs. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* Waits a while for something to happen; nothing may have. */
static int pause_for(struct nvme_queue *queue, int64_t ms, unsigned int *looks)
{
	int64_t count;

	if (queue->eventfd < 0) {
		if (++*looks < LOOKS)
			relax();
		else
			sched_yield();
		return 0;
	}
	count = usrpci_irq_wait(queue->eventfd, (int)ms);
	if (count == -ETIMEDOUT || count == -EINTR)
		return 0;
	if (count < 0)
		return (int)count;
	queue->masked = queue->nvme->info.irq == NVME_INTX;
	return 0;
}

/* INTx comes again at once if there are completions left, so none is lost. */
static int unmask(struct nvme_queue *queue)
{
	if (!queue->masked)
		return 0;
	queue->masked = false;
	return usrpci_irq_unmask(queue->nvme->dev, 0);
}

/* What is there, be it by the disk or by a reset. */
static int collect(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max)
{
	int got, err;

	err = atomic_load_explicit(&queue->nvme->failed, memory_order_acquire);
	if (err)
		return err;
	if (nvme_is_stale(queue))
		return nvme_renew(queue, done, max);
	nvme_queue_ring(queue);
	got = nvme_queue_reap(queue, done, max);
	if (got < 0)	/* it makes no sense */
		return nvme_recover(queue);
	if (nvme_queue_busy(queue) && nvme_coarse_ms() >= queue->look_ms) {
		err = nvme_expire(queue);
		return got ? got : err;
	}
	return got;
}

int nvme_poll(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max)
{
	int got = collect(queue, done, max);
	int err = unmask(queue);

	if (err)
		nvme_give_up(queue->nvme, err);
	return got ? got : err;
}

static int64_t until(int64_t now, int64_t end, int64_t most)
{
	return end - now < most ? end - now : most;
}

int nvme_wait(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max,
	      int timeout_ms)
{
	const int64_t every = nvme_look_every(queue->nvme);
	int64_t now = nvme_coarse_ms(), end = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;
	unsigned int looks = 0;
	int got, err;

	if (!max)
		return -EINVAL;
	for (;;) {
		got = nvme_poll(queue, done, max);
		if (got)
			return got;
		now = nvme_coarse_ms();
		if (now >= end)
			return -ETIMEDOUT;
		/* With nothing under way nothing tells that the controller has died. */
		if (!nvme_queue_busy(queue) && now >= queue->look_ms) {
			err = nvme_expire(queue);
			if (err)
				return err;
		}
		err = pause_for(queue, until(now, end, every), &looks);
		if (err)
			return nvme_give_up(queue->nvme, err);
	}
}

int nvme_queue_drain(struct nvme_queue *queue)
{
	struct nvme_completion done[REAP];
	int got, i, error = 0;

	while (nvme_queue_busy(queue)) {
		got = nvme_wait(queue, done, REAP, -1);
		if (got < 0)
			return got;
		for (i = 0; i < got; i++)
			if (!error)
				error = done[i].error;
	}
	return error;
}

int nvme_queue_run(struct nvme_queue *queue, const struct nvme_command *command)
{
	int err;

	if (nvme_queue_busy(queue))
		return -EBUSY;
	err = nvme_submit(queue, command);
	return err ? err : nvme_queue_drain(queue);
}

int nvme_admin_run(struct nvme *nvme, struct nvme_sqe *command, uint32_t *value)
{
	const int64_t most = nvme->timeout_ms < MIN_ADMIN_MS ? MIN_ADMIN_MS : nvme->timeout_ms;
	const int64_t end = nvme_now_ms() + most;
	int64_t look = nvme_now_ms() + NVME_HEALTH_MS;
	struct nvme_completion done = { };
	unsigned int looks = 0;
	int got, err;

	got = nvme_queue_take(&nvme->admin, 0);
	if (got < 0)
		return got;
	nvme_queue_put(&nvme->admin, command, (unsigned int)got);
	nvme_queue_ring(&nvme->admin);
	while (!(got = nvme_queue_reap(&nvme->admin, &done, 1))) {
		if (nvme_now_ms() >= end)
			return -ETIMEDOUT;
		if (nvme_now_ms() >= look) {
			look += NVME_HEALTH_MS;
			err = nvme_health(nvme);
			if (err)
				return err;
		}
		pause_for(&nvme->admin, 0, &looks);
	}
	if (got < 0)
		return got;
	if (value)
		*value = done.value;
	return done.error;
}
