// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Memory for PRP lists; it limits how much one command can move when there may be many. */
#define LIST_POOL	(1U << 20)

/* NVMe over PCIe 1.0 §3.1.2: tail of SQ y at 2y, head of CQ y at 2y + 1. */
static uint64_t doorbell(const struct nvme *nvme, unsigned int index)
{
	return NVME_DOORBELLS + index * (4ULL << NVME_CAP_DSTRD(nvme->cap));
}

static int alloc_slots(struct nvme_queue *queue)
{
	unsigned int i;

	queue->slots = calloc(queue->depth, sizeof(*queue->slots));
	queue->free = calloc(queue->depth, sizeof(*queue->free));
	if (!queue->slots || !queue->free)
		return -ENOMEM;
	for (i = 0; i < queue->depth; i++)
		queue->free[i] = (uint16_t)(queue->depth - 1 - i);
	queue->nr_free = queue->depth;
	return 0;
}

int nvme_queue_alloc(struct nvme *nvme, struct nvme_queue *queue, unsigned int id,
		     unsigned int entries)
{
	int err;

	queue->id = id;
	queue->entries = entries;
	queue->depth = entries - 1;	/* a full queue would look empty */
	queue->phase = NVME_CQE_PHASE;
	queue->regs = &nvme->regs;
	queue->sq_doorbell = doorbell(nvme, 2 * id);
	queue->cq_doorbell = doorbell(nvme, 2 * id + 1);
	if (queue->cq_doorbell + 4 > nvme->regs.len)
		return -ENOTSUP;
	err = alloc_slots(queue);
	if (!err)
		err = usrpci_coherent_alloc(nvme->dev, (size_t)entries << NVME_SQE_SHIFT,
					    &queue->sq_mem);
	if (!err)
		err = usrpci_coherent_alloc(nvme->dev, (size_t)entries << NVME_CQE_SHIFT,
					    &queue->cq_mem);
	return err;
}

int nvme_queue_add_lists(struct nvme *nvme, struct nvme_queue *queue, uint64_t transfer)
{
	size_t budget = LIST_POOL / queue->depth;
	size_t len = nvme_prp_room(transfer);

	/* A list is whole pages, or a power of two, so as not to cross one. */
	if (len > NVME_PAGE && len > budget)
		len = budget < NVME_PAGE ? NVME_PAGE : budget / NVME_PAGE * NVME_PAGE;
	while (len > budget)
		len /= 2;
	queue->list_len = len;
	return usrpci_coherent_alloc(nvme->dev, len * queue->depth, &queue->list_mem);
}

void nvme_queue_free(struct nvme *nvme, struct nvme_queue *queue)
{
	struct usrpci_coherent *mem[] = { &queue->list_mem, &queue->cq_mem, &queue->sq_mem };
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (mem[i]->addr)
			usrpci_coherent_free(nvme->dev, mem[i]);
	free(queue->slots);
	free(queue->free);
	memset(queue, 0, sizeof(*queue));
}

int nvme_queue_take(struct nvme_queue *queue, uint64_t cookie)
{
	unsigned int cid;

	if (!queue->nr_free)
		return -EAGAIN;
	cid = queue->free[--queue->nr_free];
	queue->slots[cid].busy = true;
	queue->slots[cid].cookie = cookie;
	return (int)cid;
}

void nvme_queue_give(struct nvme_queue *queue, unsigned int cid)
{
	queue->slots[cid].busy = false;
	queue->free[queue->nr_free++] = (uint16_t)cid;
}

void nvme_queue_send(struct nvme_queue *queue, struct nvme_sqe *command, unsigned int cid)
{
	struct nvme_sqe *sq = queue->sq_mem.addr;

	command->cid = htole16((uint16_t)cid);
	sq[queue->tail] = *command;
	if (++queue->tail == queue->entries)
		queue->tail = 0;
	usrpci_regs_write32(queue->regs, queue->sq_doorbell, queue->tail);
}

static int complete(struct nvme_queue *queue, const volatile struct nvme_cqe *cqe,
		    uint16_t status, struct nvme_completion *done)
{
	unsigned int cid = le16toh(cqe->cid);

	if (cid >= queue->depth || !queue->slots[cid].busy)
		return -EIO;
	done->cookie = queue->slots[cid].cookie;
	done->error = nvme_status_error(status >> 1);
	done->value = le32toh(cqe->result);
	nvme_queue_give(queue, cid);
	return 0;
}

int nvme_queue_reap(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max)
{
	const volatile struct nvme_cqe *cq = queue->cq_mem.addr;
	unsigned int count = 0;
	uint16_t status;

	while (count < max) {
		status = le16toh(cq[queue->head].status);
		if ((status & NVME_CQE_PHASE) != queue->phase)
			break;
		usrpci_dma_rmb();	/* the rest of the entry is as old as its phase */
		if (complete(queue, &cq[queue->head], status, &done[count]))
			return -EIO;
		count++;
		if (++queue->head == queue->entries) {
			queue->head = 0;
			queue->phase ^= NVME_CQE_PHASE;
		}
	}
	if (count)
		usrpci_regs_write32(queue->regs, queue->cq_doorbell, queue->head);
	return (int)count;
}

/* Waits a while for something to happen; nothing may have. */
static int pause_for(struct nvme *nvme, struct nvme_queue *queue, int64_t ms)
{
	int64_t count;

	if (!queue->irq) {
		sched_yield();
		return 0;
	}
	count = usrpci_irq_wait(nvme->eventfd, (int)(ms < NVME_HEALTH_MS ? ms : NVME_HEALTH_MS));
	if (count == -ETIMEDOUT || count == -EINTR)
		return 0;
	if (count < 0)
		return (int)count;
	nvme->masked = nvme->info.irq == NVME_INTX;
	return 0;
}

/* INTx comes again at once if there are completions left, so none is lost. */
static int unmask(struct nvme *nvme)
{
	if (!nvme->masked)
		return 0;
	nvme->masked = false;
	return usrpci_irq_unmask(nvme->dev, 0);
}

int nvme_queue_wait(struct nvme *nvme, struct nvme_queue *queue, struct nvme_completion *done,
		    unsigned int max, int timeout_ms)
{
	int64_t now = nvme_now_ms(), end = now + timeout_ms, look = now + NVME_HEALTH_MS;
	int got, err;

	for (;;) {
		got = nvme_queue_reap(queue, done, max);
		err = unmask(nvme);
		if (got)
			return got;
		now = nvme_now_ms();
		if (!err && now >= look) {
			err = nvme_health(nvme);
			look = now + NVME_HEALTH_MS;
		}
		if (!err && now >= end)
			err = -ETIMEDOUT;
		if (!err)
			err = pause_for(nvme, queue, end - now);
		if (err)
			return err;
	}
}

int nvme_queue_run(struct nvme *nvme, struct nvme_queue *queue, struct nvme_sqe *command,
		   uint32_t *value)
{
	struct nvme_completion done = { };
	int got;

	if (nvme->failed)
		return nvme->failed;
	got = nvme_queue_take(queue, 0);
	if (got < 0)
		return got;
	nvme_queue_send(queue, command, (unsigned int)got);
	got = nvme_queue_wait(nvme, queue, &done, 1, NVME_COMMAND_MS);
	if (got < 0)
		return nvme_fail(nvme, got);
	if (value)
		*value = done.value;
	return done.error;
}
