// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"

uint8_t input_u8(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->at++;
}

uint64_t input_u64(struct input *in)
{
	uint64_t value = 0;
	size_t len = sizeof(value);
	const uint8_t *bytes = input_bytes(in, &len);

	if (len)
		memcpy(&value, bytes, len);
	return value;
}

const uint8_t *input_bytes(struct input *in, size_t *len)
{
	const uint8_t *bytes = in->at;

	if (*len > in->len)
		*len = in->len;
	in->at += *len;
	in->len -= *len;
	return bytes;
}

void *input_copy(struct input *in, size_t len)
{
	const uint8_t *bytes = input_bytes(in, &len);
	void *copy = malloc(len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "wrong: %s\n", what);
	abort();
}

int next_fd(void)
{
	int next = dup(STDERR_FILENO);

	close(next);
	return next;
}
