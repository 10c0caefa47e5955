// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <getopt.h>
#include <string.h>
#include "commands.h"
#include "irq.h"
#include "number.h"

/* A subcommand names those it takes by their letters. */
static const struct option known[] = {
	{ "offset", required_argument, NULL, 'o' },
	{ "length", required_argument, NULL, 'l' },
	{ "output", required_argument, NULL, 'O' },
	{ "input", required_argument, NULL, 'I' },
	{ "block-size", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 't' },
	{ "random", no_argument, NULL, 'r' },
	{ "sequential", no_argument, NULL, 'S' },
	{ "write", no_argument, NULL, 'w' },
	{ "queues", required_argument, NULL, 'q' },
	{ "depth", required_argument, NULL, 'd' },
	{ "irq", optional_argument, NULL, 'i' },
	{ "poll", no_argument, NULL, 'p' },
	{ "progress", no_argument, NULL, 'P' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ },
};

void options_help(FILE *to)
{
	fputs("usage: usrpci-nvme identify ADDRESS [--json]\n"
	      "       usrpci-nvme read ADDRESS [--offset N] [--length N] [--output FILE]\n"
	      "       usrpci-nvme write ADDRESS [--offset N] [--length N] [--input FILE]\n"
	      "       usrpci-nvme bench ADDRESS [--block-size N] [--queues N] [--depth N]\n"
	      "                         [--seconds N] [--sequential | --random] [--write] [--json]\n"
	      "Reads, writes, measures or describes an NVMe disk. ADDRESS is that of a function,\n"
	      "0000:00:04.0, or of one that is played: sim:nvme, vfio-user:PATH.\n"
	      "\n"
	      "  --offset N      bytes from the disk's start (0)\n"
	      "  --length N      bytes (to the disk's end, or the input's)\n"
	      "  --output FILE   where to, \"-\" for standard output (the default)\n"
	      "  --input FILE    where from, \"-\" for standard input (the default)\n"
	      "  --block-size N  bytes of a command (4K)\n"
	      "  --queues N      queues, with a thread for each, if the disk has as many (1)\n"
	      "  --seconds N     how long to measure (5)\n"
	      "  --sequential    one command after the other; each queue begins at a place of its\n"
	      "                  own (the default)\n"
	      "  --random        at random places\n"
	      "  --write         measure writing: DESTROYS what is on the disk\n"
	      "  --depth N       most commands at once in a queue, up to 1024 (64)\n"
	      "  --irq[=TYPE]    wait for interrupts: msix, msi or intx (the best there is)\n"
	      "  --poll          don't wait, look\n"
	      "  --progress      show progress on stderr even if it is no terminal\n"
	      "  --json          for programs\n"
	      "\n"
	      "Numbers of bytes may end in K, M, G or T (1024 each).\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.\n", to);
}

/* Those that are there or not. */
static void set_flag(struct options *options, int letter)
{
	switch (letter) {
	case 'r':
		options->bench.random = true;
		break;
	case 'S':
		options->bench.random = false;
		break;
	case 'w':
		options->bench.op = NVME_WRITE;
		break;
	case 'p':
		options->open.irq = NVME_POLLED;
		break;
	case 'P':
		options->progress = true;
		break;
	case 'j':
		options->json = true;
		break;
	}
}

static int set_option(struct options *options, int letter, const char *value)
{
	switch (letter) {
	case 'o':
		return parse_size(value, &options->offset);
	case 'l':
		return parse_size(value, &options->length);
	case 's':
		return parse_size(value, &options->bench.size);
	case 't':
		return parse_count(value, 86400, &options->bench.seconds);
	case 'q':
		return parse_count(value, 1024, &options->open.queues);
	case 'd':
		return parse_count(value, 1024, &options->open.depth);
	case 'i':
		return irq_parse(value, &options->open.irq);
	case 'O':
	case 'I':
		options->path = value;
		return 0;
	default:
		set_flag(options, letter);
		return 0;
	}
}

static enum status take_option(struct options *options, const struct subcommand *command,
			       int letter, const char *name)
{
	if (!strchr(command->takes, letter))
		return complain(STATUS_USAGE, "%s doesn't take --%s; run: usrpci-nvme --help",
				command->name, name);
	if (set_option(options, letter, optarg))
		return complain(STATUS_USAGE, "--%s can't be \"%s\"; run: usrpci-nvme --help",
				name, optarg);
	return STATUS_OK;
}

enum status options_parse(const struct subcommand *command, int argc, char **argv,
			  struct options *options)
{
	int letter, index = 0;

	*options = (struct options){
		.length = UINT64_MAX,
		.bench = { .size = 4096, .seconds = 5 },
	};
	while ((letter = getopt_long(argc, argv, "h", known, &index)) != -1) {
		if (letter == 'h') {
			options->help = true;
			return STATUS_OK;
		}
		/* getopt_long() has said what is wrong. */
		if (letter == '?' || take_option(options, command, letter, known[index].name))
			return STATUS_USAGE;
	}
	if (optind != argc - 1)
		return complain(STATUS_USAGE, "%s takes one disk; run: usrpci-nvme --help",
				command->name);
	options->address = argv[optind];
	return STATUS_OK;
}
