/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The clock of a program in the VM. By QEMU's -icount (BENCH_ICOUNT) it counts the instructions
 * that the VM's one processor executes, by whatever program or kernel; else it's time.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>

bool meter_counts(void);

/* Of what meter_now() gives: "instructions" or "ns". */
const char *meter_unit(void);
double meter_now(void);

#endif /* BENCH_METER_H */
