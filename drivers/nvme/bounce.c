// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Parts of blocks, memory that the disk can't reach, and what is too little to be worth mapping go
 * through a buffer.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define BOUNCE_LEN	(128U << 10)

int nvme_bounce_alloc(struct nvme_queue *queue)
{
	uint64_t len = queue->nvme->info.max_transfer;

	if (len > BOUNCE_LEN)
		len = BOUNCE_LEN;
	return usrpci_coherent_alloc(queue->nvme->dev, (size_t)len, &queue->bounce);
}

uint64_t nvme_bounce_room(const struct nvme_queue *queue)
{
	const uint64_t most = queue->nvme->info.max_transfer;

	/* The buffer is rounded up to whole pages. */
	return queue->bounce.len < most ? queue->bounce.len : most;
}

/* Moves blocks between the disk and the @at-th block of the buffer, and waits for it. */
static int move(struct nvme_queue *queue, const struct nvme_command *how, uint64_t lba,
		uint32_t blocks, uint32_t at)
{
	const struct usrpci_sg sg = {
		.bus_addr = queue->bounce.bus_addr,
		.len = queue->bounce.len,
	};
	struct nvme_command command = *how;
	int err;

	command.lba = lba;
	command.blocks = blocks;
	command.offset = (uint64_t)at << queue->nvme->shift;
	err = nvme_start(queue, &command, &sg, 1);
	return err ? err : nvme_queue_drain(queue);
}

/* Fetches the first and last block of what will be written where they are covered in part. */
static int fetch_edges(struct nvme_queue *queue, uint64_t lba, uint32_t blocks, uint64_t skip,
		       uint64_t len)
{
	const struct nvme_command fetch = { .op = NVME_READ };
	bool head = skip, tail = (skip + len) & (queue->nvme->info.block_size - 1);
	int err = 0;

	if (head || (tail && blocks == 1))
		err = move(queue, &fetch, lba, 1, 0);
	if (!err && tail && blocks > 1)
		err = move(queue, &fetch, lba + blocks - 1, 1, blocks - 1);
	return err;
}

static int bounce_piece(struct nvme_queue *queue, const struct nvme_command *how,
			uint64_t offset, unsigned char *buf, uint64_t len)
{
	const struct nvme *nvme = queue->nvme;
	uint64_t skip = offset & (nvme->info.block_size - 1);
	uint32_t blocks = (uint32_t)((skip + len + nvme->info.block_size - 1) >> nvme->shift);
	unsigned char *bounce = (unsigned char *)queue->bounce.addr + skip;
	uint64_t lba = offset >> nvme->shift;
	int err;

	if (how->op == NVME_READ) {
		err = move(queue, how, lba, blocks, 0);
		if (!err)
			memcpy(buf, bounce, len);
		return err;
	}
	err = fetch_edges(queue, lba, blocks, skip, len);
	if (err)
		return err;
	memcpy(bounce, buf, len);
	return move(queue, how, lba, blocks, 0);
}

int nvme_bounce(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		unsigned char *buf, uint64_t len)
{
	const struct nvme_info *info = &queue->nvme->info;
	uint64_t room = nvme_bounce_room(queue);
	uint64_t part;
	int err = 0;

	while (len && !err) {
		part = room - (offset & (info->block_size - 1));
		if (part > len)
			part = len;
		err = bounce_piece(queue, how, offset, buf, part);
		offset += part;
		buf += part;
		len -= part;
	}
	return err;
}
