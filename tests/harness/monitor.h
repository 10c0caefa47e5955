/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Commands to QEMU's monitor (docs/system/monitor), from a program in a VM that
 * vm/run --monitor started. Whether QEMU liked a command isn't told; vm/run
 * --verbose keeps its answers.
 */
#ifndef HARNESS_MONITOR_H
#define HARNESS_MONITOR_H

#include <stdbool.h>

bool monitor_present(void);

/*
 * Carried out when this returns: 0, or -ENODEV, -ETIMEDOUT. Before "halted " and a command that
 * takes a device away, no CPU is amid an access to it, which QEMU 7.2 wouldn't survive.
 */
int monitor_command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A @device ("edu", "nvme,serial=x,drive=drive0") named @id comes into the slot named @bus. The
 * guest is told, and has to do its part yet.
 */
int monitor_plug(const char *id, const char *bus, const char *device);

#endif /* HARNESS_MONITOR_H */
