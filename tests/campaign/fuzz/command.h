/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FUZZ_COMMAND_H
#define FUZZ_COMMAND_H

struct caller;

/* Commands that there are; the name of one. */
unsigned int command_count(void);
const char *command_name(unsigned int i);

/* One call: one of them by ioctl(2), mostly as it's meant. */
void command_call(struct caller *t);

/* One call: give back what was handed out, of which there is much. */
void command_unmap(struct caller *t);

#endif /* FUZZ_COMMAND_H */
