// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Queues, doorbells and interrupts: NVMe base 2.0 §3.3.1, NVMe over PCIe 1.0 §3. */
#include <string.h>
#include "controller.h"

/* From 1: entries that hold something. */
static unsigned int filled(unsigned int head, unsigned int tail, unsigned int entries)
{
	return tail >= head ? tail - head : tail + entries - head;
}

static bool is_full(const struct nvme_cq *cq)
{
	return filled(cq->head, cq->tail, cq->entries) == cq->entries - 1;
}

static bool is_running(const struct nvme_controller *nvme)
{
	return nvme->csts == NVME_SET(1, CSTS_RDY);
}

/*
 * Written whole as if it were old, and then made new by one byte: who looks at the phase
 * sees all of it or nothing.
 */
static int write_entry(struct nvme_controller *nvme, const struct nvme_cq *cq,
		       struct nvme_cqe *cqe)
{
	const uint64_t address = cq->base + cq->tail * sizeof(*cqe);
	const uint16_t status = le16toh(cqe->status);
	uint8_t low;

	cqe->status = htole16((uint16_t)(status << 1 | !cq->phase));
	low = (uint8_t)(status << 1 | cq->phase);
	if (sim_dma_write(nvme->sim, address, cqe, sizeof(*cqe)))
		return -1;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return sim_dma_write(nvme->sim, address + offsetof(struct nvme_cqe, status), &low, 1);
}

static void complete(struct nvme_controller *nvme, const struct nvme_sq *sq, __le16 cid,
		     const struct nvme_answer *answer)
{
	struct nvme_cq *cq = &nvme->cqs[sq->cq];
	struct nvme_cqe cqe = {
		.result = htole32(answer->result),
		.sq_head = htole16((uint16_t)sq->head),
		.sq_id = htole16((uint16_t)(sq - nvme->sqs)),
		.cid = cid,
		.status = htole16(answer->status ? answer->status | NVME_SC_DNR : 0),
	};

	if (write_entry(nvme, cq, &cqe)) {
		sim_nvme_fail(nvme);
		return;
	}
	cq->fresh = true;
	if (++cq->tail < cq->entries)
		return;
	cq->tail = 0;
	cq->phase ^= 1;
}

/* Fused commands and SGLs aren't there. */
static uint16_t check_flags(const struct nvme_sqe *sqe)
{
	return sqe->flags ? GENERIC(INVALID_FIELD) : 0;
}

static struct nvme_held *find_held(struct nvme_controller *nvme, unsigned int sq, __le16 cid)
{
	unsigned int i;

	for (i = 0; i < MAX_HELD; i++)
		if (nvme->held[i].sq == sq && (!sq || nvme->held[i].cid == cid))
			return &nvme->held[i];
	return NULL;
}

/* Whether an I/O command is left undone, and remembered if it can be aborted. */
static bool hold(struct nvme_controller *nvme, unsigned int sq, __le16 cid)
{
	const enum sim_fate fate = sim_draw_fate(nvme->sim);
	struct nvme_held *room = find_held(nvme, 0, 0);

	if (fate == SIM_HELD && room)
		*room = (struct nvme_held){ .sq = sq, .cid = cid };
	return fate != SIM_DONE;
}

bool sim_nvme_abort_held(struct nvme_controller *nvme, unsigned int sq, uint16_t cid)
{
	const struct nvme_answer aborted = { .status = GENERIC(ABORT_REQ) };
	struct nvme_held *held = sq && sq < NR_QUEUES ? find_held(nvme, sq, htole16(cid)) : NULL;

	if (!held || is_full(&nvme->cqs[nvme->sqs[sq].cq]))
		return false;
	held->sq = 0;
	complete(nvme, &nvme->sqs[sq], htole16(cid), &aborted);
	return true;
}

void sim_nvme_forget_held(struct nvme_controller *nvme, unsigned int sq)
{
	unsigned int i;

	for (i = 0; i < MAX_HELD; i++)
		if (nvme->held[i].sq == sq)
			nvme->held[i].sq = 0;
}

static void carry_out(struct nvme_controller *nvme, struct nvme_sq *sq)
{
	const unsigned int id = (unsigned int)(sq - nvme->sqs);
	struct nvme_answer answer = { 0 };
	struct nvme_sqe sqe;

	if (sim_dma_read(nvme->sim, sq->base + sq->head * sizeof(sqe), &sqe, sizeof(sqe))) {
		sim_nvme_fail(nvme);
		return;
	}
	sq->head = sq->head + 1 < sq->entries ? sq->head + 1 : 0;
	if (id && hold(nvme, id, sqe.cid))
		return;
	answer.status = check_flags(&sqe);
	if (!answer.status)
		answer.status = id ? sim_nvme_io(nvme, &sqe) : sim_nvme_admin(nvme, &sqe, &answer);
	if (answer.status)
		sim_nvme_log_error(nvme, &sqe, id, answer.status);
	if (!answer.held)
		complete(nvme, sq, sqe.cid, &answer);
}

void sim_nvme_run(struct nvme_controller *nvme, struct nvme_sq *sq)
{
	while (is_running(nvme) && sq->live && sq->head != sq->tail &&
	       !is_full(&nvme->cqs[sq->cq]))
		carry_out(nvme, sq);
}

/* --- asynchronous events --- */

void sim_nvme_give_request(struct nvme_controller *nvme, unsigned int index,
			   const struct nvme_answer *answer)
{
	const uint16_t cid = nvme->requests[index];

	nvme->requests[index] = nvme->requests[--nvme->nr_requests];
	complete(nvme, &nvme->sqs[0], htole16(cid), answer);
}

void sim_nvme_tell_event(struct nvme_controller *nvme)
{
	const struct nvme_answer answer = {
		.result = NVME_AER_ERROR | nvme->event_info << 8 | NVME_LOG_LID_ERROR << 16,
	};

	if (nvme->event != EVENT_DUE || !nvme->nr_requests || !is_running(nvme) ||
	    is_full(&nvme->cqs[0]))
		return;
	nvme->event = EVENT_TOLD;
	sim_nvme_give_request(nvme, 0, &answer);
}

static void bad_doorbell(struct nvme_controller *nvme, unsigned int info)
{
	if (nvme->event != EVENT_NONE)
		return;
	nvme->event = EVENT_DUE;
	nvme->event_info = info;
}

/* --- doorbells --- */

/* More than there's room for is as wrong as what lies outside. */
static void ring_sq(struct nvme_controller *nvme, struct nvme_sq *sq, uint32_t tail)
{
	if (tail >= sq->entries ||
	    filled(sq->tail, tail, sq->entries) + filled(sq->head, sq->tail, sq->entries) >=
	    sq->entries) {
		bad_doorbell(nvme, NVME_AER_ERROR_INVALID_DB_VAL);
		return;
	}
	sq->tail = tail;
	sim_nvme_run(nvme, sq);
}

/* Then there's room for what had to wait. */
static void ring_cq(struct nvme_controller *nvme, unsigned int id, uint32_t head)
{
	struct nvme_cq *cq = &nvme->cqs[id];
	unsigned int i;

	if (head >= cq->entries ||
	    filled(cq->head, head, cq->entries) > filled(cq->head, cq->tail, cq->entries)) {
		bad_doorbell(nvme, NVME_AER_ERROR_INVALID_DB_VAL);
		return;
	}
	cq->head = head;
	for (i = 0; i < NR_QUEUES; i++)
		if (nvme->sqs[i].live && nvme->sqs[i].cq == id)
			sim_nvme_run(nvme, &nvme->sqs[i]);
}

static void ring(struct nvme_controller *nvme, unsigned int index, uint32_t value)
{
	if (index & 1)
		ring_cq(nvme, index / 2, value);
	else
		ring_sq(nvme, &nvme->sqs[index / 2], value);
}

static uint32_t known(const struct nvme_controller *nvme, unsigned int index)
{
	return index & 1 ? nvme->cqs[index / 2].head : nvme->sqs[index / 2].tail;
}

/*
 * Once it has said up to where it has seen memory it looks again: from then on the program rings,
 * and what came before is there. That ends, with a full completion queue, since no other doorbell
 * is looked at meanwhile; or with a value that is wrong.
 */
static void follow(struct nvme_controller *nvme, unsigned int index)
{
	uint32_t value;

	do {
		if (!sim_nvme_shadow_seen(nvme, index, known(nvme, index)) ||
		    !sim_nvme_shadow_read(nvme, index, &value)) {
			sim_nvme_fail(nvme);
			return;
		}
		if (value == known(nvme, index))
			return;
		ring(nvme, index, value);
	} while (is_running(nvme) && known(nvme, index) == value);
}

void sim_nvme_doorbell(struct nvme_controller *nvme, unsigned int index, uint32_t value)
{
	const unsigned int id = index / 2;

	if (!is_running(nvme))
		return;
	if (id >= NR_QUEUES || !(index & 1 ? nvme->cqs[id].live : nvme->sqs[id].live))
		bad_doorbell(nvme, NVME_AER_ERROR_INVALID_DB_REG);
	else if (id && nvme->shadow.on)
		follow(nvme, index);
	else
		ring(nvme, index, value);
	sim_nvme_tell_event(nvme);
	sim_nvme_interrupt(nvme);
}

/* --- interrupts --- */

static bool wants(const struct nvme_controller *nvme, const struct nvme_cq *cq)
{
	return cq->live && cq->irq && cq->head != cq->tail && !(nvme->intms >> cq->vector & 1);
}

/* A vector is told once of what came at once. */
static void send_messages(struct nvme_controller *nvme)
{
	uint32_t vectors = 0;
	unsigned int i;

	for (i = 0; i < NR_QUEUES; i++) {
		if (!nvme->cqs[i].fresh || !wants(nvme, &nvme->cqs[i]))
			continue;
		vectors |= 1U << nvme->cqs[i].vector;
		nvme->cqs[i].fresh = false;
	}
	for (i = 0; i < NR_VECTORS; i++)
		if (vectors >> i & 1)
			sim_raise(nvme->sim, i);
}

static void set_pin(struct nvme_controller *nvme, bool level)
{
	if (level == nvme->pin)
		return;
	nvme->pin = level;
	if (level)
		sim_raise(nvme->sim, 0);
	else
		sim_lower(nvme->sim);
}

void sim_nvme_interrupt(struct nvme_controller *nvme)
{
	bool level = false;
	unsigned int i;

	if (sim_has_messages(nvme->sim)) {
		set_pin(nvme, false);
		send_messages(nvme);
		return;
	}
	for (i = 0; i < NR_QUEUES; i++)
		level |= wants(nvme, &nvme->cqs[i]);
	set_pin(nvme, level);
}
