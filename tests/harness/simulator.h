/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* The knobs of what vm/run --sim put into this VM, numbered from 0. */
#ifndef HARNESS_SIMULATOR_H
#define HARNESS_SIMULATOR_H

#include <stdbool.h>

bool simulator_present(unsigned int number);

/*
 * "NAME=VALUE", see usrpci-sim --help: it has its effect before the next access to a register.
 * Nothing answers.
 */
void simulator_turn(unsigned int number, const char *knob);

#endif /* HARNESS_SIMULATOR_H */
