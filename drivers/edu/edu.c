// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "edu.h"
#include "internal.h"
#include "registers.h"

static int check_identity(struct edu *edu)
{
	struct usrpci_info info;
	int err;

	err = usrpci_info(edu->dev, &info);
	if (err)
		return err;
	if (info.vendor != EDU_VENDOR || info.device != EDU_DEVICE)
		return -ENOTSUP;
	return 0;
}

static int setup_registers(struct edu *edu)
{
	int err;

	err = usrpci_regs_open(edu->dev, 0, 0, 0, &edu->regs);
	if (err)
		return err;
	return (edu_id(edu) & EDU_ID_MASK) == EDU_ID_VALUE ? 0 : -ENOTSUP;
}

static int setup_irq(struct edu *edu, enum usrpci_irq irq)
{
	int err;

	edu->irq = irq;
	if (irq == USRPCI_NO_IRQ)
		return 0;
	edu->eventfd = eventfd(0, EFD_CLOEXEC);
	if (edu->eventfd < 0)
		return -errno;
	err = usrpci_irq_setup(edu->dev, irq, 1);
	if (err)
		return err;
	return usrpci_irq_wire(edu->dev, 0, 1, &edu->eventfd);
}

/*
 * A transfer can't be stopped, and there's no reset. It takes 100 ms; if the program
 * dies in it, its memory has to be there as long, and its interrupt is nobody's.
 */
static int leave_orders(struct edu *edu)
{
	const struct usrpci_step steps[] = {
		{ .until = true, .timeout_us = 300000, .width = 4, .offset = EDU_DMA_COMMAND,
		  .value = 0, .mask = EDU_DMA_RUN },
		{ .width = 4, .offset = EDU_IRQ_ACK, .value = UINT32_MAX, .mask = UINT32_MAX },
	};

	int err = usrpci_quiesce(edu->dev, steps, sizeof(steps) / sizeof(steps[0]));

	/* Where nobody would follow it, an IOMMU stands before memory. */
	return err == -EOPNOTSUPP ? 0 : err;
}

static int setup(struct edu *edu, enum usrpci_irq irq)
{
	int err;

	err = check_identity(edu);
	if (err)
		return err;
	err = setup_registers(edu);
	if (err)
		return err;
	err = usrpci_set_dma_mask(edu->dev, EDU_DMA_MASK, EDU_DMA_MASK);
	if (err)
		return err;
	err = leave_orders(edu);
	if (err)
		return err;
	err = usrpci_set_master(edu->dev, true);
	if (err)
		return err;
	return setup_irq(edu, irq);
}

int edu_open(struct edu **edup, const char *address, enum usrpci_irq irq)
{
	struct edu *edu;
	int err;

	edu = calloc(1, sizeof(*edu));
	if (!edu)
		return -ENOMEM;
	edu->eventfd = -1;
	err = usrpci_open(&edu->dev, address);
	if (!err)
		err = setup(edu, irq);
	if (err) {
		edu_close(edu);
		return err;
	}
	*edup = edu;
	return 0;
}

void edu_close(struct edu *edu)
{
	if (!edu)
		return;
	usrpci_close(edu->dev);
	if (edu->eventfd >= 0)
		close(edu->eventfd);
	free(edu);
}

struct usrpci_device *edu_device(struct edu *edu)
{
	return edu->dev;
}

uint32_t edu_id(struct edu *edu)
{
	return edu_read(edu, EDU_ID);
}

int edu_liveness(struct edu *edu, uint32_t value)
{
	uint32_t answer;

	edu_write(edu, EDU_LIVENESS, value);
	answer = edu_read(edu, EDU_LIVENESS);
	if (answer == ~value)
		return 0;
	return edu_id(edu) == UINT32_MAX ? -ENODEV : -EIO;
}

int edu_factorial(struct edu *edu, uint32_t n, uint32_t *result)
{
	int err;

	edu_write(edu, EDU_STATUS, edu->irq == USRPCI_NO_IRQ ? 0 : EDU_STATUS_IRQ);
	edu_write(edu, EDU_FACTORIAL, n);
	err = edu_wait(edu, EDU_IRQ_FACTORIAL, EDU_STATUS, EDU_STATUS_COMPUTING);
	if (err)
		return err;
	*result = edu_read(edu, EDU_FACTORIAL);
	return 0;
}

uint64_t edu_interrupts(const struct edu *edu)
{
	return edu->interrupts;
}
