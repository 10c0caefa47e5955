/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef NVME_INTERNAL_H
#define NVME_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>
#include "nvme.h"
#include "prp.h"
#include "registers.h"

/* An emulated disk on a busy host may take long. */
#define NVME_COMMAND_MS		30000
/* How often somebody who waits looks whether the controller is well. */
#define NVME_HEALTH_MS		500

/**
 * struct nvme_slot - A command id.
 * @cookie: of the command under way
 * @busy: there is one
 */
struct nvme_slot {
	uint64_t cookie;
	bool busy;
};

/**
 * struct nvme_queue - A submission queue and its completion queue.
 * @id: 0 for the admin queue
 * @entries: of each; one stays empty
 * @depth: most commands at once
 * @irq: completions raise an interrupt that is waited for
 * @sq_mem: submission queue
 * @cq_mem: completion queue
 * @list_mem: room for PRP lists, @list_len for each command id
 * @list_len: bytes
 * @regs: with the doorbells
 * @sq_doorbell: where its tail goes
 * @cq_doorbell: where its head goes
 * @tail: of the submission queue
 * @head: of the completion queue
 * @phase: of new completions
 * @slots: by command id
 * @free: stack of command ids
 * @nr_free: height of @free
 */
struct nvme_queue {
	unsigned int id;
	unsigned int entries;
	unsigned int depth;
	bool irq;
	struct usrpci_coherent sq_mem;
	struct usrpci_coherent cq_mem;
	struct usrpci_coherent list_mem;
	size_t list_len;
	const struct usrpci_regs *regs;
	uint64_t sq_doorbell;
	uint64_t cq_doorbell;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
	struct nvme_slot *slots;
	uint16_t *free;
	unsigned int nr_free;
};

/**
 * struct nvme - An open disk.
 * @dev: the function
 * @info: what the disk is
 * @cap: register CAP
 * @regs: BAR 0 up to its MSI-X table, if that lies there
 * @enabled: CC.EN was set
 * @queued: the I/O queues exist
 * @failed: why the controller was stopped, 0 if it wasn't
 * @eventfd: where interrupts arrive, -1 when polled
 * @masked: INTx fired and wasn't unmasked yet
 * @shift: log2 of the block size
 * @admin: admin queue
 * @io: I/O queue
 * @bounce: for what can't go to or from user memory
 */
struct nvme {
	struct usrpci_device *dev;
	struct nvme_info info;
	uint64_t cap;
	struct usrpci_regs regs;
	bool enabled;
	bool queued;
	int failed;
	int eventfd;
	bool masked;
	unsigned int shift;
	struct nvme_queue admin;
	struct nvme_queue io;
	struct usrpci_coherent bounce;
};

/* clock.c */
int64_t nvme_now_ms(void);
uint64_t nvme_now_ns(void);

/* controller.c */
int nvme_reset(struct nvme *nvme);
int nvme_enable(struct nvme *nvme);
void nvme_shutdown(struct nvme *nvme);
/* 0, or why no command will ever be done. */
int nvme_health(struct nvme *nvme);
/* Stops the controller and its DMA for good; returns @why. */
int nvme_fail(struct nvme *nvme, int why);

/* admin.c */
int nvme_identify(struct nvme *nvme, uint32_t nsid);
int nvme_create_io_queues(struct nvme *nvme);
void nvme_delete_io_queues(struct nvme *nvme);

/* irq.c */
int nvme_setup_irq(struct nvme *nvme, enum nvme_irq irq);

/* queue.c */
int nvme_queue_alloc(struct nvme *nvme, struct nvme_queue *queue, unsigned int id,
		     unsigned int entries);
int nvme_queue_add_lists(struct nvme *nvme, struct nvme_queue *queue, uint64_t transfer);
void nvme_queue_free(struct nvme *nvme, struct nvme_queue *queue);
/* Takes a command id; -EAGAIN if none is left. */
int nvme_queue_take(struct nvme_queue *queue, uint64_t cookie);
void nvme_queue_give(struct nvme_queue *queue, unsigned int cid);
void nvme_queue_send(struct nvme_queue *queue, struct nvme_sqe *command, unsigned int cid);
int nvme_queue_reap(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max);
int nvme_queue_wait(struct nvme *nvme, struct nvme_queue *queue, struct nvme_completion *done,
		    unsigned int max, int timeout_ms);
/* Sends a command alone and waits for it. */
int nvme_queue_run(struct nvme *nvme, struct nvme_queue *queue, struct nvme_sqe *command,
		   uint32_t *value);

static inline unsigned int nvme_queue_busy(const struct nvme_queue *queue)
{
	return queue->depth - queue->nr_free;
}

/* io.c */
int nvme_start(struct nvme *nvme, enum nvme_op op, uint64_t lba, uint32_t blocks,
	       const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t cookie);

/* bounce.c */
int nvme_bounce_alloc(struct nvme *nvme);
int nvme_bounce(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
		uint64_t len);

/* status.c */
int nvme_status_error(uint16_t status);

#endif /* NVME_INTERNAL_H */
