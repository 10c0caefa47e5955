/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_BAR_H
#define USRPCI_BAR_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

#define USRPCI_BARS	6

enum usrpci_bar_type {
	USRPCI_NO_BAR,
	USRPCI_MEMORY_BAR,
	USRPCI_PORT_BAR,
};

/* usrpci_bar.flags */
#define USRPCI_PREFETCHABLE	(1U << 0)
#define USRPCI_64BIT		(1U << 1)
#define USRPCI_MAPPABLE		(1U << 2)

/**
 * struct usrpci_bar - A base address register and what may be mapped of it.
 * @type: enum usrpci_bar_type
 * @flags: USRPCI_PREFETCHABLE, USRPCI_64BIT, USRPCI_MAPPABLE
 * @addr: address as the CPU sees it
 * @len: bytes
 * @nr_windows: entries of @windows in use
 * @windows: parts that can be mapped, in bytes from the BAR's start
 */
struct usrpci_bar {
	enum usrpci_bar_type type;
	unsigned int flags;
	uint64_t addr;
	uint64_t len;
	unsigned int nr_windows;
	struct {
		uint64_t offset;
		uint64_t len;
	} windows[2];
};

/**
 * usrpci_bar_info() - Describe a BAR.
 * @dev: the device
 * @bar: 0 to 5
 * @info: filled in; of type USRPCI_NO_BAR where there is none
 *
 * Return: 0; -EINVAL for a number above 5; other negative errno.
 */
int usrpci_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info);

/* usrpci_bar_map() flags */
#define USRPCI_WRITE_COMBINING	(1U << 0)	/* only for a prefetchable BAR */

/**
 * usrpci_bar_map() - Map a BAR, or a window of it.
 * @dev: the device
 * @bar: 0 to 5
 * @offset: bytes from the BAR's start, a multiple of the page size
 * @len: bytes; 0: up to the end of the window that holds @offset
 * @flags: 0 (uncached) or USRPCI_WRITE_COMBINING
 * @regs: set to the first byte
 *
 * Use the accessors of <usrpci/mmio.h> on it. A child made by fork doesn't have
 * the map. Once the function is removed, or while its decoding is off, a touch gives
 * SIGBUS.
 *
 * Return: 0; -EINVAL out of range, or not mappable; other negative errno.
 */
int usrpci_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		   uint64_t len, unsigned int flags, volatile void **regs);

/**
 * usrpci_bar_unmap() - Undo usrpci_bar_map().
 * @dev: the device
 * @regs: from usrpci_bar_map()
 *
 * Return: 0; -EINVAL if it was never mapped.
 */
int usrpci_bar_unmap(struct usrpci_device *dev, volatile void *regs);

/**
 * usrpci_bar_read() - Read a register by a call: for ports, and BARs that can't be mapped.
 * @dev: the device
 * @bar: 0 to 5
 * @offset: bytes from the BAR's start, a multiple of @width
 * @width: 1, 2, 4 or (memory only) 8 bytes
 * @value: set
 *
 * Return: 0; -EINVAL for a bad offset or width; -EIO if the function's decoding
 * is off; other negative errno.
 */
int usrpci_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		    unsigned int width, uint64_t *value);

/**
 * usrpci_bar_write() - Write a register by a call.
 * @dev: the device
 * @bar: 0 to 5
 * @offset: bytes from the BAR's start, a multiple of @width
 * @width: 1, 2, 4 or (memory only) 8 bytes
 * @value: what to write
 *
 * Return: as usrpci_bar_read(); -EPERM in an MSI-X table that could forge interrupts.
 */
int usrpci_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		     unsigned int width, uint64_t value);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_BAR_H */
