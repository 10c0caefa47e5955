/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A miss or an entry of a device's TLB: some bits, of which fields are made. Used by
 * the library, too.
 */
#ifndef USRPCI_TLB_RECORD_H
#define USRPCI_TLB_RECORD_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
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

static inline bool usrpci_field_exists(const struct usrpci_ioc_field *f)
{
	return f->width;
}

/* It lies within a record of @bits bits and loses nothing of a number. */
bool usrpci_field_valid(const struct usrpci_ioc_field *f, unsigned int bits);

/* 0 if there's no such field. */
__u64 usrpci_field_get(const struct usrpci_record *record, const struct usrpci_ioc_field *f);

/* The field has room for @value, and for all bits of it. */
bool usrpci_field_fits(const struct usrpci_ioc_field *f, __u64 value);
void usrpci_field_put(struct usrpci_record *record, const struct usrpci_ioc_field *f, __u64 value);

/* A word of @width bytes, the @i-th. */
__u64 usrpci_record_word(const struct usrpci_record *record, unsigned int i, unsigned int width);
void usrpci_record_set_word(struct usrpci_record *record, unsigned int i, unsigned int width,
			    __u64 word);

#endif /* USRPCI_TLB_RECORD_H */
