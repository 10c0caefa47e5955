/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** struct input - What is left of one. */
struct input {
	const uint8_t *at;
	size_t len;
};

/* 0 when nothing is left. */
uint8_t input_u8(struct input *in);
uint64_t input_u64(struct input *in);

/* Up to @len bytes, and how many there are. */
const uint8_t *input_bytes(struct input *in, size_t *len);

/* A copy with nothing behind it, so that a byte too far is seen; freed by the caller. */
void *input_copy(struct input *in, size_t len);

/* Ends the fuzzer unless @good. */
void must(bool good, const char *what);

/* The lowest descriptor that is free: it's another one later if something was left open. */
int next_fd(void);

#endif /* FUZZ_FUZZ_H */
