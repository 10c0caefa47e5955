// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The product is made row by row, and up to PAGE_WORDS columns of it at a time: so much is there
 * room for, however long a row is.
 */
#include <endian.h>
#include <string.h>
#include "model.h"

static uint64_t address_of(const struct htex_engine *engine, uint64_t matrix, uint64_t row,
			   uint64_t column)
{
	return matrix + (row * engine->length + column) * 4;
}

static uint32_t at_most(uint64_t nr)
{
	return nr < PAGE_WORDS ? (uint32_t)nr : PAGE_WORDS;
}

/* Numbers of @nr that lie in one page. */
static uint32_t piece(uint64_t address, uint32_t nr)
{
	return (uint32_t)(sim_htex_piece(address, 4ULL * nr) / 4);
}

/* From the first matrix, the number by which a row of the second is multiplied, and more. */
static void load_row(struct htex *htex, struct htex_engine *engine)
{
	struct htex_matrix *m = &engine->work.matrix;
	const uint64_t at = address_of(engine, engine->source, engine->progress, m->k);
	const uint32_t nr = piece(at, at_most(engine->length - m->k));

	if (!sim_htex_load(htex, engine, at, m->row, 4UL * nr))
		return;
	m->first = m->k;
	m->nr = nr;
}

static void add(struct htex *htex, struct htex_engine *engine, uint32_t width)
{
	struct htex_matrix *m = &engine->work.matrix;
	const uint64_t at = address_of(engine, engine->second, m->k, m->column + m->done);
	const uint32_t nr = piece(at, width - m->done);
	const uint32_t factor = le32toh(m->row[m->k - m->first]);
	uint32_t numbers[PAGE_WORDS], i;

	if (!sim_htex_load(htex, engine, at, numbers, 4UL * nr))
		return;
	for (i = 0; i < nr; i++)
		m->sums[m->done + i] += factor * le32toh(numbers[i]);
	m->done += nr;
	if (m->done < width)
		return;
	m->done = 0;
	m->k++;
}

/* These columns are complete. */
static void go_to_next(struct htex_engine *engine, uint32_t width)
{
	struct htex_matrix *m = &engine->work.matrix;

	m->column += width;
	m->k = 0;
	m->done = 0;
	memset(m->sums, 0, sizeof(m->sums));
	if (m->column < engine->length)
		return;
	m->column = 0;
	m->nr = 0;
	engine->progress++;
	engine->result = engine->progress;
}

static void write_sums(struct htex *htex, struct htex_engine *engine, uint32_t width)
{
	struct htex_matrix *m = &engine->work.matrix;
	const uint64_t at = address_of(engine, engine->target, engine->progress,
				       m->column + m->done);
	const uint32_t nr = piece(at, width - m->done);
	uint32_t numbers[PAGE_WORDS], i;

	for (i = 0; i < nr; i++)
		numbers[i] = htole32(m->sums[m->done + i]);
	if (!sim_htex_store(htex, engine, at, numbers, 4UL * nr))
		return;
	m->done += nr;
	if (m->done == width)
		go_to_next(engine, width);
}

/* Of the three addresses the first that isn't aligned, or 0. */
static uint64_t misaligned(const struct htex_engine *engine)
{
	if (engine->source % 4)
		return engine->source;
	if (engine->second % 4)
		return engine->second;
	return engine->target % 4 ? engine->target : 0;
}

void sim_htex_matrix(struct htex *htex, struct htex_engine *engine)
{
	const struct htex_matrix *m = &engine->work.matrix;
	const uint32_t width = at_most(engine->length - m->column);

	if (misaligned(engine))
		sim_htex_end(htex, engine, HTEX_STATE_UNTRANSLATED, misaligned(engine));
	else if (engine->progress == engine->length)
		sim_htex_end(htex, engine, HTEX_STATE_DONE, 0);
	else if (m->k == engine->length)
		write_sums(htex, engine, width);
	else if (m->k - m->first >= m->nr)
		load_row(htex, engine);
	else
		add(htex, engine, width);
}
