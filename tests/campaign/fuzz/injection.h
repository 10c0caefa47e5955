/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* The kernel's fault injection, where it has it: the Nth allocation of a call fails. */
#ifndef FUZZ_INJECTION_H
#define FUZZ_INJECTION_H

#include <stdbool.h>

/* As root, once: which allocations may fail. False: this kernel can't. */
bool injection_prepare(void);

/* This thread's file for it, or -1. */
int injection_open(void);

/* The @nth thing that can fail from now on does; 0: none. */
void injection_arm(int fd, unsigned int nth);

/* None does any more; true if one did. */
bool injection_disarm(int fd);

#endif /* FUZZ_INJECTION_H */
