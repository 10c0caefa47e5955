/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_IRQ_H
#define USRPCI_IRQ_H

#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

enum usrpci_irq {
	USRPCI_NO_IRQ,
	USRPCI_INTX,
	USRPCI_MSI,
	USRPCI_MSIX,
};

/**
 * usrpci_irq_setup() - Choose the kind and number of interrupt vectors.
 * @dev: the device
 * @type: what kind; USRPCI_NO_IRQ gives all vectors back
 * @nr: how many; 1 with USRPCI_INTX, 0 with USRPCI_NO_IRQ
 *
 * Return: 0; -EOPNOTSUPP the function has none of this kind; -ENOSPC not that
 * many; -EBUSY vectors are set up already, or one tells of a TLB's misses; -EINVAL;
 * other negative errno.
 */
int usrpci_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr);

/**
 * usrpci_irq_wire() - Tell which eventfd each vector signals.
 * @dev: the device
 * @first: first vector
 * @nr: how many, 1 to 4096
 * @eventfds: descriptors from eventfd(2), -1 to unwire a vector
 *
 * Can be called at any time; what fired while a vector had no eventfd is
 * signalled when it gets one. Without USRPCI_CAN_REWIRE an MSI that comes
 * during the call may be lost: look at the device once after it.
 *
 * Return: 0; -EINVAL no such vector, or no eventfd; -EBADF; other negative errno.
 */
int usrpci_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
		    const int *eventfds);

/**
 * usrpci_irq_unmask() - Let a vector fire again.
 * @dev: the device
 * @vector: which; 0 with INTx
 *
 * INTx masks itself each time: call this when the device's own interrupt flag
 * has been acknowledged. MSI and MSI-X are masked by a storm only, which
 * usrpci_event() tells of; the vector is signalled once when it's unmasked.
 * Nothing happens to a vector that isn't masked.
 *
 * Return: 0; -EINVAL no such vector is set up; other negative errno.
 */
int usrpci_irq_unmask(struct usrpci_device *dev, unsigned int vector);

/**
 * usrpci_irq_wait() - Wait for an eventfd and take its count.
 * @eventfd: the descriptor
 * @timeout_ms: milliseconds; -1: for ever
 *
 * Return: interrupts since the last call, at least 1; -ETIMEDOUT; -EINTR; other
 * negative errno.
 */
int64_t usrpci_irq_wait(int eventfd, int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_IRQ_H */
