/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Memory whose first touch waits till it's told to go on, by userfaultfd(2). */
#ifndef HARNESS_STALL_H
#define HARNESS_STALL_H

#include <stdbool.h>
#include <stddef.h>

struct stall {
	int fd;
	unsigned char *page;
};

/* A page of that kind; false if the kernel has no userfaultfd. */
bool stall_new(struct stall *stall);

/* Somebody touches it within 5 s, and waits. */
bool stall_wait(struct stall *stall);

/* Let them go on: it's a page of zeroes. */
void stall_end(struct stall *stall);
void stall_free(struct stall *stall);

#endif /* HARNESS_STALL_H */
