// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* An NVMe disk: its registers (NVMe base 2.0 §3.1.3), and what it's made of. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "controller.h"
#include "devices/devices.h"

#define BAR_LEN		(16U << 10)
/* A page of its own: what can be mapped ends before it. */
#define MSIX_TABLE	0x2000U

#define DEFAULT_SERIAL	"usrpci-sim"
#define DEFAULT_MDTS	7U
#define MAX_MDTS	10U

#define CC_WRITABLE	0x00fffff1U
/* In 500 ms; it's ready at once. */
#define READY_TIMEOUT	1U

static const uint64_t cap = NVME_SET(MAX_ENTRIES - 1ULL, CAP_MQES) | NVME_SET(1ULL, CAP_CQR) |
			    NVME_SET((uint64_t)READY_TIMEOUT, CAP_TO) |
			    NVME_SET((uint64_t)NVME_CAP_CSS_NVM, CAP_CSS);

/* --- states --- */

void sim_nvme_fail(struct nvme_controller *nvme)
{
	nvme->csts |= NVME_SET(1, CSTS_CFS);
}

/* What clearing CC.EN leaves are the registers of the admin queues. */
static void stop(struct nvme_controller *nvme)
{
	memset(nvme->sqs, 0, sizeof(nvme->sqs));
	memset(nvme->cqs, 0, sizeof(nvme->cqs));
	memset(nvme->held, 0, sizeof(nvme->held));
	nvme->shadow.on = false;
	nvme->csts = 0;
	nvme->intms = 0;
	nvme->nr_requests = 0;
	nvme->event = EVENT_NONE;
	sim_nvme_reset_features(nvme);
}

static bool can_start(const struct nvme_controller *nvme)
{
	return NVME_AQA_ASQS(nvme->aqa) && NVME_AQA_ACQS(nvme->aqa) &&
	       NVME_AQA_ASQS(nvme->aqa) < MAX_ENTRIES && NVME_AQA_ACQS(nvme->aqa) < MAX_ENTRIES &&
	       NVME_CC_CSS(nvme->cc) == NVME_CC_CSS_NVM && !NVME_CC_MPS(nvme->cc) &&
	       NVME_CC_AMS(nvme->cc) == NVME_CC_AMS_RR;
}

static void start(struct nvme_controller *nvme)
{
	if (!can_start(nvme)) {
		sim_nvme_fail(nvme);
		return;
	}
	nvme->sqs[0] = (struct nvme_sq){
		.live = true,
		.base = nvme->asq,
		.entries = NVME_AQA_ASQS(nvme->aqa) + 1,
	};
	nvme->cqs[0] = (struct nvme_cq){
		.live = true,
		.base = nvme->acq,
		.entries = NVME_AQA_ACQS(nvme->aqa) + 1,
		.phase = 1,
		.irq = true,
	};
	nvme->csts = NVME_SET(1, CSTS_RDY);
}

/* From then on no command is carried out till CC.EN is cleared. */
static void shut_down(struct nvme_controller *nvme)
{
	sim_nvme_store_flush(&nvme->store);
	nvme->csts |= NVME_SET(NVME_CSTS_SHST_CMPLT, CSTS_SHST);
}

static void write_cc(struct nvme_controller *nvme, uint32_t value)
{
	const uint32_t before = nvme->cc;

	nvme->cc = value & CC_WRITABLE;
	if (NVME_CC_EN(before) && !NVME_CC_EN(value))
		stop(nvme);
	else if (!NVME_CC_EN(before) && NVME_CC_EN(value))
		start(nvme);
	if (NVME_CC_SHN(value) && !NVME_CC_SHN(before))
		shut_down(nvme);
	sim_nvme_interrupt(nvme);
}

/* --- registers --- */

static uint32_t read32(const struct nvme_controller *nvme, uint64_t offset)
{
	switch (offset) {
	case NVME_REG_CAP:
		return (uint32_t)cap;
	case NVME_REG_CAP + 4:
		return (uint32_t)(cap >> 32);
	case NVME_REG_VS:
		return NVME_VERSION;
	case NVME_REG_INTMS:
	case NVME_REG_INTMC:
		return nvme->intms;
	case NVME_REG_CC:
		return nvme->cc;
	case NVME_REG_CSTS:
		return nvme->csts;
	case NVME_REG_AQA:
		return nvme->aqa;
	case NVME_REG_ASQ:
		return (uint32_t)nvme->asq;
	case NVME_REG_ASQ + 4:
		return (uint32_t)(nvme->asq >> 32);
	case NVME_REG_ACQ:
		return (uint32_t)nvme->acq;
	case NVME_REG_ACQ + 4:
		return (uint32_t)(nvme->acq >> 32);
	}
	return 0;
}

static uint64_t nvme_read(void *self, unsigned int bar, uint64_t offset, unsigned int width)
{
	const struct nvme_controller *nvme = self;
	uint64_t value = read32(nvme, offset & ~3ULL);

	if (width == 8)
		return value | (uint64_t)read32(nvme, offset + 4) << 32;
	return value >> 8 * (offset & 3);
}

/* Queues lie in whole pages. */
static void set_half(uint64_t *reg, uint64_t offset, uint32_t value)
{
	if (offset & 4)
		*reg = (*reg & UINT32_MAX) | (uint64_t)value << 32;
	else
		*reg = (*reg & ~(uint64_t)UINT32_MAX) | (value & ~(NVME_PAGE - 1));
}

static void write32(struct nvme_controller *nvme, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case NVME_REG_INTMS:
		nvme->intms |= value;
		sim_nvme_interrupt(nvme);
		break;
	case NVME_REG_INTMC:
		nvme->intms &= ~value;
		sim_nvme_interrupt(nvme);
		break;
	case NVME_REG_CC:
		write_cc(nvme, value);
		break;
	case NVME_REG_AQA:
		nvme->aqa = value & 0x0fff0fff;
		break;
	case NVME_REG_ASQ:
	case NVME_REG_ASQ + 4:
		set_half(&nvme->asq, offset, value);
		break;
	case NVME_REG_ACQ:
	case NVME_REG_ACQ + 4:
		set_half(&nvme->acq, offset, value);
		break;
	default:
		if (offset >= NVME_DOORBELLS && offset < MSIX_TABLE)
			sim_nvme_doorbell(nvme, (unsigned int)(offset - NVME_DOORBELLS) / 4,
					  value);
	}
}

/* Registers are of 32 and 64 bits: NVMe over PCIe 1.0 §3.1. */
static void nvme_write(void *self, unsigned int bar, uint64_t offset, unsigned int width,
		       uint64_t value)
{
	if (width < 4)
		return;
	write32(self, offset, (uint32_t)value);
	if (width == 8)
		write32(self, offset + 4, (uint32_t)(value >> 32));
}

/* --- the device --- */

static void nvme_reset(void *self)
{
	struct nvme_controller *nvme = self;

	stop(nvme);
	nvme->cc = 0;
	nvme->aqa = 0;
	nvme->asq = 0;
	nvme->acq = 0;
	nvme->pin = false;
}

static void nvme_destroy(void *self)
{
	struct nvme_controller *nvme = self;

	sim_nvme_store_close(&nvme->store);
	free(nvme->data);
	free(nvme);
}

static const char *choose_serial(struct nvme_controller *nvme)
{
	const char *serial = sim_option(nvme->sim, "serial"), *c;

	if (!serial)
		serial = DEFAULT_SERIAL;
	for (c = serial; *c; c++)
		if (!isprint((unsigned char)*c))
			break;
	if (*c || c == serial || c - serial > SERIAL_LEN)
		return "serial takes 1 to 20 letters";
	strcpy(nvme->serial, serial);
	return NULL;
}

static const char *choose_mdts(struct nvme_controller *nvme)
{
	const char *mdts = sim_option(nvme->sim, "mdts");
	uint64_t value = mdts ? sim_nvme_parse_size(mdts) : DEFAULT_MDTS;

	if (!value || value > MAX_MDTS)
		return "mdts takes 1 to 10: commands move up to 4096 * 2^mdts bytes";
	nvme->mdts = (unsigned int)value;
	nvme->data_len = (size_t)NVME_PAGE << nvme->mdts;
	return NULL;
}

static const char *choose_shadow(struct nvme_controller *nvme)
{
	const char *shadow = sim_option(nvme->sim, "shadow");

	nvme->has_shadow = !shadow || !strcmp(shadow, "1");
	if (nvme->has_shadow || !strcmp(shadow, "0"))
		return NULL;
	return "shadow takes 0 or 1";
}

static const char *set_up(struct nvme_controller *nvme)
{
	const char *why = choose_serial(nvme);

	if (!why)
		why = choose_mdts(nvme);
	if (!why)
		why = choose_shadow(nvme);
	if (why || sim_nvme_store_open(&nvme->store, nvme->sim, &why))
		return why;
	nvme->data = calloc(1, nvme->data_len);
	return nvme->data ? NULL : "out of memory";
}

static void *nvme_create(struct sim *sim, const char **why)
{
	struct nvme_controller *nvme = calloc(1, sizeof(*nvme));
	const char *wrong = "out of memory";

	if (nvme) {
		nvme->sim = sim;
		nvme->store.fd = -1;
		wrong = set_up(nvme);
	}
	if (!wrong) {
		nvme_reset(nvme);
		return nvme;
	}
	if (nvme)
		nvme_destroy(nvme);
	*why = wrong;
	return NULL;
}

static const struct sim_option nvme_options[] = {
	{ "size", "bytes of memory that is the disk, with K, M or G (64M)" },
	{ "file", "a file that is the disk, instead" },
	{ "block", "bytes of a block, 512 or 4096 (512)" },
	{ "serial", "its serial number (usrpci-sim)" },
	{ "mdts", "a command moves at most 4096 * 2^mdts bytes, 1 to 10 (7)" },
	{ "shadow", "0: it has no doorbells in memory, as most disks (1)" },
	{ 0 }
};

const struct sim_device sim_nvme = {
	.name = "nvme",
	.summary = "an NVMe disk, with a namespace and 8 I/O queues",
	.vendor = 0x1b36,
	.device = 0x0010,
	.class_code = NVME_PCI_CLASS,
	.revision = 2,
	.bars = { { .len = BAR_LEN, .wide = true } },
	.intx = true,
	.nr_msi = 16,
	.nr_msix = NR_VECTORS,
	.msix_bar = 0,
	.msix_offset = MSIX_TABLE,
	.express = true,
	.options = nvme_options,
	.create = nvme_create,
	.destroy = nvme_destroy,
	.reset = nvme_reset,
	.read = nvme_read,
	.write = nvme_write,
};
