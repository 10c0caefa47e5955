// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A device with engines and a TLB: its registers, and what it's made of. */
#include <stdlib.h>
#include <string.h>
#include "devices/devices.h"
#include "model.h"

#define BAR_LEN		(64U << 10)
#define TLB_LEN		(2U << 20)
#define MSIX_BAR	4
#define MSIX_LEN	4096U

#define MAX_ENTRIES	(TLB_LEN / HTEX_ENTRY_LEN)
#define DEFAULT_ENTRIES	64U
#define DEFAULT_ENGINES	8U

#define CONTROL_BITS	(HTEX_TRANSLATE | HTEX_TO_RING | HTEX_DRIVER_CHOOSES | \
			 HTEX_IRQ_AT_MISS | HTEX_IRQ_AT_END)
#define ENGINES_START	HTEX_ENGINE(0)
#define ENGINE_LEN	(HTEX_ENGINE(1) - HTEX_ENGINE(0))

/* --- interrupts --- */

void sim_htex_interrupt(struct htex *htex, uint32_t cause)
{
	const bool miss = cause == HTEX_IRQ_MISS;

	if (!(htex->control & (miss ? HTEX_IRQ_AT_MISS : HTEX_IRQ_AT_END)))
		return;
	htex->irq |= cause;
	sim_raise(htex->sim, miss ? HTEX_VECTOR_MISS : HTEX_VECTOR_END);
}

static void acknowledge(struct htex *htex, uint32_t causes)
{
	htex->irq &= ~causes;
	if (!htex->irq)
		sim_lower(htex->sim);
}

/* --- which registers there are --- */

/** struct place - A register. */
struct place {
	unsigned int offset;
	unsigned int width;
};

static const struct place device_places[] = {
	{ HTEX_ID, 4 }, { HTEX_VERSION, 4 }, { HTEX_CONTROL, 4 }, { HTEX_ENTRIES, 4 },
	{ HTEX_ENGINES, 4 }, { HTEX_IRQ, 4 }, { HTEX_MISS, 8 }, { HTEX_MISS_ADDRESS, 8 },
	{ HTEX_WAITING, 4 }, { HTEX_RING, 8 }, { HTEX_RING_SIZE, 4 }, { HTEX_RING_TAKEN, 4 },
	{ HTEX_GO_ON, 4 }, { HTEX_REFUSE, 4 }, { HTEX_INVALIDATE, 4 },
	{ HTEX_INVALIDATE_TAG, 4 }, { HTEX_BUSY, 4 }, { HTEX_DONE, 8 }, { 0 }
};

static const struct place engine_places[] = {
	{ HTEX_JOB, 4 }, { HTEX_TAG, 4 }, { HTEX_STATE, 4 }, { HTEX_STOP, 4 },
	{ HTEX_SOURCE, 8 }, { HTEX_SECOND, 8 }, { HTEX_TARGET, 8 }, { HTEX_LENGTH, 8 },
	{ HTEX_RESULT, 8 }, { HTEX_PROGRESS, 8 }, { HTEX_ADDRESS, 8 }, { HTEX_MISSES, 8 }, { 0 }
};

/** enum access - What an access meets. */
enum access {
	NOTHING,
	REGISTER,
	PART,	/* of a register, or more than it */
};

static enum access look_up(const struct place *place, unsigned int offset, unsigned int width)
{
	for (; place->width; place++) {
		if (place->offset == offset && place->width == width)
			return REGISTER;
		if (offset < place->offset + place->width && place->offset < offset + width)
			return PART;
	}
	return NOTHING;
}

/* NULL below them and above. */
static struct htex_engine *engine_at(struct htex *htex, uint64_t offset)
{
	if (offset < ENGINES_START || offset >= HTEX_ENGINE(htex->nr_engines))
		return NULL;
	return &htex->engines[(offset - ENGINES_START) / ENGINE_LEN];
}

static enum access look_up_bar(struct htex *htex, unsigned int bar, uint64_t offset,
			       unsigned int width)
{
	if (bar == HTEX_TLB_BAR && offset / HTEX_ENTRY_LEN < htex->tlb.nr)
		return width == 8 ? REGISTER : PART;
	if (bar != 0)
		return NOTHING;
	if (engine_at(htex, offset))
		return look_up(engine_places, offset % ENGINE_LEN, width);
	return offset < ENGINES_START ? look_up(device_places, (unsigned int)offset, width) :
					NOTHING;
}

/* --- reads --- */

static uint64_t take_done(struct htex *htex)
{
	uint64_t done = htex->done;

	htex->done = 0;
	return done;
}

static uint64_t read_register(struct htex *htex, uint64_t offset)
{
	switch (offset) {
	case HTEX_ID:
		return HTEX_ID_VALUE;
	case HTEX_VERSION:
		return 1;
	case HTEX_CONTROL:
		return htex->control;
	case HTEX_ENTRIES:
		return htex->tlb.nr;
	case HTEX_ENGINES:
		return htex->nr_engines;
	case HTEX_IRQ:
		return htex->irq;
	case HTEX_MISS:
		return sim_htex_take_miss(htex);
	case HTEX_MISS_ADDRESS:
		return htex->miss_address;
	case HTEX_WAITING:
		return htex->waiting;
	case HTEX_RING:
		return htex->ring;
	case HTEX_RING_SIZE:
		return htex->ring_size;
	case HTEX_RING_TAKEN:
		return htex->ring_taken;
	case HTEX_BUSY:
		return htex->busy;
	case HTEX_DONE:
		return take_done(htex);
	}
	return 0;
}

static uint64_t htex_read(void *self, unsigned int bar, uint64_t offset, unsigned int width)
{
	struct htex *htex = self;
	const struct htex_engine *engine = engine_at(htex, offset);

	switch (look_up_bar(htex, bar, offset, width)) {
	case NOTHING:
		return 0;
	case PART:
		return UINT64_MAX;
	case REGISTER:
		break;
	}
	if (bar == HTEX_TLB_BAR)
		return sim_htex_tlb_read(&htex->tlb, offset);
	if (engine)
		return sim_htex_engine_read(engine, offset % ENGINE_LEN);
	return read_register(htex, offset);
}

/* --- writes --- */

static void control(struct htex *htex, uint32_t value)
{
	htex->control = value & CONTROL_BITS;
	if (!(htex->control & HTEX_TRANSLATE))
		sim_htex_stop_translating(htex);
	sim_htex_report(htex);
}

/* It's another ring: nothing was put there yet. */
static void set_ring(struct htex *htex, uint64_t ring, uint32_t size)
{
	htex->ring = ring & ~(uint64_t)(sizeof(struct htex_miss) - 1);
	htex->ring_size = size & (size - 1) || size > HTEX_RING_MOST ? 0 : size;
	htex->ring_put = 0;
	htex->ring_taken = 0;
	sim_htex_report(htex);
}

static void take_from_ring(struct htex *htex, uint32_t taken)
{
	htex->ring_taken = taken;
	sim_htex_report(htex);
}

static void write_register(struct htex *htex, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case HTEX_CONTROL:
		control(htex, (uint32_t)value);
		break;
	case HTEX_IRQ:
		acknowledge(htex, (uint32_t)value);
		break;
	case HTEX_RING:
		set_ring(htex, value, htex->ring_size);
		break;
	case HTEX_RING_SIZE:
		set_ring(htex, htex->ring, (uint32_t)value);
		break;
	case HTEX_RING_TAKEN:
		take_from_ring(htex, (uint32_t)value);
		break;
	case HTEX_GO_ON:
	case HTEX_REFUSE:
		sim_htex_answer(htex, (uint32_t)value, offset == HTEX_GO_ON);
		break;
	case HTEX_INVALIDATE:
		sim_htex_tlb_forget(&htex->tlb, (uint32_t)value);
		htex->busy = htex->deaf;
		break;
	case HTEX_INVALIDATE_TAG:
		sim_htex_tlb_forget_tag(&htex->tlb, (uint32_t)value);
		htex->busy = htex->deaf;
		break;
	}
}

static void htex_write(void *self, unsigned int bar, uint64_t offset, unsigned int width,
		       uint64_t value)
{
	struct htex *htex = self;
	struct htex_engine *engine = engine_at(htex, offset);

	if (look_up_bar(htex, bar, offset, width) != REGISTER)
		return;
	if (bar == HTEX_TLB_BAR)
		sim_htex_tlb_write(&htex->tlb, offset, value);
	else if (engine)
		sim_htex_engine_write(htex, engine, offset % ENGINE_LEN, value);
	else
		write_register(htex, offset, value);
}

static void htex_tick(void *self)
{
	struct htex *htex = self;

	sim_htex_report(htex);
	sim_htex_run(htex);
}

/* --- the device --- */

static void htex_reset(void *self)
{
	struct htex *htex = self;
	struct htex blank = {
		.sim = htex->sim,
		.deaf = htex->deaf,
		.tlb = htex->tlb,
		.nr_engines = htex->nr_engines,
		.engines = htex->engines,
	};
	unsigned int i;

	*htex = blank;
	sim_htex_tlb_reset(&htex->tlb);
	memset(htex->engines, 0, htex->nr_engines * sizeof(*htex->engines));
	for (i = 0; i < htex->nr_engines; i++)
		htex->engines[i].entry = HTEX_NO_ENTRY;
}

static void htex_destroy(void *self)
{
	struct htex *htex = self;

	sim_htex_tlb_destroy(&htex->tlb);
	free(htex->engines);
	free(htex);
}

/* False if it's no number from @least to @most. */
static bool number(const struct htex *htex, const char *name, unsigned int least,
		   unsigned int most, unsigned int *value)
{
	const char *text = sim_option(htex->sim, name);
	unsigned long given;
	char *end;

	if (!text)
		return true;
	given = strtoul(text, &end, 0);
	if (end == text || *end || *text == '-' || given < least || given > most)
		return false;
	*value = (unsigned int)given;
	return true;
}

static const char *set_up(struct htex *htex)
{
	unsigned int entries = DEFAULT_ENTRIES, deaf = 0;

	htex->nr_engines = DEFAULT_ENGINES;
	if (!number(htex, "entries", 16, MAX_ENTRIES, &entries) || entries & (entries - 1))
		return "entries takes a power of two from 16 to 131072";
	if (!number(htex, "engines", 1, HTEX_ENGINES_MOST, &htex->nr_engines))
		return "engines takes 1 to 64";
	if (!number(htex, "deaf", 0, 1, &deaf))
		return "deaf takes 0 or 1";
	htex->deaf = deaf;
	htex->engines = calloc(htex->nr_engines, sizeof(*htex->engines));
	if (!htex->engines || sim_htex_tlb_create(&htex->tlb, entries))
		return "out of memory";
	return NULL;
}

static void *htex_create(struct sim *sim, const char **why)
{
	struct htex *htex = calloc(1, sizeof(*htex));
	const char *wrong = "out of memory";

	if (htex) {
		htex->sim = sim;
		wrong = set_up(htex);
	}
	if (!wrong) {
		htex_reset(htex);
		return htex;
	}
	if (htex)
		htex_destroy(htex);
	*why = wrong;
	return NULL;
}

static const struct sim_option htex_options[] = {
	{ "entries", "of its TLB, a power of two from 16 to 131072 (64)" },
	{ "engines", "jobs at once, 1 to 64 (8)" },
	{ "deaf", "1: it never says that an invalidation is over" },
	{ 0 }
};

const struct sim_device sim_htex = {
	.name = "htex",
	.summary = "engines that follow a program's pointers, by a TLB that misses",
	.vendor = HTEX_VENDOR,
	.device = HTEX_DEVICE,
	.class_code = 0x120000,	/* a processing accelerator */
	.revision = 1,
	.bars = {
		[0] = { .len = BAR_LEN },
		[HTEX_TLB_BAR] = { .len = TLB_LEN, .wide = true },
		[MSIX_BAR] = { .len = MSIX_LEN },
	},
	.intx = true,
	.nr_msi = 1,
	.nr_msix = 2,
	.msix_bar = MSIX_BAR,
	.express = true,
	.options = htex_options,
	.create = htex_create,
	.destroy = htex_destroy,
	.reset = htex_reset,
	.read = htex_read,
	.write = htex_write,
	.tick = htex_tick,
};
