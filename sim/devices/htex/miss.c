// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A miss is reported once, and an engine has at most one that wasn't answered: so an answer needs
 * no other name than the engine's, even if the job has been stopped meanwhile.
 */
#include <endian.h>
#include <string.h>
#include "model.h"

static bool to_ring(const struct htex *htex)
{
	return htex->control & HTEX_TO_RING;
}

static bool has_room(const struct htex *htex)
{
	if (to_ring(htex))
		return htex->ring_put - htex->ring_taken < htex->ring_size;
	return htex->waiting < HTEX_ENGINES_MOST;
}

static void put_fifo(struct htex *htex, const struct htex_miss *miss)
{
	unsigned int last = (htex->fifo_first + htex->waiting) % HTEX_ENGINES_MOST;

	htex->fifo[last] = *miss;
	htex->fifo[last].first |= HTEX_MISS_VALID;
	htex->waiting++;
}

static int put_ring(struct htex *htex, const struct htex_miss *miss)
{
	const uint32_t index = htex->ring_put & (htex->ring_size - 1);
	const bool phase = !(htex->ring_put & htex->ring_size);
	const uint64_t record[] = {
		htole64(miss->first | (phase ? HTEX_MISS_VALID : 0)), htole64(miss->address),
	};
	const uint64_t at = htex->ring + index * sizeof(record);
	int err;

	/* Who sees the phase sees the address too. */
	err = sim_dma_write(htex->sim, at + 8, &record[1], 8);
	if (!err)
		err = sim_dma_write(htex->sim, at, &record[0], 8);
	if (!err)
		htex->ring_put++;
	return err;
}

static int put(struct htex *htex, const struct htex_engine *engine)
{
	const uint64_t number = (uint64_t)(engine - htex->engines);
	const struct htex_miss miss = {
		.first = (engine->writes ? HTEX_MISS_WRITE : 0) |
			 (uint64_t)engine->tag << HTEX_MISS_TAG_SHIFT |
			 number << HTEX_MISS_ENGINE_SHIFT |
			 (uint64_t)engine->entry << HTEX_MISS_ENTRY_SHIFT,
		.address = engine->address,
	};

	if (to_ring(htex))
		return put_ring(htex, &miss);
	put_fifo(htex, &miss);
	return 0;
}

void sim_htex_release(struct htex *htex, struct htex_engine *engine)
{
	if (engine->reported || engine->entry == HTEX_NO_ENTRY)
		return;
	sim_htex_tlb_settle(&htex->tlb, engine->entry);
	engine->entry = HTEX_NO_ENTRY;
}

/* The answer came, or never will. */
static void settle(struct htex *htex, struct htex_engine *engine)
{
	engine->reported = false;
	sim_htex_release(htex, engine);
}

/* False if there's no entry that could be given up. */
static bool report(struct htex *htex, struct htex_engine *engine)
{
	engine->entry = HTEX_NO_ENTRY;
	if (!(htex->control & HTEX_DRIVER_CHOOSES)) {
		engine->entry = sim_htex_tlb_give_up(&htex->tlb);
		if (engine->entry == HTEX_NO_ENTRY)
			return false;
	}
	engine->reported = true;
	engine->stale = false;
	if (put(htex, engine)) {
		settle(htex, engine);
		sim_htex_end(htex, engine, HTEX_STATE_BUS_ERROR, engine->address);
		return true;
	}
	engine->misses++;
	sim_htex_interrupt(htex, HTEX_IRQ_MISS);
	return true;
}

static void remove_held(struct htex *htex, unsigned int index)
{
	memmove(htex->held + index, htex->held + index + 1, --htex->nr_held - index);
}

void sim_htex_report(struct htex *htex)
{
	struct htex_engine *engine;
	unsigned int i = 0;

	while (i < htex->nr_held && has_room(htex)) {
		engine = &htex->engines[htex->held[i]];
		if (engine->reported)
			i++;
		else if (report(htex, engine))
			remove_held(htex, i);
		else
			break;
	}
}

void sim_htex_miss(struct htex *htex, struct htex_engine *engine, uint64_t address, bool write)
{
	sim_htex_release(htex, engine);
	engine->state = HTEX_STATE_WAITING;
	engine->address = address;
	engine->writes = write;
	htex->running &= ~(1ULL << (engine - htex->engines));
	htex->held[htex->nr_held++] = (unsigned char)(engine - htex->engines);
	sim_htex_report(htex);
}

/* Amid a DMA: others are reported when it's over. */
uint64_t sim_htex_take_miss(struct htex *htex)
{
	const struct htex_miss *miss = &htex->fifo[htex->fifo_first];

	if (!htex->waiting)
		return 0;
	htex->fifo_first = (htex->fifo_first + 1) % HTEX_ENGINES_MOST;
	htex->waiting--;
	htex->miss_address = miss->address;
	if (htex->nr_held)
		sim_wake(htex->sim, 1);
	return miss->first;
}

void sim_htex_answer(struct htex *htex, uint32_t index, bool go_on)
{
	struct htex_engine *engine;

	if (index >= htex->nr_engines)
		return;
	engine = &htex->engines[index];
	if (!engine->reported)
		return;
	engine->reported = false;
	/* Else its entry stays kept till it has looked: others may wait for one. */
	if (engine->stale)
		sim_htex_release(htex, engine);
	else if (go_on)
		sim_htex_resume(htex, engine);
	else
		sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, engine->address);
	sim_htex_report(htex);
}

void sim_htex_drop_miss(struct htex *htex, struct htex_engine *engine)
{
	unsigned int i;

	for (i = 0; i < htex->nr_held; i++) {
		if (htex->held[i] != engine - htex->engines)
			continue;
		remove_held(htex, i);
		return;
	}
	engine->stale = true;
}

void sim_htex_forget_misses(struct htex *htex)
{
	unsigned int i;

	htex->waiting = 0;
	htex->nr_held = 0;
	for (i = 0; i < htex->nr_engines; i++)
		if (htex->engines[i].reported)
			settle(htex, &htex->engines[i]);
}
