/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The queues of a disk, lent to nbdkit's threads: each request has one for itself, whichever
 * thread it's in. The one that was given back last comes first, since its memory is warm.
 */
#ifndef NBDKIT_POOL_H
#define NBDKIT_POOL_H

#include <pthread.h>
#include <nvme/nvme.h>

/**
 * struct pool - The queues that nobody has.
 * @lock: guards the stack
 * @given: one was given back
 * @free: stack of queues
 * @nr_free: its height
 */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct nvme_queue **free;
	unsigned int nr_free;
};

/* All queues of a disk. 0 or -ENOMEM. */
int pool_open(struct pool *pool, struct nvme *nvme);
void pool_close(struct pool *pool);

/* Waits for one. */
struct nvme_queue *pool_take(struct pool *pool);
void pool_give(struct pool *pool, struct nvme_queue *queue);

#endif /* NBDKIT_POOL_H */
