// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "doorbell.h"

void nvme_doorbell_ring(struct nvme_doorbell *doorbell, const struct usrpci_regs *regs,
			uint32_t value)
{
	if (value == doorbell->value)
		return;
	doorbell->value = value;
	usrpci_regs_write32(regs, doorbell->at, value);
}
