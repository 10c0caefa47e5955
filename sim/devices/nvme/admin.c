// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Admin commands: NVMe base 2.0 §5. */
#include "controller.h"

static unsigned int id_of(const struct nvme_sqe *sqe)
{
	return le32toh(sqe->cdw10) & 0xffff;
}

static unsigned int entries_of(const struct nvme_sqe *sqe)
{
	return (le32toh(sqe->cdw10) >> 16) + 1;
}

/* What both kinds of queues have in common. Memory is in one piece, as CAP.CQR asks. */
static uint16_t check_queue(const struct nvme_sqe *sqe, bool taken)
{
	const unsigned int id = id_of(sqe), entries = entries_of(sqe);

	if (!id || id > NR_IO_QUEUES || taken)
		return SPECIFIC(QID_INVALID);
	if (entries < 2 || entries > MAX_ENTRIES)
		return SPECIFIC(QUEUE_SIZE);
	if (!(le32toh(sqe->cdw11) & NVME_QUEUE_CONTIGUOUS))
		return GENERIC(INVALID_FIELD);
	return le64toh(sqe->prp1) & (NVME_PAGE - 1) ? GENERIC(PRP_INVALID_OFFSET) : 0;
}

/* Whoever makes a queue has said before how long its entries are. */
static uint16_t check_entry_size(const struct nvme_controller *nvme, bool cq)
{
	if (cq)
		return NVME_CC_IOCQES(nvme->cc) == NVME_CQE_SHIFT ? 0 : GENERIC(INVALID_FIELD);
	return NVME_CC_IOSQES(nvme->cc) == NVME_SQE_SHIFT ? 0 : GENERIC(INVALID_FIELD);
}

static uint16_t create_cq(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const unsigned int id = id_of(sqe), vector = le32toh(sqe->cdw11) >> 16;
	uint16_t status;

	status = check_queue(sqe, id < NR_QUEUES && nvme->cqs[id].live);
	if (!status && vector >= NR_VECTORS)
		status = SPECIFIC(INVALID_VECTOR);
	if (!status)
		status = check_entry_size(nvme, true);
	if (status)
		return status;
	nvme->cqs[id] = (struct nvme_cq){
		.live = true,
		.base = le64toh(sqe->prp1),
		.entries = entries_of(sqe),
		.phase = 1,
		.irq = le32toh(sqe->cdw11) & NVME_QUEUE_IRQ,
		.vector = vector,
	};
	return 0;
}

static uint16_t create_sq(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const unsigned int id = id_of(sqe), cq = le32toh(sqe->cdw11) >> 16;
	uint16_t status;

	status = check_queue(sqe, id < NR_QUEUES && nvme->sqs[id].live);
	if (!status && (!cq || cq > NR_IO_QUEUES))
		status = SPECIFIC(QID_INVALID);
	if (!status && !nvme->cqs[cq].live)
		status = SPECIFIC(CQ_INVALID);
	if (!status)
		status = check_entry_size(nvme, false);
	if (status)
		return status;
	nvme->sqs[id] = (struct nvme_sq){
		.live = true,
		.base = le64toh(sqe->prp1),
		.entries = entries_of(sqe),
		.cq = cq,
	};
	return 0;
}

/* Nothing is under way in it: what was submitted has been carried out, or never will be. */
static uint16_t delete_sq(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const unsigned int id = id_of(sqe);

	if (!id || id > NR_IO_QUEUES || !nvme->sqs[id].live)
		return SPECIFIC(QID_INVALID);
	nvme->sqs[id] = (struct nvme_sq){ 0 };
	sim_nvme_forget_held(nvme, id);
	return 0;
}

static uint16_t delete_cq(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const unsigned int id = id_of(sqe);
	unsigned int i;

	if (!id || id > NR_IO_QUEUES || !nvme->cqs[id].live)
		return SPECIFIC(QID_INVALID);
	for (i = 1; i < NR_QUEUES; i++)
		if (nvme->sqs[i].live && nvme->sqs[i].cq == id)
			return SPECIFIC(INVALID_QUEUE);
	nvme->cqs[id] = (struct nvme_cq){ 0 };
	return 0;
}

static uint16_t request_event(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      struct nvme_answer *answer)
{
	if (nvme->nr_requests == MAX_REQUESTS)
		return SPECIFIC(ASYNC_LIMIT);
	nvme->requests[nvme->nr_requests++] = le16toh(sqe->cid);
	answer->held = true;
	return 0;
}

/* There must be room for one more completion after that of the command that aborts. */
static bool abort_request(struct nvme_controller *nvme, uint16_t cid)
{
	const struct nvme_answer aborted = { .status = GENERIC(ABORT_REQ) };
	const struct nvme_cq *cq = &nvme->cqs[0];
	unsigned int i;

	if ((cq->tail + 2) % cq->entries == cq->head)
		return false;
	for (i = 0; i < nvme->nr_requests; i++)
		if (nvme->requests[i] == cid)
			break;
	if (i == nvme->nr_requests)
		return false;
	sim_nvme_give_request(nvme, i, &aborted);
	return true;
}

/* Only event requests last, and what is held by a knob. Bit 0 of the result: it wasn't aborted. */
static uint16_t abort_command(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint32_t *result)
{
	const uint32_t which = le32toh(sqe->cdw10);
	const unsigned int sq = which & 0xffff;
	const uint16_t cid = (uint16_t)(which >> 16);

	*result = !(sq ? sim_nvme_abort_held(nvme, sq, cid) : abort_request(nvme, cid));
	return 0;
}

uint16_t sim_nvme_admin(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			struct nvme_answer *answer)
{
	switch (sqe->opcode) {
	case nvme_admin_delete_sq:
		return delete_sq(nvme, sqe);
	case nvme_admin_create_sq:
		return create_sq(nvme, sqe);
	case nvme_admin_get_log_page:
		return sim_nvme_get_log(nvme, sqe);
	case nvme_admin_delete_cq:
		return delete_cq(nvme, sqe);
	case nvme_admin_create_cq:
		return create_cq(nvme, sqe);
	case nvme_admin_identify:
		return sim_nvme_identify(nvme, sqe);
	case nvme_admin_abort_cmd:
		return abort_command(nvme, sqe, &answer->result);
	case nvme_admin_set_features:
		return sim_nvme_set_feature(nvme, sqe, &answer->result);
	case nvme_admin_get_features:
		return sim_nvme_get_feature(nvme, sqe, &answer->result);
	case nvme_admin_async_event:
		return request_event(nvme, sqe, answer);
	case nvme_admin_dbbuf:
		return sim_nvme_set_shadow(nvme, sqe);
	}
	return GENERIC(INVALID_OPCODE);
}
