// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/* Copyright (C) 2026 The usrpci authors */

#include "record.h"

static __u64 usrpci_low_bits(unsigned int nr)
{
	return nr ? ~0ULL >> (64 - nr) : 0;
}

bool usrpci_field_valid(const struct usrpci_ioc_field *f, unsigned int bits)
{
	if (f->reserved)
		return false;
	if (!f->width)
		return !f->bit && !f->shift;
	return f->width <= 64 && f->shift < 64 && f->bit + f->width <= bits &&
	       f->width + f->shift <= 64;
}

__u64 usrpci_field_get(const struct usrpci_record *record, const struct usrpci_ioc_field *f)
{
	unsigned int word = f->bit / 64, bit = f->bit % 64;
	__u64 value;

	if (!f->width)
		return 0;
	value = record->bits[word] >> bit;
	if (bit + f->width > 64)
		value |= record->bits[word + 1] << (64 - bit);
	return (value & usrpci_low_bits(f->width)) << f->shift;
}

bool usrpci_field_fits(const struct usrpci_ioc_field *f, __u64 value)
{
	__u64 room = usrpci_low_bits(f->width) << f->shift;

	return !(value & ~room);
}

void usrpci_field_put(struct usrpci_record *record, const struct usrpci_ioc_field *f, __u64 value)
{
	unsigned int word = f->bit / 64, bit = f->bit % 64;
	__u64 mask = usrpci_low_bits(f->width);

	value = value >> f->shift & mask;
	record->bits[word] = (record->bits[word] & ~(mask << bit)) | value << bit;
	if (bit + f->width > 64) {
		mask >>= 64 - bit;
		record->bits[word + 1] = (record->bits[word + 1] & ~mask) | value >> (64 - bit);
	}
}

__u64 usrpci_record_word(const struct usrpci_record *record, unsigned int i, unsigned int width)
{
	if (width == 8)
		return record->bits[i];
	return (__u32)(record->bits[i / 2] >> 32 * (i % 2));
}

void usrpci_record_set_word(struct usrpci_record *record, unsigned int i, unsigned int width,
			    __u64 word)
{
	if (width == 8)
		record->bits[i] = word;
	else if (i % 2)
		record->bits[i / 2] |= word << 32;
	else
		record->bits[i / 2] = word;
}
