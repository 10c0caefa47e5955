// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Commands that move no data, on as much of the disk as one likes. */
#include <errno.h>
#include "internal.h"

int nvme_check_range(const struct nvme *nvme, uint64_t offset, uint64_t len)
{
	const uint64_t size = nvme->info.blocks << nvme->shift;

	return offset > size || len > size - offset ? -EINVAL : 0;
}

/* Room is made by waiting for all that is under way: there are few of them, and large. */
static int start(struct nvme_queue *queue, const struct nvme_command *command)
{
	int err;

	while ((err = nvme_submit(queue, command)) == -EAGAIN) {
		err = nvme_queue_drain(queue);
		if (err)
			break;
	}
	return err;
}

static int run(struct nvme_queue *queue, struct nvme_command command, uint64_t blocks,
	       uint32_t most)
{
	int err = 0, end;

	while (blocks && !err) {
		command.blocks = blocks < most ? (uint32_t)blocks : most;
		err = start(queue, &command);
		command.lba += command.blocks;
		blocks -= command.blocks;
	}
	end = nvme_queue_drain(queue);
	return err ? err : end;
}

/* @most: of blocks in a command */
static int cover(struct nvme_queue *queue, const struct nvme_command *how, uint64_t offset,
		 uint64_t len, uint32_t most)
{
	const struct nvme *nvme = queue->nvme;
	struct nvme_command command = *how;

	if ((offset | len) & (nvme->info.block_size - 1) || nvme_check_range(nvme, offset, len))
		return -EINVAL;
	if (nvme_queue_busy(queue))
		return -EBUSY;
	command.lba = offset >> nvme->shift;
	return run(queue, command, len >> nvme->shift, most);
}

int nvme_zero(struct nvme_queue *queue, uint64_t offset, uint64_t len, unsigned int flags)
{
	const struct nvme_command how = { .op = NVME_ZERO, .flags = flags };
	const struct nvme *nvme = queue->nvme;

	return cover(queue, &how, offset, len, (uint32_t)(nvme->info.max_zero >> nvme->shift));
}

int nvme_discard(struct nvme_queue *queue, uint64_t offset, uint64_t len)
{
	const struct nvme_command how = { .op = NVME_DISCARD };

	return cover(queue, &how, offset, len, UINT32_MAX);
}
