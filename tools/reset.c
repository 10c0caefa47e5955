// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdio.h>
#include <usrpci.h>
#include "commands.h"

static enum status run(const struct options *options, int nr, char **args)
{
	char bdf[USRPCI_BDF_LEN];
	enum status status = parse_address(args[0], bdf);
	struct usrpci_device *dev;
	int ret;

	if (status)
		return status;
	ret = usrpci_open(&dev, bdf);
	if (ret)
		return complain_open(bdf, ret);
	ret = usrpci_reset(dev);
	if (ret)
		status = complain_call(dev, bdf, ret);
	else
		printf("%s: reset\n", bdf);
	usrpci_close(dev);
	return status;
}

const struct subcommand reset_command = {
	.name = "reset",
	.arguments = "BDF",
	.summary = "Reset a function",
	.min = 1,
	.max = 1,
	.run = run,
};
