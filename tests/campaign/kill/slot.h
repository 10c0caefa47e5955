/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* A function on which one life after the other is lived, and what must not be left of each. */
#ifndef KILL_SLOT_H
#define KILL_SLOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "campaign.h"
#include "canary.h"
#include "life.h"

/**
 * struct slot - A function.
 * @bdf: its name
 * @nvme: an NVMe disk, not an edu
 * @work: what is done on it now, NULL if nothing
 * @life: how
 * @point: the system call at which it's killed
 * @pid: who does it
 * @lent: three pages of the parent's, of which the middle one is mapped for edu
 * @ended_ms: when it died
 * @wanted: pages that were its
 */
struct slot {
	const char *bdf;
	bool nvme;
	const struct workload *work;
	struct life life;
	unsigned int point;
	pid_t pid;
	unsigned char *lent;
	uint64_t ended_ms;
	size_t wanted;
};

/* The functions that the environment names; how many. */
unsigned int slots_find(struct slot *slots, unsigned int max);

/* Begin a life. */
void slot_begin(struct slot *s, const struct workload *w, enum life_end end, uint64_t us,
		uint64_t random);

/* It has ended; its pages are caught before somebody else gets them. */
void slot_ended(struct campaign *c, struct slot *s, int status, struct canary *canary);

/* Nothing is left of it, and its parent's page wasn't written since; then the slot is free. */
void slot_check(struct campaign *c, struct slot *s);

#endif /* KILL_SLOT_H */
