/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "error.h"

/* Options, or'ed in subcommand.takes. */
#define TAKES_ALL	(1U << 0)
#define TAKES_BOUND	(1U << 1)
#define TAKES_COUNT	(1U << 2)
#define TAKES_FORCE	(1U << 3)
#define TAKES_GROUP	(1U << 4)
#define TAKES_JSON	(1U << 5)
#define TAKES_MODE	(1U << 6)
#define TAKES_STRICT	(1U << 7)
#define TAKES_WIDTH	(1U << 8)
#define TAKES_DRIVER	(1U << 9)
#define TAKES_HELP	(1U << 10)	/* every subcommand does */

/**
 * struct options - The options of a command line.
 * @given: TAKES_* of the options that were there
 * @count: values to read, at least 1
 * @width: bytes of a value: 1, 2, 4 or 8
 * @gid: group that the device file is given to
 * @mode: permissions that it gets
 * @driver: that functions are given to
 */
struct options {
	unsigned int given;
	uint64_t count;
	unsigned int width;
	gid_t gid;
	mode_t mode;
	const char *driver;
};

/**
 * struct subcommand - One of the things that usrpci does.
 * @name: its name on the command line
 * @arguments: what comes after it, for the usage line
 * @summary: what it does, in a few words
 * @takes: TAKES_* of its options
 * @min: fewest arguments
 * @max: most arguments; 0 with @min above 0: any number
 * @run: does it, with the arguments that are no options; returns enum status
 */
struct subcommand {
	const char *name;
	const char *arguments;
	const char *summary;
	unsigned int takes;
	int min;
	int max;
	enum status (*run)(const struct options *options, int nr, char **args);
};

/**
 * options_parse() - Take the options out of a command line.
 * @command: the subcommand
 * @argc: number of words, the subcommand's name first
 * @argv: the words; those that are no options come last afterwards
 * @options: filled in
 *
 * Return: number of words before the first argument, or -1 after having said
 * what is wrong.
 */
int options_parse(const struct subcommand *command, int argc, char **argv,
		  struct options *options);

/**
 * options_help() - Print a subcommand's usage on standard output.
 * @command: the subcommand
 */
void options_help(const struct subcommand *command);

/**
 * parse_number() - Read a number in C notation.
 * @text: decimal, 0x hexadecimal or 0 octal
 * @value: set
 *
 * Return: whether @text is one, and of 64 bits at most.
 */
bool parse_number(const char *text, uint64_t *value);

/**
 * parse_address() - Bring a function's name into its full form.
 * @text: "DDDD:BB:DD.F" or "BB:DD.F"
 * @bdf: room for USRPCI_BDF_LEN bytes
 *
 * Return: STATUS_OK, or STATUS_USAGE after having said what is wrong.
 */
enum status parse_address(const char *text, char *bdf);

/**
 * parse_device() - As parse_address(), of any device that usrpci_open() takes.
 * @text: also "sim:NAME" or "vfio-user:PATH"
 * @bdf: room for USRPCI_BDF_LEN bytes, where a function's name is put
 * @address: set to @bdf, or to @text for what isn't a function of this machine
 *
 * Return: STATUS_OK, or STATUS_USAGE after having said what is wrong.
 */
enum status parse_device(const char *text, char *bdf, const char **address);

#endif /* TOOLS_OPTIONS_H */
