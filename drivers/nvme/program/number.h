/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_NUMBER_H
#define PROGRAM_NUMBER_H

#include <stdint.h>

/**
 * parse_size() - Read a number of bytes.
 * @text: a number in C notation, maybe with K, M, G or T after it
 * @size: set
 *
 * Return: 0; -EINVAL it's none, or takes more than 64 bits.
 */
int parse_size(const char *text, uint64_t *size);

/**
 * parse_count() - Read a number of things.
 * @text: as for parse_size()
 * @most: the highest that may be; the lowest is 1
 * @count: set
 *
 * Return: 0; -EINVAL it's none, or out of range.
 */
int parse_count(const char *text, unsigned int most, unsigned int *count);

#endif /* PROGRAM_NUMBER_H */
