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

static unsigned int offered(const struct usrpci_info *info, enum nvme_irq irq)
{
	switch (irq) {
	case NVME_MSIX:
		return info->nr_msix;
	case NVME_MSI:
		return info->nr_msi;
	default:
		return info->nr_intx;
	}
}

/* The host may have fewer than the function. */
static int try_irq(struct nvme *nvme, const struct usrpci_info *info, enum nvme_irq irq,
		   unsigned int *nr)
{
	unsigned int most = offered(info, irq);
	int err = -EOPNOTSUPP;

	if (most > *nr)
		most = *nr;
	for (; most; most /= 2) {
		err = usrpci_irq_setup(nvme->dev, types[irq], most);
		if (err != -ENOSPC)
			break;
	}
	if (err)
		return err;
	nvme->info.irq = irq;
	*nr = most;
	return 0;
}

int nvme_setup_irq(struct nvme *nvme, enum nvme_irq irq, unsigned int *nr)
{
	static const enum nvme_irq best[] = { NVME_MSIX, NVME_MSI, NVME_INTX };
	struct usrpci_info info;
	unsigned int i;
	int err;

	nvme->info.irq = NVME_POLLED;
	if (irq == NVME_POLLED)
		return 0;
	err = usrpci_info(nvme->dev, &info);
	if (err)
		return err;
	if (irq != NVME_BEST_IRQ)
		return try_irq(nvme, &info, irq, nr);
	for (i = 0; i < sizeof(best) / sizeof(best[0]); i++) {
		err = try_irq(nvme, &info, best[i], nr);
		if (err != -EOPNOTSUPP && err != -ENOSPC)
			return err;
	}
	return 0;
}

int nvme_wire_irq(struct nvme_queue *queue)
{
	if (queue->nvme->info.irq == NVME_POLLED)
		return 0;
	queue->eventfd = eventfd(0, EFD_CLOEXEC);
	if (queue->eventfd < 0)
		return -errno;
	return usrpci_irq_wire(queue->nvme->dev, queue->id - 1, 1, &queue->eventfd);
}

int nvme_queue_eventfd(const struct nvme_queue *queue)
{
	return queue->nvme->info.irq == NVME_INTX ? -1 : queue->eventfd;
}
