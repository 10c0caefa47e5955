/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Descriptions of a TLB, mostly of one that the device could have: its status is where misses
 * are read, and entries lie where writes do nothing. And the spaces that are bound to it.
 */
#ifndef FUZZ_SPACE_H
#define FUZZ_SPACE_H

#include "caller.h"
#include "field.h"

extern const struct shape tlb_shape;
extern const struct shape bind_shape;
extern const struct shape space_info_shape;
extern const struct shape space_refusal_shape;
extern const struct shape space_forget_shape;

/* One was bound; one that's bound, or no descriptor, or the device's; close one, or all. */
void space_add(int fd);
int space_pick(struct caller *t);
void space_close(struct caller *t);
void space_close_all(void);

#endif /* FUZZ_SPACE_H */
