/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef NVME_DOORBELL_H
#define NVME_DOORBELL_H

#include <stdint.h>
#include <usrpci.h>

/**
 * struct nvme_doorbell - One of a queue's doorbells.
 * @at: where it lies in BAR 0
 * @value: what the controller was told last
 * @shadow: where it's told in memory, little-endian; NULL if it looks nowhere but in its register
 * @event: up to where it has looked there; NULL if it has to be rung all the same
 *
 * Emulated controllers have shadows, for which a write to a register costs much: NVMe base 2.0
 * §5.8.
 */
struct nvme_doorbell {
	uint64_t at;
	uint32_t value;
	volatile uint32_t *shadow;
	const volatile uint32_t *event;
};

/* Tells the controller of @value, once. */
void nvme_doorbell_ring(struct nvme_doorbell *doorbell, const struct usrpci_regs *regs,
			uint32_t value);

#endif /* NVME_DOORBELL_H */
