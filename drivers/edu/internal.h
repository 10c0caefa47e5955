/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef EDU_INTERNAL_H
#define EDU_INTERNAL_H

#include <stdint.h>
#include <usrpci.h>

/**
 * struct edu - An open edu device.
 * @dev: the function
 * @regs: BAR 0
 * @irq: kind of interrupt in use
 * @eventfd: where it arrives, -1 when polled
 * @interrupts: how many came from this device
 * @bounce: memory within reach of 28 bits, made when first needed
 */
struct edu {
	struct usrpci_device *dev;
	struct usrpci_regs regs;
	enum usrpci_irq irq;
	int eventfd;
	uint64_t interrupts;
	struct usrpci_coherent bounce;
};

uint32_t edu_read(struct edu *edu, unsigned int offset);
void edu_write(struct edu *edu, unsigned int offset, uint32_t value);

/*
 * Waits for the interrupt @cause, or without interrupts till @busy is clear in
 * @reg. 0, -ETIMEDOUT, -ENODEV.
 */
int edu_wait(struct edu *edu, uint32_t cause, unsigned int reg, uint32_t busy);

#endif /* EDU_INTERNAL_H */
