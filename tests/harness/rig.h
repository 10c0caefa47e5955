/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * An NVMe controller with nothing but queues, for what no sane driver does to one. A simulated
 * one has done all that a doorbell asks for when the call that rings it returns, so nothing here
 * waits.
 */
#ifndef HARNESS_RIG_H
#define HARNESS_RIG_H

#include <nvme/registers.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>

#define RIG_ENTRIES	16U
#define RIG_PAGES	600U
/* What rig_reap() gives when there's nothing. */
#define RIG_NONE	0xffff

/** struct rig_queue - A submission queue and its completion queue. */
struct rig_queue {
	unsigned int id;
	unsigned int sq_entries;
	unsigned int cq_entries;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
	uint16_t next_cid;
	struct usrpci_coherent sq;
	struct usrpci_coherent cq;
	struct nvme_cqe last;
};

/** struct rig - A controller; @mem: RIG_PAGES pages that it may reach. */
struct rig {
	struct usrpci_device *dev;
	struct rig_queue admin;
	struct rig_queue io;
	struct usrpci_coherent mem;
};

/* Asserts. Bus mastering is on, and the controller as it was found. */
void rig_open(struct rig *rig, const char *address);
void rig_close(struct rig *rig);

uint32_t rig_read(struct rig *rig, unsigned int reg);
void rig_write(struct rig *rig, unsigned int reg, uint32_t value);

/* With @cc and CC.EN; returns CSTS. */
uint32_t rig_enable(struct rig *rig, uint32_t cc);
void rig_disable(struct rig *rig);
/* What a driver would write to CC, without CC.EN. */
uint32_t rig_cc(void);

/* The I/O queues, of any length; vector 0 if @irq. Asserts. */
void rig_add_io(struct rig *rig, unsigned int sq_entries, unsigned int cq_entries, bool irq);

/* A doorbell, of any queue. */
void rig_ring(struct rig *rig, unsigned int id, bool cq, uint32_t value);

/* Writes a command, and gives its id; rig_send() tells the controller of all of them. */
uint16_t rig_put(struct rig *rig, struct rig_queue *queue, struct nvme_sqe sqe);
void rig_send(struct rig *rig, struct rig_queue *queue);

/* The status (type and code) of the next completion, which is then @queue->last; RIG_NONE. */
unsigned int rig_reap(struct rig *rig, struct rig_queue *queue);
/* As that, and the controller isn't told that it was read. */
unsigned int rig_look(struct rig *rig, struct rig_queue *queue);

/* All of these at once. Asserts that there's one completion, of this command. */
unsigned int rig_run(struct rig *rig, struct rig_queue *queue, struct nvme_sqe sqe);

/* A page of @rig->mem. */
static inline uint64_t rig_bus(const struct rig *rig, unsigned int page)
{
	return rig->mem.bus_addr + page * (uint64_t)NVME_PAGE;
}

static inline unsigned char *rig_page(const struct rig *rig, unsigned int page)
{
	return (unsigned char *)rig->mem.addr + page * (size_t)NVME_PAGE;
}

#endif /* HARNESS_RIG_H */
