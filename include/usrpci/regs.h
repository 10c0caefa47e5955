/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_REGS_H
#define USRPCI_REGS_H

#include <stdint.h>
#include <usrpci/bar.h>
#include <usrpci/device.h>
#include <usrpci/mmio.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct usrpci_regs - Registers, wherever the device is.
 * @addr: where they are mapped; NULL where each access is a call
 * @len: bytes
 * @dev: the device
 * @bar: their BAR
 * @offset: of the first, in bytes from the BAR's start
 *
 * Filled in by usrpci_regs_open() and copied freely.
 */
struct usrpci_regs {
	volatile char *addr;
	uint64_t len;
	struct usrpci_device *dev;
	unsigned int bar;
	uint64_t offset;
};

/**
 * usrpci_regs_open() - Reach the registers of a BAR on every backend.
 * @dev: the device
 * @bar: 0 to 5
 * @offset: bytes from the BAR's start, a multiple of the page size
 * @len: bytes; 0: as many as there are from @offset in one piece
 * @regs: filled in
 *
 * They are mapped where the BAR can be, which makes an access one instruction.
 * Where it can't (ports, a device behind a socket) each is a call.
 *
 * Return: 0; -EINVAL out of range, or no such BAR; other negative errno.
 */
int usrpci_regs_open(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		     uint64_t len, struct usrpci_regs *regs);

/**
 * usrpci_regs_close() - Undo usrpci_regs_open().
 * @regs: from usrpci_regs_open(), or zeroed; zeroed
 *
 * usrpci_close() does the same for what is still open.
 */
void usrpci_regs_close(struct usrpci_regs *regs);

/**
 * usrpci_regs_call_read() - Read a register by a call: what usrpci_regs_read32() and its like do
 * where there is no map.
 * @regs: the registers
 * @offset: bytes from the first, a multiple of @width
 * @width: 1, 2, 4 or 8 bytes
 *
 * Return: the value; all ones, as from a bus with no device, if the call failed.
 */
uint64_t usrpci_regs_call_read(const struct usrpci_regs *regs, uint64_t offset,
			       unsigned int width);

/**
 * usrpci_regs_call_write() - Write a register by a call.
 * @regs: the registers
 * @offset: bytes from the first, a multiple of @width
 * @width: 1, 2, 4 or 8 bytes
 * @value: what to write
 */
void usrpci_regs_call_write(const struct usrpci_regs *regs, uint64_t offset,
			    unsigned int width, uint64_t value);

/*
 * uintN_t usrpci_regs_readN(const struct usrpci_regs *regs, uint64_t offset)
 * void usrpci_regs_writeN(const struct usrpci_regs *regs, uint64_t offset, uintN_t value)
 *
 * For N = 8, 16, 32 and, where the host can, 64. Order and byte order are those of
 * usrpci_readN() and usrpci_writeN(). The offset isn't checked against @regs->len where there
 * is a map. After a removal a read gives all ones or the touch SIGBUS.
 */
#define USRPCI_REGS(bits)							\
static inline uint##bits##_t							\
usrpci_regs_read##bits(const struct usrpci_regs *regs, uint64_t offset)		\
{										\
	if (!regs->addr)							\
		return (uint##bits##_t)usrpci_regs_call_read(regs, offset, bits / 8);	\
	return usrpci_read##bits(regs->addr + offset);				\
}										\
										\
static inline void								\
usrpci_regs_write##bits(const struct usrpci_regs *regs, uint64_t offset,	\
			uint##bits##_t value)					\
{										\
	if (!regs->addr)							\
		usrpci_regs_call_write(regs, offset, bits / 8, value);		\
	else									\
		usrpci_write##bits(regs->addr + offset, value);			\
}

USRPCI_REGS(8)
USRPCI_REGS(16)
USRPCI_REGS(32)
#if UINTPTR_MAX > 0xffffffffU
USRPCI_REGS(64)
#endif

#undef USRPCI_REGS

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_REGS_H */
