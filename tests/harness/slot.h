/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Hot-plug slots of a VM that vm/run --slots --monitor started, numbered from 1. What waits
 * gives 0 or -ETIMEDOUT; the rest 0 or -errno.
 */
#ifndef HARNESS_SLOT_H
#define HARNESS_SLOT_H

#include <stdbool.h>

struct slot {
	unsigned int number;
	char name[16];
	char device[40];
	char plugged[96];
	char port[16];
	char function[16];
	unsigned int control;
};

/* With at least @nr slots and a monitor; else exits 77. */
void slots_require(unsigned int nr);
bool slots_announce_by_themselves(void);
bool slot_find(struct slot *slot, unsigned int number);

int slot_plug(struct slot *slot, const char *device);
int slot_plug_nvme(struct slot *slot);
int slot_wait_function(const struct slot *slot);
int slot_wait_usrpci(const struct slot *slot);
int slot_wait_no_function(const struct slot *slot);

int slot_unplug_by_guest(struct slot *slot);

/* All reads give ones, and only a slot that announces by itself tells the kernel. */
int slot_vanish(struct slot *slot);
int slot_kernel_removes(const struct slot *slot);

#endif /* HARNESS_SLOT_H */
