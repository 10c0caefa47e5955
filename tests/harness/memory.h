/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Memory as the kernel counts it, and touches that may end in a signal. */
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages that somebody in the system holds pinned. */
long pages_pinned(void);

/* VmPin of this process, in pages. */
long pages_charged(void);

/* And VmLck, where VFIO counts what a device has of it; so does mlock(2). */
long pages_held(void);

/* Private anonymous pages, filled with @fill. */
unsigned char *pages_new(size_t nr, int fill);
void pages_free(void *addr, size_t nr);

/* Read (or write) 4 bytes there: 0 or the signal that this raised. */
int touch(const volatile void *addr);
int touch_write(volatile void *addr, uint32_t value);

/* Physical address of a page, by /proc/self/pagemap. */
uint64_t physical_address(const void *addr);

uint64_t now_ms(void);

/* No message in the kernel's log since log_mark(). */
int log_mark(void);
bool log_grew(int mark);

#endif /* HARNESS_MEMORY_H */
