// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Features: NVMe base 2.0 §5.15, §5.27. They are remembered, and change nothing. */
#include "controller.h"

#define SAVE		(1U << 31)
#define CHANGEABLE	(1U << 2)

/* Both counts are from 0. As many as there are, whatever was asked for. */
#define ALL_QUEUES	((NR_IO_QUEUES - 1) << 16 | (NR_IO_QUEUES - 1))

static const struct {
	bool known;
	uint32_t mask;		/* what can be set of it */
	uint32_t value;
} features[MAX_FEATURES] = {
	[NVME_FEAT_FID_ARBITRATION] = { true, 0xffffff07, 0 },
	[NVME_FEAT_FID_POWER_MGMT] = { true, 0, 0 },
	[NVME_FEAT_FID_TEMP_THRESH] = { true, 0xffff, 343 },
	[NVME_FEAT_FID_ERR_RECOVERY] = { true, 0xffff, 0 },
	[NVME_FEAT_FID_VOLATILE_WC] = { true, 1, 1 },
	[NVME_FEAT_FID_NUM_QUEUES] = { true, 0, ALL_QUEUES },
	[NVME_FEAT_FID_IRQ_COALESCE] = { true, 0xffff, 0 },
	[NVME_FEAT_FID_IRQ_CONFIG] = { true, 0x1ffff, 0 },
	[NVME_FEAT_FID_WRITE_ATOMIC] = { true, 1, 0 },
	[NVME_FEAT_FID_ASYNC_EVENT] = { true, 0xffff, 0 },
};

void sim_nvme_reset_features(struct nvme_controller *nvme)
{
	unsigned int i;

	for (i = 0; i < MAX_FEATURES; i++)
		nvme->features[i] = features[i].value;
}

static unsigned int id_of(const struct nvme_sqe *sqe)
{
	return le32toh(sqe->cdw10) & 0xff;
}

static bool is_known(const struct nvme_sqe *sqe)
{
	return id_of(sqe) < MAX_FEATURES && features[id_of(sqe)].known;
}

static bool has_io_queues(const struct nvme_controller *nvme)
{
	unsigned int i;

	for (i = 1; i < NR_QUEUES; i++)
		if (nvme->cqs[i].live || nvme->sqs[i].live)
			return true;
	return false;
}

static uint16_t check_value(const struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const uint32_t value = le32toh(sqe->cdw11);

	if (id_of(sqe) == NVME_FEAT_FID_NUM_QUEUES) {
		if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff)
			return GENERIC(INVALID_FIELD);
		return has_io_queues(nvme) ? GENERIC(CMD_SEQ_ERROR) : 0;
	}
	if (id_of(sqe) == NVME_FEAT_FID_IRQ_CONFIG && (value & 0xffff) >= NR_VECTORS)
		return GENERIC(INVALID_FIELD);
	/* The one power state that there is. */
	if (id_of(sqe) == NVME_FEAT_FID_POWER_MGMT && value & 0x1f)
		return GENERIC(INVALID_FIELD);
	return 0;
}

uint16_t sim_nvme_set_feature(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint32_t *result)
{
	const unsigned int id = id_of(sqe);
	uint16_t status;

	if (!is_known(sqe))
		return GENERIC(INVALID_FIELD);
	if (le32toh(sqe->cdw10) & SAVE)
		return SPECIFIC(FEATURE_NOT_SAVEABLE);
	status = check_value(nvme, sqe);
	if (status)
		return status;
	nvme->features[id] = (nvme->features[id] & ~features[id].mask) |
			     (le32toh(sqe->cdw11) & features[id].mask);
	if (id == NVME_FEAT_FID_NUM_QUEUES)
		*result = nvme->features[id];
	return 0;
}

uint16_t sim_nvme_get_feature(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint32_t *result)
{
	const unsigned int id = id_of(sqe);

	if (!is_known(sqe))
		return GENERIC(INVALID_FIELD);
	switch (le32toh(sqe->cdw10) >> 8 & 7) {
	case NVME_GET_FEATURES_SEL_CURRENT:
		*result = nvme->features[id];
		return 0;
	/* Nothing is saved, which gives the default. */
	case NVME_GET_FEATURES_SEL_DEFAULT:
	case NVME_GET_FEATURES_SEL_SAVED:
		*result = features[id].value;
		return 0;
	case NVME_GET_FEATURES_SEL_SUPPORTED:
		*result = features[id].mask ? CHANGEABLE : 0;
		return 0;
	}
	return GENERIC(INVALID_FIELD);
}
