// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Reads and writes of any length, offset and memory. */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

/*
 * Memory mapped at once: enough to keep the disk busy, little enough for
 * programs that may lock little. Halved when that's too much, down to a least.
 */
#define MAX_CHUNK	(32U << 20)
#define MIN_CHUNK	(64U << 10)

#define REAP		32

/**
 * struct chunk - A mapped part of a transfer; whole blocks.
 * @next: the command that comes next
 * @map: where it lies
 * @sent: bytes asked for
 * @error: the first one
 */
struct chunk {
	struct nvme_command next;
	struct usrpci_mapping map;
	uint64_t sent;
	int error;
};

/*
 * Fills the queue; whoever waits rings for all of it. Commands are alike in size so that the
 * scatterlist is read in order.
 */
static void send(struct nvme_queue *queue, struct chunk *chunk)
{
	const struct nvme *nvme = queue->nvme;
	uint64_t part;
	int err;

	while (!chunk->error && chunk->sent < chunk->map.len) {
		part = chunk->map.len - chunk->sent;
		if (part > nvme->info.max_transfer)
			part = nvme->info.max_transfer;
		chunk->next.blocks = (uint32_t)(part >> nvme->shift);
		chunk->next.offset = chunk->sent;
		err = nvme_start(queue, &chunk->next, chunk->map.sg, chunk->map.nr_sg);
		if (err == -EAGAIN)
			return;
		chunk->error = err;
		chunk->sent += part;
		chunk->next.lba += part >> nvme->shift;
	}
}

/* On return no command is under way, or the controller has been stopped. */
static int run(struct nvme_queue *queue, struct chunk *chunk)
{
	struct nvme_completion done[REAP];
	int got, i;

	for (;;) {
		send(queue, chunk);
		if (!nvme_queue_busy(queue))
			return chunk->error;
		got = nvme_wait(queue, done, REAP, -1);
		if (got < 0)
			return got;
		for (i = 0; i < got; i++)
			if (!chunk->error)
				chunk->error = done[i].error;
	}
}

static int move_chunk(struct nvme_queue *queue, struct chunk *chunk)
{
	struct usrpci_device *dev = queue->nvme->dev;
	int err, undo;

	err = usrpci_map(dev, &chunk->map, 1);
	if (err)
		return err;
	err = run(queue, chunk);
	if (!err && chunk->next.op == NVME_READ)
		err = usrpci_sync_for_cpu(dev, chunk->map.handle, 0, chunk->map.len);
	undo = usrpci_unmap(dev, &chunk->map.handle, 1);
	return err ? err : undo;
}

static int move_or_bounce(struct nvme_queue *queue, const struct nvme_command *how,
			  uint64_t offset, unsigned char *buf, size_t len, struct usrpci_sg *sg)
{
	struct chunk chunk = {
		.next = *how,
		.map = {
			.addr = buf,
			.len = len,
			.direction = how->op == NVME_WRITE ? USRPCI_DMA_TO_DEVICE :
							     USRPCI_DMA_FROM_DEVICE,
			.sg = sg,
			.nr_sg = usrpci_sg_room(len),
		},
	};
	int err;

	chunk.next.lba = offset >> queue->nvme->shift;
	err = move_chunk(queue, &chunk);
	/* Beyond reach, or laid out as no PRP can say. */
	if (err == -ERANGE || (err == -ENOMEM && len <= MIN_CHUNK))
		err = nvme_bounce(queue, how, offset, buf, len);
	return err;
}

/* Whole blocks, in memory that the disk may reach. */
static int direct(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		  unsigned char *buf, size_t len)
{
	size_t most = len < MAX_CHUNK ? len : MAX_CHUNK, part;
	struct usrpci_sg *sg;
	int err = 0;

	sg = calloc(usrpci_sg_room(most), sizeof(*sg));
	if (!sg)
		return -ENOMEM;
	most = MAX_CHUNK;
	while (len && !err) {
		part = len < most ? len : most;
		err = move_or_bounce(queue, how, offset, buf, part, sg);
		if (err == -ENOMEM && part > MIN_CHUNK) {
			while (most >= part)
				most /= 2;
			err = 0;
			continue;
		}
		offset += part;
		buf += part;
		len -= part;
	}
	free(sg);
	return err;
}

/* Whether to copy it costs less than to pin and map its memory, and one command does it. */
static bool is_small(const struct nvme_queue *queue, size_t skip, size_t len)
{
	return len <= queue->nvme->copy && skip + len <= nvme_bounce_room(queue);
}

/* Splits off what comes next: part of a block, or all the blocks there are. */
static int next_part(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		     unsigned char *buf, size_t len, size_t *part)
{
	const uint32_t block = queue->nvme->info.block_size;
	size_t skip = offset & (block - 1);
	size_t tail = (skip + len) & (block - 1);

	*part = len;
	if (is_small(queue, skip, len))
		return nvme_bounce(queue, how, offset, buf, len);
	if (skip && skip + len > block)
		*part = block - skip;
	else if (!skip && len > tail)
		*part = len - tail;
	/* A PRP can't name any byte: NVMe base 2.0 §4.1.1. */
	if (skip || *part & (block - 1) || (uintptr_t)buf % 4)
		return nvme_bounce(queue, how, offset, buf, *part);
	return direct(queue, how, offset, buf, *part);
}

static int transfer(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		    unsigned char *buf, size_t len)
{
	size_t part;
	int err;

	err = atomic_load(&queue->nvme->failed);
	if (err)
		return err;
	if (nvme_check_range(queue->nvme, offset, len))
		return -EINVAL;
	if (nvme_queue_busy(queue))
		return -EBUSY;
	while (len && !err) {
		err = next_part(queue, how, offset, buf, len, &part);
		offset += part;
		buf += part;
		len -= part;
	}
	return err;
}

int nvme_read(struct nvme_queue *queue, uint64_t offset, void *buf, size_t len)
{
	const struct nvme_command how = { .op = NVME_READ };

	return transfer(queue, &how, offset, buf, len);
}

int nvme_write(struct nvme_queue *queue, uint64_t offset, const void *buf, size_t len,
	       unsigned int flags)
{
	const struct nvme_command how = { .op = NVME_WRITE, .flags = flags };

	if (flags & ~NVME_FUA)
		return -EINVAL;
	return transfer(queue, &how, offset, (unsigned char *)buf, len);
}
