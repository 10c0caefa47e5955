// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "explain.h"
#include "vfio-user.h"

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

static int explain_simulator(const char *device, int err, char *buf, size_t len)
{
	switch (err) {
	case -ENOEXEC:
		return snprintf(buf, len, "there is no usrpci-sim beside this program or on the "
				"PATH; say where it is: export PATH=$PATH:/where/it/is");
	case -ENOENT:
		return snprintf(buf, len, "the simulator has no device \"%s\", or not with these "
				"options; see what it has: usrpci-sim --list", device);
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
