// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <usrpci.h>
#include "function.h"
#include "options.h"

static const struct {
	const char *name;
	const char *argument;
	unsigned int bit;
	const char *help;
} known[] = {
	{ "all", NULL, TAKES_ALL, "show bridges too" },
	{ "bound", NULL, TAKES_BOUND, "show only what is bound to usrpci or vfio-pci" },
	{ "count", "N", TAKES_COUNT, "read N values, one after the other (1)" },
	{ "driver", "NAME", TAKES_DRIVER, "usrpci, or vfio-pci: the kernel's VFIO (usrpci)" },
	{ "force", NULL, TAKES_FORCE, "take the function even if it is in use" },
	{ "group", "NAME", TAKES_GROUP, "give the device file to a group" },
	{ "json", NULL, TAKES_JSON, "print JSON" },
	{ "mode", "OCTAL", TAKES_MODE, "permissions of the device file (0660 with --group)" },
	{ "strict", NULL, TAKES_STRICT, "make the isolation strict, or leave the function alone" },
	{ "width", "1|2|4|8", TAKES_WIDTH, "bytes of a value (4)" },
	{ "help", NULL, TAKES_HELP, "print this" },
};

#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	/* strtoull() takes a sign and leading spaces. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end;
}

/* The library knows what else there may be after these. */
static bool is_played(const char *text)
{
	return !strncmp(text, "sim:", 4) || !strncmp(text, "vfio-user:", 10);
}

enum status parse_address(const char *text, char *bdf)
{
	if (!usrpci_parse_bdf(text, bdf))
		return STATUS_OK;
	if (is_played(text))
		return complain(STATUS_USAGE, "\"%s\" is played by a process, and bound to no "
				"driver: list, bind and unbind are for PCI functions of this "
				"machine; see: usrpci info %s", text, text);
	return complain(STATUS_USAGE, "\"%s\" names no function, 0000:00:04.0 or 00:04.0 would; "
			"see which there are: usrpci list", text);
}

enum status parse_device(const char *text, char *bdf, const char **address)
{
	*address = is_played(text) ? text : bdf;
	return is_played(text) ? STATUS_OK : parse_address(text, bdf);
}

static bool parse_group(const char *text, struct options *options)
{
	const struct group *group = getgrnam(text);
	uint64_t gid;

	if (group)
		options->gid = group->gr_gid;
	else if (parse_number(text, &gid) && gid < (gid_t)-1)
		options->gid = gid;
	else
		return false;
	if (!(options->given & TAKES_MODE))
		options->mode = 0660;
	return true;
}

static bool parse_mode(const char *text, struct options *options)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || mode > 0777)
		return false;
	options->mode = mode;
	return true;
}

static bool parse_driver(const char *text, struct options *options)
{
	options->driver = text;
	return !strcmp(text, USRPCI_DRIVER) || !strcmp(text, VFIO_DRIVER);
}

static bool parse_width(const char *text, struct options *options)
{
	if (strlen(text) != 1 || !strchr("1248", *text))
		return false;
	options->width = *text - '0';
	return true;
}

static bool set_option(unsigned int bit, const char *text, struct options *options)
{
	bool valid = true;

	switch (bit) {
	case TAKES_COUNT:
		valid = parse_number(text, &options->count) && options->count;
		break;
	case TAKES_DRIVER:
		valid = parse_driver(text, options);
		break;
	case TAKES_MODE:
		valid = parse_mode(text, options);
		break;
	case TAKES_WIDTH:
		valid = parse_width(text, options);
		break;
	}
	options->given |= bit;
	return valid;
}

static void list_options(unsigned int takes, struct option *options)
{
	size_t i;

	for (i = 0; i < NR_KNOWN; i++) {
		if (!(takes & known[i].bit))
			continue;
		options->name = known[i].name;
		options->has_arg = known[i].argument ? required_argument : no_argument;
		/* getopt_long() returns it; '?' and ':' are its own. */
		options->val = 256 + i;
		options++;
	}
}

static int bad_usage(const struct subcommand *command, const char *what, const char *word)
{
	complain(STATUS_USAGE, "%s %s%s; see: usrpci help %s",
		 command->name, what, word, command->name);
	return -1;
}

static int no_group(const char *name)
{
	complain(STATUS_USAGE, "there is no group \"%s\"; see which there are: getent group", name);
	return -1;
}

static int check_arguments(const struct subcommand *command, int nr)
{
	if (nr < command->min)
		return bad_usage(command, "needs ", command->arguments);
	if (nr > command->max && (command->max || !command->min))
		return bad_usage(command, "takes no more than ",
				 *command->arguments ? command->arguments : "its options");
	return 0;
}

int options_parse(const struct subcommand *command, int argc, char **argv,
		  struct options *options)
{
	struct option accepted[NR_KNOWN + 1] = { 0 };
	int found;

	*options = (struct options){ .count = 1, .width = 4, .gid = -1, .driver = USRPCI_DRIVER };
	list_options(command->takes | TAKES_HELP, accepted);
	opterr = 0;
	optind = 0;	/* glibc: forget what was parsed before */
	while ((found = getopt_long(argc, argv, ":h", accepted, NULL)) != -1) {
		if (found == 'h')
			options->given |= TAKES_HELP;
		else if (found == ':')
			return bad_usage(command, "wants a value after ", argv[optind - 1]);
		else if (found == '?')
			return bad_usage(command, "doesn't know ", argv[optind - 1]);
		else if (known[found - 256].bit == TAKES_GROUP && !parse_group(optarg, options))
			return no_group(optarg);
		else if (!set_option(known[found - 256].bit, optarg, options))
			return bad_usage(command, "can't make sense of ", optarg);
	}
	if (options->given & TAKES_HELP)
		return optind;
	return check_arguments(command, argc - optind) ? -1 : optind;
}

void options_help(const struct subcommand *command)
{
	unsigned int takes = command->takes | TAKES_HELP;
	size_t i;

	printf("usage: usrpci %s%s%s", command->name, *command->arguments ? " " : "",
	       command->arguments);
	for (i = 0; i < NR_KNOWN; i++) {
		if (command->takes & known[i].bit)
			printf(" [--%s%s%s]", known[i].name, known[i].argument ? " " : "",
			       known[i].argument ? known[i].argument : "");
	}
	printf("\n%s.\n\n", command->summary);
	for (i = 0; i < NR_KNOWN; i++) {
		if (takes & known[i].bit)
			printf("  --%-6s %-8s %s\n", known[i].name,
			       known[i].argument ? known[i].argument : "", known[i].help);
	}
}
