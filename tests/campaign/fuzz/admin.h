/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What root does meanwhile, by sysfs. */
#ifndef FUZZ_ADMIN_H
#define FUZZ_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

/* No driver but usrpci may take a function that comes back. @inject: failures, too. */
void admin_start(bool inject);

/* One thing; a @rough one may take the function away from who has it. */
void admin_act(const char *bdf, uint64_t *random, bool rough);

/* Whatever was done, the function is there and bound, all parameters are as they were. */
bool admin_restore(const char *bdf);

#endif /* FUZZ_ADMIN_H */
