// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "number.h"

int parse_size(const char *text, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	unsigned long long number;
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (end == text || errno || strchr(text, '-'))
		return -EINVAL;
	if (*end) {
		suffix = strchr(suffixes, *end & ~0x20);
		if (!suffix || end[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (number > UINT64_MAX >> shift)
		return -EINVAL;
	*size = (uint64_t)number << shift;
	return 0;
}

int parse_count(const char *text, unsigned int most, unsigned int *count)
{
	uint64_t number;

	if (parse_size(text, &number) || !number || number > most)
		return -EINVAL;
	*count = (unsigned int)number;
	return 0;
}
