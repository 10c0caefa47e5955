// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <usrpci.h>
#include "commands.h"
#include "target.h"

static enum status write_value(const struct target *target, uint64_t value)
{
	enum status status = STATUS_OK;
	struct usrpci_device *dev;
	int ret;

	ret = usrpci_open(&dev, target->address);
	if (ret)
		return complain_open(target->address, ret);
	ret = target_write(dev, target, value);
	if (ret)
		status = complain_call(dev, target->address, ret);
	usrpci_close(dev);
	return status;
}

static enum status run(const struct options *options, int nr, char **args)
{
	struct target target;
	enum status status = target_parse(&target, options->width, args);
	uint64_t value;

	if (status)
		return status;
	if (!parse_number(args[3], &value))
		return complain(STATUS_USAGE, "\"%s\" is no value, 64 or 0x40 would be; "
				"see: usrpci help write", args[3]);
	if (target.width < 8 && value >> target.width * 8)
		return complain(STATUS_USAGE, "%s doesn't fit into %u bytes; "
				"see: usrpci help write", args[3], target.width);
	return write_value(&target, value);
}

const struct subcommand write_command = {
	.name = "write",
	.arguments = "ADDRESS config|bar0..bar5 OFFSET VALUE",
	.summary = "Write a register",
	.takes = TAKES_WIDTH,
	.min = 4,
	.max = 4,
	.run = run,
};
