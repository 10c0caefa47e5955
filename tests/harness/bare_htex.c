// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include "bare_htex.h"
#include "memory.h"

/* A busy machine, or an emulated one, may take long. */
#define PATIENCE_MS	20000U

void hw_open(struct bare_htex *hw, const char *address, uint32_t control)
{
	*hw = (struct bare_htex){ 0 };
	assert_int_equal(usrpci_open(&hw->dev, address), 0);
	assert_int_equal(usrpci_set_dma_mask(hw->dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_set_master(hw->dev, true), 0);
	assert_int_equal(usrpci_coherent_alloc(hw->dev, 2 * HW_HALF * HW_PAGE, &hw->mem), 0);
	assert_int_equal(usrpci_coherent_alloc(hw->dev, HW_PAGE, &hw->ring), 0);
	hw_set(hw, HTEX_CONTROL, HTEX_TRANSLATE | control);
}

void hw_close(struct bare_htex *hw)
{
	usrpci_close(hw->dev);
	hw->dev = NULL;
}

uint64_t hw_read(const struct bare_htex *hw, unsigned int bar, uint64_t offset,
		 unsigned int width)
{
	uint64_t value;

	assert_int_equal(usrpci_bar_read(hw->dev, bar, offset, width, &value), 0);
	return value;
}

void hw_write(const struct bare_htex *hw, unsigned int bar, uint64_t offset, unsigned int width,
	      uint64_t value)
{
	assert_int_equal(usrpci_bar_write(hw->dev, bar, offset, width, value), 0);
}

/* --- memory --- */

static bool is_there(uint64_t address)
{
	return address >> 30 == HW_IN >> 30 || address >> 30 == HW_OUT >> 30;
}

/* Neighbours aren't neighbours in memory. */
static size_t place_of(uint64_t address)
{
	const size_t page = address / HW_PAGE % HW_HALF;
	const size_t offset = address % HW_PAGE;

	assert_true(is_there(address));
	if (address >> 30 == HW_IN >> 30)
		return (page * 7 + 3) % HW_HALF * HW_PAGE + offset;
	return (HW_HALF + (page * 5 + 1) % HW_HALF) * HW_PAGE + offset;
}

void *hw_at(const struct bare_htex *hw, uint64_t address)
{
	return (char *)hw->mem.addr + place_of(address);
}

uint64_t hw_bus(const struct bare_htex *hw, uint64_t address)
{
	return hw->mem.bus_addr + place_of(address);
}

static size_t piece(uint64_t address, size_t len)
{
	const size_t rest = HW_PAGE - address % HW_PAGE;

	return len < rest ? len : rest;
}

void hw_put(const struct bare_htex *hw, uint64_t address, const void *buf, size_t len)
{
	size_t done, some;

	for (done = 0; done < len; done += some) {
		some = piece(address + done, len - done);
		memcpy(hw_at(hw, address + done), (const char *)buf + done, some);
	}
}

void hw_take(const struct bare_htex *hw, uint64_t address, void *buf, size_t len)
{
	size_t done, some;

	for (done = 0; done < len; done += some) {
		some = piece(address + done, len - done);
		memcpy((char *)buf + done, hw_at(hw, address + done), some);
	}
}

/* --- jobs --- */

void hw_start(const struct bare_htex *hw, unsigned int engine, struct hw_job job)
{
	const unsigned int at = HTEX_ENGINE(engine);

	hw_set(hw, at + HTEX_TAG, job.tag);
	hw_write(hw, 0, at + HTEX_SOURCE, 8, job.source);
	hw_write(hw, 0, at + HTEX_SECOND, 8, job.second);
	hw_write(hw, 0, at + HTEX_TARGET, 8, job.target);
	hw_write(hw, 0, at + HTEX_LENGTH, 8, job.length);
	hw_set(hw, at + HTEX_JOB, job.job);
}

unsigned int hw_settle(const struct bare_htex *hw, unsigned int engine)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	unsigned int state;

	for (;;) {
		state = hw_get(hw, HTEX_ENGINE(engine) + HTEX_STATE);
		if (state != HTEX_STATE_RUNNING)
			return state;
		assert_true(now_ms() < end);
		usleep(100);
	}
}

/* --- misses --- */

struct hw_miss hw_decode(uint64_t first, uint64_t address)
{
	return (struct hw_miss){
		.address = address,
		.write = first & HTEX_MISS_WRITE,
		.tag = first >> HTEX_MISS_TAG_SHIFT & 0xf,
		.engine = first >> HTEX_MISS_ENGINE_SHIFT & 0xff,
		.entry = (uint32_t)(first >> HTEX_MISS_ENTRY_SHIFT),
	};
}

bool hw_next(const struct bare_htex *hw, struct hw_miss *miss)
{
	const uint64_t first = hw_read(hw, 0, HTEX_MISS, 8);

	if (!(first & HTEX_MISS_VALID))
		return false;
	*miss = hw_decode(first, hw_read(hw, 0, HTEX_MISS_ADDRESS, 8));
	return true;
}

struct hw_miss hw_await(const struct bare_htex *hw)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	struct hw_miss miss;

	while (!hw_next(hw, &miss)) {
		assert_true(now_ms() < end);
		usleep(100);
	}
	return miss;
}

void hw_fill(const struct bare_htex *hw, uint32_t entry, unsigned int tag, uint64_t address,
	     uint64_t bus, uint64_t bits)
{
	const uint64_t at = (uint64_t)entry * HTEX_ENTRY_LEN, page = ~(HW_PAGE - 1);

	hw_write(hw, HTEX_TLB_BAR, at + 8, 8, address & page);
	hw_write(hw, HTEX_TLB_BAR, at, 8,
		 (bus & page) | (uint64_t)tag << HTEX_ENTRY_TAG_SHIFT | bits);
}

void hw_serve(const struct bare_htex *hw, const struct hw_miss *miss)
{
	if (!is_there(miss->address)) {
		hw_set(hw, HTEX_REFUSE, miss->engine);
		return;
	}
	hw_fill(hw, miss->entry, miss->tag, miss->address, hw_bus(hw, miss->address),
		HTEX_ENTRY_VALID | HTEX_ENTRY_WRITE);
	hw_set(hw, HTEX_GO_ON, miss->engine);
}

unsigned int hw_finish(const struct bare_htex *hw, unsigned int engine)
{
	const uint64_t end = now_ms() + PATIENCE_MS;
	struct hw_miss miss;
	unsigned int state;

	for (;;) {
		while (hw_next(hw, &miss) && now_ms() < end)
			hw_serve(hw, &miss);
		state = hw_get(hw, HTEX_ENGINE(engine) + HTEX_STATE);
		if (state != HTEX_STATE_RUNNING && state != HTEX_STATE_WAITING)
			return state;
		assert_true(now_ms() < end);
	}
}

unsigned int hw_run(const struct bare_htex *hw, unsigned int engine, struct hw_job job)
{
	hw_start(hw, engine, job);
	return hw_finish(hw, engine);
}
