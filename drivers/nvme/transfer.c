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
 * @op: read or write
 * @lba: next block to ask for
 * @map: where it lies
 * @sent: bytes asked for
 * @error: the first one
 */
struct chunk {
	enum nvme_op op;
	uint64_t lba;
	struct usrpci_mapping map;
	uint64_t sent;
	int error;
};

/* Fills the queue. Commands are alike in size so that the scatterlist is read in order. */
static void send(struct nvme *nvme, struct chunk *chunk)
{
	uint64_t part;
	int err;

	while (!chunk->error && chunk->sent < chunk->map.len) {
		part = chunk->map.len - chunk->sent;
		if (part > nvme->info.max_transfer)
			part = nvme->info.max_transfer;
		err = nvme_start(nvme, chunk->op, chunk->lba, (uint32_t)(part >> nvme->shift),
				 chunk->map.sg, chunk->map.nr_sg, chunk->sent, 0);
		if (err == -EAGAIN)
			return;
		chunk->error = err;
		chunk->sent += part;
		chunk->lba += part >> nvme->shift;
	}
}

/* On return no command is under way, or the controller has been stopped. */
static int run(struct nvme *nvme, struct chunk *chunk)
{
	struct nvme_completion done[REAP];
	int got, i;

	for (;;) {
		send(nvme, chunk);
		if (!nvme_queue_busy(&nvme->io))
			return chunk->error;
		got = nvme_queue_wait(nvme, &nvme->io, done, REAP, NVME_COMMAND_MS);
		if (got < 0)
			return nvme_fail(nvme, got);
		for (i = 0; i < got; i++)
			if (!chunk->error)
				chunk->error = done[i].error;
	}
}

static int move_chunk(struct nvme *nvme, struct chunk *chunk)
{
	int err, undo;

	err = usrpci_map(nvme->dev, &chunk->map, 1);
	if (err)
		return err;
	err = run(nvme, chunk);
	if (!err && chunk->op == NVME_READ)
		err = usrpci_sync_for_cpu(nvme->dev, chunk->map.handle, 0, chunk->map.len);
	undo = usrpci_unmap(nvme->dev, &chunk->map.handle, 1);
	return err ? err : undo;
}

static int move_or_bounce(struct nvme *nvme, enum nvme_op op, uint64_t offset,
			  unsigned char *buf, size_t len, struct usrpci_sg *sg)
{
	struct chunk chunk = {
		.op = op,
		.lba = offset >> nvme->shift,
		.map = {
			.addr = buf,
			.len = len,
			.direction = op == NVME_WRITE ? USRPCI_DMA_TO_DEVICE :
							USRPCI_DMA_FROM_DEVICE,
			.sg = sg,
			.nr_sg = usrpci_sg_room(len),
		},
	};
	int err;

	err = move_chunk(nvme, &chunk);
	/* Beyond reach, or laid out as no PRP can say. */
	if (err == -ERANGE || (err == -ENOMEM && len <= MIN_CHUNK))
		err = nvme_bounce(nvme, op, offset, buf, len);
	return err;
}

/* Whole blocks, in memory that the disk may reach. */
static int direct(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
		  size_t len)
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
		err = move_or_bounce(nvme, op, offset, buf, part, sg);
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

/* Splits off what comes next: part of a block, or all the blocks there are. */
static int next_part(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
		     size_t len, size_t *part)
{
	size_t skip = offset & (nvme->info.block_size - 1);
	size_t tail = (skip + len) & (nvme->info.block_size - 1);

	*part = len;
	if (skip && skip + len > nvme->info.block_size)
		*part = nvme->info.block_size - skip;
	else if (!skip && len > tail)
		*part = len - tail;
	/* A PRP can't name any byte: NVMe base 2.0 §4.1.1. */
	if (skip || *part & (nvme->info.block_size - 1) || (uintptr_t)buf % 4)
		return nvme_bounce(nvme, op, offset, buf, *part);
	return direct(nvme, op, offset, buf, *part);
}

static int transfer(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
		    size_t len)
{
	uint64_t size = nvme->info.blocks << nvme->shift;
	size_t part;
	int err = 0;

	if (nvme->failed)
		return nvme->failed;
	if (offset > size || len > size - offset)
		return -EINVAL;
	if (nvme_queue_busy(&nvme->io))
		return -EBUSY;
	while (len && !err) {
		err = next_part(nvme, op, offset, buf, len, &part);
		offset += part;
		buf += part;
		len -= part;
	}
	return err;
}

int nvme_read(struct nvme *nvme, uint64_t offset, void *buf, size_t len)
{
	return transfer(nvme, NVME_READ, offset, buf, len);
}

int nvme_write(struct nvme *nvme, uint64_t offset, const void *buf, size_t len)
{
	return transfer(nvme, NVME_WRITE, offset, (unsigned char *)buf, len);
}
