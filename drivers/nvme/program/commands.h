/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_COMMANDS_H
#define PROGRAM_COMMANDS_H

#include <nvme/nvme.h>
#include "options.h"

/**
 * struct subcommand - One of the things that usrpci-nvme does.
 * @name: its name on the command line
 * @takes: letters of the options that it takes, as in options.c
 * @run: does it, to an open disk
 */
struct subcommand {
	const char *name;
	const char *takes;
	enum status (*run)(struct nvme *nvme, const struct options *options);
};

extern const struct subcommand identify_command;
extern const struct subcommand read_command;
extern const struct subcommand write_command;
extern const struct subcommand bench_command;

#endif /* PROGRAM_COMMANDS_H */
