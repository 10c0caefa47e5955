// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "internal.h"

static int check_blocks(const struct nvme *nvme, uint64_t lba, uint32_t blocks)
{
	if (!blocks || (uint64_t)blocks << nvme->shift > nvme->info.max_transfer)
		return -EINVAL;
	if (lba >= nvme->info.blocks || blocks > nvme->info.blocks - lba)
		return -EINVAL;
	return 0;
}

static struct nvme_prp_list list_of(const struct nvme_queue *queue, unsigned int cid)
{
	size_t at = cid * queue->list_len;

	return (struct nvme_prp_list){
		.entries = (uint64_t *)(void *)((char *)queue->list_mem.addr + at),
		.bus_addr = queue->list_mem.bus_addr + at,
		.len = queue->list_len,
	};
}

/* Read and Write: NVM command set 1.0 §3.2.4, §3.2.6. */
int nvme_start(struct nvme *nvme, enum nvme_op op, uint64_t lba, uint32_t blocks,
	       const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t cookie)
{
	struct nvme_sqe command = {
		.opcode = op == NVME_WRITE ? nvme_cmd_write : nvme_cmd_read,
		.nsid = htole32(nvme->info.nsid),
		.cdw10 = htole32((uint32_t)lba),
		.cdw11 = htole32((uint32_t)(lba >> 32)),
		.cdw12 = htole32(blocks - 1),
	};
	struct nvme_prp_list list;
	uint64_t prp[2];
	int cid, err;

	cid = nvme_queue_take(&nvme->io, cookie);
	if (cid < 0)
		return cid;
	list = list_of(&nvme->io, (unsigned int)cid);
	err = nvme_prp_fill(sg, nr, offset, (uint64_t)blocks << nvme->shift, &list, prp);
	if (err) {
		nvme_queue_give(&nvme->io, (unsigned int)cid);
		return err;
	}
	command.prp1 = htole64(prp[0]);
	command.prp2 = htole64(prp[1]);
	nvme_queue_send(&nvme->io, &command, (unsigned int)cid);
	return 0;
}

int nvme_submit(struct nvme *nvme, enum nvme_op op, uint64_t lba, uint32_t blocks,
		const struct usrpci_mapping *map, uint64_t offset, uint64_t cookie)
{
	int err;

	if (nvme->failed)
		return nvme->failed;
	err = check_blocks(nvme, lba, blocks);
	if (err)
		return err;
	if (!map->sg || ((uintptr_t)map->addr + offset) % 4)
		return -EINVAL;
	return nvme_start(nvme, op, lba, blocks, map->sg, map->nr_sg, offset, cookie);
}

int nvme_poll(struct nvme *nvme, struct nvme_completion *done, unsigned int max)
{
	int got;

	if (nvme->failed)
		return nvme->failed;
	got = nvme_queue_reap(&nvme->io, done, max);
	return got < 0 ? nvme_fail(nvme, got) : got;
}

int nvme_wait(struct nvme *nvme, struct nvme_completion *done, unsigned int max,
	      int timeout_ms)
{
	int got;

	if (nvme->failed)
		return nvme->failed;
	if (!max)
		return -EINVAL;
	got = nvme_queue_wait(nvme, &nvme->io, done, max, timeout_ms);
	return got < 0 && got != -ETIMEDOUT ? nvme_fail(nvme, got) : got;
}

int nvme_flush(struct nvme *nvme)
{
	struct nvme_sqe command = {
		.opcode = nvme_cmd_flush,
		.nsid = htole32(nvme->info.nsid),
	};

	if (nvme_queue_busy(&nvme->io))
		return -EBUSY;
	return nvme_queue_run(nvme, &nvme->io, &command, NULL);
}
