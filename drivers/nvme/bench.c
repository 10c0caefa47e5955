// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Measuring a disk, by a thread for each queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "latency.h"

#define REAP		64
#define LARGE		(2UL << 20)

/**
 * struct plan - What all queues do.
 * @bench: what was asked for
 * @blocks: of a command
 * @places: where a command may begin, in commands
 * @end: when no more commands are started
 * @stop: one of the queues can't go on
 */
struct plan {
	struct nvme_bench bench;
	uint32_t blocks;
	uint64_t places;
	uint64_t end;
	atomic_bool stop;
};

/**
 * struct run - What one queue does.
 * @queue: where commands go
 * @plan: of all
 * @thread: whose it is
 * @next: the place that comes next
 * @seed: of random places
 * @map: memory, a command's worth for each one under way
 * @started: when each command was, by its place in @map
 * @seen: how long they took
 * @done: when the last one was
 * @error: the first one
 */
struct run {
	struct nvme_queue *queue;
	struct plan *plan;
	pthread_t thread;
	uint64_t next;
	uint64_t seed;
	struct usrpci_mapping map;
	uint64_t *started;
	struct latencies seen;
	uint64_t done;
	int error;
};

/* xorshift64: not a good generator, but a quick one. */
static uint64_t random_number(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int start(struct run *run, uint64_t slot)
{
	const struct plan *plan = run->plan;
	uint64_t place = plan->bench.random ? random_number(&run->seed) % plan->places : run->next;
	const struct nvme_command command = {
		.op = plan->bench.op,
		.lba = place * plan->blocks,
		.blocks = plan->blocks,
		.map = &run->map,
		.offset = slot * plan->bench.size,
		.cookie = slot,
	};

	run->next = run->next + 1 < plan->places ? run->next + 1 : 0;
	run->started[slot] = nvme_now_ns();
	return nvme_stage(run->queue, &command);
}

static bool is_over(const struct run *run, uint64_t now)
{
	return run->error || now >= run->plan->end ||
	       atomic_load_explicit(&run->plan->stop, memory_order_relaxed);
}

/*
 * Takes completions and, till the end, starts a command for each: nvme_wait() tells the disk of
 * them, all at once. Returns how many are fewer.
 */
static int turn(struct run *run)
{
	struct nvme_completion done[REAP];
	int got, i, fewer = 0;
	bool over;

	got = nvme_wait(run->queue, done, REAP, -1);
	if (got < 0)
		return got;
	run->done = nvme_now_ns();
	for (i = 0; i < got; i++) {
		if (done[i].error)
			run->error = done[i].error;
		else
			latencies_add(&run->seen, run->done - run->started[done[i].cookie]);
		over = is_over(run, run->done);
		if (!over) {
			run->error = start(run, done[i].cookie);
			over = run->error;
		}
		fewer += over;
	}
	return fewer;
}

static int measure(struct run *run)
{
	unsigned int busy = 0;
	int fewer;

	while (busy < run->plan->bench.depth && !run->error) {
		run->error = start(run, busy);
		busy += !run->error;
	}
	while (busy) {
		fewer = turn(run);
		if (fewer < 0)
			return fewer;
		busy -= (unsigned int)fewer;
	}
	return run->error;
}

static void *work(void *arg)
{
	struct run *run = arg;

	run->error = measure(run);
	if (run->error)
		atomic_store(&run->plan->stop, true);
	return NULL;
}

static int map_memory(struct run *run)
{
	const struct nvme_bench *bench = &run->plan->bench;
	struct usrpci_mapping *map = &run->map;

	map->len = bench->depth * bench->size;
	map->direction = bench->op == NVME_WRITE ? USRPCI_DMA_TO_DEVICE : USRPCI_DMA_FROM_DEVICE;
	map->nr_sg = usrpci_sg_room(map->len);
	map->sg = calloc(map->nr_sg, sizeof(*map->sg));
	if (!map->sg)
		return -ENOMEM;
	/* So that an IOMMU can have large pages. */
	map->addr = aligned_alloc(LARGE, (map->len + LARGE - 1) & ~(LARGE - 1));
	if (!map->addr)
		return -ENOMEM;
	/* What is written to the disk is nothing of this program's. */
	memset(map->addr, 0, map->len);
	return usrpci_map(run->queue->nvme->dev, map, 1);
}

/* In order, each queue has its own part of the disk to begin with. */
static int prepare(struct run *run, struct plan *plan, struct nvme *nvme, unsigned int index)
{
	run->queue = &nvme->queues[index];
	run->plan = plan;
	run->seed = 0x2545f4914f6cdd1d * (2ULL * index + 1);
	run->next = plan->places / plan->bench.queues * index;
	run->started = calloc(plan->bench.depth, sizeof(*run->started));
	if (!run->started)
		return -ENOMEM;
	return nvme_queue_busy(run->queue) ? -EBUSY : map_memory(run);
}

static void clean_up(struct run *run)
{
	struct usrpci_mapping *map = &run->map;

	if (map->handle)
		usrpci_unmap(run->queue->nvme->dev, &map->handle, 1);
	free(map->addr);
	free(map->sg);
	free(run->started);
}

static int run_all(struct run *runs, struct plan *plan)
{
	unsigned int i, nr;
	int err = 0;

	for (nr = 0; nr < plan->bench.queues && !err; nr += !err)
		err = -pthread_create(&runs[nr].thread, NULL, work, &runs[nr]);
	if (err)
		atomic_store(&plan->stop, true);
	for (i = 0; i < nr; i++) {
		pthread_join(runs[i].thread, NULL);
		if (!err)
			err = runs[i].error;
	}
	return err;
}

static void sum_up(struct run *runs, const struct plan *plan, uint64_t begin,
		   struct nvme_figures *figures)
{
	struct latencies *all = &runs[0].seen;
	uint64_t end = runs[0].done;
	unsigned int i;

	for (i = 1; i < plan->bench.queues; i++) {
		latencies_merge(all, &runs[i].seen);
		if (runs[i].done > end)
			end = runs[i].done;
	}
	if (!all->count)
		return;
	*figures = (struct nvme_figures){
		.commands = all->count,
		.bytes = all->count * plan->bench.size,
		.ns = end - begin,
		.latency_avg = all->sum / all->count,
		.latency_min = all->min,
		.latency_p50 = latencies_rank(all, 500),
		.latency_p90 = latencies_rank(all, 900),
		.latency_p99 = latencies_rank(all, 990),
		.latency_p999 = latencies_rank(all, 999),
		.latency_max = all->max,
	};
}

static int check(const struct nvme_info *info, const struct nvme_bench *bench)
{
	if (bench->op != NVME_READ && bench->op != NVME_WRITE)
		return -EINVAL;
	if (!bench->size || bench->size % info->block_size || bench->size > info->max_transfer)
		return -EINVAL;
	if (bench->size / info->block_size > info->blocks || bench->depth > info->depth ||
	    bench->queues > info->queues)
		return -EINVAL;
	return 0;
}

static int bench_all(struct nvme *nvme, struct plan *plan, struct run *runs,
		     struct nvme_figures *figures)
{
	uint64_t begin;
	unsigned int i;
	int err;

	for (i = 0; i < plan->bench.queues; i++) {
		err = prepare(&runs[i], plan, nvme, i);
		if (err)
			return err;
	}
	begin = nvme_now_ns();
	plan->end = begin + plan->bench.seconds * 1000000000ULL;
	err = run_all(runs, plan);
	if (!err)
		sum_up(runs, plan, begin, figures);
	return err;
}

int nvme_bench(struct nvme *nvme, const struct nvme_bench *bench, struct nvme_figures *figures)
{
	const struct nvme_info *info = &nvme->info;
	struct plan plan = { .bench = *bench };
	struct run *runs;
	unsigned int i;
	int err;

	*figures = (struct nvme_figures){ };
	if (!plan.bench.depth)
		plan.bench.depth = info->depth;
	if (!plan.bench.queues)
		plan.bench.queues = info->queues;
	err = check(info, &plan.bench);
	if (err)
		return err;
	plan.blocks = (uint32_t)(bench->size / info->block_size);
	plan.places = info->blocks / plan.blocks;
	runs = calloc(plan.bench.queues, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	err = bench_all(nvme, &plan, runs, figures);
	for (i = 0; i < plan.bench.queues; i++)
		clean_up(&runs[i]);
	free(runs);
	return err;
}
