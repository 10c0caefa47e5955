/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include <json-c/json.h>

/* A picture for each group, <folder>/<group>.svg. */
void chart_draw(struct json_object *results, const char *folder);

#endif /* BENCH_CHART_H */
