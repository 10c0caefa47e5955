/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_OPTIONS_H
#define PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <nvme/nvme.h>
#include "error.h"

/**
 * struct options - What the command line asked for.
 * @address: the disk
 * @open: how to open it
 * @offset: bytes from its start
 * @length: bytes; UINT64_MAX: to its end, or the input's
 * @path: file; NULL or "-": standard input or output
 * @bench: what to measure
 * @json: results for programs
 * @progress: show it though nobody may look
 * @help: nothing but the usage, and nothing else is set
 */
struct options {
	const char *address;
	struct nvme_options open;
	uint64_t offset;
	uint64_t length;
	const char *path;
	struct nvme_bench bench;
	bool json;
	bool progress;
	bool help;
};

struct subcommand;

/**
 * options_parse() - Read a command line.
 * @command: the subcommand
 * @argc: number of words, the subcommand's name first
 * @argv: the words
 * @options: filled in
 *
 * Return: STATUS_OK, or STATUS_USAGE after having said what is wrong.
 */
enum status options_parse(const struct subcommand *command, int argc, char **argv,
			  struct options *options);

/**
 * options_help() - Print the usage.
 * @to: where
 */
void options_help(FILE *to);

#endif /* PROGRAM_OPTIONS_H */
