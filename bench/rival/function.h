/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * A function goes from one driver to another, so that rivals have the same device. Functions end
 * the program when they fail.
 */
#ifndef BENCH_RIVAL_FUNCTION_H
#define BENCH_RIVAL_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

/* Returns once it's there; @driver: of whatever name, such as "vfio-pci". */
void function_give(const char *address, const char *driver);

/* The number of its IOMMU group; -1: it has none. */
int function_group(const char *address);

/* BAR 0, by nothing but sysfs's file of it. */
volatile void *function_map_bar(const char *address, uint64_t len);

/* Bus mastering, which interrupts take too, for drivers that leave it to the program. */
void function_set_master(const char *address);

#endif /* BENCH_RIVAL_FUNCTION_H */
