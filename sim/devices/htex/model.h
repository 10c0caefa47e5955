/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A device whose engines follow a program's pointers by a TLB of its own: docs/htex.md.
 *
 * Engines take turns, a step each: one access to memory, which needs one translation, so that
 * a job gets on even if each step's entry is lost by the next. Registers are written between two
 * steps and never amid one; they may be read amid one.
 */
#ifndef SIM_HTEX_MODEL_H
#define SIM_HTEX_MODEL_H

#include <htex/registers.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "device.h"

#define HTEX_PAGE	4096U
#define PAGE_WORDS	(HTEX_PAGE / 4)

/**
 * struct htex_entry - An entry of the TLB, and its places in two lists.
 * @first: its first word
 * @second: its second
 * @chain: next one with the same hash; of those that are valid
 * @next: of those that are free, neither valid nor kept
 * @previous: the same
 * @kept: for the answer to a miss
 */
struct htex_entry {
	uint64_t first;
	uint64_t second;
	uint32_t chain;
	uint32_t next;
	uint32_t previous;
	bool kept;
};

/**
 * struct htex_tlb - The TLB.
 * @entries: @nr of them
 * @nr: a power of two
 * @buckets: by hash, the first entry of a chain; @nr of them
 * @free: the first one that is free
 * @victim: whose turn it is to be given up, if none is free
 * @nr_large: valid ones of 2 MiB
 */
struct htex_tlb {
	struct htex_entry *entries;
	uint32_t nr;
	uint32_t *buckets;
	uint32_t free;
	uint32_t victim;
	uint32_t nr_large;
};

/**
 * struct htex_list - A list that is followed.
 * @at: the node's address
 * @next: what it says of the next one
 * @half: @next was read, its value wasn't
 * @first: address that @words were read from
 * @len: bytes of them
 * @slice: when that was: they are good for no other
 * @words: what lay there
 */
struct htex_list {
	uint64_t at;
	uint64_t next;
	bool half;
	uint64_t first;
	size_t len;
	uint64_t slice;
	uint64_t words[8];
};

/**
 * struct htex_copy - Bytes on their way.
 * @have: how many were read
 * @written: of them
 * @bytes: they
 */
struct htex_copy {
	size_t have;
	size_t written;
	unsigned char bytes[HTEX_PAGE];
};

/**
 * struct htex_histogram - Counts.
 * @counts: by byte
 * @written: bytes of them
 */
struct htex_histogram {
	uint64_t counts[256];
	size_t written;
};

/**
 * struct htex_matrix - A part of a row of the product.
 * @column: where it starts
 * @k: row of the second matrix, which is added next
 * @done: numbers of that row that were added; or of @sums that were written
 * @first: column of the first number of @row
 * @nr: numbers in @row
 * @row: part of the first matrix's row
 * @sums: part of the product's row
 */
struct htex_matrix {
	uint64_t column;
	uint64_t k;
	uint32_t done;
	uint64_t first;
	uint32_t nr;
	uint32_t row[PAGE_WORDS];
	uint32_t sums[PAGE_WORDS];
};

/**
 * struct htex_engine - One of those that compute.
 * @job: register JOB, and so on
 * @tag: TAG
 * @state: STATE
 * @source: SOURCE
 * @second: SECOND
 * @target: TARGET
 * @length: LENGTH
 * @result: RESULT
 * @progress: PROGRESS
 * @address: ADDRESS; while it waits, of the miss
 * @misses: MISSES
 * @writes: it waits to write
 * @reported: a miss of it has had no answer yet
 * @stale: that one is of a job that was stopped
 * @entry: kept for that one, or after its answer till the engine has looked; HTEX_NO_ENTRY
 * @work: where the job is
 */
struct htex_engine {
	uint32_t job;
	uint32_t tag;
	uint32_t state;
	uint64_t source;
	uint64_t second;
	uint64_t target;
	uint64_t length;
	uint64_t result;
	uint64_t progress;
	uint64_t address;
	uint64_t misses;
	bool writes;
	bool reported;
	bool stale;
	uint32_t entry;
	union {
		struct htex_list list;
		struct htex_copy copy;
		struct htex_histogram histogram;
		struct htex_matrix matrix;
	} work;
};

/** struct htex_miss - What the FIFO and the ring are made of. */
struct htex_miss {
	uint64_t first;
	uint64_t address;
};

/**
 * struct htex - All of it.
 * @sim: the function
 * @deaf: invalidations never end
 * @control: register CONTROL, and so on
 * @irq: IRQ
 * @busy: BUSY
 * @done: DONE
 * @miss_address: MISS_ADDRESS
 * @ring: RING
 * @ring_size: RING_SIZE
 * @ring_taken: RING_TAKEN
 * @ring_put: misses that were put into the ring
 * @fifo: @waiting misses from @fifo_first on
 * @fifo_first: the oldest
 * @waiting: how many
 * @held: engines whose misses couldn't be reported yet, oldest first
 * @nr_held: how many
 * @running: a bit for each engine in that state
 * @turn: the engine after which it's looked for the next
 * @slice: counts the times that engines were let run
 * @tlb: the TLB
 * @nr_engines: how many
 * @engines: they
 */
struct htex {
	struct sim *sim;
	bool deaf;
	uint32_t control;
	uint32_t irq;
	uint32_t busy;
	uint64_t done;
	uint64_t miss_address;
	uint64_t ring;
	uint32_t ring_size;
	uint32_t ring_taken;
	uint32_t ring_put;
	struct htex_miss fifo[HTEX_ENGINES_MOST];
	unsigned int fifo_first;
	unsigned int waiting;
	unsigned char held[HTEX_ENGINES_MOST];
	unsigned int nr_held;
	uint64_t running;
	unsigned int turn;
	uint64_t slice;
	struct htex_tlb tlb;
	unsigned int nr_engines;
	struct htex_engine *engines;
};

/* Sets a bit of IRQ and interrupts, if that is wanted. */
void sim_htex_interrupt(struct htex *htex, uint32_t cause);

/* tlb.c */
int sim_htex_tlb_create(struct htex_tlb *tlb, uint32_t nr);
void sim_htex_tlb_destroy(struct htex_tlb *tlb);
/* Nothing is valid, nothing kept. */
void sim_htex_tlb_reset(struct htex_tlb *tlb);
/* A word of an entry. */
uint64_t sim_htex_tlb_read(const struct htex_tlb *tlb, uint64_t offset);
void sim_htex_tlb_write(struct htex_tlb *tlb, uint64_t offset, uint64_t value);
bool sim_htex_tlb_translate(const struct htex_tlb *tlb, uint32_t tag, uint64_t address,
			    bool write, uint64_t *bus);
/* What isn't there needn't be. */
void sim_htex_tlb_forget(struct htex_tlb *tlb, uint32_t index);
void sim_htex_tlb_forget_tag(struct htex_tlb *tlb, uint32_t tag);
/* Chooses an entry, forgets it and keeps it till sim_htex_tlb_settle(); HTEX_NO_ENTRY. */
uint32_t sim_htex_tlb_give_up(struct htex_tlb *tlb);
void sim_htex_tlb_settle(struct htex_tlb *tlb, uint32_t index);

/* miss.c */
/* The engine waits, and its miss is reported when that can be. */
void sim_htex_miss(struct htex *htex, struct htex_engine *engine, uint64_t address, bool write);
/* Reports what couldn't be reported before. */
void sim_htex_report(struct htex *htex);
/* Takes the oldest from the FIFO. */
uint64_t sim_htex_take_miss(struct htex *htex);
void sim_htex_answer(struct htex *htex, uint32_t index, bool go_on);
/* Nobody waits for an answer to what @engine had to report. */
void sim_htex_drop_miss(struct htex *htex, struct htex_engine *engine);
/* The entry that was kept for @engine is one as any other, unless its miss wasn't answered yet. */
void sim_htex_release(struct htex *htex, struct htex_engine *engine);
/* No miss was ever reported. */
void sim_htex_forget_misses(struct htex *htex);

/* engine.c */
uint64_t sim_htex_engine_read(const struct htex_engine *engine, unsigned int offset);
void sim_htex_engine_write(struct htex *htex, struct htex_engine *engine, unsigned int offset,
			   uint64_t value);
/* The engine looks again. */
void sim_htex_resume(struct htex *htex, struct htex_engine *engine);
/* The job is over; @address: what was the matter with it. */
void sim_htex_end(struct htex *htex, struct htex_engine *engine, uint32_t state,
		  uint64_t address);
/* Lets engines run for a moment. */
void sim_htex_run(struct htex *htex);
/* Waiting for an answer has no end any more: there's none. */
void sim_htex_stop_translating(struct htex *htex);
/*
 * Memory within a page, by virtual address. False: not now, or never: the engine isn't running
 * any more.
 */
bool sim_htex_load(struct htex *htex, struct htex_engine *engine, uint64_t address, void *buf,
		   size_t len);
bool sim_htex_store(struct htex *htex, struct htex_engine *engine, uint64_t address,
		    const void *buf, size_t len);

/* As much of @len as lies in one page. */
static inline size_t sim_htex_piece(uint64_t address, uint64_t len)
{
	size_t rest = HTEX_PAGE - (address & (HTEX_PAGE - 1));

	return len < rest ? (size_t)len : rest;
}

/* job.c, matrix.c: a step. */
void sim_htex_list(struct htex *htex, struct htex_engine *engine);
void sim_htex_copy(struct htex *htex, struct htex_engine *engine);
void sim_htex_histogram(struct htex *htex, struct htex_engine *engine);
void sim_htex_matrix(struct htex *htex, struct htex_engine *engine);

#endif /* SIM_HTEX_MODEL_H */
