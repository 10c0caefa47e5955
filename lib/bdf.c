// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <usrpci.h>
#include "public.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads @min to @max hex digits and the character after them; NULL if it can't. */
static const char *parse_field(const char *text, int min, int max, char after, uint32_t *value)
{
	int digits;

	*value = 0;
	for (digits = 0; digits < max && hex_value(*text) >= 0; digits++)
		*value = *value << 4 | (uint32_t)hex_value(*text++);
	if (digits < min || *text != after)
		return NULL;
	return text + 1;
}

USRPCI_PUBLIC int usrpci_parse_bdf(const char *address, char *bdf)
{
	uint32_t domain, bus, slot, function;
	const char *rest;

	if (!address || !bdf)
		return -EINVAL;
	rest = parse_field(address, 4, 8, ':', &domain);
	if (!rest) {
		domain = 0;
		rest = address;
	}
	rest = parse_field(rest, 2, 2, ':', &bus);
	if (rest)
		rest = parse_field(rest, 2, 2, '.', &slot);
	if (rest)
		rest = parse_field(rest, 1, 1, '\0', &function);
	if (!rest || slot > 31 || function > 7)
		return -EINVAL;
	snprintf(bdf, USRPCI_BDF_LEN, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return 0;
}
