/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Touches of memory that may not be there, from any thread. */
#ifndef FUZZ_GUARD_H
#define FUZZ_GUARD_H

#include <stdint.h>

/* Once, before the others. */
void guard_install(void);

/* Read or write 4 bytes: 0 or the signal that this raised. */
int guard_read(const volatile void *addr);
int guard_write(volatile void *addr, uint32_t value);

#endif /* FUZZ_GUARD_H */
