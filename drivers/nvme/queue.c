// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* Memory for PRP lists; it limits how much one command can move when there may be many. */
#define LIST_POOL	(4U << 20)
/* A list's room is also that for the range of a discard. */
#define MIN_LIST	sizeof(struct nvme_dsm_range)

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

/* Polled, a completion queue has room for what was read and wasn't told: see tell_head(). */
static unsigned int cq_entries(const struct nvme *nvme, unsigned int id, unsigned int entries)
{
	const unsigned int most = NVME_CAP_MQES(nvme->cap) + 1;

	if (!id || nvme->info.irq != NVME_POLLED)
		return entries;
	return 2 * entries < most ? 2 * entries : most;
}

int nvme_queue_alloc(struct nvme *nvme, struct nvme_queue *queue, unsigned int id,
		     unsigned int entries)
{
	int err;

	queue->nvme = nvme;
	queue->id = id;
	queue->entries = entries;
	queue->cq_entries = cq_entries(nvme, id, entries);
	queue->depth = entries - 1;	/* a full queue would look empty */
	queue->phase = NVME_CQE_PHASE;
	queue->eventfd = -1;
	queue->sq_doorbell.at = doorbell(nvme, 2 * id);
	queue->cq_doorbell.at = doorbell(nvme, 2 * id + 1);
	if (queue->cq_doorbell.at + 4 > nvme->regs.len)
		return -ENOTSUP;
	err = alloc_slots(queue);
	if (!err)
		err = usrpci_coherent_alloc(nvme->dev, (size_t)entries << NVME_SQE_SHIFT,
					    &queue->sq_mem);
	if (!err)
		err = usrpci_coherent_alloc(nvme->dev,
					    (size_t)queue->cq_entries << NVME_CQE_SHIFT,
					    &queue->cq_mem);
	return err;
}

/* Laid out as the registers are, in a page: what lies past it has no shadow. */
static void shadow_doorbell(const struct nvme *nvme, struct nvme_doorbell *doorbell)
{
	const uint64_t at = doorbell->at - NVME_DOORBELLS;
	char *values = nvme->shadow.addr, *events = values + NVME_PAGE;

	doorbell->shadow = NULL;
	doorbell->event = NULL;
	if (!nvme->shadowed || at + 4 > NVME_PAGE)
		return;
	doorbell->shadow = (void *)(values + at);
	*doorbell->shadow = htole32(doorbell->value);
	/* Of a queue before, which had the same id. */
	*(uint32_t *)(void *)(events + at) = htole32(doorbell->value);
	doorbell->event = (void *)(events + at);
}

void nvme_queue_shadow(struct nvme_queue *queue)
{
	shadow_doorbell(queue->nvme, &queue->sq_doorbell);
	shadow_doorbell(queue->nvme, &queue->cq_doorbell);
	/* The pin goes down by the register alone, whatever the controller says there. */
	if (queue->nvme->info.irq == NVME_INTX)
		queue->cq_doorbell.event = NULL;
	if (queue->id)
		return;
	/* Not all controllers look at the admin queue's shadows: it's told in both ways. */
	queue->sq_doorbell.event = NULL;
	queue->cq_doorbell.event = NULL;
}

int nvme_queue_add_lists(struct nvme_queue *queue, uint64_t transfer)
{
	size_t budget = LIST_POOL / queue->depth;
	size_t len = nvme_prp_room(transfer);

	/* A list is whole pages, or a power of two, so as not to cross one. */
	if (len > NVME_PAGE && len > budget)
		len = budget < NVME_PAGE ? NVME_PAGE : budget / NVME_PAGE * NVME_PAGE;
	while (len > budget)
		len /= 2;
	if (len < MIN_LIST)
		len = MIN_LIST;
	queue->list_len = len;
	return usrpci_coherent_alloc(queue->nvme->dev, len * queue->depth, &queue->list_mem);
}

void nvme_queue_free(struct nvme_queue *queue)
{
	struct usrpci_coherent *mem[] = {
		&queue->bounce, &queue->list_mem, &queue->cq_mem, &queue->sq_mem,
	};
	unsigned int i;

	for (i = 0; i < sizeof(mem) / sizeof(mem[0]); i++)
		if (mem[i]->addr)
			usrpci_coherent_free(queue->nvme->dev, mem[i]);
	free(queue->slots);
	free(queue->free);
	memset(queue, 0, sizeof(*queue));
}

void nvme_queue_rewind(struct nvme_queue *queue)
{
	unsigned int cid;

	/* What was completed long ago would look new. */
	memset(queue->cq_mem.addr, 0, (size_t)queue->cq_entries << NVME_CQE_SHIFT);
	queue->tail = 0;
	queue->head = 0;
	queue->sq_doorbell.value = 0;
	queue->cq_doorbell.value = 0;
	queue->phase = NVME_CQE_PHASE;
	for (cid = 0; cid < queue->depth; cid++)
		if (queue->slots[cid].busy)
			nvme_queue_give(queue, cid);
}

int nvme_queue_take(struct nvme_queue *queue, uint64_t cookie)
{
	const int64_t now = nvme_coarse_ms();
	unsigned int cid;

	if (!queue->nr_free)
		return -EAGAIN;
	/* The first of many: nothing can have taken long yet. */
	if (!nvme_queue_busy(queue))
		queue->look_ms = now + nvme_look_every(queue->nvme);
	cid = queue->free[--queue->nr_free];
	queue->slots[cid] = (struct nvme_slot){ .cookie = cookie, .since_ms = now, .busy = true };
	return (int)cid;
}

void nvme_queue_give(struct nvme_queue *queue, unsigned int cid)
{
	queue->slots[cid].busy = false;
	queue->free[queue->nr_free++] = (uint16_t)cid;
}

void nvme_queue_put(struct nvme_queue *queue, struct nvme_sqe *command, unsigned int cid)
{
	struct nvme_sqe *sq = queue->sq_mem.addr;

	command->cid = htole16((uint16_t)cid);
	sq[queue->tail] = *command;
	if (++queue->tail == queue->entries)
		queue->tail = 0;
}

void nvme_queue_ring(struct nvme_queue *queue)
{
	nvme_doorbell_ring(&queue->sq_doorbell, &queue->nvme->regs, queue->tail);
}

static int complete(struct nvme_queue *queue, const volatile struct nvme_cqe *cqe,
		    uint16_t status, struct nvme_completion *done)
{
	unsigned int cid = le16toh(cqe->cid);

	if (cid >= queue->depth || !queue->slots[cid].busy)
		return -EIO;
	done->cookie = queue->slots[cid].cookie;
	done->error = nvme_status_error(status >> 1);
	/* It was aborted for a reason, which its user knows. */
	if (done->error == -ECANCELED && queue->slots[cid].aborted)
		done->error = -ETIMEDOUT;
	done->value = le32toh(cqe->result);
	nvme_queue_give(queue, cid);
	return 0;
}

/*
 * The controller wants to know what was read so that it may be overwritten, and need not know as
 * long as there's room for all commands that can be under way. An interrupt goes on till it knows.
 */
static void tell_head(struct nvme_queue *queue)
{
	const unsigned int told = queue->cq_doorbell.value;
	const unsigned int untold = (queue->head + queue->cq_entries - told) % queue->cq_entries;

	if (untold + queue->depth >= queue->cq_entries)
		nvme_doorbell_ring(&queue->cq_doorbell, &queue->nvme->regs, queue->head);
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
			return count ? (int)count : -EIO;
		count++;
		if (++queue->head == queue->cq_entries) {
			queue->head = 0;
			queue->phase ^= NVME_CQE_PHASE;
		}
	}
	if (count)
		tell_head(queue);
	return (int)count;
}
