/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Registers of the two devices that may be written with anything: QEMU's edu aborts
 * the machine when its DMA goes astray, and an NVMe controller with random queues
 * writes anywhere.
 */
#ifndef FUZZ_REGISTER_H
#define FUZZ_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

struct caller;

/* File offset of a BAR, mostly of one that there is. */
uint64_t register_bar_offset(struct caller *t);

/* A write of 4 bytes through a map, wherever in the BAR that begins; false: none. */
bool register_harmless(struct caller *t, uint64_t *offset, uint32_t *value);

/* An offset that a write by call may have, for @width bytes; maybe past the BAR's end. */
uint64_t register_writable(struct caller *t, unsigned int width);

/* One call each: a read or a write of a BAR or of configuration space. */
void register_read(struct caller *t);
void register_write(struct caller *t);
void register_read_config(struct caller *t);
void register_write_config(struct caller *t);

#endif /* FUZZ_REGISTER_H */
