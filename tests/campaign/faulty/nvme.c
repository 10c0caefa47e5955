// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Registers: NVMe base 2.0 §3.1.3; doorbells: NVMe over PCIe 1.0 §3.1.2. */
#include <string.h>

#include "function.h"
#include "life.h"
#include "nvme/registers.h"

#define QUEUES		8	/* doorbells that are rung: more than were created */
#define ENTRIES		16
#define ENABLE		(6U << 16 | 4U << 20 | 1)

static uint32_t any(struct life *l)
{
	return (uint32_t)life_below(l, 1ULL << 32);
}

static void write_register(struct life *l, unsigned int reg, uint32_t value)
{
	l->bar[reg / 4] = value;
}

/* An address in the buffer, or in what was the buffer. */
static uint64_t own_address(struct life *l)
{
	return l->buffer.bus_addr + PAGE * life_below(l, l->buffer.len / PAGE);
}

static void set_queues(struct life *l)
{
	uint64_t sq, cq;

	if (!l->buffer.size)
		return;
	sq = own_address(l);
	cq = own_address(l);
	write_register(l, NVME_REG_CC, 0);
	write_register(l, NVME_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write_register(l, NVME_REG_ASQ, (uint32_t)sq);
	write_register(l, NVME_REG_ASQ + 4, sq >> 32);
	write_register(l, NVME_REG_ACQ, (uint32_t)cq);
	write_register(l, NVME_REG_ACQ + 4, cq >> 32);
	write_register(l, NVME_REG_CC, ENABLE);
}

static void write_cc(struct life *l)
{
	write_register(l, NVME_REG_CC, life_below(l, 2) ? ENABLE : any(l));
}

static void mask_irqs(struct life *l)
{
	write_register(l, life_below(l, 2) ? NVME_REG_INTMS : NVME_REG_INTMC, any(l));
}

static void ring(struct life *l)
{
	uint32_t value = life_below(l, 4) ? (uint32_t)life_below(l, ENTRIES + 2) : any(l);

	write_register(l, NVME_DOORBELLS + 4 * (unsigned int)life_below(l, 2 * QUEUES), value);
}

/* Commands that were never right. Only what's isolated may be told any address. */
static void fill_queue(struct life *l)
{
	static const unsigned char opcodes[] = {
		0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x09, 0x0a, 0x0c,
	};
	struct nvme_sqe sqe = { 0 };
	unsigned int i;

	if (!l->queue)
		return;
	for (i = 0; i < l->buffer.len / sizeof(sqe); i++) {
		sqe.opcode = opcodes[life_below(l, sizeof(opcodes))];
		sqe.cid = (uint16_t)i;
		sqe.nsid = (uint32_t)life_below(l, 3);
		sqe.prp1 = l->isolated && !life_below(l, 4) ? life_below(l, ~0ULL) : own_address(l);
		sqe.prp2 = own_address(l);
		sqe.cdw10 = (uint32_t)(life_below(l, QUEUES) | (ENTRIES - 1) << 16);
		sqe.cdw11 = (uint32_t)life_below(l, 8);
		memcpy(l->queue + i * sizeof(sqe), &sqe, sizeof(sqe));
	}
}

static void read_any(struct life *l)
{
	(void)l->bar[life_below(l, 2 * PAGE / 4)];
}

void mistake_nvme(struct life *l)
{
	static void (* const all[])(struct life *l) = {
		set_queues, set_queues, write_cc, mask_irqs, ring, ring, ring, ring, fill_queue,
		read_any,
	};

	if (l->bar)
		all[life_below(l, ARRAY_SIZE(all))](l);
}
