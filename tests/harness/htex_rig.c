// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include "htex_rig.h"
#include "memory.h"

/* A busy machine, or an emulated one, may take long. */
#define PATIENCE_MS	20000U

void rig_open(struct htex_rig *rig, const char *address, uint32_t control)
{
	*rig = (struct htex_rig){ 0 };
	assert_int_equal(usrpci_open(&rig->dev, address), 0);
	assert_int_equal(usrpci_set_dma_mask(rig->dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_set_master(rig->dev, true), 0);
	assert_int_equal(usrpci_coherent_alloc(rig->dev, 2 * RIG_HALF * RIG_PAGE, &rig->mem), 0);
	assert_int_equal(usrpci_coherent_alloc(rig->dev, RIG_PAGE, &rig->ring), 0);
	rig_set(rig, HTEX_CONTROL, HTEX_TRANSLATE | control);
}

void rig_close(struct htex_rig *rig)
{
	usrpci_close(rig->dev);
	rig->dev = NULL;
}

uint64_t rig_read(const struct htex_rig *rig, unsigned int bar, uint64_t offset,
		  unsigned int width)
{
	uint64_t value;

	assert_int_equal(usrpci_bar_read(rig->dev, bar, offset, width, &value), 0);
	return value;
}

void rig_write(const struct htex_rig *rig, unsigned int bar, uint64_t offset, unsigned int width,
	       uint64_t value)
{
	assert_int_equal(usrpci_bar_write(rig->dev, bar, offset, width, value), 0);
}

/* --- memory --- */

static bool is_there(uint64_t address)
{
	return address >> 30 == RIG_IN >> 30 || address >> 30 == RIG_OUT >> 30;
}

/* Neighbours aren't neighbours in memory. */
static size_t place_of(uint64_t address)
{
	const size_t page = address / RIG_PAGE % RIG_HALF;
	const size_t offset = address % RIG_PAGE;

	assert_true(is_there(address));
	if (address >> 30 == RIG_IN >> 30)
		return (page * 7 + 3) % RIG_HALF * RIG_PAGE + offset;
	return (RIG_HALF + (page * 5 + 1) % RIG_HALF) * RIG_PAGE + offset;
}

void *rig_at(const struct htex_rig *rig, uint64_t address)
{
	return (char *)rig->mem.addr + place_of(address);
}

uint64_t rig_bus(const struct htex_rig *rig, uint64_t address)
{
	return rig->mem.bus_addr + place_of(address);
}

static size_t piece(uint64_t address, size_t len)
{
	const size_t rest = RIG_PAGE - address % RIG_PAGE;

	return len < rest ? len : rest;
}

void rig_put(const struct htex_rig *rig, uint64_t address, const void *buf, size_t len)
{
	size_t done, some;

	for (done = 0; done < len; done += some) {
		some = piece(address + done, len - done);
		memcpy(rig_at(rig, address + done), (const char *)buf + done, some);
	}
}

void rig_take(const struct htex_rig *rig, uint64_t address, void *buf, size_t len)
{
	size_t done, some;

	for (done = 0; done < len; done += some) {
		some = piece(address + done, len - done);
		memcpy((char *)buf + done, rig_at(rig, address + done), some);
	}
}

/* --- jobs --- */

void rig_start(const struct htex_rig *rig, unsigned int engine, struct rig_job job)
{
	const unsigned int at = HTEX_ENGINE(engine);

	rig_set(rig, at + HTEX_TAG, job.tag);
	rig_write(rig, 0, at + HTEX_SOURCE, 8, job.source);
	rig_write(rig, 0, at + HTEX_SECOND, 8, job.second);
	rig_write(rig, 0, at + HTEX_TARGET, 8, job.target);
	rig_write(rig, 0, at + HTEX_LENGTH, 8, job.length);
	rig_set(rig, at + HTEX_JOB, job.job);
}

unsigned int rig_settle(const struct htex_rig *rig, unsigned int engine)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	unsigned int state;

	for (;;) {
		state = rig_get(rig, HTEX_ENGINE(engine) + HTEX_STATE);
		if (state != HTEX_STATE_RUNNING)
			return state;
		assert_true(now_ms() < end);
		usleep(100);
	}
}

/* --- misses --- */

struct rig_miss rig_decode(uint64_t first, uint64_t address)
{
	return (struct rig_miss){
		.address = address,
		.write = first & HTEX_MISS_WRITE,
		.tag = first >> HTEX_MISS_TAG_SHIFT & 0xf,
		.engine = first >> HTEX_MISS_ENGINE_SHIFT & 0xff,
		.entry = (uint32_t)(first >> HTEX_MISS_ENTRY_SHIFT),
	};
}

bool rig_next(const struct htex_rig *rig, struct rig_miss *miss)
{
	const uint64_t first = rig_read(rig, 0, HTEX_MISS, 8);

	if (!(first & HTEX_MISS_VALID))
		return false;
	*miss = rig_decode(first, rig_read(rig, 0, HTEX_MISS_ADDRESS, 8));
	return true;
}

struct rig_miss rig_await(const struct htex_rig *rig)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	struct rig_miss miss;

	while (!rig_next(rig, &miss)) {
		assert_true(now_ms() < end);
		usleep(100);
	}
	return miss;
}

void rig_fill(const struct htex_rig *rig, uint32_t entry, unsigned int tag, uint64_t address,
	      uint64_t bus, uint64_t bits)
{
	const uint64_t at = (uint64_t)entry * HTEX_ENTRY_LEN, page = ~(RIG_PAGE - 1);

	rig_write(rig, HTEX_TLB_BAR, at + 8, 8, address & page);
	rig_write(rig, HTEX_TLB_BAR, at, 8,
		  (bus & page) | (uint64_t)tag << HTEX_ENTRY_TAG_SHIFT | bits);
}

void rig_serve(const struct htex_rig *rig, const struct rig_miss *miss)
{
	if (!is_there(miss->address)) {
		rig_set(rig, HTEX_REFUSE, miss->engine);
		return;
	}
	rig_fill(rig, miss->entry, miss->tag, miss->address, rig_bus(rig, miss->address),
		 HTEX_ENTRY_VALID | HTEX_ENTRY_WRITE);
	rig_set(rig, HTEX_GO_ON, miss->engine);
}

unsigned int rig_finish(const struct htex_rig *rig, unsigned int engine)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	struct rig_miss miss;
	unsigned int state;

	for (;;) {
		while (rig_next(rig, &miss))
			rig_serve(rig, &miss);
		state = rig_get(rig, HTEX_ENGINE(engine) + HTEX_STATE);
		if (state != HTEX_STATE_RUNNING && state != HTEX_STATE_WAITING)
			return state;
		assert_true(now_ms() < end);
	}
}

unsigned int rig_run(const struct htex_rig *rig, unsigned int engine, struct rig_job job)
{
	rig_start(rig, engine, job);
	return rig_finish(rig, engine);
}
