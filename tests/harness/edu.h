/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * QEMU's edu device (docs/specs/edu.txt): its buffer of 4 KiB, of which 4095
 * bytes can be used, DMA of 100 ms, and an interrupt on request. Registers below
 * 0x80 take accesses of 4 bytes only.
 */
#ifndef HARNESS_EDU_H
#define HARNESS_EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/usrpci.h>

#define EDU_ID		0x00
#define EDU_IDENTITY	0x010000edU
#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64

/* An open edu, its registers mapped. */
struct edu_hw {
	int fd;
	volatile uint32_t *regs;
};

/* cmocka's setup and teardown; *state is a struct edu_hw. Nothing may stay pinned or charged. */
int edu_hw_setup(void **state);
int edu_hw_teardown(void **state);

/* The same for a test that opens by itself. */
int nothing_held_setup(void **state);
int nothing_held_teardown(void **state);

/* Bits that it puts on the bus: 28, or USRPCI_EDU_BITS for one with another dma_mask. */
unsigned int edu_hw_bits(void);

/* Bus master on and the mask set. */
void edu_hw_start(struct edu_hw *edu);

/* The device reads @len bytes at @bus into its buffer, or writes them from there. */
void edu_hw_read(struct edu_hw *edu, uint64_t bus, size_t len);
void edu_hw_write(struct edu_hw *edu, uint64_t bus, size_t len);

/* Start one, which takes 100 ms; wait till it has ended. */
void edu_hw_read_start(struct edu_hw *edu, uint64_t bus, size_t len);
void edu_hw_write_start(struct edu_hw *edu, uint64_t bus, size_t len);
bool edu_hw_is_busy(struct edu_hw *edu);
void edu_hw_wait(struct edu_hw *edu);

/* Raise the interrupt with these bits, take them back. */
void edu_hw_raise(struct edu_hw *edu, uint32_t bits);
void edu_hw_ack(struct edu_hw *edu, uint32_t bits);

#endif /* HARNESS_EDU_H */
