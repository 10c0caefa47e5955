/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* A process that uses a function without end, till it is killed. */
#ifndef KILL_LIFE_H
#define KILL_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LIFE_PAGES	80

/**
 * struct life_box - What the dead leave to whoever looks afterwards; shared memory.
 * @turns: of the workload
 * @moving: DMA was started
 * @landed: transfers that were seen to have come
 * @pages: physical addresses that the device was given; 0: none
 */
struct life_box {
	uint32_t turns;
	uint32_t moving;
	uint32_t landed;
	uint64_t pages[LIFE_PAGES];
};

enum life_end {
	LIFE_WAITS,	/* somebody kills it */
	LIFE_TIMED,	/* @end_us after it began */
	LIFE_MOVING,	/* @end_us after its first DMA was started */
	LIFE_TRACED,	/* at a system call: see points.h */
};

/**
 * struct life - How one is lived.
 * @bdf: its function
 * @fd: the function, opened by the parent; -1: it opens it by itself
 * @lent_bus: a page of the parent's, mapped on @fd
 * @random: state of its random numbers
 * @end: what ends it
 * @end_us: microseconds
 * @box: what it leaves
 */
struct life {
	const char *bdf;
	int fd;
	uint64_t lent_bus;
	uint64_t random;
	enum life_end end;
	uint64_t end_us;
	struct life_box *box;
};

/**
 * struct workload - What is done in it.
 * @name: for messages
 * @nvme: on an NVMe disk, not an edu
 * @lent: the parent opens the function and maps a page of its own for it
 * @run: doesn't return
 */
struct workload {
	const char *name;
	bool nvme;
	bool lent;
	void (*run)(struct life *l);
};

extern const struct workload workloads[];
extern const unsigned int nr_workloads;

void nvme_reads(struct life *l);
void nvme_interrupts(struct life *l);
void nvme_remaps(struct life *l);
void edu_both_ways(struct life *l);
void edu_churns(struct life *l);
void edu_opens(struct life *l);
void edu_forks(struct life *l);

/* Fork one; its pid. */
pid_t life_begin(struct life *l, const struct workload *w);

/* In the child: the device was given these pages, from place @at of the box on. */
void life_note(struct life *l, unsigned int at, const void *addr, unsigned int nr);

/* DMA is under way; a turn is done. */
void life_moves(struct life *l);
void life_turns(struct life *l);

/* Something failed that must not: ends the life, which the parent sees. */
void life_fails(const char *what, int err) __attribute__((noreturn));

#endif /* KILL_LIFE_H */
