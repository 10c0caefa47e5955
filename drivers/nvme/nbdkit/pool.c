// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include "pool.h"

int pool_open(struct pool *pool, struct nvme *nvme)
{
	const unsigned int nr = nvme_info(nvme)->queues;

	pool->free = calloc(nr, sizeof(struct nvme_queue *));
	if (!pool->free)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->given, NULL);
	for (pool->nr_free = 0; pool->nr_free < nr; pool->nr_free++)
		pool->free[pool->nr_free] = nvme_queue(nvme, pool->nr_free);
	return 0;
}

void pool_close(struct pool *pool)
{
	if (!pool->free)
		return;
	pthread_cond_destroy(&pool->given);
	pthread_mutex_destroy(&pool->lock);
	free(pool->free);
	pool->free = NULL;
}

struct nvme_queue *pool_take(struct pool *pool)
{
	struct nvme_queue *queue;

	pthread_mutex_lock(&pool->lock);
	while (!pool->nr_free)
		pthread_cond_wait(&pool->given, &pool->lock);
	queue = pool->free[--pool->nr_free];
	pthread_mutex_unlock(&pool->lock);
	return queue;
}

void pool_give(struct pool *pool, struct nvme_queue *queue)
{
	pthread_mutex_lock(&pool->lock);
	pool->free[pool->nr_free++] = queue;
	pthread_cond_signal(&pool->given);
	pthread_mutex_unlock(&pool->lock);
}
