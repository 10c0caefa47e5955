// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include "rig.h"

uint32_t rig_read(struct rig *rig, unsigned int reg)
{
	uint64_t value;

	assert_int_equal(usrpci_bar_read(rig->dev, 0, reg, 4, &value), 0);
	return (uint32_t)value;
}

void rig_write(struct rig *rig, unsigned int reg, uint32_t value)
{
	assert_int_equal(usrpci_bar_write(rig->dev, 0, reg, 4, value), 0);
}

static void alloc(struct rig *rig, struct usrpci_coherent *mem, size_t len)
{
	assert_int_equal(usrpci_coherent_alloc(rig->dev, len, mem), 0);
}

/* Memory as after a reset of what uses it. */
static void rewind_queue(struct rig_queue *queue)
{
	queue->tail = 0;
	queue->head = 0;
	queue->phase = 1;
	memset(queue->sq.addr, 0, queue->sq.len);
	memset(queue->cq.addr, 0, queue->cq.len);
}

void rig_open(struct rig *rig, const char *address)
{
	*rig = (struct rig){ .io.id = 1 };
	assert_int_equal(usrpci_open(&rig->dev, address), 0);
	assert_int_equal(usrpci_set_dma_mask(rig->dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_set_master(rig->dev, true), 0);
	alloc(rig, &rig->admin.sq, RIG_ENTRIES << NVME_SQE_SHIFT);
	alloc(rig, &rig->admin.cq, RIG_ENTRIES << NVME_CQE_SHIFT);
	alloc(rig, &rig->io.sq, 1024U << NVME_SQE_SHIFT);
	alloc(rig, &rig->io.cq, 1024U << NVME_CQE_SHIFT);
	alloc(rig, &rig->mem, RIG_PAGES * NVME_PAGE);
	rig->admin.sq_entries = RIG_ENTRIES;
	rig->admin.cq_entries = RIG_ENTRIES;
}

void rig_close(struct rig *rig)
{
	usrpci_close(rig->dev);
	rig->dev = NULL;
}

uint32_t rig_cc(void)
{
	return NVME_SET(NVME_SQE_SHIFT, CC_IOSQES) | NVME_SET(NVME_CQE_SHIFT, CC_IOCQES);
}

uint32_t rig_enable(struct rig *rig, uint32_t cc)
{
	rewind_queue(&rig->admin);
	rig_write(rig, NVME_REG_AQA, NVME_SET(RIG_ENTRIES - 1, AQA_ASQS) |
				     NVME_SET(RIG_ENTRIES - 1, AQA_ACQS));
	rig_write(rig, NVME_REG_ASQ, (uint32_t)rig->admin.sq.bus_addr);
	rig_write(rig, NVME_REG_ASQ + 4, (uint32_t)(rig->admin.sq.bus_addr >> 32));
	rig_write(rig, NVME_REG_ACQ, (uint32_t)rig->admin.cq.bus_addr);
	rig_write(rig, NVME_REG_ACQ + 4, (uint32_t)(rig->admin.cq.bus_addr >> 32));
	rig_write(rig, NVME_REG_CC, cc | NVME_SET(1, CC_EN));
	return rig_read(rig, NVME_REG_CSTS);
}

void rig_disable(struct rig *rig)
{
	rig_write(rig, NVME_REG_CC, 0);
	assert_int_equal(rig_read(rig, NVME_REG_CSTS), 0);
}

void rig_add_io(struct rig *rig, unsigned int sq_entries, unsigned int cq_entries, bool irq)
{
	struct rig_queue *io = &rig->io;
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
	assert_int_equal(rig_run(rig, &rig->admin, cq), 0);
	assert_int_equal(rig_run(rig, &rig->admin, sq), 0);
}

void rig_ring(struct rig *rig, unsigned int id, bool cq, uint32_t value)
{
	rig_write(rig, NVME_DOORBELLS + (2 * id + cq) * 4, value);
}

uint16_t rig_put(struct rig *rig, struct rig_queue *queue, struct nvme_sqe sqe)
{
	struct nvme_sqe *sq = queue->sq.addr;

	sqe.cid = htole16(queue->next_cid);
	sq[queue->tail] = sqe;
	queue->tail = (queue->tail + 1) % queue->sq_entries;
	return queue->next_cid++;
}

void rig_send(struct rig *rig, struct rig_queue *queue)
{
	rig_ring(rig, queue->id, false, queue->tail);
}

unsigned int rig_look(struct rig *rig, struct rig_queue *queue)
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

unsigned int rig_reap(struct rig *rig, struct rig_queue *queue)
{
	unsigned int status = rig_look(rig, queue);

	if (status != RIG_NONE)
		rig_ring(rig, queue->id, true, queue->head);
	return status;
}

unsigned int rig_run(struct rig *rig, struct rig_queue *queue, struct nvme_sqe sqe)
{
	uint16_t cid = rig_put(rig, queue, sqe);
	unsigned int status;

	rig_send(rig, queue);
	status = rig_reap(rig, queue);
	assert_int_not_equal(status, RIG_NONE);
	assert_int_equal(le16toh(queue->last.cid), cid);
	assert_int_equal(le16toh(queue->last.sq_id), queue->id);
	assert_int_equal(le16toh(queue->last.sq_head), queue->tail);
	return status;
}
