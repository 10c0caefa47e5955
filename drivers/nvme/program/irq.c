// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <strings.h>
#include "irq.h"

static const char *const names[] = {
	[NVME_BEST_IRQ] = "best",
	[NVME_POLLED] = "poll",
	[NVME_INTX] = "intx",
	[NVME_MSI] = "msi",
	[NVME_MSIX] = "msix",
};

const char *irq_name(enum nvme_irq irq)
{
	return names[irq];
}

int irq_parse(const char *text, enum nvme_irq *irq)
{
	unsigned int i;

	*irq = NVME_BEST_IRQ;
	if (!text)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(text, names[i])) {
			*irq = (enum nvme_irq)i;
			return 0;
		}
	}
	return -EINVAL;
}
