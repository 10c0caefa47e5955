// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Commands of the NVM command set. */
#include <string.h>
#include "controller.h"

#define DSM_DEALLOCATE	(1U << 2)

/** struct range - Blocks that a command names. */
struct range {
	uint64_t first;
	uint64_t nr;
};

static uint16_t check_range(const struct nvme_controller *nvme, const struct range *range)
{
	const uint64_t blocks = nvme->store.blocks;

	if (range->first > blocks || range->nr > blocks - range->first)
		return GENERIC(LBA_RANGE);
	return 0;
}

/* Dwords 10 to 12: NVM command set 1.0 §3.2.4. */
static struct range range_of(const struct nvme_sqe *sqe)
{
	return (struct range){
		.first = (uint64_t)le32toh(sqe->cdw11) << 32 | le32toh(sqe->cdw10),
		.nr = (le32toh(sqe->cdw12) & 0xffff) + 1,
	};
}

/* Of a command that moves data: @len is its bytes. */
static uint16_t check_transfer(const struct nvme_controller *nvme, const struct range *range,
			       size_t *len)
{
	*len = (size_t)(range->nr << nvme->store.shift);
	return *len > nvme->data_len ? GENERIC(INVALID_FIELD) : check_range(nvme, range);
}

static uint16_t do_read(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const struct range range = range_of(sqe);
	uint16_t status;
	size_t len;

	status = check_transfer(nvme, &range, &len);
	if (status)
		return status;
	nvme->counts.reads++;
	nvme->counts.blocks_read += range.nr;
	return sim_nvme_give_stored(nvme, sqe, range.first, len);
}

/* All of it comes before any is written. */
static uint16_t do_write(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const struct range range = range_of(sqe);
	uint16_t status;
	size_t len;

	status = check_transfer(nvme, &range, &len);
	if (!status)
		status = sim_nvme_fetch(nvme, sqe, len);
	if (status)
		return status;
	nvme->counts.writes++;
	nvme->counts.blocks_written += range.nr;
	return sim_nvme_store_write(&nvme->store, range.first, nvme->data, len) ?
	       MEDIA(WRITE_FAULT) : 0;
}

static uint16_t do_compare(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const struct range range = range_of(sqe);
	unsigned char block[4096];
	uint16_t status;
	uint64_t i;
	size_t len;

	status = check_transfer(nvme, &range, &len);
	if (!status)
		status = sim_nvme_fetch(nvme, sqe, len);
	for (i = 0; i < range.nr && !status; i++) {
		const size_t one = (size_t)1 << nvme->store.shift;

		if (sim_nvme_store_read(&nvme->store, range.first + i, block, one))
			status = MEDIA(READ_ERROR);
		else if (memcmp(block, nvme->data + i * one, one))
			status = MEDIA(COMPARE_FAILED);
	}
	return status;
}

static uint16_t clear(struct nvme_controller *nvme, const struct range *range)
{
	uint16_t status = check_range(nvme, range);

	if (status)
		return status;
	return sim_nvme_store_clear(&nvme->store, range->first, range->nr) ?
	       MEDIA(WRITE_FAULT) : 0;
}

static uint16_t do_write_zeroes(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const struct range range = range_of(sqe);

	return nvme->store.punches ? clear(nvme, &range) : GENERIC(INVALID_OPCODE);
}

/* Of what it may ask for, deallocating is the only thing that does anything. */
static uint16_t do_dsm(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const unsigned int nr = (le32toh(sqe->cdw10) & 0xff) + 1;
	struct nvme_dsm_range ranges[NVME_DSM_MAX_RANGES];
	uint16_t status;
	unsigned int i;

	if (!nvme->store.punches)
		return GENERIC(INVALID_OPCODE);
	status = sim_nvme_fetch(nvme, sqe, nr * sizeof(ranges[0]));
	memcpy(ranges, nvme->data, nr * sizeof(ranges[0]));
	for (i = 0; i < nr && !status; i++) {
		const struct range range = { le64toh(ranges[i].slba), le32toh(ranges[i].nlb) };

		status = le32toh(sqe->cdw11) & DSM_DEALLOCATE ? clear(nvme, &range) :
								check_range(nvme, &range);
	}
	return status;
}

static uint16_t do_flush(struct nvme_controller *nvme)
{
	return sim_nvme_store_flush(&nvme->store) ? MEDIA(WRITE_FAULT) : 0;
}

static uint16_t check_namespace(const struct nvme_sqe *sqe)
{
	const uint32_t nsid = le32toh(sqe->nsid);

	if (nsid == NSID || (nsid == NVME_NSID_ALL && sqe->opcode == nvme_cmd_flush))
		return 0;
	return GENERIC(INVALID_NS);
}

uint16_t sim_nvme_io(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	uint16_t status = check_namespace(sqe);

	switch (sqe->opcode) {
	case nvme_cmd_flush:
		return status ? status : do_flush(nvme);
	case nvme_cmd_write:
		return status ? status : do_write(nvme, sqe);
	case nvme_cmd_read:
		return status ? status : do_read(nvme, sqe);
	case nvme_cmd_compare:
		return status ? status : do_compare(nvme, sqe);
	case nvme_cmd_write_zeroes:
		return status ? status : do_write_zeroes(nvme, sqe);
	case nvme_cmd_dsm:
		return status ? status : do_dsm(nvme, sqe);
	}
	return GENERIC(INVALID_OPCODE);
}
