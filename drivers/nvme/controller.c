// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <time.h>
#include "internal.h"

/* Shutdown has no limit in CAP; RTD3E often is 0 or some seconds. */
#define SHUTDOWN_MS	10000
/* What CAP.TO says may be too little for an emulated controller on a busy host. */
#define MIN_READY_MS	10000

/*
 * Registers go through calls: these give -ENODEV when the disk was pulled, where
 * a map gives SIGBUS. Only doorbells need to be fast.
 */
static int reg_read(struct nvme *nvme, unsigned int reg, uint32_t *value)
{
	uint64_t wide;
	int err;

	err = usrpci_bar_read(nvme->dev, 0, reg, 4, &wide);
	if (err)
		return err;
	*value = (uint32_t)wide;
	return 0;
}

static int reg_write(struct nvme *nvme, unsigned int reg, uint32_t value)
{
	return usrpci_bar_write(nvme->dev, 0, reg, 4, value);
}

static int reg_write64(struct nvme *nvme, unsigned int reg, uint64_t value)
{
	int err;

	err = reg_write(nvme, reg, (uint32_t)value);
	return err ? err : reg_write(nvme, reg + 4, (uint32_t)(value >> 32));
}

/* A device that is gone reads as all ones, which CSTS never is. */
static int read_status(struct nvme *nvme, uint32_t *csts)
{
	int err;

	err = reg_read(nvme, NVME_REG_CSTS, csts);
	if (err)
		return err;
	return *csts == UINT32_MAX ? -ENODEV : 0;
}

int nvme_health(struct nvme *nvme)
{
	uint32_t csts;
	int err;

	err = read_status(nvme, &csts);
	if (err)
		return err;
	return NVME_CSTS_CFS(csts) ? -EIO : 0;
}

/* Waits till the bits @mask of CSTS are @value. */
static int wait_status(struct nvme *nvme, uint32_t mask, uint32_t value, int64_t timeout_ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t end = nvme_now_ms() + timeout_ms;
	uint32_t csts;
	int err;

	for (;;) {
		err = read_status(nvme, &csts);
		if (err)
			return err;
		if ((csts & mask) == value)
			return 0;
		if (NVME_CSTS_CFS(csts) && value)
			return -EIO;
		if (nvme_now_ms() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

/* CAP.TO counts in 500 ms: NVMe base 2.0 §3.1.3.1. */
static int64_t ready_ms(const struct nvme *nvme)
{
	int64_t ms = (int64_t)NVME_CAP_TO(nvme->cap) * 500;

	return ms < MIN_READY_MS ? MIN_READY_MS : ms;
}

int nvme_disable(struct nvme *nvme)
{
	uint32_t cc;
	int err;

	err = reg_read(nvme, NVME_REG_CC, &cc);
	if (err)
		return err;
	if (NVME_CC_EN(cc)) {
		err = reg_write(nvme, NVME_REG_CC, cc & ~(uint32_t)NVME_CC_EN_MASK);
		if (err)
			return err;
	}
	return wait_status(nvme, NVME_CSTS_RDY_MASK, 0, ready_ms(nvme));
}

/* Whoever had the controller may have left it running: NVMe base 2.0 §3.7.2. */
int nvme_reset(struct nvme *nvme)
{
	uint32_t low, high;
	int err;

	err = reg_read(nvme, NVME_REG_CAP, &low);
	if (!err)
		err = reg_read(nvme, NVME_REG_CAP + 4, &high);
	if (err)
		return err;
	nvme->cap = (uint64_t)high << 32 | low;
	if (nvme->cap == UINT64_MAX)
		return -ENODEV;
	if (NVME_CAP_MPSMIN(nvme->cap) || !(NVME_CAP_CSS(nvme->cap) & NVME_CAP_CSS_NVM))
		return -ENOTSUP;
	err = reg_read(nvme, NVME_REG_VS, &nvme->info.version);
	return err ? err : nvme_disable(nvme);
}

/*
 * What nvme_shutdown() would do, for when the program can't: the caches are kept
 * and no command is left running. A healthy disk takes some milliseconds.
 */
int nvme_leave_orders(struct nvme *nvme)
{
	const uint32_t half_us = USRPCI_QUIESCE_US / 2;
	const struct usrpci_step steps[] = {
		{ .width = 4, .offset = NVME_REG_CC,
		  .value = NVME_SET(NVME_CC_SHN_NORMAL, CC_SHN),
		  .mask = NVME_SET(NVME_CC_SHN_MASK, CC_SHN) },
		{ .until = true, .timeout_us = half_us, .width = 4, .offset = NVME_REG_CSTS,
		  .value = NVME_SET(NVME_CSTS_SHST_CMPLT, CSTS_SHST),
		  .mask = NVME_SET(NVME_CSTS_SHST_MASK, CSTS_SHST) },
		{ .width = 4, .offset = NVME_REG_CC, .value = 0, .mask = NVME_CC_EN_MASK },
		{ .until = true, .timeout_us = half_us, .width = 4, .offset = NVME_REG_CSTS,
		  .value = 0, .mask = NVME_CSTS_RDY_MASK },
	};

	int err = usrpci_quiesce(nvme->dev, steps, sizeof(steps) / sizeof(steps[0]));

	/* Where nobody would follow it, an IOMMU stands before memory. */
	return err == -EOPNOTSUPP ? 0 : err;
}

/* The admin queue, the settings, and at last CC.EN: NVMe base 2.0 §3.5.1. */
int nvme_enable(struct nvme *nvme)
{
	const uint32_t cc = NVME_SET(NVME_CC_CSS_NVM, CC_CSS) | NVME_SET(0, CC_MPS) |
			    NVME_SET(NVME_CC_AMS_RR, CC_AMS) |
			    NVME_SET(NVME_SQE_SHIFT, CC_IOSQES) |
			    NVME_SET(NVME_CQE_SHIFT, CC_IOCQES);
	const uint32_t last = nvme->admin.entries - 1;
	int err;

	err = reg_write(nvme, NVME_REG_AQA, NVME_SET(last, AQA_ASQS) | NVME_SET(last, AQA_ACQS));
	if (!err)
		err = reg_write64(nvme, NVME_REG_ASQ, nvme->admin.sq_mem.bus_addr);
	if (!err)
		err = reg_write64(nvme, NVME_REG_ACQ, nvme->admin.cq_mem.bus_addr);
	if (!err)
		err = reg_write(nvme, NVME_REG_CC, cc);
	if (err)
		return err;
	nvme->enabled = true;
	err = reg_write(nvme, NVME_REG_CC, cc | NVME_SET(1, CC_EN));
	return err ? err : wait_status(nvme, NVME_CSTS_RDY_MASK, 1, ready_ms(nvme));
}

/* Whoever sees @failed may take it that no DMA is left. */
int nvme_fail(struct nvme *nvme, int why)
{
	/* Both, as one may not work any more. */
	nvme_disable(nvme);
	usrpci_set_master(nvme->dev, false);
	atomic_store_explicit(&nvme->failed, why, memory_order_release);
	return why;
}

static void delete_queues(struct nvme *nvme)
{
	unsigned int i;

	for (i = 0; i < nvme->info.queues; i++)
		nvme_delete_queue(&nvme->queues[i]);
}

/* 0, or why the disk wouldn't hear of it. */
static int say_goodbye(struct nvme *nvme)
{
	const uint32_t done = NVME_SET(NVME_CSTS_SHST_CMPLT, CSTS_SHST);
	const uint32_t mask = NVME_SET(NVME_CSTS_SHST_MASK, CSTS_SHST);
	uint32_t cc;
	int err;

	err = atomic_load(&nvme->failed);
	if (!err)
		err = nvme_health(nvme);
	if (err)
		return err;
	delete_queues(nvme);
	err = reg_read(nvme, NVME_REG_CC, &cc);
	if (!err)
		err = reg_write(nvme, NVME_REG_CC, cc | NVME_SET(NVME_CC_SHN_NORMAL, CC_SHN));
	return err ? err : wait_status(nvme, mask, done, SHUTDOWN_MS);
}

/* Queues deleted, caches kept, then stopped: NVMe base 2.0 §3.6.1. */
void nvme_shutdown(struct nvme *nvme)
{
	if (!nvme->enabled)
		return;
	if (!say_goodbye(nvme))
		usrpci_quiesce(nvme->dev, NULL, 0);
	nvme_fail(nvme, -ESHUTDOWN);
	nvme->enabled = false;
}
