// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <time.h>
#include "internal.h"
#include "registers.h"

/* A DMA takes 100 ms; an emulated machine may be short of time. */
#define EDU_TIMEOUT_MS	10000
#define EDU_POLL_MS	1

uint32_t edu_read(struct edu *edu, unsigned int offset)
{
	return usrpci_regs_read32(&edu->regs, offset);
}

void edu_write(struct edu *edu, unsigned int offset, uint32_t value)
{
	usrpci_regs_write32(&edu->regs, offset, value);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int poll_register(struct edu *edu, unsigned int reg, uint32_t busy)
{
	const struct timespec pause = { .tv_nsec = EDU_POLL_MS * 1000000 };
	int64_t end = now_ms() + EDU_TIMEOUT_MS;
	uint32_t value;

	for (;;) {
		value = edu_read(edu, reg);
		if (value == UINT32_MAX)
			return -ENODEV;
		if (!(value & busy))
			return 0;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

/* Takes one interrupt; sets @causes to what the device had to say. */
static int take_interrupt(struct edu *edu, int timeout_ms, uint32_t *causes)
{
	int64_t count;

	count = usrpci_irq_wait(edu->eventfd, timeout_ms);
	if (count < 0)
		return (int)count;
	*causes = edu_read(edu, EDU_IRQ_STATUS);
	if (*causes == UINT32_MAX)
		return -ENODEV;
	edu_write(edu, EDU_IRQ_ACK, *causes);	/* with MSI too, or the next raises none */
	if (*causes)
		edu->interrupts++;
	return edu->irq == USRPCI_INTX ? usrpci_irq_unmask(edu->dev, 0) : 0;
}

static int wait_interrupt(struct edu *edu, uint32_t cause)
{
	int64_t end = now_ms() + EDU_TIMEOUT_MS;
	uint32_t causes;
	int64_t left;
	int err;

	for (;;) {
		causes = 0;
		left = end - now_ms();
		err = take_interrupt(edu, left > 0 ? (int)left : 0, &causes);
		if (causes & cause)
			return err;
		if (err && err != -EINTR)
			return err;
	}
}

int edu_wait(struct edu *edu, uint32_t cause, unsigned int reg, uint32_t busy)
{
	if (edu->irq == USRPCI_NO_IRQ)
		return poll_register(edu, reg, busy);
	return wait_interrupt(edu, cause);
}
