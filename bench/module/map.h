/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_MAP_H
#define BENCH_MAP_H

int bench_map_init(void);
void bench_map_exit(void);

#endif /* BENCH_MAP_H */
