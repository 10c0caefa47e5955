/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <json-c/json.h>

/* Results, for eyes, on stdout; or in Markdown. Returns how many goals are missed. */
unsigned int table_print(struct json_object *results);
void table_print_markdown(struct json_object *results);

#endif /* BENCH_TABLE_H */
