/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_IRQ_H
#define PROGRAM_IRQ_H

#include <nvme/nvme.h>

/**
 * irq_name() - How a way to learn of completions is called.
 * @irq: the way
 *
 * Return: its name on the command line and in what is printed.
 */
const char *irq_name(enum nvme_irq irq);

/**
 * irq_parse() - The way that has a name.
 * @text: the name, in any case; NULL for the best way
 * @irq: set
 *
 * Return: 0; -EINVAL none is called so.
 */
int irq_parse(const char *text, enum nvme_irq *irq);

#endif /* PROGRAM_IRQ_H */
