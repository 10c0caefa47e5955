/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

int bench_watch_init(void);
void bench_watch_exit(void);

#endif /* BENCH_WATCH_H */
