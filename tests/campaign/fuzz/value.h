/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FUZZ_VALUE_H
#define FUZZ_VALUE_H

#include <stdint.h>

struct caller;

/* A number that arithmetic goes wrong on, of @width bytes. */
uint64_t value_edge(struct caller *t, unsigned int width);

/* Small most of the time, of any size sometimes; at least 1. */
uint64_t value_small(struct caller *t, uint64_t most);

#endif /* FUZZ_VALUE_H */
