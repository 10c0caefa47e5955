/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

int bench_floor_init(void);
void bench_floor_exit(void);

#endif /* BENCH_FLOOR_H */
