// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Log pages: NVMe base 2.0 §5.16. */
#include <string.h>
#include "controller.h"

#define PAGE_LEN	512U
/* Dword 10. */
#define RETAIN_EVENT	(1U << 15)
#define ROOM_KELVIN	293

void sim_nvme_log_error(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			unsigned int sq, uint16_t status)
{
	nvme->error = (struct nvme_error_log_page){
		.error_count = htole64(++nvme->counts.errors),
		.sqid = htole16((uint16_t)sq),
		.cmdid = sqe->cid,
		.status_field = htole16((uint16_t)(status << 1)),
		.parm_error_location = htole16(0xffff),
		.nsid = sqe->nsid,
	};
}

/* The upper half of what is counted in 128 bits is always 0. */
static void put_count(__u8 *to, uint64_t count)
{
	count = htole64(count);
	memcpy(to, &count, sizeof(count));
}

/* In 1000 times 512 bytes, rounded up. */
static uint64_t units(const struct nvme_controller *nvme, uint64_t blocks)
{
	return ((blocks << (nvme->store.shift - 9)) + 999) / 1000;
}

static void describe_health(const struct nvme_controller *nvme, struct nvme_smart_log *log)
{
	log->temperature[0] = ROOM_KELVIN & 0xff;
	log->temperature[1] = ROOM_KELVIN >> 8;
	log->avail_spare = 100;
	log->spare_thresh = 10;
	put_count(log->data_units_read, units(nvme, nvme->counts.blocks_read));
	put_count(log->data_units_written, units(nvme, nvme->counts.blocks_written));
	put_count(log->host_reads, nvme->counts.reads);
	put_count(log->host_writes, nvme->counts.writes);
	put_count(log->power_cycles, 1);
	put_count(log->num_err_log_entries, nvme->counts.errors);
}

static void describe_firmware(struct nvme_firmware_slot *log)
{
	log->afi = 1;
	memset(log->frs[0], ' ', sizeof(log->frs[0]));
	memcpy(log->frs[0], FIRMWARE, strlen(FIRMWARE));
}

/* Fills @page. */
static uint16_t describe(const struct nvme_controller *nvme, unsigned int what, void *page)
{
	switch (what) {
	case NVME_LOG_LID_ERROR:
		memcpy(page, &nvme->error, sizeof(nvme->error));
		return 0;
	case NVME_LOG_LID_SMART:
		describe_health(nvme, page);
		return 0;
	case NVME_LOG_LID_FW_SLOT:
		describe_firmware(page);
		return 0;
	}
	return SPECIFIC(INVALID_LOG_PAGE);
}

/* The error log has one entry; zeroes follow any log. */
uint16_t sim_nvme_get_log(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const uint32_t cdw10 = le32toh(sqe->cdw10), cdw11 = le32toh(sqe->cdw11);
	const uint64_t len = (((uint64_t)(cdw11 & 0xffff) << 16 | cdw10 >> 16) + 1) * 4;
	const uint64_t offset = (uint64_t)le32toh(sqe->cdw13) << 32 | le32toh(sqe->cdw12);
	unsigned char page[PAGE_LEN] = { 0 };
	uint16_t status;

	status = describe(nvme, cdw10 & 0xff, page);
	if (status)
		return status;
	if (len > nvme->data_len || offset & 3 || offset > PAGE_LEN)
		return GENERIC(INVALID_FIELD);
	memset(nvme->data, 0, len);
	memcpy(nvme->data, page + offset, len < PAGE_LEN - offset ? len : PAGE_LEN - offset);
	if ((cdw10 & 0xff) == NVME_LOG_LID_ERROR && !(cdw10 & RETAIN_EVENT) &&
	    nvme->event == EVENT_TOLD)
		nvme->event = EVENT_NONE;
	return sim_nvme_give(nvme, sqe, len);
}
