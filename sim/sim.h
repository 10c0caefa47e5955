/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "device.h"
#include "fault.h"
#include "interrupt.h"
#include "memory.h"
#include "trace.h"

struct sim_connection;

/** struct sim_counts - What has happened since the start. */
struct sim_counts {
	uint64_t reads;
	uint64_t writes;
	uint64_t interrupts;
	uint64_t dmas;
	uint64_t dma_bytes;
	uint64_t dmas_refused;
	uint64_t resets;
};

/**
 * struct sim - A simulated device.
 * @device: what it is
 * @self: the model's own
 * @options: given for it, "NAME=VALUE", ends with NULL
 * @config: its configuration space
 * @irqs: its interrupts
 * @memory: of the program, that it may reach
 * @faults: what goes wrong with it
 * @counts: what it did
 * @trace: tells it
 * @connection: the program, or NULL
 * @wake_ns: when its clock ticks; 0: not at all
 * @storm_ns: when vector 0 fires by itself; 0: not at all
 */
struct sim {
	const struct sim_device *device;
	void *self;
	const char **options;
	struct sim_config config;
	struct sim_irqs irqs;
	struct sim_memory memory;
	struct sim_faults faults;
	struct sim_counts counts;
	struct sim_trace trace;
	struct sim_connection *connection;
	uint64_t wake_ns;
	uint64_t storm_ns;
};

/* What every device takes beside its own; ends with one that has no name. */
extern const struct sim_option sim_options[];

/*
 * @text: "NAME[,OPTION=VALUE...]", options of the device and knobs; it is taken apart. NULL and
 * @why when there is none.
 */
struct sim *sim_create(char *text, const char **why);
void sim_destroy(struct sim *sim);

int sim_reset(struct sim *sim);

/* The program has gone: nothing of it is left, and the device is as after power-on. */
void sim_disconnect(struct sim *sim);

/* A register, or configuration space, by VFIO_PCI_*_REGION_INDEX. 0; -EINVAL. */
int sim_region_read(struct sim *sim, unsigned int region, uint64_t offset, void *buf, size_t len);
int sim_region_write(struct sim *sim, unsigned int region, uint64_t offset, const void *buf,
		     size_t len);
uint64_t sim_region_len(const struct sim *sim, unsigned int region);

/* When something happens by itself; 0: never. */
uint64_t sim_next_ns(const struct sim *sim);

/* Does what is due. */
void sim_run_clock(struct sim *sim);

#endif /* SIM_SIM_H */
