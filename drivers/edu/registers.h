/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The edu device's registers, in BAR 0. Source: QEMU, docs/specs/edu.rst.
 * Those below 0x80 take accesses of 4 bytes alone.
 */
#ifndef EDU_REGISTERS_H
#define EDU_REGISTERS_H

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8

#define EDU_ID			0x00	/* 0xRRrr00ed: major and minor version */
#define EDU_ID_MASK		0x0000ffffU
#define EDU_ID_VALUE		0x000000edU
#define EDU_LIVENESS		0x04	/* reads as the inverse of what was written */
#define EDU_FACTORIAL		0x08	/* in: n, out: n! modulo 2^32 */
#define EDU_STATUS		0x20
#define EDU_STATUS_COMPUTING	0x01U
#define EDU_STATUS_IRQ		0x80U	/* interrupt when the factorial is there */
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64
#define EDU_IRQ_FACTORIAL	0x001U
#define EDU_IRQ_DMA		0x100U
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_RUN		0x1U
#define EDU_DMA_TO_RAM		0x2U	/* else from memory to the device */
#define EDU_DMA_IRQ		0x4U	/* interrupt when done */

#define EDU_DMA_MASK		((1ULL << 28) - 1)

/* The device's buffer, as its DMA registers name it. */
#define EDU_BUFFER		0x40000U

#endif /* EDU_REGISTERS_H */
