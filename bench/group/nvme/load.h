/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The same commands, by usrpci's driver and by the kernel's. Functions end the program when they
 * fail.
 */
#ifndef BENCH_NVME_LOAD_H
#define BENCH_NVME_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_DEPTH	256U
/* From the disk's start. */
#define LOAD_SPAN	(512ULL << 20)

/**
 * struct load - What a disk is to do.
 * @write: or else read
 * @random: at random places, or else one after the other
 * @size: bytes of a command
 * @depth: commands at once
 * @nr: commands
 */
struct load {
	bool write;
	bool random;
	size_t size;
	unsigned int depth;
	unsigned int nr;
};

/* Where the command number @i goes, in bytes. */
uint64_t load_place(const struct load *load, uint64_t *seed, unsigned int i);

/* Each returns how long it took, less what the processor had nothing to do, if that's counted. */
struct nvme;
double load_usrpci(struct nvme *nvme, const struct load *load);
double load_uring(int fd, const struct load *load);
double load_calls(int fd, const struct load *load);

/* Somebody who is busy while nobody else is, by meter_counts() alone, and how much so far. */
void idle_start(void);
double idle_so_far(void);
void idle_stop(void);

#endif /* BENCH_NVME_LOAD_H */
