// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Doorbells in memory (Doorbell Buffer Config, NVMe base 2.0 §5.8): two pages, laid out as the
 * doorbells are. The program writes one, and the controller says in the other up to where it has
 * read it: who goes past that rings.
 *
 * The register of an I/O queue then says no more than that there's something new. The admin queue's
 * keeps its meaning, since drivers, Linux's among them, leave it out of the pages.
 */
#include "controller.h"

bool sim_nvme_shadow_read(struct nvme_controller *nvme, unsigned int index, uint32_t *value)
{
	__le32 raw;

	if (sim_dma_read(nvme->sim, nvme->shadow.values + index * sizeof(raw), &raw, sizeof(raw)))
		return false;
	*value = le32toh(raw);
	return true;
}

bool sim_nvme_shadow_seen(struct nvme_controller *nvme, unsigned int index, uint32_t value)
{
	const __le32 raw = htole32(value);
	const uint64_t address = nvme->shadow.events + index * sizeof(raw);

	if (sim_dma_write(nvme->sim, address, &raw, sizeof(raw)))
		return false;
	/* Whoever doesn't see it yet has written what is read next. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

/* Of a queue that was there before. */
static void catch_up(struct nvme_controller *nvme, unsigned int id)
{
	bool seen = true;

	if (nvme->sqs[id].live)
		seen = sim_nvme_shadow_seen(nvme, 2 * id, nvme->sqs[id].tail);
	if (seen && nvme->cqs[id].live)
		seen = sim_nvme_shadow_seen(nvme, 2 * id + 1, nvme->cqs[id].head);
	if (!seen)
		sim_nvme_fail(nvme);
}

uint16_t sim_nvme_set_shadow(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	const uint64_t values = le64toh(sqe->prp1), events = le64toh(sqe->prp2);
	unsigned int id;

	if (!nvme->has_shadow)
		return GENERIC(INVALID_OPCODE);
	if ((values | events) & (NVME_PAGE - 1))
		return GENERIC(INVALID_FIELD);
	nvme->shadow.on = true;
	nvme->shadow.values = values;
	nvme->shadow.events = events;
	for (id = 1; id < NR_QUEUES; id++)
		catch_up(nvme, id);
	return 0;
}
