// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "caller.h"
#include "value.h"

uint64_t value_edge(struct caller *t, unsigned int width)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 7, 8, 31, 32, 33, 255, 256, 4095, 4096, 4097, 8191, 65535,
		1ULL << 20, 1ULL << 31, (1ULL << 31) - 1,
		1ULL << 32, (1ULL << 32) - 1, (1ULL << 32) - 4096,
		1ULL << 36, 1ULL << 44, 1ULL << 47, (1ULL << 47) - 4096, 1ULL << 62, 1ULL << 63,
		~0ULL, ~0ULL - 1, ~0ULL - 4095, ~0ULL - 4096, 0xffff888000000000,
		0xffffffffff600000,
	};
	uint64_t mask = width < 8 ? (1ULL << (8 * width)) - 1 : ~0ULL;
	uint64_t nth = pick(t, sizeof(edges) / sizeof(edges[0]) + 4);

	if (nth < sizeof(edges) / sizeof(edges[0]))
		return edges[nth] & mask;
	return random_next(&t->random) & mask;
}

uint64_t value_small(struct caller *t, uint64_t most)
{
	uint64_t bound = most >> pick(t, 12);

	return 1 + pick(t, bound ? bound : 1);
}
