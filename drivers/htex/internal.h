/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef HTEX_INTERNAL_H
#define HTEX_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>
#include "htex.h"
#include "registers.h"

/**
 * struct htex - An open device.
 * @dev: the function
 * @flags: as it was opened
 * @entries: of its TLB
 * @engines: how many
 * @nr_vectors: 2, or 1 that is for all
 * @ring: where misses are reported, if they are
 * @ring_size: entries of it
 * @eventfd: signalled when a job ends; with one vector, at a miss too
 * @lock: protects what follows
 * @changed: @ended has more bits, or nobody reads any more
 * @reading: a thread waits for @eventfd, on behalf of all
 * @busy: engines that have a job of ours
 * @ended: those of which the device said that they ended
 */
struct htex {
	struct usrpci_device *dev;
	unsigned int flags;
	uint32_t entries;
	uint32_t engines;
	unsigned int nr_vectors;
	struct usrpci_coherent ring;
	uint32_t ring_size;
	int eventfd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool reading;
	uint64_t busy;
	uint64_t ended;
};

/*
 * Registers of BAR 0. Each is a call, which gives -ENODEV once the device has gone, where a map
 * gives SIGBUS.
 */
int htex_read(const struct htex *htex, unsigned int reg, unsigned int width, uint64_t *value);
int htex_write(const struct htex *htex, unsigned int reg, unsigned int width, uint64_t value);

#endif /* HTEX_INTERNAL_H */
