// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include "edu.h"
#include "internal.h"
#include "registers.h"

/* A page at least holds the buffer: two of them if it isn't aligned, and one to spare. */
#define EDU_SG_ROOM	3

/**
 * struct copy - A transfer asked for.
 * @buf: memory of this process
 * @offset: bytes from the start of the device's buffer
 * @len: bytes
 * @direction: who writes @buf
 */
struct copy {
	void *buf;
	size_t offset;
	size_t len;
	enum usrpci_dma_direction direction;
};

/* QEMU 7.2 ends at a transfer out of range: none gets here. */
static int check_range(const struct copy *copy)
{
	if (!copy->len || copy->len > EDU_BUFFER_LEN || copy->offset > EDU_BUFFER_LEN - copy->len)
		return -EINVAL;
	return 0;
}

static int run_segment(struct edu *edu, const struct usrpci_sg *sg, uint32_t offset,
		       enum usrpci_dma_direction direction)
{
	uint32_t command = EDU_DMA_RUN | (edu->irq == USRPCI_NO_IRQ ? 0 : EDU_DMA_IRQ);
	int err;

	/* edu drops the upper bits of an address without a word. */
	if (sg->bus_addr + sg->len - 1 > EDU_DMA_MASK)
		return -ERANGE;
	if (direction == USRPCI_DMA_FROM_DEVICE) {
		edu_write(edu, EDU_DMA_SOURCE, EDU_BUFFER + offset);
		edu_write(edu, EDU_DMA_DESTINATION, (uint32_t)sg->bus_addr);
		command |= EDU_DMA_TO_RAM;
	} else {
		edu_write(edu, EDU_DMA_SOURCE, (uint32_t)sg->bus_addr);
		edu_write(edu, EDU_DMA_DESTINATION, EDU_BUFFER + offset);
	}
	edu_write(edu, EDU_DMA_COUNT, (uint32_t)sg->len);
	edu_write(edu, EDU_DMA_COMMAND, command);
	err = edu_wait(edu, EDU_IRQ_DMA, EDU_DMA_COMMAND, EDU_DMA_RUN);
	if (err)	/* it may still run: stop it before the memory goes */
		usrpci_set_master(edu->dev, false);
	return err;
}

static int run_segments(struct edu *edu, const struct copy *copy, const struct usrpci_sg *sg,
			unsigned int nr)
{
	uint32_t offset = (uint32_t)copy->offset;
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		err = run_segment(edu, &sg[i], offset, copy->direction);
		offset += (uint32_t)sg[i].len;
	}
	return err;
}

static int copy_mapped(struct edu *edu, const struct copy *copy)
{
	struct usrpci_sg sg[EDU_SG_ROOM];
	struct usrpci_mapping map = {
		.addr = copy->buf,
		.len = copy->len,
		.direction = copy->direction,
		.sg = sg,
		.nr_sg = EDU_SG_ROOM,
	};
	int err, undo;

	err = usrpci_map(edu->dev, &map, 1);
	if (err)
		return err;
	err = run_segments(edu, copy, sg, map.nr_sg);
	if (!err && copy->direction == USRPCI_DMA_FROM_DEVICE)
		err = usrpci_sync_for_cpu(edu->dev, map.handle, 0, copy->len);
	undo = usrpci_unmap(edu->dev, &map.handle, 1);
	return err ? err : undo;
}

/* For memory that 28 bits don't reach, where the platform doesn't bounce it. */
static int copy_bounced(struct edu *edu, const struct copy *copy)
{
	struct usrpci_sg sg;
	int err;

	if (!edu->bounce.addr) {
		err = usrpci_coherent_alloc(edu->dev, EDU_BUFFER_LEN, &edu->bounce);
		if (err)
			return err;
	}
	sg.bus_addr = edu->bounce.bus_addr;
	sg.len = copy->len;
	if (copy->direction == USRPCI_DMA_TO_DEVICE)
		memcpy(edu->bounce.addr, copy->buf, copy->len);
	err = run_segments(edu, copy, &sg, 1);
	if (!err && copy->direction == USRPCI_DMA_FROM_DEVICE)
		memcpy(copy->buf, edu->bounce.addr, copy->len);
	return err;
}

static int run_copy(struct edu *edu, const struct copy *copy)
{
	int err;

	err = check_range(copy);
	if (err)
		return err;
	err = copy_mapped(edu, copy);
	return err == -ERANGE ? copy_bounced(edu, copy) : err;
}

int edu_dma_to_device(struct edu *edu, const void *buf, size_t offset, size_t len)
{
	const struct copy copy = {
		.buf = (void *)buf,	/* mapped to be read alone */
		.offset = offset,
		.len = len,
		.direction = USRPCI_DMA_TO_DEVICE,
	};

	return run_copy(edu, &copy);
}

int edu_dma_from_device(struct edu *edu, void *buf, size_t offset, size_t len)
{
	const struct copy copy = {
		.buf = buf,
		.offset = offset,
		.len = len,
		.direction = USRPCI_DMA_FROM_DEVICE,
	};

	return run_copy(edu, &copy);
}
