// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "latency.h"

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < LATENCY_STEPS)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - LATENCY_STEP_SHIFT;
	return (shift + 1) * LATENCY_STEPS + (unsigned int)((ns >> shift) & (LATENCY_STEPS - 1));
}

/* The longest latency that falls into a bucket. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int shift = bucket / LATENCY_STEPS;

	if (!shift)
		return bucket;
	return ((uint64_t)(bucket % LATENCY_STEPS + LATENCY_STEPS + 1) << (shift - 1)) - 1;
}

void latencies_add(struct latencies *latencies, uint64_t ns)
{
	if (!latencies->count || ns < latencies->min)
		latencies->min = ns;
	if (ns > latencies->max)
		latencies->max = ns;
	latencies->buckets[bucket_of(ns)]++;
	latencies->sum += ns;
	latencies->count++;
}

void latencies_merge(struct latencies *into, const struct latencies *from)
{
	unsigned int i;

	if (!from->count)
		return;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (i = 0; i < LATENCY_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->sum += from->sum;
	into->count += from->count;
}

uint64_t latencies_rank(const struct latencies *latencies, unsigned int per_mille)
{
	uint64_t left = (latencies->count * per_mille + 999) / 1000, end;
	unsigned int i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		if (latencies->buckets[i] >= left) {
			end = bucket_end(i);
			return end < latencies->max ? end : latencies->max;
		}
		left -= latencies->buckets[i];
	}
	return latencies->max;
}
