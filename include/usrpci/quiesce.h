/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_QUIESCE_H
#define USRPCI_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most steps of a list. */
#define USRPCI_QUIESCE_STEPS	32U
/** Most microseconds that a list may wait in all. */
#define USRPCI_QUIESCE_US	400000U

/**
 * struct usrpci_step - A register access that helps to stop the device.
 * @until: false: the bits of @mask become those of @value; true: read till the
 *	bits of @mask are @value
 * @bar: 0 to 5
 * @width: bytes: 1, 2, 4, 8
 * @timeout_us: with @until: longest wait in microseconds
 * @offset: from the BAR's start, a multiple of @width
 * @value: no bit outside of @mask
 * @mask: which bits; a write of all bits of @width reads nothing first
 */
struct usrpci_step {
	bool until;
	unsigned int bar;
	unsigned int width;
	uint32_t timeout_us;
	uint64_t offset;
	uint64_t value;
	uint64_t mask;
};

/**
 * usrpci_quiesce() - Say how the device is stopped when the program can't.
 * @dev: the device
 * @steps: what to do, in order
 * @nr: how many; 0 forgets the list
 *
 * The steps are done before all else when the device is closed, the program dies
 * (kill -9, too) or the function is taken away and still answers. Then bus
 * mastering is switched off and the function is reset where it can be, whatever
 * came of them. A new list takes the place of the old one.
 *
 * Return: 0; -EINVAL a step that can't be, or too much waiting; -EPERM a write to
 * the MSI-X table; -EOPNOTSUPP where nothing runs once the program has died: without
 * USRPCI_CAN_QUIESCE; other negative errno. The list before then stays.
 */
int usrpci_quiesce(struct usrpci_device *dev, const struct usrpci_step *steps,
		   unsigned int nr);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_QUIESCE_H */
