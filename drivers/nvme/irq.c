// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <sys/eventfd.h>
#include "internal.h"

static const enum usrpci_irq types[] = {
	[NVME_INTX] = USRPCI_INTX,
	[NVME_MSI] = USRPCI_MSI,
	[NVME_MSIX] = USRPCI_MSIX,
};

/* Both queues share vector 0: the admin queue is polled. */
static int try_irq(struct nvme *nvme, enum nvme_irq irq)
{
	int err;

	err = usrpci_irq_setup(nvme->dev, types[irq], 1);
	if (err)
		return err;
	err = usrpci_irq_wire(nvme->dev, 0, 1, &nvme->eventfd);
	if (!err)
		nvme->info.irq = irq;
	return err;
}

int nvme_setup_irq(struct nvme *nvme, enum nvme_irq irq)
{
	static const enum nvme_irq best[] = { NVME_MSIX, NVME_MSI, NVME_INTX };
	unsigned int i;
	int err = 0;

	nvme->info.irq = NVME_POLLED;
	if (irq == NVME_POLLED)
		return 0;
	nvme->eventfd = eventfd(0, EFD_CLOEXEC);
	if (nvme->eventfd < 0)
		return -errno;
	if (irq != NVME_BEST_IRQ)
		return try_irq(nvme, irq);
	for (i = 0; i < sizeof(best) / sizeof(best[0]); i++) {
		err = try_irq(nvme, best[i]);
		if (err != -EOPNOTSUPP && err != -ENOSPC)
			return err;
	}
	return 0;
}
