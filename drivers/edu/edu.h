/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a driver for QEMU's edu device
 *
 * edu computes factorials and copies between memory and a buffer of its own,
 * with an interrupt when it's done. Start reading at edu_open() in edu.c.
 *
 * Errors are negative errnos. Not for several threads at once. -ETIMEDOUT means
 * that the device doesn't answer; its DMA is then stopped and it needs to be
 * closed.
 */
#ifndef EDU_EDU_H
#define EDU_EDU_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

/**
 * EDU_BUFFER_LEN - Bytes of the device's buffer that can be used.
 *
 * The buffer has 4096, but QEMU takes a transfer that reaches its last byte for
 * one out of range, and ends.
 */
#define EDU_BUFFER_LEN	4095U

struct edu;

/**
 * edu_open() - Open an edu device.
 * @edup: set to it
 * @address: as for usrpci_open()
 * @irq: USRPCI_INTX, USRPCI_MSI, or USRPCI_NO_IRQ to poll
 *
 * Return: 0; -ENOTSUP it's another device, or has no such interrupt; -EIO the
 * platform has no memory within 28 bits to give; as usrpci_open() otherwise.
 */
int edu_open(struct edu **edup, const char *address, enum usrpci_irq irq);

/**
 * edu_close() - Stop the device and let go of it.
 * @edu: the device, or NULL
 */
void edu_close(struct edu *edu);

/**
 * edu_device() - The function behind the device, for usrpci_info() and the like.
 * @edu: the device
 *
 * Return: what edu_close() will close.
 */
struct usrpci_device *edu_device(struct edu *edu);

/**
 * edu_id() - Read the identification register.
 * @edu: the device
 *
 * Return: 0xRRrr00ed, where RR is the major version and rr the minor.
 */
uint32_t edu_id(struct edu *edu);

/**
 * edu_liveness() - See whether the device answers.
 * @edu: the device
 * @value: what to ask with
 *
 * Return: 0; -ENODEV it's gone; -EIO the answer isn't the inverse of @value.
 */
int edu_liveness(struct edu *edu, uint32_t value);

/**
 * edu_factorial() - Compute a factorial.
 * @edu: the device
 * @n: of what
 * @result: set to n! modulo 2^32
 *
 * Return: 0; -ETIMEDOUT; -ENODEV.
 */
int edu_factorial(struct edu *edu, uint32_t n, uint32_t *result);

/**
 * edu_dma_to_device() - Copy memory of this process to the device's buffer.
 * @edu: the device
 * @buf: memory, of any alignment
 * @offset: bytes from the buffer's start
 * @len: bytes, at least 1
 *
 * Return: 0; -EINVAL if @offset + @len passes EDU_BUFFER_LEN or @len is 0;
 * -ETIMEDOUT; as usrpci_map() otherwise.
 */
int edu_dma_to_device(struct edu *edu, const void *buf, size_t offset, size_t len);

/**
 * edu_dma_from_device() - Copy the device's buffer to memory of this process.
 * @edu: the device
 * @buf: memory, of any alignment
 * @offset: bytes from the buffer's start
 * @len: bytes, at least 1
 *
 * Return: as edu_dma_to_device().
 */
int edu_dma_from_device(struct edu *edu, void *buf, size_t offset, size_t len);

/**
 * edu_interrupts() - Count the interrupts that the device has sent.
 * @edu: the device
 *
 * Return: those since edu_open() that were its own.
 */
uint64_t edu_interrupts(const struct edu *edu);

#endif /* EDU_EDU_H */
