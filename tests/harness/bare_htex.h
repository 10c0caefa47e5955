/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * An htex device with nothing but registers, and memory at virtual addresses that are none of the
 * program's: whoever serves its misses is the test.
 */
#ifndef HARNESS_BARE_HTEX_H
#define HARNESS_BARE_HTEX_H

#include <htex/registers.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

#define HW_PAGE	4096ULL
#define HW_HALF	256U
/* Two areas that don't overlap; each comes again and again, after HW_HALF pages. */
#define HW_IN		0x00007f5a40000000ULL
#define HW_OUT		0x00007fa580000000ULL
/* Nothing is there. */
#define HW_NOWHERE	0x0000600000000000ULL

/**
 * struct bare_htex - A device.
 * @dev: it
 * @mem: both areas, their pages in disorder
 * @ring: room for one
 */
struct bare_htex {
	struct usrpci_device *dev;
	struct usrpci_coherent mem;
	struct usrpci_coherent ring;
};

/** struct hw_miss - What was reported. */
struct hw_miss {
	uint64_t address;
	bool write;
	unsigned int tag;
	unsigned int engine;
	uint32_t entry;
};

/** struct hw_job - What an engine is told. */
struct hw_job {
	uint32_t job;
	uint32_t tag;
	uint64_t source;
	uint64_t second;
	uint64_t target;
	uint64_t length;
};

/* All of it asserts. Translation is on, with @control beside; bus mastering, too. */
void hw_open(struct bare_htex *hw, const char *address, uint32_t control);
void hw_close(struct bare_htex *hw);

uint64_t hw_read(const struct bare_htex *hw, unsigned int bar, uint64_t offset,
		 unsigned int width);
void hw_write(const struct bare_htex *hw, unsigned int bar, uint64_t offset, unsigned int width,
	      uint64_t value);

static inline uint32_t hw_get(const struct bare_htex *hw, unsigned int reg)
{
	return (uint32_t)hw_read(hw, 0, reg, 4);
}

static inline void hw_set(const struct bare_htex *hw, unsigned int reg, uint32_t value)
{
	hw_write(hw, 0, reg, 4, value);
}

/* A register of an engine, of 8 bytes. */
static inline uint64_t hw_engine(const struct bare_htex *hw, unsigned int engine,
				 unsigned int reg)
{
	return hw_read(hw, 0, HTEX_ENGINE(engine) + reg, 8);
}

/* What lies at a virtual address, and where. */
void *hw_at(const struct bare_htex *hw, uint64_t address);
uint64_t hw_bus(const struct bare_htex *hw, uint64_t address);
void hw_put(const struct bare_htex *hw, uint64_t address, const void *buf, size_t len);
void hw_take(const struct bare_htex *hw, uint64_t address, void *buf, size_t len);

void hw_start(const struct bare_htex *hw, unsigned int engine, struct hw_job job);
/* Waits till it doesn't run; what its state is then. */
unsigned int hw_settle(const struct bare_htex *hw, unsigned int engine);

/* A miss of two words. */
struct hw_miss hw_decode(uint64_t first, uint64_t address);
/* The oldest in the FIFO; false: there's none. */
bool hw_next(const struct bare_htex *hw, struct hw_miss *miss);
/* The same; there will be one. */
struct hw_miss hw_await(const struct bare_htex *hw);

/* Bits of the first word beside the tag's and the page's: HTEX_ENTRY_*. */
void hw_fill(const struct bare_htex *hw, uint32_t entry, unsigned int tag, uint64_t address,
	     uint64_t bus, uint64_t bits);
/* With what is there, for reading and writing, or a refusal if nothing is. */
void hw_serve(const struct bare_htex *hw, const struct hw_miss *miss);

/* Serves all misses till the engine's job is over; its state. */
unsigned int hw_finish(const struct bare_htex *hw, unsigned int engine);
unsigned int hw_run(const struct bare_htex *hw, unsigned int engine, struct hw_job job);

#endif /* HARNESS_BARE_HTEX_H */
