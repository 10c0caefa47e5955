// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "explain.h"
#include "vfio-user.h"

/* The simulator says at once why it can't. */
#define PATIENCE_MS	2000

/* What either of them may meet. */
static int explain_device(const char *address, int err, char *buf, size_t len)
{
	switch (err) {
	case -EIO:
		return snprintf(buf, len, "the device at \"%s\" couldn't be reset; end who plays "
				"it and start it again", address);
	case -ENODEV:
		return snprintf(buf, len, "the device at \"%s\" doesn't answer, or went away at "
				"once", address);
	}
	return usrpci_explain_errno(address, err, buf, len);
}

/* The text up to the end of the connection, as much as fits, without control characters. */
static void read_text(int channel, char *text, size_t room)
{
	size_t len = 0, i;
	ssize_t some;

	while (len < room - 1 && (some = read(channel, text + len, room - 1 - len)) > 0)
		len += (size_t)some;
	text[len] = '\0';
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
}

/* Whoever said it has ended, so another one is asked. Nothing, if that one can play it. */
static void ask_simulator(const char *device, char *why, size_t len)
{
	int channel;
	pid_t pid;

	*why = '\0';
	if (usrpci_socket_spawn(device, &channel, &pid))
		return;
	usrpci_message_set_patience(channel, PATIENCE_MS);
	shutdown(channel, SHUT_WR);
	read_text(channel, why, len);
	close(channel);
	usrpci_socket_reap(pid, PATIENCE_MS);
}

static int explain_no_device(const char *device, char *buf, size_t len)
{
	char why[128];

	ask_simulator(device, why, sizeof(why));
	if (!*why)
		return snprintf(buf, len, "the simulator had no device \"%s\", or not with these "
				"options; try again, or see what it has: usrpci-sim --list",
				device);
	return snprintf(buf, len, "the simulator can't play \"%s\": %s; see what it has: "
			"usrpci-sim --list", device, why);
}

static int explain_simulator(const char *device, int err, char *buf, size_t len)
{
	switch (err) {
	case -ENOEXEC:
		return snprintf(buf, len, "there is no usrpci-sim beside this program or on the "
				"PATH; say where it is: export PATH=$PATH:/where/it/is");
	case -ENOENT:
		return explain_no_device(device, buf, len);
	case -EINVAL:
		return snprintf(buf, len, "no device is named after \"sim:\"; see what there is: "
				"usrpci-sim --list");
	}
	return 0;
}

static int explain_socket(const char *path, int err, char *buf, size_t len)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return snprintf(buf, len, "no server listens at \"%s\"; start one: "
				"usrpci-sim edu --socket %s", path, path);
	case -EBUSY:
		return snprintf(buf, len, "another program has the device at \"%s\"; wait till it "
				"has ended, or start a second server", path);
	case -EINVAL:
		return snprintf(buf, len, "\"%s\" is no path of a socket: none, or too long", path);
	case -ETIMEDOUT:
		return snprintf(buf, len, "whoever listens at \"%s\" takes no connections; end it "
				"and start it again", path);
	case -EPROTONOSUPPORT:
		return snprintf(buf, len, "the server at \"%s\" speaks another version of the "
				"vfio-user protocol than 0", path);
	case -EPROTO:
	case -ENODEV:
		return snprintf(buf, len, "whoever listens at \"%s\" doesn't speak the vfio-user "
				"protocol, doesn't answer, or went away at once", path);
	}
	return 0;
}

int usrpci_socket_explain_open(const char *root, const char *address, int err,
			       char *buf, size_t len)
{
	const char *rest;
	int ret;

	if (!usrpci_socket_serves(root, address))
		return 0;
	rest = strchr(address, ':') + 1;
	if (!strncmp(address, USRPCI_SIM_PREFIX, strlen(USRPCI_SIM_PREFIX)))
		ret = explain_simulator(rest, err, buf, len);
	else
		ret = explain_socket(rest, err, buf, len);
	return ret ? ret : explain_device(address, err, buf, len);
}
