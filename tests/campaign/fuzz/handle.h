/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Handles that the calls of an episode gave and, as far as is known, are still good. */
#ifndef FUZZ_HANDLE_H
#define FUZZ_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

struct caller;

/**
 * struct live - A handle.
 * @handle: it
 * @coherent: of a coherent buffer
 * @len: bytes
 * @offset: file offset of a coherent buffer
 */
struct live {
	uint32_t handle;
	bool coherent;
	uint64_t len;
	uint64_t offset;
};

void handle_forget_all(void);

/* Around a fork, so that the child doesn't find it held by a thread that it hasn't got. */
void handle_hold(void);
void handle_release(void);

/* From any thread. False: there are so many that this one has to go. */
bool handle_add(const struct live *live);
void handle_remove(uint32_t handle);

/* Many are held. */
bool handle_many(void);

/* One of a kind; false if there's none. */
bool handle_any(struct caller *t, bool coherent, struct live *live);

/* A handle, mostly a good one. */
uint32_t handle_pick(struct caller *t, struct live *live);

#endif /* FUZZ_HANDLE_H */
