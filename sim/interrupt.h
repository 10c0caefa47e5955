/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_INTERRUPT_H
#define SIM_INTERRUPT_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include "device.h"

/* As many of a kind as PCI knows. */
#define SIM_VECTORS	2048U

/**
 * struct sim_irq_kind - Pin, MSI or MSI-X.
 * @count: vectors that the device has
 * @fds: eventfd of each, -1 for none
 * @nr_wired: how many have one
 */
struct sim_irq_kind {
	unsigned int count;
	int *fds;
	unsigned int nr_wired;
};

/**
 * struct sim_irqs - Interrupts.
 * @kinds: by VFIO_PCI_*_IRQ_INDEX
 * @level: of the pin
 * @masked: so is it
 */
struct sim_irqs {
	struct sim_irq_kind kinds[VFIO_PCI_NUM_IRQS];
	bool level;
	bool masked;
};

int sim_irqs_init(struct sim_irqs *irqs, const struct sim_device *device);
void sim_irqs_destroy(struct sim_irqs *irqs);

/* None of them leads anywhere. */
void sim_irqs_drop(struct sim_irqs *irqs);

/*
 * What VFIO_USER_DEVICE_SET_IRQS says; @bools if it has such data. Descriptors that are kept are
 * copied. 0; -EINVAL; -ENOTSUP.
 */
int sim_irqs_set(struct sim_irqs *irqs, const struct vfio_irq_set *set, const uint8_t *bools,
		 const int *fds, unsigned int nr_fds);

/* Whether the program wired messages, MSI or MSI-X. */
bool sim_irqs_has_messages(const struct sim_irqs *irqs);

void sim_irqs_message(struct sim_irqs *irqs, unsigned int vector);
void sim_irqs_pin(struct sim_irqs *irqs, bool level);

#endif /* SIM_INTERRUPT_H */
