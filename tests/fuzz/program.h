/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

#define PROGRAM_CALLS	24

/* A byte says what is done, modulo this, and how, divided by it. */
#define PROGRAM_KINDS	9U

/* Uses @dev as a program does, and closes it. */
void program_run(struct usrpci_device *dev, const uint8_t *calls, size_t nr);

#endif /* FUZZ_PROGRAM_H */
