// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <string.h>
#include "options.h"
#include "target.h"

static bool parse_bar(const char *text, unsigned int *bar)
{
	if (!strcmp(text, "config"))
		*bar = TARGET_CONFIG;
	else if (!strncmp(text, "bar", 3) && text[3] >= '0' && text[3] <= '5' && !text[4])
		*bar = text[3] - '0';
	else
		return false;
	return true;
}

enum status target_parse(struct target *target, unsigned int width, char **args)
{
	enum status status = parse_device(args[0], target->bdf, &target->address);

	if (status)
		return status;
	if (!parse_bar(args[1], &target->bar))
		return complain(STATUS_USAGE, "\"%s\" is neither config nor bar0 to bar5; "
				"see: usrpci help read", args[1]);
	if (!parse_number(args[2], &target->offset))
		return complain(STATUS_USAGE, "\"%s\" is no offset, 64 or 0x40 would be; "
				"see: usrpci help read", args[2]);
	if (target->bar == TARGET_CONFIG && width > 4)
		return complain(STATUS_USAGE, "config space takes a --width of 1, 2 or 4; "
				"see: usrpci help read");
	if (target->offset % width)
		return complain(STATUS_USAGE, "offset %s is no multiple of the width, %u; "
				"see: usrpci help read", args[2], width);
	if (target->bar == TARGET_CONFIG && target->offset > 4095)
		return complain(STATUS_USAGE, "config space ends before %s; see: usrpci info %s",
				args[2], target->address);
	target->width = width;
	return STATUS_OK;
}

int target_read(struct usrpci_device *dev, const struct target *target, uint64_t *value)
{
	uint32_t word;
	int ret;

	if (target->bar != TARGET_CONFIG)
		return usrpci_bar_read(dev, target->bar, target->offset, target->width, value);
	ret = usrpci_config_read(dev, (unsigned int)target->offset, target->width, &word);
	*value = word;
	return ret;
}

int target_write(struct usrpci_device *dev, const struct target *target, uint64_t value)
{
	if (target->bar != TARGET_CONFIG)
		return usrpci_bar_write(dev, target->bar, target->offset, target->width, value);
	return usrpci_config_write(dev, (unsigned int)target->offset, target->width,
				   (uint32_t)value);
}
