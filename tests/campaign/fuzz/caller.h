/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A thread that makes calls, and the episode it is part of: one life of an open file,
 * in a process of its own.
 */
#ifndef FUZZ_CALLER_H
#define FUZZ_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign.h"

#define NR_THREADS	2

enum fuzz_device {
	FUZZ_EDU,
	FUZZ_NVME,
};

/**
 * struct totals - What is counted over all episodes, in memory that their processes share.
 * @calls: system calls on the file or its maps
 * @ok: of those, that worked
 * @touches: of maps
 * @signals: that these raised
 * @injected: calls of which one allocation or copy was made to fail
 * @tried: by operation, then by command: how many
 * @worked: and how many of them worked
 */
struct totals {
	uint64_t calls;
	uint64_t ok;
	uint64_t touches;
	uint64_t signals;
	uint64_t injected;
	uint64_t tried[64];
	uint64_t worked[64];
};

/**
 * struct episode - One life of an open file.
 * @c: the campaign
 * @totals: all episodes'
 * @index: which
 * @bdf: the function
 * @device: its kind
 * @fd: the file
 * @budget: calls that each thread makes
 * @watched: root is about, and may take the function away
 * @inject: every so many calls something is made to fail; 0: never
 * @gone: calls that found the function gone
 */
struct episode {
	struct campaign *c;
	struct totals *totals;
	uint64_t index;
	const char *bdf;
	enum fuzz_device device;
	int fd;
	uint64_t budget;
	bool watched;
	unsigned int inject;
	unsigned int gone;
};

/**
 * struct caller - One thread of it.
 * @e: the episode
 * @id: its number
 * @nth: of its calls
 * @random: of this call alone: what one call finds changes nothing for the next
 * @wrong: this call must be refused
 * @op: what this call is, for the totals
 * @frame: two pages for an argument, then one that isn't there
 * @arrays: memory for what the argument points to, with the same at its end
 * @injector: file of the thread's fault injection, or -1
 */
struct caller {
	struct episode *e;
	unsigned int id;
	uint64_t nth;
	uint64_t random;
	bool wrong;
	unsigned int op;
	unsigned char *frame;
	unsigned char *arrays;
	int injector;
};

#define FRAME_LEN	(2 * 4096UL)
#define ARRAYS_LEN	(64 * 4096UL)

bool caller_init(struct caller *t, struct episode *e, unsigned int id);

/* Make the next call. */
void caller_step(struct caller *t);

/* A call is made: @result as the system gave it, or -errno. */
void caller_done(struct caller *t, long result);

/* What the totals count, or NULL: there are no more. */
const char *caller_op_name(unsigned int op);

uint64_t pick(struct caller *t, uint64_t n);

/* True once in @n times. */
bool seldom(struct caller *t, unsigned int n);

#endif /* FUZZ_CALLER_H */
