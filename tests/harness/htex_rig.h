/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * An htex device with nothing but registers, and memory at virtual addresses that are none of the
 * program's: whoever serves its misses is the test.
 */
#ifndef HARNESS_HTEX_RIG_H
#define HARNESS_HTEX_RIG_H

#include <htex/registers.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

#define RIG_PAGE	4096ULL
#define RIG_HALF	256U
/* Two areas that don't overlap; each comes again and again, after RIG_HALF pages. */
#define RIG_IN		0x00007f5a40000000ULL
#define RIG_OUT		0x00007fa580000000ULL
/* Nothing is there. */
#define RIG_NOWHERE	0x0000600000000000ULL

/**
 * struct htex_rig - A device.
 * @dev: it
 * @mem: both areas, their pages in disorder
 * @ring: room for one
 */
struct htex_rig {
	struct usrpci_device *dev;
	struct usrpci_coherent mem;
	struct usrpci_coherent ring;
};

/** struct rig_miss - What was reported. */
struct rig_miss {
	uint64_t address;
	bool write;
	unsigned int tag;
	unsigned int engine;
	uint32_t entry;
};

/** struct rig_job - What an engine is told. */
struct rig_job {
	uint32_t job;
	uint32_t tag;
	uint64_t source;
	uint64_t second;
	uint64_t target;
	uint64_t length;
};

/* All of it asserts. Translation is on, with @control beside; bus mastering, too. */
void rig_open(struct htex_rig *rig, const char *address, uint32_t control);
void rig_close(struct htex_rig *rig);

uint64_t rig_read(const struct htex_rig *rig, unsigned int bar, uint64_t offset,
		  unsigned int width);
void rig_write(const struct htex_rig *rig, unsigned int bar, uint64_t offset, unsigned int width,
	       uint64_t value);

static inline uint32_t rig_get(const struct htex_rig *rig, unsigned int reg)
{
	return (uint32_t)rig_read(rig, 0, reg, 4);
}

static inline void rig_set(const struct htex_rig *rig, unsigned int reg, uint32_t value)
{
	rig_write(rig, 0, reg, 4, value);
}

/* A register of an engine, of 8 bytes. */
static inline uint64_t rig_engine(const struct htex_rig *rig, unsigned int engine,
				  unsigned int reg)
{
	return rig_read(rig, 0, HTEX_ENGINE(engine) + reg, 8);
}

/* What lies at a virtual address, and where. */
void *rig_at(const struct htex_rig *rig, uint64_t address);
uint64_t rig_bus(const struct htex_rig *rig, uint64_t address);
void rig_put(const struct htex_rig *rig, uint64_t address, const void *buf, size_t len);
void rig_take(const struct htex_rig *rig, uint64_t address, void *buf, size_t len);

void rig_start(const struct htex_rig *rig, unsigned int engine, struct rig_job job);
/* Waits till it doesn't run; what its state is then. */
unsigned int rig_settle(const struct htex_rig *rig, unsigned int engine);

/* A miss of two words. */
struct rig_miss rig_decode(uint64_t first, uint64_t address);
/* The oldest in the FIFO; false: there's none. */
bool rig_next(const struct htex_rig *rig, struct rig_miss *miss);
/* The same; there will be one. */
struct rig_miss rig_await(const struct htex_rig *rig);

/* Bits of the first word beside the tag's and the page's: HTEX_ENTRY_*. */
void rig_fill(const struct htex_rig *rig, uint32_t entry, unsigned int tag, uint64_t address,
	      uint64_t bus, uint64_t bits);
/* With what is there, for reading and writing, or a refusal if nothing is. */
void rig_serve(const struct htex_rig *rig, const struct rig_miss *miss);

/* Serves all misses till the engine's job is over; its state. */
unsigned int rig_finish(const struct htex_rig *rig, unsigned int engine);
unsigned int rig_run(const struct htex_rig *rig, unsigned int engine, struct rig_job job);

#endif /* HARNESS_HTEX_RIG_H */
