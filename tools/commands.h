/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "options.h"

extern const struct subcommand list_command;
extern const struct subcommand bind_command;
extern const struct subcommand unbind_command;
extern const struct subcommand info_command;
extern const struct subcommand read_command;
extern const struct subcommand write_command;
extern const struct subcommand reset_command;

#endif /* TOOLS_COMMANDS_H */
