/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Pages that somebody gave back are allocated again and filled with a pattern. If
 * a device still reaches them, the pattern changes.
 */
#ifndef HARNESS_CANARY_H
#define HARNESS_CANARY_H

#include <stddef.h>
#include <stdint.h>

#define CANARY_BYTE	0xc5
#define CANARY_CHUNK	64	/* pages that are allocated at once */
#define CANARY_CHUNKS	256

/**
 * struct canary - Memory that nothing may write to.
 * @chunks: CANARY_CHUNK pages each
 * @physical: their addresses
 * @nr: how many
 * @caught: pages among them that were looked for
 * @beside: pages among them whose physical neighbour was looked for
 */
struct canary {
	unsigned char *chunks[CANARY_CHUNKS];
	uint64_t physical[CANARY_CHUNKS][CANARY_CHUNK];
	unsigned int nr;
	size_t caught;
	size_t beside;
};

/*
 * Allocate memory till the pages at these physical addresses are among it, or
 * there's little hope. @wanted is sorted.
 */
void canary_catch(struct canary *c, uint64_t *wanted, size_t nr);

/* Bytes of it that have changed. */
size_t canary_changed(const struct canary *c);

void canary_free(struct canary *c);

/* Bytes among these that aren't CANARY_BYTE. */
size_t canary_bytes(const unsigned char *addr, size_t len);

/* Physical addresses of pages in a row; 0 where there is none. */
void physical_addresses(const void *addr, size_t nr, uint64_t *physical);

#endif /* HARNESS_CANARY_H */
