/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What goes wrong with a device when it's asked to: the same each time, by its seed. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct sim_faults - Its knobs.
 * @irq_storm: times a second that vector 0 fires by itself
 * @irq_lost: one of so many interrupts is lost
 * @irq_doubled: one of so many comes twice
 * @stray_dma: after one of so many DMAs another goes where nothing was mapped
 * @command_held: one of so many commands isn't done till it's aborted
 * @command_lost: one of so many is never done
 * @hang: writes to registers do nothing, and its clock stands still
 * @slow: microseconds that each access to a register takes
 * @all_ones: reads give ones, and writes do nothing, as with no device
 * @remove: the connection ends
 * @reset_fails: so does a reset
 * @random: state of the generator; its seed at first
 */
struct sim_faults {
	uint64_t irq_storm;
	uint64_t irq_lost;
	uint64_t irq_doubled;
	uint64_t stray_dma;
	uint64_t command_held;
	uint64_t command_lost;
	uint64_t hang;
	uint64_t slow;
	uint64_t all_ones;
	uint64_t remove;
	uint64_t reset_fails;
	uint64_t random;
};

void sim_faults_init(struct sim_faults *faults);

/* "NAME=VALUE". 0; -ENOENT no knob of that name; -EINVAL no number, or too great. */
int sim_faults_set(struct sim_faults *faults, const char *text);

/* The @index'th knob's name, help and value; false if there aren't so many. */
bool sim_faults_get(const struct sim_faults *faults, unsigned int index, const char **name,
		    const char **help, uint64_t *value);

/* Whether it happens now, that happens once in @n times; 0: never. */
bool sim_faults_draw(struct sim_faults *faults, uint64_t n);

uint64_t sim_faults_random(struct sim_faults *faults);

#endif /* SIM_FAULT_H */
