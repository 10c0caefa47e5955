/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef HARNESS_STACKS_H
#define HARNESS_STACKS_H

/* Tells on stderr where in the kernel each thread of this program and its children is. */
void stacks_tell(void);

#endif /* HARNESS_STACKS_H */
