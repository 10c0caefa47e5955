// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Parts of blocks, and memory that the disk can't reach, go through a buffer. */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define BOUNCE_LEN	(128U << 10)

int nvme_bounce_alloc(struct nvme *nvme)
{
	uint64_t len = nvme->info.max_transfer < BOUNCE_LEN ? nvme->info.max_transfer : BOUNCE_LEN;

	return usrpci_coherent_alloc(nvme->dev, (size_t)len, &nvme->bounce);
}

/* Moves blocks between the disk and the buffer, and waits till they are there. */
static int move(struct nvme *nvme, enum nvme_op op, uint64_t lba, uint32_t blocks, uint32_t at)
{
	const struct usrpci_sg sg = {
		.bus_addr = nvme->bounce.bus_addr,
		.len = nvme->bounce.len,
	};
	struct nvme_completion done = { };
	int got;

	got = nvme_start(nvme, op, lba, blocks, &sg, 1, (uint64_t)at << nvme->shift, 0);
	if (got)
		return got;
	got = nvme_queue_wait(nvme, &nvme->io, &done, 1, NVME_COMMAND_MS);
	return got < 0 ? nvme_fail(nvme, got) : done.error;
}

/* Fetches the first and last block of what will be written where they are covered in part. */
static int fetch_edges(struct nvme *nvme, uint64_t lba, uint32_t blocks, uint64_t skip,
		       uint64_t len)
{
	bool head = skip, tail = (skip + len) & (nvme->info.block_size - 1);
	int err = 0;

	if (head || (tail && blocks == 1))
		err = move(nvme, NVME_READ, lba, 1, 0);
	if (!err && tail && blocks > 1)
		err = move(nvme, NVME_READ, lba + blocks - 1, 1, blocks - 1);
	return err;
}

static int bounce_piece(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
			uint64_t len)
{
	uint64_t skip = offset & (nvme->info.block_size - 1);
	uint32_t blocks = (uint32_t)((skip + len + nvme->info.block_size - 1) >> nvme->shift);
	unsigned char *bounce = (unsigned char *)nvme->bounce.addr + skip;
	uint64_t lba = offset >> nvme->shift;
	int err;

	if (op == NVME_READ) {
		err = move(nvme, NVME_READ, lba, blocks, 0);
		if (!err)
			memcpy(buf, bounce, len);
		return err;
	}
	err = fetch_edges(nvme, lba, blocks, skip, len);
	if (err)
		return err;
	memcpy(bounce, buf, len);
	return move(nvme, NVME_WRITE, lba, blocks, 0);
}

int nvme_bounce(struct nvme *nvme, enum nvme_op op, uint64_t offset, unsigned char *buf,
		uint64_t len)
{
	uint64_t room = nvme->bounce.len;
	uint64_t part;
	int err = 0;

	if (room > nvme->info.max_transfer)	/* it's rounded up to whole pages */
		room = nvme->info.max_transfer;
	while (len && !err) {
		part = room - (offset & (nvme->info.block_size - 1));
		if (part > len)
			part = len;
		err = bounce_piece(nvme, op, offset, buf, part);
		offset += part;
		buf += part;
		len -= part;
	}
	return err;
}
