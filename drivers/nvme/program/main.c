// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* usrpci-nvme: reads, writes, measures and identifies NVMe disks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "disk.h"

static const struct subcommand *const commands[] = {
	&identify_command,
	&read_command,
	&write_command,
	&bench_command,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct subcommand *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

/* Without a subcommand that is known. */
static enum status run_help(int argc, char **argv)
{
	if (argc == 1 && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
		options_help(stdout);
		return STATUS_OK;
	}
	options_help(stderr);
	return STATUS_USAGE;
}

static enum status run_command(const struct subcommand *command, const struct options *options)
{
	enum status status;
	struct nvme *nvme;

	status = disk_open(&nvme, options);
	if (status)
		return status;
	status = command->run(nvme, options);
	nvme_close(nvme);
	if (fflush(stdout) || ferror(stdout))
		return complain(STATUS_FAILED, "standard output: %s; run: df", strerror(errno));
	return status;
}

static enum status run(int argc, char **argv)
{
	const struct subcommand *command = argc > 0 ? find(argv[0]) : NULL;
	struct options options;
	enum status status;

	if (!command)
		return run_help(argc, argv);
	status = options_parse(command, argc, argv, &options);
	if (status)
		return status;
	if (options.help) {
		options_help(stdout);
		return STATUS_OK;
	}
	return run_command(command, &options);
}

int main(int argc, char **argv)
{
	return run(argc - 1, argv + 1);
}
