// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"

#ifndef USRPCI_VERSION
#define USRPCI_VERSION "0.1.0"
#endif

static const struct subcommand *const commands[] = {
	&list_command,
	&bind_command,
	&unbind_command,
	&info_command,
	&read_command,
	&write_command,
	&reset_command,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	size_t i;

	puts("usage: usrpci SUBCOMMAND [ARGUMENT...]\n"
	     "Drive PCI devices from ordinary programs.\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-7s  %s\n", commands[i]->name, commands[i]->summary);
	puts("\nusrpci help SUBCOMMAND tells more, man usrpci all. "
	     "A function is named as 0000:00:04.0 or 00:04.0;\n"
	     "info, read, write and reset take sim:NAME and vfio-user:PATH as well.");
}

static const struct subcommand *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	complain(STATUS_USAGE, "there is no subcommand \"%s\"; see: usrpci --help", name);
	return NULL;
}

static enum status run_help(int argc, char **argv)
{
	const struct subcommand *command;

	if (argc < 2) {
		help();
		return STATUS_OK;
	}
	command = find(argv[1]);
	if (!command)
		return STATUS_USAGE;
	options_help(command);
	return STATUS_OK;
}

static enum status run_command(int argc, char **argv)
{
	const struct subcommand *command = find(argv[0]);
	struct options options;
	int first;

	if (!command)
		return STATUS_USAGE;
	first = options_parse(command, argc, argv, &options);
	if (first < 0)
		return STATUS_USAGE;
	if (options.given & TAKES_HELP) {
		options_help(command);
		return STATUS_OK;
	}
	return command->run(&options, argc - first, argv + first);
}

static enum status run(int argc, char **argv)
{
	if (!argc)
		return complain(STATUS_USAGE, "needs a subcommand; see: usrpci --help");
	if (!strcmp(argv[0], "help") || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))
		return run_help(argc, argv);
	if (!strcmp(argv[0], "--version")) {
		puts("usrpci " USRPCI_VERSION);
		return STATUS_OK;
	}
	return run_command(argc, argv);
}

int main(int argc, char **argv)
{
	enum status status = run(argc - 1, argv + 1);

	if (fflush(stdout) || ferror(stdout))
		return complain(STATUS_FAILED, "can't write to standard output: %s",
				strerror(errno));
	return status;
}
