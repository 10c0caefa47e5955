/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * An NVMe controller with nothing but queues, for what no sane driver does to one. A simulated
 * one has done all that a doorbell asks for when the call that rings it returns, so nothing here
 * waits.
 */
#ifndef HARNESS_CTRL_H
#define HARNESS_CTRL_H

#include <nvme/registers.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>

#define RIG_ENTRIES	16U
#define RIG_PAGES	600U
/* The I/O queues' memory. */
#define RIG_MOST_ENTRIES 2048U
/* What ctrl_reap() gives when there's nothing. */
#define RIG_NONE	0xffff

/** struct ctrl_queue - A submission queue and its completion queue. */
struct ctrl_queue {
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

/** struct ctrl - A controller; @mem: RIG_PAGES pages that it may reach. */
struct ctrl {
	struct usrpci_device *dev;
	struct ctrl_queue admin;
	struct ctrl_queue io;
	struct usrpci_coherent mem;
};

/* Asserts. Bus mastering is on, and the controller as it was found. */
void ctrl_open(struct ctrl *ctrl, const char *address);
void ctrl_close(struct ctrl *ctrl);

uint32_t ctrl_read(struct ctrl *ctrl, unsigned int reg);
void ctrl_write(struct ctrl *ctrl, unsigned int reg, uint32_t value);

/* With @cc and CC.EN; returns CSTS. */
uint32_t ctrl_enable(struct ctrl *ctrl, uint32_t cc);
void ctrl_disable(struct ctrl *ctrl);
/* What a driver would write to CC, without CC.EN. */
uint32_t ctrl_cc(void);

/* The I/O queues, of any length; vector 0 if @irq. Asserts. */
void ctrl_add_io(struct ctrl *ctrl, unsigned int sq_entries, unsigned int cq_entries, bool irq);

/* A doorbell, of any queue. */
void ctrl_ring(struct ctrl *ctrl, unsigned int id, bool cq, uint32_t value);

/* Writes a command, and gives its id; ctrl_send() tells the controller of all of them. */
uint16_t ctrl_put(struct ctrl *ctrl, struct ctrl_queue *queue, struct nvme_sqe sqe);
void ctrl_send(struct ctrl *ctrl, struct ctrl_queue *queue);

/* The status (type and code) of the next completion, which is then @queue->last; RIG_NONE. */
unsigned int ctrl_reap(struct ctrl *ctrl, struct ctrl_queue *queue);
/* As that, and the controller isn't told that it was read. */
unsigned int ctrl_look(struct ctrl *ctrl, struct ctrl_queue *queue);

/* All of these at once. Asserts that there's one completion, of this command. */
unsigned int ctrl_run(struct ctrl *ctrl, struct ctrl_queue *queue, struct nvme_sqe sqe);

/* A page of @ctrl->mem. */
static inline uint64_t ctrl_bus(const struct ctrl *ctrl, unsigned int page)
{
	return ctrl->mem.bus_addr + page * (uint64_t)NVME_PAGE;
}

static inline unsigned char *ctrl_page(const struct ctrl *ctrl, unsigned int page)
{
	return (unsigned char *)ctrl->mem.addr + page * (size_t)NVME_PAGE;
}

#endif /* HARNESS_CTRL_H */
