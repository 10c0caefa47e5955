// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* usrpci-sim: devices that aren't there. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

/* The library tells from it that there's no such device, and reads why from its socket. */
#define USAGE	2

static void list_options(const struct sim_option *option)
{
	for (; option && option->name; option++)
		printf("    %s=...%*s %s\n", option->name, 12 - (int)strlen(option->name), "",
		       option->help);
}

static void list(void)
{
	struct sim_faults faults;
	const char *name, *text;
	unsigned int i;
	uint64_t value;

	for (i = 0; sim_devices[i]; i++) {
		printf("%-12s %s\n", sim_devices[i]->name, sim_devices[i]->summary);
		list_options(sim_devices[i]->options);
	}
	puts("each of them");
	list_options(sim_options);
	fputs("    and knobs, which make it fail (usrpci-sim --help tells what they do):", stdout);
	sim_faults_init(&faults);
	for (i = 0; sim_faults_get(&faults, i, &name, &text, &value); i++)
		printf("%s %s", i % 6 ? "," : i ? ",\n   " : "\n   ", name);
	putchar('\n');
}

static void help(void)
{
	struct sim_faults faults;
	const char *name, *text;
	unsigned int i;
	uint64_t value;

	puts("usage: usrpci-sim DEVICE[,OPTION=VALUE...] --socket PATH [--control PATH]\n"
	     "Plays a PCI device for whoever connects to the socket and speaks vfio-user: a\n"
	     "program that opens \"vfio-user:PATH\", or QEMU's vfio-user-pci. A program that opens\n"
	     "\"sim:DEVICE\" starts one for itself.\n\n"
	     "  --socket PATH   where programs connect, one after the other\n"
	     "  --control PATH  a socket that takes lines: NAME=VALUE sets a knob, status tells all\n"
	     "  --list          devices, and their options\n"
	     "  --fd N          serve the socket N and end with it, saying nothing\n\n"
	     "Knobs, for things to go wrong (options of every device, or by the control socket):");
	sim_faults_init(&faults);
	for (i = 0; sim_faults_get(&faults, i, &name, &text, &value); i++)
		printf("  %-15s %s\n", name, text);
}

/* Ends in good order when it's asked to: its sockets go with it. */
static int catch_signals(void)
{
	sigset_t set;

	/* Whoever reads a trace by a pipe may leave first. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(char *device, const char *path, const char *control, int fd)
{
	struct sim_server server = { .listener = -1, .visitor = -1 };
	const char *why;
	int ret;

	server.sim = sim_create(device, &why);
	if (!server.sim) {
		if (fd < 0)
			warnx("%s: %s; see: usrpci-sim --list, usrpci-sim --help", device, why);
		else
			send(fd, why, strlen(why), MSG_NOSIGNAL);
		return USAGE;
	}
	server.stop = catch_signals();
	ret = sim_control_open(&server.control, control);
	if (!ret && path) {
		server.listener = sim_listen(path);
		ret = server.listener < 0 ? server.listener : 0;
	}
	if (ret && fd < 0)
		warnx("%s: %s", server.control.listener < 0 && control ? control : path,
		      ret == -EADDRINUSE ? "somebody serves there" : strerror(-ret));
	/* For somebody who started it by hand, not for a script. */
	if (!ret && path && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		fprintf(stderr, "%s at %s; open it as vfio-user:%s\n", server.sim->device->name,
			path, path);
	if (!ret)
		sim_server_run(&server, fd);
	if (path && server.listener >= 0)
		unlink(path);
	sim_control_close(&server.control);
	sim_destroy(server.sim);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "list", no_argument, NULL, 'l' },
		{ "socket", required_argument, NULL, 's' },
		{ "control", required_argument, NULL, 'c' },
		{ "fd", required_argument, NULL, 'f' },
		{ 0 }
	};
	const char *path = NULL, *control = NULL;
	int option, fd = -1;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			help();
			return 0;
		case 'l':
			list();
			return 0;
		case 's':
			path = optarg;
			break;
		case 'c':
			control = optarg;
			break;
		case 'f':
			fd = atoi(optarg);
			break;
		default:
			return USAGE;
		}
	}
	/* One of both. */
	if (optind + 1 != argc || (fd >= 0 && path) || (fd < 0 && !path)) {
		warnx("a device and --socket PATH are needed; see: usrpci-sim --help");
		return USAGE;
	}
	return run(argv[optind], path, control, fd);
}
