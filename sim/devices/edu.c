// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A teaching device with the registers of QEMU's (QEMU, docs/specs/edu.rst), which computes
 * factorials, and copies memory to a buffer of 4 KiB and back. It takes no 100 ms for a DMA.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <edu/registers.h>
#include "devices.h"

#define BAR_LEN		(1U << 20)
#define BUFFER_LEN	4096U
/* Version 1.0 of the device. */
#define ID		(0x01000000U | EDU_ID_VALUE)
/* A driver that asks at once sees the device at work. */
#define DEFAULT_US	20

struct edu {
	struct sim *sim;
	uint32_t liveness;
	uint32_t factorial;
	uint32_t status;
	uint32_t irq_status;
	uint64_t source;
	uint64_t destination;
	uint64_t count;
	uint64_t command;
	uint64_t dma_us;
	unsigned char buffer[BUFFER_LEN];
};

static void edu_reset(void *self)
{
	struct edu *edu = self;
	struct edu blank = { .sim = edu->sim, .dma_us = edu->dma_us };

	*edu = blank;
}

static void *edu_create(struct sim *sim, const char **why)
{
	const char *given = sim_option(sim, "dma-us");
	struct edu *edu;
	char *end;

	edu = calloc(1, sizeof(*edu));
	if (!edu)
		return NULL;
	edu->sim = sim;
	edu->dma_us = given ? strtoull(given, &end, 0) : DEFAULT_US;
	if (given && (*end || end == given || *given == '-' || edu->dma_us > 10000000)) {
		*why = "dma-us takes up to 10000000 microseconds";
		free(edu);
		return NULL;
	}
	return edu;
}

static void edu_destroy(void *self)
{
	free(self);
}

static void raise_irq(struct edu *edu, uint32_t cause)
{
	edu->irq_status |= cause;
	if (edu->irq_status)
		sim_raise(edu->sim, 0);
}

static void lower_irq(struct edu *edu, uint32_t cause)
{
	edu->irq_status &= ~cause;
	if (!edu->irq_status)
		sim_lower(edu->sim);
}

static void compute(struct edu *edu, uint32_t n)
{
	edu->factorial = 1;
	/* Modulo 2^32 it's 0 after some 30 of them, and stays so. */
	for (; n > 1 && edu->factorial; n--)
		edu->factorial *= n;
	if (edu->status & EDU_STATUS_IRQ)
		raise_irq(edu, EDU_IRQ_FACTORIAL);
}

/* Both ends lie in the buffer, or nothing is done. */
static bool in_buffer(const struct edu *edu, uint64_t address)
{
	return address >= EDU_BUFFER && address - EDU_BUFFER < BUFFER_LEN &&
	       edu->count <= BUFFER_LEN - (address - EDU_BUFFER);
}

static void transfer(struct edu *edu)
{
	if (edu->command & EDU_DMA_TO_RAM) {
		if (in_buffer(edu, edu->source))
			sim_dma_write(edu->sim, edu->destination & EDU_DMA_MASK,
				      edu->buffer + (edu->source - EDU_BUFFER), edu->count);
	} else if (in_buffer(edu, edu->destination)) {
		sim_dma_read(edu->sim, edu->source & EDU_DMA_MASK,
			     edu->buffer + (edu->destination - EDU_BUFFER), edu->count);
	}
	edu->command &= ~(uint64_t)EDU_DMA_RUN;
	if (edu->command & EDU_DMA_IRQ)
		raise_irq(edu, EDU_IRQ_DMA);
}

static void edu_tick(void *self)
{
	transfer(self);
}

static uint64_t *dma_register(struct edu *edu, uint64_t offset)
{
	switch (offset & ~7ULL) {
	case EDU_DMA_SOURCE:
		return &edu->source;
	case EDU_DMA_DESTINATION:
		return &edu->destination;
	case EDU_DMA_COUNT:
		return &edu->count;
	case EDU_DMA_COMMAND:
		return &edu->command;
	}
	return NULL;
}

static uint64_t edu_read(void *self, unsigned int bar, uint64_t offset, unsigned int width)
{
	struct edu *edu = self;
	uint64_t *dma = dma_register(edu, offset);

	if (dma && width >= 4)
		return width == 8 ? *dma : *dma >> 8 * (offset & 4) & UINT32_MAX;
	if (width != 4)
		return UINT64_MAX;
	switch (offset) {
	case EDU_ID:
		return ID;
	case EDU_LIVENESS:
		return ~edu->liveness;
	case EDU_FACTORIAL:
		return edu->factorial;
	case EDU_STATUS:
		return edu->status;
	case EDU_IRQ_STATUS:
		return edu->irq_status;
	}
	return UINT64_MAX;
}

static void write_dma(struct edu *edu, uint64_t *dma, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	/* Its registers stand still while it runs. */
	if (edu->command & EDU_DMA_RUN)
		return;
	if (width == 8)
		*dma = value;
	else if (offset & 4)
		*dma = (*dma & UINT32_MAX) | value << 32;
	else
		*dma = (*dma & ~(uint64_t)UINT32_MAX) | value;
	if (dma != &edu->command || !(edu->command & EDU_DMA_RUN))
		return;
	if (edu->dma_us)
		sim_wake(edu->sim, edu->dma_us);
	else
		transfer(edu);
}

static void edu_write(void *self, unsigned int bar, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	struct edu *edu = self;
	uint64_t *dma = dma_register(edu, offset);

	if (dma && width >= 4)
		write_dma(edu, dma, offset, width, value);
	if (dma || width != 4)
		return;
	switch (offset) {
	case EDU_LIVENESS:
		edu->liveness = (uint32_t)value;
		break;
	case EDU_FACTORIAL:
		compute(edu, (uint32_t)value);
		break;
	case EDU_STATUS:
		edu->status = value & EDU_STATUS_IRQ;
		break;
	case EDU_IRQ_RAISE:
		raise_irq(edu, (uint32_t)value);
		break;
	case EDU_IRQ_ACK:
		lower_irq(edu, (uint32_t)value);
		break;
	}
}

static const struct sim_option edu_options[] = {
	{ "dma-us", "microseconds that a DMA takes (20; QEMU's takes 100000)" },
	{ 0 }
};

const struct sim_device sim_edu = {
	.name = "edu",
	.summary = "QEMU's teaching device: factorials, DMA to a buffer, interrupts",
	.vendor = EDU_VENDOR,
	.device = EDU_DEVICE,
	.class_code = 0x00ff00,
	.revision = 0x10,
	.bars = { { .len = BAR_LEN } },
	.intx = true,
	.nr_msi = 1,
	.options = edu_options,
	.create = edu_create,
	.destroy = edu_destroy,
	.reset = edu_reset,
	.read = edu_read,
	.write = edu_write,
	.tick = edu_tick,
};
