// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include "ctrl.h"

uint32_t ctrl_read(struct ctrl *ctrl, unsigned int reg)
{
	uint64_t value;

	assert_int_equal(usrpci_bar_read(ctrl->dev, 0, reg, 4, &value), 0);
	return (uint32_t)value;
}

void ctrl_write(struct ctrl *ctrl, unsigned int reg, uint32_t value)
{
	assert_int_equal(usrpci_bar_write(ctrl->dev, 0, reg, 4, value), 0);
}

static void alloc(struct ctrl *ctrl, struct usrpci_coherent *mem, size_t len)
{
	assert_int_equal(usrpci_coherent_alloc(ctrl->dev, len, mem), 0);
}

/* Memory as after a reset of what uses it. */
static void rewind_queue(struct ctrl_queue *queue)
{
	queue->tail = 0;
	queue->head = 0;
	queue->phase = 1;
	memset(queue->sq.addr, 0, queue->sq.len);
	memset(queue->cq.addr, 0, queue->cq.len);
}

void ctrl_open(struct ctrl *ctrl, const char *address)
{
	*ctrl = (struct ctrl){ .io.id = 1 };
	assert_int_equal(usrpci_open(&ctrl->dev, address), 0);
	assert_int_equal(usrpci_set_dma_mask(ctrl->dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_set_master(ctrl->dev, true), 0);
	alloc(ctrl, &ctrl->admin.sq, RIG_ENTRIES << NVME_SQE_SHIFT);
	alloc(ctrl, &ctrl->admin.cq, RIG_ENTRIES << NVME_CQE_SHIFT);
	alloc(ctrl, &ctrl->io.sq, RIG_MOST_ENTRIES << NVME_SQE_SHIFT);
	alloc(ctrl, &ctrl->io.cq, RIG_MOST_ENTRIES << NVME_CQE_SHIFT);
	alloc(ctrl, &ctrl->mem, RIG_PAGES * NVME_PAGE);
	ctrl->admin.sq_entries = RIG_ENTRIES;
	ctrl->admin.cq_entries = RIG_ENTRIES;
}

void ctrl_close(struct ctrl *ctrl)
{
	usrpci_close(ctrl->dev);
	ctrl->dev = NULL;
}

uint32_t ctrl_cc(void)
{
	return NVME_SET(NVME_SQE_SHIFT, CC_IOSQES) | NVME_SET(NVME_CQE_SHIFT, CC_IOCQES);
}

uint32_t ctrl_enable(struct ctrl *ctrl, uint32_t cc)
{
	rewind_queue(&ctrl->admin);
	ctrl_write(ctrl, NVME_REG_AQA, NVME_SET(RIG_ENTRIES - 1, AQA_ASQS) |
				     NVME_SET(RIG_ENTRIES - 1, AQA_ACQS));
	ctrl_write(ctrl, NVME_REG_ASQ, (uint32_t)ctrl->admin.sq.bus_addr);
	ctrl_write(ctrl, NVME_REG_ASQ + 4, (uint32_t)(ctrl->admin.sq.bus_addr >> 32));
	ctrl_write(ctrl, NVME_REG_ACQ, (uint32_t)ctrl->admin.cq.bus_addr);
	ctrl_write(ctrl, NVME_REG_ACQ + 4, (uint32_t)(ctrl->admin.cq.bus_addr >> 32));
	ctrl_write(ctrl, NVME_REG_CC, cc | NVME_SET(1, CC_EN));
	return ctrl_read(ctrl, NVME_REG_CSTS);
}

void ctrl_disable(struct ctrl *ctrl)
{
	ctrl_write(ctrl, NVME_REG_CC, 0);
	assert_int_equal(ctrl_read(ctrl, NVME_REG_CSTS), 0);
}

void ctrl_add_io(struct ctrl *ctrl, unsigned int sq_entries, unsigned int cq_entries, bool irq)
{
	struct ctrl_queue *io = &ctrl->io;
	const struct nvme_sqe cq = {
		.opcode = nvme_admin_create_cq,
		.prp1 = htole64(io->cq.bus_addr),
		.cdw10 = htole32((cq_entries - 1) << 16 | io->id),
		.cdw11 = htole32(NVME_QUEUE_CONTIGUOUS | (irq ? NVME_QUEUE_IRQ : 0)),
	};
	const struct nvme_sqe sq = {
		.opcode = nvme_admin_create_sq,
		.prp1 = htole64(io->sq.bus_addr),
		.cdw10 = htole32((sq_entries - 1) << 16 | io->id),
		.cdw11 = htole32(io->id << 16 | NVME_QUEUE_CONTIGUOUS),
	};

	rewind_queue(io);
	io->sq_entries = sq_entries;
	io->cq_entries = cq_entries;
	assert_int_equal(ctrl_run(ctrl, &ctrl->admin, cq), 0);
	assert_int_equal(ctrl_run(ctrl, &ctrl->admin, sq), 0);
}

void ctrl_ring(struct ctrl *ctrl, unsigned int id, bool cq, uint32_t value)
{
	ctrl_write(ctrl, NVME_DOORBELLS + (2 * id + cq) * 4, value);
}

uint16_t ctrl_put(struct ctrl *ctrl, struct ctrl_queue *queue, struct nvme_sqe sqe)
{
	struct nvme_sqe *sq = queue->sq.addr;

	sqe.cid = htole16(queue->next_cid);
	sq[queue->tail] = sqe;
	queue->tail = (queue->tail + 1) % queue->sq_entries;
	return queue->next_cid++;
}

void ctrl_send(struct ctrl *ctrl, struct ctrl_queue *queue)
{
	ctrl_ring(ctrl, queue->id, false, queue->tail);
}

unsigned int ctrl_look(struct ctrl *ctrl, struct ctrl_queue *queue)
{
	const struct nvme_cqe *cq = queue->cq.addr;

	queue->last = cq[queue->head];
	if ((le16toh(queue->last.status) & NVME_CQE_PHASE) != queue->phase)
		return RIG_NONE;
	queue->head = (queue->head + 1) % queue->cq_entries;
	if (!queue->head)
		queue->phase ^= NVME_CQE_PHASE;
	return le16toh(queue->last.status) >> 1 & 0x7ff;
}

unsigned int ctrl_reap(struct ctrl *ctrl, struct ctrl_queue *queue)
{
	unsigned int status = ctrl_look(ctrl, queue);

	if (status != RIG_NONE)
		ctrl_ring(ctrl, queue->id, true, queue->head);
	return status;
}

unsigned int ctrl_run(struct ctrl *ctrl, struct ctrl_queue *queue, struct nvme_sqe sqe)
{
	uint16_t cid = ctrl_put(ctrl, queue, sqe);
	unsigned int status;

	ctrl_send(ctrl, queue);
	status = ctrl_reap(ctrl, queue);
	assert_int_not_equal(status, RIG_NONE);
	assert_int_equal(le16toh(queue->last.cid), cid);
	assert_int_equal(le16toh(queue->last.sq_id), queue->id);
	assert_int_equal(le16toh(queue->last.sq_head), queue->tail);
	return status;
}
