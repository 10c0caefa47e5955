/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: registers in mapped BARs
 *
 * Values are the host's; on the bus they are little-endian, as PCI's are.
 *
 * usrpci_readN() and usrpci_writeN() are ordered against each other and against
 * ordinary memory: a write comes after all earlier stores to memory (so that a
 * doorbell rings after its ring is filled), a read before all later loads. The
 * _relaxed forms are ordered against accesses to the same device alone.
 *
 * In a write-combining map stores may wait in the CPU: usrpci_wmb() sends them.
 * A write may still be on its way when usrpci_writeN() returns; a read of the
 * same device waits for it.
 */
#ifndef USRPCI_MMIO_H
#define USRPCI_MMIO_H

#include <endian.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define usrpci_mb()	do { __asm__ __volatile__("mfence" ::: "memory"); } while (0)
#define usrpci_rmb()	do { __asm__ __volatile__("lfence" ::: "memory"); } while (0)
#define usrpci_wmb()	do { __asm__ __volatile__("sfence" ::: "memory"); } while (0)
/* Uncached accesses are in order with write-back memory: hold the compiler. */
#define usrpci_dma_rmb()	do { __asm__ __volatile__("" ::: "memory"); } while (0)
#define usrpci_dma_wmb()	do { __asm__ __volatile__("" ::: "memory"); } while (0)
#define usrpci_io_rmb()	usrpci_dma_rmb()
#define usrpci_io_wmb()	usrpci_dma_wmb()
#elif defined(__aarch64__)
#define usrpci_mb()	do { __asm__ __volatile__("dsb sy" ::: "memory"); } while (0)
#define usrpci_rmb()	do { __asm__ __volatile__("dsb ld" ::: "memory"); } while (0)
#define usrpci_wmb()	do { __asm__ __volatile__("dsb st" ::: "memory"); } while (0)
#define usrpci_dma_rmb()	do { __asm__ __volatile__("dmb oshld" ::: "memory"); } while (0)
#define usrpci_dma_wmb()	do { __asm__ __volatile__("dmb oshst" ::: "memory"); } while (0)
#define usrpci_io_rmb()	usrpci_dma_rmb()
#define usrpci_io_wmb()	usrpci_dma_wmb()
#else
#define usrpci_mb()	__sync_synchronize()
#define usrpci_rmb()	__sync_synchronize()
#define usrpci_wmb()	__sync_synchronize()
#define usrpci_dma_rmb()	__sync_synchronize()
#define usrpci_dma_wmb()	__sync_synchronize()
#define usrpci_io_rmb()	__sync_synchronize()
#define usrpci_io_wmb()	__sync_synchronize()
#endif

#define USRPCI_MMIO(bits, to_host, to_bus)					\
static inline uint##bits##_t							\
usrpci_read##bits##_relaxed(const volatile void *reg)				\
{										\
	return to_host(*(const volatile uint##bits##_t *)reg);			\
}										\
										\
static inline void								\
usrpci_write##bits##_relaxed(volatile void *reg, uint##bits##_t value)		\
{										\
	*(volatile uint##bits##_t *)reg = to_bus(value);			\
}										\
										\
static inline uint##bits##_t usrpci_read##bits(const volatile void *reg)	\
{										\
	uint##bits##_t value = usrpci_read##bits##_relaxed(reg);		\
										\
	usrpci_io_rmb();							\
	return value;								\
}										\
										\
static inline void usrpci_write##bits(volatile void *reg, uint##bits##_t value)	\
{										\
	usrpci_io_wmb();							\
	usrpci_write##bits##_relaxed(reg, value);				\
}

#define USRPCI_BYTE(value) (value)

USRPCI_MMIO(8, USRPCI_BYTE, USRPCI_BYTE)
USRPCI_MMIO(16, le16toh, htole16)
USRPCI_MMIO(32, le32toh, htole32)
#if UINTPTR_MAX > 0xffffffffU
/* One access of 8 bytes: only where the host can make one. */
USRPCI_MMIO(64, le64toh, htole64)
#endif

#undef USRPCI_BYTE
#undef USRPCI_MMIO

/**
 * usrpci_read64_lo_hi() - Read a 64-bit register by two 32-bit accesses.
 * @reg: the register
 *
 * Return: its value, low half read first.
 */
static inline uint64_t usrpci_read64_lo_hi(const volatile void *reg)
{
	uint64_t low = usrpci_read32(reg);

	return low | (uint64_t)usrpci_read32((const volatile char *)reg + 4) << 32;
}

/**
 * usrpci_write64_lo_hi() - Write a 64-bit register by two 32-bit accesses.
 * @reg: the register
 * @value: what to write, low half first
 */
static inline void usrpci_write64_lo_hi(volatile void *reg, uint64_t value)
{
	usrpci_write32(reg, (uint32_t)value);
	usrpci_write32((volatile char *)reg + 4, (uint32_t)(value >> 32));
}

#endif /* USRPCI_MMIO_H */
