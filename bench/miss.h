/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_MISS_H
#define BENCH_MISS_H

/* A picture of a miss, from what marks_take() wrote to @marks. */
void miss_draw(const char *marks, const char *path);

#endif /* BENCH_MISS_H */
