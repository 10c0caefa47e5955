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

struct usrpci_bits usrpci_bits_of(const struct usrpci_ioc_field *f)
{
	unsigned int bit = f->bit % 64;
	__u64 mask = usrpci_low_bits(f->width);

	if (!f->width)
		return (struct usrpci_bits){};
	return (struct usrpci_bits){
		.mask = mask << bit,
		.carry = bit + f->width > 64 ? mask >> (64 - bit) : 0,
		.word = f->bit / 64,
		.turn = (bit - f->shift) % 64,
	};
}
