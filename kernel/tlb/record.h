/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A miss or an entry of a device's TLB: some bits, of which fields are made. Used by
 * the library, too. What each miss does a dozen times is inline.
 */
#ifndef USRPCI_TLB_RECORD_H
#define USRPCI_TLB_RECORD_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#endif
#include <linux/usrpci.h>

#define USRPCI_RECORD_BITS	(USRPCI_TLB_MAX_WORDS * 64)

/**
 * struct usrpci_record - Its bits, the lowest first.
 * @bits: they
 */
struct usrpci_record {
	__u64 bits[USRPCI_TLB_MAX_WORDS];
};

static inline __u64 usrpci_low_bits(unsigned int nr)
{
	return nr ? ~0ULL >> (64 - nr) : 0;
}

static inline bool usrpci_field_exists(const struct usrpci_ioc_field *f)
{
	return f->width;
}

/* It lies within a record of @bits bits and loses nothing of a number. */
bool usrpci_field_valid(const struct usrpci_ioc_field *f, unsigned int bits);

/* 0 if there's no such field. */
static inline __u64 usrpci_field_get(const struct usrpci_record *record,
				     const struct usrpci_ioc_field *f)
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

/* The field has room for @value, and for all bits of it. */
bool usrpci_field_fits(const struct usrpci_ioc_field *f, __u64 value);

static inline void usrpci_field_put(struct usrpci_record *record,
				    const struct usrpci_ioc_field *f, __u64 value)
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

/* A word of @width bytes, the @i-th. */
static inline __u64 usrpci_record_word(const struct usrpci_record *record, unsigned int i,
				       unsigned int width)
{
	if (width == 8)
		return record->bits[i];
	return (__u32)(record->bits[i / 2] >> 32 * (i % 2));
}

static inline void usrpci_record_set_word(struct usrpci_record *record, unsigned int i,
					  unsigned int width, __u64 word)
{
	if (width == 8)
		record->bits[i] = word;
	else if (i % 2)
		record->bits[i / 2] |= word << 32;
	else
		record->bits[i / 2] = word;
}

/**
 * struct usrpci_bits - A field, made ready: it costs no more than its bits. All 0: no field.
 * @mask: where it lies in a word of 64 bits
 * @carry: and in the next one
 * @word: the first of them
 * @turn: to the left, of a number, to where it lies; what it loses there is of the next word
 */
struct usrpci_bits {
	__u64 mask;
	__u64 carry;
	__u32 word;
	__u32 turn;
};

struct usrpci_bits usrpci_bits_of(const struct usrpci_ioc_field *f);

static inline __u64 usrpci_turn(__u64 value, unsigned int by)
{
	return value << (by & 63) | value >> (-by & 63);
}

static inline __u64 usrpci_bits_get(const struct usrpci_record *record,
				    const struct usrpci_bits *bits)
{
	__u64 value = record->bits[bits->word] & bits->mask;

	if (bits->carry)
		value |= record->bits[bits->word + 1] & bits->carry;
	return usrpci_turn(value, -bits->turn);
}

/* Of a field of one bit. */
static inline bool usrpci_bits_is_set(const struct usrpci_record *record,
				      const struct usrpci_bits *bits)
{
	return record->bits[bits->word] & bits->mask;
}

/* The field has room for @value, and for all bits of it. */
static inline bool usrpci_bits_fit(const struct usrpci_bits *bits, __u64 value)
{
	return !(usrpci_turn(value, bits->turn) & ~(bits->mask | bits->carry));
}

/* The field's bits were 0. */
static inline void usrpci_bits_put(struct usrpci_record *record, const struct usrpci_bits *bits,
				   __u64 value)
{
	value = usrpci_turn(value, bits->turn);
	record->bits[bits->word] |= value & bits->mask;
	if (bits->carry)
		record->bits[bits->word + 1] |= value & bits->carry;
}

#endif /* USRPCI_TLB_RECORD_H */
