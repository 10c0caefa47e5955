// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdbool.h>
#include "doorbell.h"

/*
 * Whether the controller sleeps and is to be woken: from @before to @now, round the queue's end
 * or not, its @event is passed. It may say anything there.
 */
static bool passes(uint32_t event, uint32_t before, uint32_t now)
{
	return now - event - 1 < now - before;
}

static bool must_ring(const struct nvme_doorbell *doorbell, uint32_t before, uint32_t now)
{
	if (!doorbell->shadow)
		return true;
	*doorbell->shadow = htole32(now);
	if (!doorbell->event)
		return true;
	/*
	 * The controller says up to where it has looked and looks again; so it sees this, or here
	 * is seen that it doesn't.
	 */
	usrpci_mb();
	return passes(le32toh(*doorbell->event), before, now);
}

void nvme_doorbell_ring(struct nvme_doorbell *doorbell, const struct usrpci_regs *regs,
			uint32_t value)
{
	const uint32_t before = doorbell->value;

	if (value == before)
		return;
	doorbell->value = value;
	/* Commands are there before it's told, and completions read before they're overwritten. */
	usrpci_dma_wmb();
	usrpci_dma_rmb();
	if (must_ring(doorbell, before, value))
		usrpci_regs_write32(regs, doorbell->at, value);
}
