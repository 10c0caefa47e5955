// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "internal.h"

/* Command dword 12 of what writes: NVM command set 1.0 §3.2.6, §3.2.8. */
#define FORCE_UNIT_ACCESS	(1U << 30)
#define DEALLOCATE_ZEROES	(1U << 25)
/* Command dword 11 of Dataset Management: §3.2.3. */
#define DSM_DEALLOCATE		(1U << 2)

/**
 * struct kind - What goes for an operation.
 * @opcode: its code
 * @flags: what may be asked for
 * @needs: what the controller must be able to
 */
static const struct kind {
	uint8_t opcode;
	unsigned int flags;
	uint32_t needs;
} kinds[] = {
	[NVME_READ] = { nvme_cmd_read, 0, 0 },
	[NVME_WRITE] = { nvme_cmd_write, NVME_FUA, 0 },
	[NVME_ZERO] = { nvme_cmd_write_zeroes, NVME_FUA | NVME_MAY_DISCARD, NVME_CAN_ZERO },
	[NVME_DISCARD] = { nvme_cmd_dsm, 0, NVME_CAN_DISCARD },
	[NVME_FLUSH] = { nvme_cmd_flush, 0, 0 },
};

static bool moves_data(enum nvme_op op)
{
	return op == NVME_READ || op == NVME_WRITE;
}

/* Bytes that a command may be about. */
static uint64_t most_bytes(const struct nvme_info *info, enum nvme_op op)
{
	if (moves_data(op))
		return info->max_transfer;
	return op == NVME_ZERO ? info->max_zero : UINT64_MAX;
}

static int check_blocks(const struct nvme *nvme, const struct nvme_command *command)
{
	const uint64_t len = (uint64_t)command->blocks << nvme->shift;

	if (!len || len > most_bytes(&nvme->info, command->op))
		return -EINVAL;
	if (command->lba >= nvme->info.blocks || command->blocks > nvme->info.blocks - command->lba)
		return -EINVAL;
	return 0;
}

static int check(const struct nvme *nvme, const struct nvme_command *command)
{
	const struct usrpci_mapping *map = command->map;
	const struct kind *kind;

	if ((unsigned int)command->op >= sizeof(kinds) / sizeof(kinds[0]))
		return -EINVAL;
	kind = &kinds[command->op];
	if (command->flags & ~kind->flags)
		return -EINVAL;
	if (kind->needs & ~nvme->info.caps)
		return -EOPNOTSUPP;
	if (command->op == NVME_FLUSH)
		return 0;
	if (moves_data(command->op) &&
	    (!map || !map->sg || ((uintptr_t)map->addr + command->offset) % 4))
		return -EINVAL;
	return check_blocks(nvme, command);
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

/* Read, Write and Write Zeroes: NVM command set 1.0 §3.2.4, §3.2.6, §3.2.8. */
static void name_blocks(struct nvme_sqe *sqe, const struct nvme_command *command)
{
	uint32_t cdw12 = command->blocks - 1;

	if (command->flags & NVME_FUA)
		cdw12 |= FORCE_UNIT_ACCESS;
	if (command->flags & NVME_MAY_DISCARD)
		cdw12 |= DEALLOCATE_ZEROES;
	sqe->cdw10 = htole32((uint32_t)command->lba);
	sqe->cdw11 = htole32((uint32_t)(command->lba >> 32));
	sqe->cdw12 = htole32(cdw12);
}

/* A list of one range, where otherwise a list of pages would be. */
static void name_range(struct nvme_sqe *sqe, const struct nvme_command *command,
		       const struct nvme_prp_list *list)
{
	struct nvme_dsm_range *range = (void *)list->entries;

	*range = (struct nvme_dsm_range){
		.nlb = htole32(command->blocks),
		.slba = htole64(command->lba),
	};
	sqe->prp1 = htole64(list->bus_addr);
	sqe->cdw11 = htole32(DSM_DEALLOCATE);
}

static int fill_in(struct nvme_sqe *sqe, const struct nvme *nvme,
		   const struct nvme_command *command, const struct usrpci_sg *sg,
		   unsigned int nr, const struct nvme_prp_list *list)
{
	const uint64_t len = (uint64_t)command->blocks << nvme->shift;
	uint64_t prp[2];
	int err;

	*sqe = (struct nvme_sqe){
		.opcode = kinds[command->op].opcode,
		.nsid = htole32(nvme->info.nsid),
	};
	if (command->op == NVME_DISCARD)
		name_range(sqe, command, list);
	else if (command->op != NVME_FLUSH)
		name_blocks(sqe, command);
	if (!moves_data(command->op))
		return 0;
	err = nvme_prp_fill(sg, nr, command->offset, len, list, prp);
	if (err)
		return err;
	sqe->prp1 = htole64(prp[0]);
	sqe->prp2 = htole64(prp[1]);
	return 0;
}

/* A reset has to be over for this queue too. */
static int get_ready(struct nvme_queue *queue)
{
	int err = atomic_load_explicit(&queue->nvme->failed, memory_order_acquire);

	if (err || !nvme_is_stale(queue))
		return err;
	return nvme_queue_busy(queue) ? -EAGAIN : nvme_renew(queue, NULL, 0);
}

int nvme_start(struct nvme_queue *queue, const struct nvme_command *command,
	       const struct usrpci_sg *sg, unsigned int nr)
{
	struct nvme_prp_list list;
	struct nvme_sqe sqe;
	int cid, err;

	err = get_ready(queue);
	if (err)
		return err;
	cid = nvme_queue_take(queue, command->cookie);
	if (cid < 0)
		return cid;
	list = list_of(queue, (unsigned int)cid);
	err = fill_in(&sqe, queue->nvme, command, sg, nr, &list);
	if (err)
		nvme_queue_give(queue, (unsigned int)cid);
	else
		nvme_queue_put(queue, &sqe, (unsigned int)cid);
	return err;
}

int nvme_stage(struct nvme_queue *queue, const struct nvme_command *command)
{
	const struct usrpci_mapping *map = command->map;
	int err = check(queue->nvme, command);

	if (err)
		return err;
	return nvme_start(queue, command, map ? map->sg : NULL, map ? map->nr_sg : 0);
}

/* A disk that is gone has no doorbells, and one that was reset none of this queue's. */
void nvme_ring(struct nvme_queue *queue)
{
	if (!atomic_load_explicit(&queue->nvme->failed, memory_order_acquire) &&
	    !nvme_is_stale(queue))
		nvme_queue_ring(queue);
}

int nvme_submit(struct nvme_queue *queue, const struct nvme_command *command)
{
	int err = nvme_stage(queue, command);

	if (!err)
		nvme_ring(queue);
	return err;
}

int nvme_flush(struct nvme_queue *queue)
{
	return nvme_queue_run(queue, &(struct nvme_command){ .op = NVME_FLUSH });
}
