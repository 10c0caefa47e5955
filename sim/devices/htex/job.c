// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What engines do with bytes. Each call makes one access to memory, or ends the job. */
#include <endian.h>
#include "model.h"

static void finish(struct htex *htex, struct htex_engine *engine)
{
	sim_htex_end(htex, engine, HTEX_STATE_DONE, 0);
}

/*
 * @address is a multiple of 8. What follows it is kept for the next ones, but not past the slice:
 * what a program writes to its list is seen sooner or later.
 */
static bool load_word(struct htex *htex, struct htex_engine *engine, uint64_t address,
		      uint64_t *word)
{
	struct htex_list *list = &engine->work.list;
	const size_t len = sim_htex_piece(address, sizeof(list->words));

	if (list->slice != htex->slice || address - list->first >= list->len) {
		list->len = 0;
		if (!sim_htex_load(htex, engine, address, list->words, len))
			return false;
		list->first = address;
		list->len = len;
		list->slice = htex->slice;
	}
	*word = le64toh(list->words[(address - list->first) / 8]);
	return true;
}

void sim_htex_list(struct htex *htex, struct htex_engine *engine)
{
	struct htex_list *list = &engine->work.list;
	uint64_t value;

	if (!list->at || (engine->length && engine->progress == engine->length)) {
		finish(htex, engine);
		return;
	}
	if (list->at % 8) {
		sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, list->at);
		return;
	}
	if (!list->half && !load_word(htex, engine, list->at, &list->next))
		return;
	/* The rest may lie in another page. */
	list->half = true;
	if (!load_word(htex, engine, list->at + 8, &value))
		return;
	list->half = false;
	list->at = list->next;
	engine->result += value;
	engine->progress++;
}

static void copy_in(struct htex *htex, struct htex_engine *engine)
{
	struct htex_copy *copy = &engine->work.copy;
	const uint64_t at = engine->source + engine->progress;
	const size_t len = sim_htex_piece(at, engine->length - engine->progress);

	if (!sim_htex_load(htex, engine, at, copy->bytes, len))
		return;
	copy->have = len;
	copy->written = 0;
}

static void copy_out(struct htex *htex, struct htex_engine *engine)
{
	struct htex_copy *copy = &engine->work.copy;
	const uint64_t at = engine->target + engine->progress;
	const size_t len = sim_htex_piece(at, copy->have - copy->written);

	if (!sim_htex_store(htex, engine, at, copy->bytes + copy->written, len))
		return;
	copy->written += len;
	engine->progress += len;
	engine->result = engine->progress;
}

void sim_htex_copy(struct htex *htex, struct htex_engine *engine)
{
	const struct htex_copy *copy = &engine->work.copy;

	if (copy->written < copy->have)
		copy_out(htex, engine);
	else if (engine->progress < engine->length)
		copy_in(htex, engine);
	else
		finish(htex, engine);
}

static void count(struct htex *htex, struct htex_engine *engine)
{
	struct htex_histogram *histogram = &engine->work.histogram;
	const uint64_t at = engine->source + engine->progress;
	const size_t len = sim_htex_piece(at, engine->length - engine->progress);
	unsigned char bytes[HTEX_PAGE];
	size_t i;

	if (!sim_htex_load(htex, engine, at, bytes, len))
		return;
	for (i = 0; i < len; i++)
		histogram->counts[bytes[i]]++;
	engine->progress += len;
	engine->result = engine->progress;
}

static void write_counts(struct htex *htex, struct htex_engine *engine)
{
	struct htex_histogram *histogram = &engine->work.histogram;
	const uint64_t at = engine->target + histogram->written;
	const size_t first = histogram->written / 8;
	const size_t len = sim_htex_piece(at, sizeof(histogram->counts) - histogram->written);
	uint64_t counts[256];
	size_t i;

	for (i = 0; i < len / 8; i++)
		counts[i] = htole64(histogram->counts[first + i]);
	if (sim_htex_store(htex, engine, at, counts, len))
		histogram->written += len;
}

void sim_htex_histogram(struct htex *htex, struct htex_engine *engine)
{
	const struct htex_histogram *histogram = &engine->work.histogram;

	if (engine->target % 8)
		sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, engine->target);
	else if (engine->progress < engine->length)
		count(htex, engine);
	else if (histogram->written < sizeof(histogram->counts))
		write_counts(htex, engine);
	else
		finish(htex, engine);
}
