// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* Copyright (C) 2026 The usrpci authors */

#include "record.h"

bool usrpci_field_valid(const struct usrpci_ioc_field *f, unsigned int bits)
{
	if (f->reserved)
		return false;
	if (!f->width)
		return !f->bit && !f->shift;
	return f->width <= 64 && f->shift < 64 && f->bit + f->width <= bits &&
	       f->width + f->shift <= 64;
}

bool usrpci_field_fits(const struct usrpci_ioc_field *f, __u64 value)
{
	__u64 room = usrpci_low_bits(f->width) << f->shift;

	return !(value & ~room);
}
