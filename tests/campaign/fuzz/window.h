/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Maps of the device's file: of its BARs, and of coherent buffers. */
#ifndef FUZZ_WINDOW_H
#define FUZZ_WINDOW_H

#include <stdint.h>

struct caller;

/* An address where a map may be. */
uint64_t window_address(struct caller *t);

/* One call each. */
void window_map(struct caller *t);
void window_unmap(struct caller *t);
void window_move(struct caller *t);
void window_protect(struct caller *t);
void window_advise(struct caller *t);

/* No call: reads, and writes where nothing bad comes of it. */
void window_touch(struct caller *t);

/* All of them go. */
void window_clear(void);

#endif /* FUZZ_WINDOW_H */
