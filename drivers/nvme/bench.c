// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "internal.h"

/* Latencies fall into 32 buckets for each power of two: 3 % wide. */
#define STEP_SHIFT	5
#define STEPS		(1U << STEP_SHIFT)
#define BUCKETS		((64 - STEP_SHIFT + 1) * STEPS)
#define REAP		64

/**
 * struct run - A measurement under way.
 * @queue: where commands go
 * @bench: what was asked for
 * @blocks: of a command
 * @places: where a command may begin, in commands
 * @next: the place that comes next
 * @seed: of random places
 * @map: memory, a command's worth for each one under way
 * @started: when each command was, by its place in @map
 * @buckets: latencies
 * @sum: of latencies
 * @error: the first one
 */
struct run {
	struct nvme_queue *queue;
	const struct nvme_bench *bench;
	uint32_t blocks;
	uint64_t places;
	uint64_t next;
	uint64_t seed;
	struct usrpci_mapping map;
	uint64_t *started;
	uint64_t *buckets;
	uint64_t sum;
	int error;
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < STEPS)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - STEP_SHIFT;
	return (shift + 1) * STEPS + (unsigned int)((ns >> shift) & (STEPS - 1));
}

/* The longest latency that falls into a bucket. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int shift = bucket / STEPS;

	if (!shift)
		return bucket;
	return ((uint64_t)(bucket % STEPS + STEPS + 1) << (shift - 1)) - 1;
}

static uint64_t percentile(const struct run *run, const struct nvme_figures *figures,
			   unsigned int percent)
{
	uint64_t left = (figures->commands * percent + 99) / 100;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		if (run->buckets[i] >= left)
			return bucket_end(i);
		left -= run->buckets[i];
	}
	return figures->latency_max;
}

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
	uint64_t place = run->bench->random ? random_number(&run->seed) % run->places : run->next;
	const struct nvme_command command = {
		.op = run->bench->op,
		.lba = place * run->blocks,
		.blocks = run->blocks,
		.map = &run->map,
		.offset = slot * run->bench->size,
		.cookie = slot,
	};

	run->next = run->next + 1 < run->places ? run->next + 1 : 0;
	run->started[slot] = nvme_now_ns();
	return nvme_submit(run->queue, &command);
}

static void account(struct run *run, struct nvme_figures *figures, uint64_t ns)
{
	if (!figures->commands || ns < figures->latency_min)
		figures->latency_min = ns;
	if (ns > figures->latency_max)
		figures->latency_max = ns;
	run->buckets[bucket_of(ns)]++;
	run->sum += ns;
	figures->commands++;
	figures->bytes += run->bench->size;
}

/* Takes completions and, till @end, starts a command for each. Returns how many are fewer. */
static int turn(struct run *run, struct nvme_figures *figures, uint64_t end)
{
	struct nvme_completion done[REAP];
	uint64_t now;
	int got, i, fewer = 0;

	got = nvme_wait(run->queue, done, REAP, -1);
	if (got < 0)
		return got;
	now = nvme_now_ns();
	for (i = 0; i < got; i++) {
		if (done[i].error)
			run->error = done[i].error;
		else
			account(run, figures, now - run->started[done[i].cookie]);
		if (!run->error && now < end)
			run->error = start(run, done[i].cookie);
		if (run->error || now >= end)
			fewer++;
	}
	return fewer;
}

static int measure(struct run *run, struct nvme_figures *figures)
{
	uint64_t begin = nvme_now_ns();
	uint64_t end = begin + run->bench->seconds * 1000000000ULL;
	unsigned int busy = 0;
	int fewer;

	while (busy < run->bench->depth && !run->error) {
		run->error = start(run, busy);
		busy += !run->error;
	}
	while (busy) {
		fewer = turn(run, figures, end);
		if (fewer < 0)
			return fewer;
		busy -= (unsigned int)fewer;
	}
	figures->ns = nvme_now_ns() - begin;
	return run->error;
}

static void sum_up(const struct run *run, struct nvme_figures *figures)
{
	if (!figures->commands)
		return;
	figures->latency_avg = run->sum / figures->commands;
	figures->latency_p50 = percentile(run, figures, 50);
	figures->latency_p99 = percentile(run, figures, 99);
}

static int check(const struct nvme_info *info, const struct nvme_bench *bench)
{
	if (bench->op != NVME_READ && bench->op != NVME_WRITE)
		return -EINVAL;
	if (!bench->size || bench->size % info->block_size || bench->size > info->max_transfer)
		return -EINVAL;
	if (bench->size / info->block_size > info->blocks || bench->depth > info->depth)
		return -EINVAL;
	return 0;
}

static int map_memory(struct run *run)
{
	struct usrpci_mapping *map = &run->map;

	map->len = run->bench->depth * run->bench->size;
	map->direction = run->bench->op == NVME_WRITE ? USRPCI_DMA_TO_DEVICE :
							USRPCI_DMA_FROM_DEVICE;
	map->nr_sg = usrpci_sg_room(map->len);
	map->sg = calloc(map->nr_sg, sizeof(*map->sg));
	if (!map->sg)
		return -ENOMEM;
	map->addr = mmap(NULL, map->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	if (map->addr == MAP_FAILED) {
		map->addr = NULL;
		return -ENOMEM;
	}
	return usrpci_map(run->queue->nvme->dev, map, 1);
}

static void clean_up(struct run *run)
{
	struct usrpci_mapping *map = &run->map;

	if (map->handle)
		usrpci_unmap(run->queue->nvme->dev, &map->handle, 1);
	if (map->addr)
		munmap(map->addr, map->len);
	free(map->sg);
	free(run->started);
	free(run->buckets);
}

int nvme_bench(struct nvme_queue *queue, const struct nvme_bench *bench,
	       struct nvme_figures *figures)
{
	const struct nvme_info *info = &queue->nvme->info;
	struct nvme_bench want = *bench;
	struct run run = { .queue = queue, .bench = &want, .seed = 0x2545f4914f6cdd1d };
	int err;

	*figures = (struct nvme_figures){ };
	if (!want.depth)
		want.depth = info->depth;
	err = check(info, &want);
	if (err)
		return err;
	if (nvme_queue_busy(queue))
		return -EBUSY;
	run.blocks = (uint32_t)(want.size / info->block_size);
	run.places = info->blocks / run.blocks;
	run.started = calloc(want.depth, sizeof(*run.started));
	run.buckets = calloc(BUCKETS, sizeof(*run.buckets));
	err = run.started && run.buckets ? map_memory(&run) : -ENOMEM;
	if (!err)
		err = measure(&run, figures);
	if (!err)
		sum_up(&run, figures);
	clean_up(&run);
	return err;
}
