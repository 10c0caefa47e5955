// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <string.h>
#include "model.h"

/* How long engines run before registers are looked at, in ns. */
#define SLICE_NS	50000U

static void (*const steps[])(struct htex *htex, struct htex_engine *engine) = {
	[HTEX_JOB_LIST] = sim_htex_list,
	[HTEX_JOB_COPY] = sim_htex_copy,
	[HTEX_JOB_HISTOGRAM] = sim_htex_histogram,
	[HTEX_JOB_MATRIX] = sim_htex_matrix,
};

static uint64_t bit_of(const struct htex *htex, const struct htex_engine *engine)
{
	return 1ULL << (engine - htex->engines);
}

static bool is_active(const struct htex_engine *engine)
{
	return engine->state == HTEX_STATE_RUNNING || engine->state == HTEX_STATE_WAITING;
}

/* --- states --- */

void sim_htex_resume(struct htex *htex, struct htex_engine *engine)
{
	engine->state = HTEX_STATE_RUNNING;
	engine->address = 0;
	htex->running |= bit_of(htex, engine);
	sim_wake(htex->sim, 1);
}

void sim_htex_end(struct htex *htex, struct htex_engine *engine, uint32_t state,
		  uint64_t address)
{
	sim_htex_release(htex, engine);
	engine->state = state;
	engine->address = address;
	htex->running &= ~bit_of(htex, engine);
	htex->done |= bit_of(htex, engine);
	sim_htex_interrupt(htex, HTEX_IRQ_END);
}

static void start(struct htex *htex, struct htex_engine *engine, uint64_t job)
{
	if (job < HTEX_JOB_LIST || job > HTEX_JOB_MATRIX)
		return;
	engine->job = (uint32_t)job;
	engine->result = 0;
	engine->progress = 0;
	engine->misses = 0;
	memset(&engine->work, 0, sizeof(engine->work));
	if (job == HTEX_JOB_LIST)
		engine->work.list.at = engine->source;
	sim_htex_resume(htex, engine);
}

static void stop(struct htex *htex, struct htex_engine *engine)
{
	if (engine->state == HTEX_STATE_WAITING)
		sim_htex_drop_miss(htex, engine);
	sim_htex_release(htex, engine);
	engine->state = HTEX_STATE_IDLE;
	htex->running &= ~bit_of(htex, engine);
	sim_htex_report(htex);
}

void sim_htex_stop_translating(struct htex *htex)
{
	struct htex_engine *engine;
	unsigned int i;

	sim_htex_forget_misses(htex);
	for (i = 0; i < htex->nr_engines; i++) {
		engine = &htex->engines[i];
		if (engine->state == HTEX_STATE_WAITING)
			sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, engine->address);
	}
}

/* --- registers --- */

uint64_t sim_htex_engine_read(const struct htex_engine *engine, unsigned int offset)
{
	switch (offset) {
	case HTEX_JOB:
		return engine->job;
	case HTEX_TAG:
		return engine->tag;
	case HTEX_STATE:
		return engine->state;
	case HTEX_SOURCE:
		return engine->source;
	case HTEX_SECOND:
		return engine->second;
	case HTEX_TARGET:
		return engine->target;
	case HTEX_LENGTH:
		return engine->length;
	case HTEX_RESULT:
		return engine->result;
	case HTEX_PROGRESS:
		return engine->progress;
	case HTEX_ADDRESS:
		return engine->address;
	case HTEX_MISSES:
		return engine->misses;
	}
	return 0;
}

void sim_htex_engine_write(struct htex *htex, struct htex_engine *engine, unsigned int offset,
			   uint64_t value)
{
	if (offset == HTEX_STOP)
		stop(htex, engine);
	if (is_active(engine))
		return;
	switch (offset) {
	case HTEX_JOB:
		start(htex, engine, value);
		break;
	case HTEX_TAG:
		engine->tag = value & (HTEX_TAGS - 1);
		break;
	case HTEX_SOURCE:
		engine->source = value;
		break;
	case HTEX_SECOND:
		engine->second = value;
		break;
	case HTEX_TARGET:
		engine->target = value;
		break;
	case HTEX_LENGTH:
		engine->length = value;
		break;
	}
}

/* --- memory --- */

static bool translate(struct htex *htex, struct htex_engine *engine, uint64_t address,
		      bool write, uint64_t *bus)
{
	if (!(htex->control & HTEX_TRANSLATE)) {
		sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, address);
		return false;
	}
	if (sim_htex_tlb_translate(&htex->tlb, engine->tag, address, write, bus))
		return true;
	sim_htex_miss(htex, engine, address, write);
	return false;
}

static bool is_done(struct htex *htex, struct htex_engine *engine, uint64_t address, int err)
{
	sim_htex_release(htex, engine);
	if (err)
		sim_htex_end(htex, engine, HTEX_STATE_BUS_ERROR, address);
	return !err;
}

bool sim_htex_load(struct htex *htex, struct htex_engine *engine, uint64_t address, void *buf,
		   size_t len)
{
	uint64_t bus;

	return translate(htex, engine, address, false, &bus) &&
	       is_done(htex, engine, address, sim_dma_read(htex->sim, bus, buf, len));
}

bool sim_htex_store(struct htex *htex, struct htex_engine *engine, uint64_t address,
		    const void *buf, size_t len)
{
	uint64_t bus;

	return translate(htex, engine, address, true, &bus) &&
	       is_done(htex, engine, address, sim_dma_write(htex->sim, bus, buf, len));
}

/* --- time --- */

/* Each in its turn. */
static struct htex_engine *next_engine(struct htex *htex)
{
	const uint64_t after = htex->running & ~((2ULL << htex->turn) - 1);

	htex->turn = (unsigned int)__builtin_ctzll(after ? after : htex->running);
	return &htex->engines[htex->turn];
}

void sim_htex_run(struct htex *htex)
{
	const uint64_t end = sim_now_ns() + SLICE_NS;
	struct htex_engine *engine;

	htex->slice++;
	while (htex->running) {
		engine = next_engine(htex);
		steps[engine->job](htex, engine);
		sim_htex_report(htex);
		if (sim_now_ns() >= end)
			break;
	}
	if (htex->running)
		sim_wake(htex->sim, 1);
}
