/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef NVME_INTERNAL_H
#define NVME_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>
#include "doorbell.h"
#include "nvme.h"
#include "prp.h"
#include "registers.h"

/* An emulated disk on a busy host may take long. */
#define NVME_COMMAND_MS		30000
#define NVME_MIN_COMMAND_MS	100
/* How often somebody who waits looks whether the controller is well, if not more often. */
#define NVME_HEALTH_MS		500

/**
 * struct nvme_slot - A command id.
 * @cookie: of the command under way
 * @since_ms: when it was sent, or told to be aborted
 * @busy: there is one
 * @aborted: it took too long
 */
struct nvme_slot {
	uint64_t cookie;
	int64_t since_ms;
	bool busy;
	bool aborted;
};

/**
 * struct nvme_queue - A submission queue and its completion queue.
 * @nvme: the disk
 * @id: 0 for the admin queue
 * @entries: of the submission queue; one stays empty
 * @cq_entries: of the completion queue
 * @depth: most commands at once
 * @eventfd: where its interrupts arrive, -1 when polled
 * @masked: INTx fired and wasn't unmasked yet
 * @sq_mem: submission queue
 * @cq_mem: completion queue
 * @list_mem: room for PRP lists, @list_len for each command id
 * @list_len: bytes
 * @bounce: for what can't go to or from user memory
 * @sq_doorbell: for its tail
 * @cq_doorbell: for its head
 * @tail: of the submission queue; what the controller wasn't told of yet is staged
 * @head: of the completion queue
 * @phase: of new completions
 * @slots: by command id
 * @free: stack of command ids
 * @nr_free: height of @free
 * @epoch: of the controller, when it got to know this queue
 * @look_ms: when commands are looked at next, for having taken too long
 *
 * All of an I/O queue is its thread's. Another that resets the controller leaves the queue alone,
 * and its thread learns of it by the epoch.
 */
struct nvme_queue {
	struct nvme *nvme;
	unsigned int id;
	unsigned int entries;
	unsigned int cq_entries;
	unsigned int depth;
	int eventfd;
	bool masked;
	struct usrpci_coherent sq_mem;
	struct usrpci_coherent cq_mem;
	struct usrpci_coherent list_mem;
	size_t list_len;
	struct usrpci_coherent bounce;
	struct nvme_doorbell sq_doorbell;
	struct nvme_doorbell cq_doorbell;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
	struct nvme_slot *slots;
	uint16_t *free;
	unsigned int nr_free;
	unsigned int epoch;
	int64_t look_ms;
};

/**
 * struct nvme - An open disk.
 * @dev: the function
 * @info: what the disk is; it doesn't change once it's open
 * @cap: register CAP
 * @regs: BAR 0 up to its MSI-X table, if that lies there
 * @timeout_ms: how long a command may take
 * @shift: log2 of the block size
 * @copy: most bytes of a transfer that are copied, and not mapped
 * @shadow: two pages for doorbells in memory, if the controller knows of such: their values, and
 *	up to where it has seen them
 * @shadowed: it was told of them, since it was enabled
 * @lock: the admin queue, and whoever changes the controller's state
 * @admin: admin queue, which is polled
 * @enabled: CC.EN was set
 * @epoch: goes up when the controller was reset, and so forgot its queues
 * @failed: why the controller was stopped for good, 0 if it wasn't
 * @queues: I/O queues
 */
struct nvme {
	struct usrpci_device *dev;
	struct nvme_info info;
	uint64_t cap;
	struct usrpci_regs regs;
	int64_t timeout_ms;
	unsigned int shift;
	size_t copy;
	struct usrpci_coherent shadow;
	bool shadowed;
	pthread_mutex_t lock;
	struct nvme_queue admin;
	bool enabled;
	atomic_uint epoch;
	atomic_int failed;
	struct nvme_queue *queues;
};

/* clock.c */
int64_t nvme_now_ms(void);
uint64_t nvme_now_ns(void);
/* Some milliseconds old, and cheap. */
int64_t nvme_coarse_ms(void);

/* controller.c: under the lock, or before anybody else knows of the disk. */
int nvme_reset(struct nvme *nvme);
int nvme_leave_orders(struct nvme *nvme);
int nvme_enable(struct nvme *nvme);
void nvme_shutdown(struct nvme *nvme);
/* No command is under way when it returns 0. */
int nvme_disable(struct nvme *nvme);
/* 0, or why no command will ever be done. Needs no lock. */
int nvme_health(struct nvme *nvme);
/* Stops the controller and its DMA for good; returns @why. */
int nvme_fail(struct nvme *nvme, int why);

/* admin.c: under the lock, too. */
int nvme_identify(struct nvme *nvme, uint32_t nsid);
/* Asks for @nr queues; gives how many there may be. */
int nvme_set_queues(struct nvme *nvme, unsigned int nr, unsigned int *given);
/* Tells of the shadows, if there are some; an error if nothing else will work either. */
int nvme_set_shadow(struct nvme *nvme);
int nvme_create_queue(struct nvme_queue *queue);
void nvme_delete_queue(struct nvme_queue *queue);
int nvme_abort(struct nvme *nvme, const struct nvme_queue *queue, unsigned int cid);

/* irq.c: as many vectors as there are queues; @nr becomes less if there are less. */
int nvme_setup_irq(struct nvme *nvme, enum nvme_irq irq, unsigned int *nr);
/* A queue's eventfd, wired to its vector. */
int nvme_wire_irq(struct nvme_queue *queue);

/* queue.c */
int nvme_queue_alloc(struct nvme *nvme, struct nvme_queue *queue, unsigned int id,
		     unsigned int entries);
/* Its doorbells are shadowed or not, as the controller was told; it has no events of it so far. */
void nvme_queue_shadow(struct nvme_queue *queue);
int nvme_queue_add_lists(struct nvme_queue *queue, uint64_t transfer);
void nvme_queue_free(struct nvme_queue *queue);
/* As if it were new; the controller mustn't know it. */
void nvme_queue_rewind(struct nvme_queue *queue);
/* Takes a command id; -EAGAIN if none is left. */
int nvme_queue_take(struct nvme_queue *queue, uint64_t cookie);
void nvme_queue_give(struct nvme_queue *queue, unsigned int cid);
/* A command's place in the queue, of which nvme_queue_ring() tells the controller. */
void nvme_queue_put(struct nvme_queue *queue, struct nvme_sqe *command, unsigned int cid);
void nvme_queue_ring(struct nvme_queue *queue);
int nvme_queue_reap(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max);

static inline unsigned int nvme_queue_busy(const struct nvme_queue *queue)
{
	return queue->depth - queue->nr_free;
}

/* wait.c */
/* Sends a command alone and waits for it, of which the admin queue makes no more than an errno. */
int nvme_admin_run(struct nvme *nvme, struct nvme_sqe *command, uint32_t *value);
int nvme_queue_run(struct nvme_queue *queue, const struct nvme_command *command);
/* Till all are done; gives the first error. */
int nvme_queue_drain(struct nvme_queue *queue);

/* recover.c */
/* How often a queue's commands are looked at. */
int64_t nvme_look_every(const struct nvme *nvme);
/* Whether a reset was seen whose end of the commands hasn't been told to the queue's user. */
bool nvme_is_stale(const struct nvme_queue *queue);
/* Tells it, and at last makes the queue anew. How many completions; an errno. */
int nvme_renew(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max);
/* Looks for commands that take too long, and does something about it. */
int nvme_expire(struct nvme_queue *queue);
/* Stops the controller for good, since its commands can't be waited for; returns @why. */
int nvme_give_up(struct nvme *nvme, int why);
/* Resets the controller, if nobody has since the queue was made. */
int nvme_recover(struct nvme_queue *queue);

/* io.c */
/* As nvme_stage(), which has checked it all but for where the memory is. */
int nvme_start(struct nvme_queue *queue, const struct nvme_command *command,
	       const struct usrpci_sg *sg, unsigned int nr);

/* bounce.c */
int nvme_bounce_alloc(struct nvme_queue *queue);
/* What can be moved by one command. */
uint64_t nvme_bounce_room(const struct nvme_queue *queue);
int nvme_bounce(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		unsigned char *buf, uint64_t len);

/* range.c */
int nvme_check_range(const struct nvme *nvme, uint64_t offset, uint64_t len);

/* status.c */
int nvme_status_error(uint16_t status);

#endif /* NVME_INTERNAL_H */
