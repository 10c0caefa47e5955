// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdio.h>
#include <usrpci.h>
#include "commands.h"

static enum status run(const struct options *options, int nr, char **args)
{
	char bdf[USRPCI_BDF_LEN];
	const char *address;
	enum status status = parse_device(args[0], bdf, &address);
	struct usrpci_device *dev;
	int ret;

	if (status)
		return status;
	ret = usrpci_open(&dev, address);
	if (ret)
		return complain_open(address, ret);
	ret = usrpci_reset(dev);
	if (ret)
		status = complain_call(dev, address, ret);
	else
		printf("%s: reset\n", address);
	usrpci_close(dev);
	return status;
}

const struct subcommand reset_command = {
	.name = "reset",
	.arguments = "ADDRESS",
	.summary = "Reset a function",
	.min = 1,
	.max = 1,
	.run = run,
};
