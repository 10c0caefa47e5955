/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_CONFIG_H
#define SIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "device.h"

#define SIM_CONFIG_MAX	4096U

/**
 * struct sim_config - Configuration space.
 * @len: bytes: 256, or 4096 of PCI Express
 * @data: what is read
 * @writable: bits that keep what is written
 * @express: offset of the PCI Express capability, or 0
 */
struct sim_config {
	unsigned int len;
	uint8_t data[SIM_CONFIG_MAX];
	uint8_t writable[SIM_CONFIG_MAX];
	unsigned int express;
};

void sim_config_init(struct sim_config *config, const struct sim_device *device);

/* Lies in it. */
void sim_config_read(const struct sim_config *config, unsigned int offset, void *buf, size_t len);

/* Returns whether that asked for a reset of the function. */
bool sim_config_write(struct sim_config *config, unsigned int offset, const void *buf, size_t len);

bool sim_config_is_master(const struct sim_config *config);

/* The status register tells of the pin, and the command register can hold it back. */
void sim_config_set_pin(struct sim_config *config, bool level);
bool sim_config_pin(const struct sim_config *config);

/* As after power-on, but for where the BARs are. */
void sim_config_reset(struct sim_config *config);

#endif /* SIM_CONFIG_H */
