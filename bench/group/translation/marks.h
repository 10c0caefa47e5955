/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_TRANSLATION_MARKS_H
#define BENCH_TRANSLATION_MARKS_H

/* When one miss, served by the module, comes to each of its stations; as JSON to @path. */
void marks_take(const char *address, const char *path);

#endif /* BENCH_TRANSLATION_MARKS_H */
