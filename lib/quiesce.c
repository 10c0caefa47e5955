// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "backend.h"
#include "device.h"
#include "public.h"

static uint64_t width_mask(unsigned int width)
{
	return width == 8 ? UINT64_MAX : (1ULL << width * 8) - 1;
}

static bool is_step(const struct usrpci_step *step)
{
	if (!usrpci_is_register(step->offset, step->width, 8) || step->bar >= USRPCI_BARS)
		return false;
	if (!step->mask || step->mask & ~width_mask(step->width) || step->value & ~step->mask)
		return false;
	return step->until || !step->timeout_us;
}

static bool is_list(const struct usrpci_step *steps, unsigned int nr)
{
	uint64_t wait_us = 0;
	unsigned int i;

	if (nr > USRPCI_QUIESCE_STEPS || (nr && !steps))
		return false;
	for (i = 0; i < nr; i++) {
		if (!is_step(&steps[i]))
			return false;
		wait_us += steps[i].timeout_us;
	}
	return wait_us <= USRPCI_QUIESCE_US;
}

USRPCI_PUBLIC int usrpci_quiesce(struct usrpci_device *dev, const struct usrpci_step *steps,
				 unsigned int nr)
{
	int ret = -EINVAL;

	if (is_list(steps, nr))
		ret = dev->backend->quiesce ? dev->backend->quiesce(dev, steps, nr) : -EOPNOTSUPP;
	if (!ret)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_QUIESCE,
		.err = ret,
		.len = nr,
	});
}
