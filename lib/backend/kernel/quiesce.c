// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "kernel.h"

int usrpci_kernel_quiesce(struct usrpci_device *dev, const struct usrpci_step *steps,
			  unsigned int nr)
{
	struct usrpci_ioc_quiesce_step list[USRPCI_QUIESCE_STEPS];
	struct usrpci_ioc_quiesce arg = {
		.size = sizeof(arg),
		.step_size = sizeof(list[0]),
		.nr_steps = nr,
		.steps = (uintptr_t)list,
	};
	unsigned int i;

	for (i = 0; i < nr; i++)
		list[i] = (struct usrpci_ioc_quiesce_step){
			.kind = steps[i].until ? USRPCI_QUIESCE_UNTIL : USRPCI_QUIESCE_WRITE,
			.bar = steps[i].bar,
			.width = steps[i].width,
			.timeout_us = steps[i].timeout_us,
			.offset = steps[i].offset,
			.value = steps[i].value,
			.mask = steps[i].mask,
		};
	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_QUIESCE, &arg);
}
