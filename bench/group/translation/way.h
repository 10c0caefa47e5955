/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The ways in which an htex's misses can be served: by usrpci.ko, by the library in user space,
 * and by the floor, bench/module/floor.c. Functions end the program when they fail.
 */
#ifndef BENCH_TRANSLATION_WAY_H
#define BENCH_TRANSLATION_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>
#include "watch.h"

struct htex;

enum way_kind {
	BY_MODULE,
	BY_LIBRARY,
	BY_FLOOR,
};

/**
 * struct way - A device whose misses are served in some way.
 * @kind: the way
 * @mirrored: its pages aren't pinned
 * @address: the function
 * @line: the interrupt of misses
 * @regs: BAR 0
 * @tag: of this process
 * @htex: the device, if usrpci has it
 * @space: this process's
 * @floor: the device's file, if the floor has it
 */
struct way {
	enum way_kind kind;
	bool mirrored;
	const char *address;
	unsigned int line;
	volatile char *regs;
	unsigned int tag;
	struct htex *htex;
	struct usrpci_space *space;
	int floor;
};

void way_open(struct way *way, const char *address, enum way_kind kind, bool mirrored);
void way_close(struct way *way);

/* The device has no translation there any more. By the floor it has none at all. */
void way_forget(const struct way *way, void *addr, size_t len);

/* When a miss is answered: just before the device is told to go on; */
const struct moment *way_answered(const struct way *way);
/* and when all of them were that one interrupt brought. Not for the library. */
const struct moment *way_done(const struct way *way);

static inline uint32_t way_read(const struct way *way, unsigned int reg)
{
	return *(volatile uint32_t *)(way->regs + reg);
}

static inline uint64_t way_read64(const struct way *way, unsigned int reg)
{
	return *(volatile uint64_t *)(way->regs + reg);
}

static inline void way_write(const struct way *way, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(way->regs + reg) = value;
}

static inline void way_write64(const struct way *way, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(way->regs + reg) = value;
}

#endif /* BENCH_TRANSLATION_WAY_H */
