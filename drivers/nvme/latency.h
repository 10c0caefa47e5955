/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * How long many things took, in nanoseconds: 32 buckets for each power of two, so that each is
 * known within 3 %. Pure functions.
 */
#ifndef NVME_LATENCY_H
#define NVME_LATENCY_H

#include <stdint.h>

#define LATENCY_STEP_SHIFT	5
#define LATENCY_STEPS		(1U << LATENCY_STEP_SHIFT)
#define LATENCY_BUCKETS		((64 - LATENCY_STEP_SHIFT + 1) * LATENCY_STEPS)

/**
 * struct latencies - What was seen; all 0 is none.
 * @count: how many
 * @sum: of them all
 * @min: the shortest
 * @max: the longest
 * @buckets: how many of each length
 */
struct latencies {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t buckets[LATENCY_BUCKETS];
};

void latencies_add(struct latencies *latencies, uint64_t ns);
void latencies_merge(struct latencies *into, const struct latencies *from);
/* So many in 1000 took no longer. */
uint64_t latencies_rank(const struct latencies *latencies, unsigned int per_mille);

#endif /* NVME_LATENCY_H */
