/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_TARGET_H
#define TOOLS_TARGET_H

#include <stdint.h>
#include <usrpci.h>
#include "error.h"

/* config space stands beside the BARs. */
#define TARGET_CONFIG USRPCI_BARS

/**
 * struct target - A place in a function's registers.
 * @bdf: the function's name
 * @address: that, or what else was given to be opened
 * @bar: 0 to 5, or TARGET_CONFIG
 * @offset: bytes
 * @width: bytes of a value: 1, 2, 4 or 8
 */
struct target {
	char bdf[USRPCI_BDF_LEN];
	const char *address;
	unsigned int bar;
	uint64_t offset;
	unsigned int width;
};

/**
 * target_parse() - Read "ADDRESS TARGET OFFSET".
 * @target: filled in; not to be copied
 * @width: bytes of a value
 * @args: the three words
 *
 * Return: STATUS_OK, or STATUS_USAGE after having said what is wrong.
 */
enum status target_parse(struct target *target, unsigned int width, char **args);

/**
 * target_read() - Read one value.
 * @dev: the device
 * @target: where
 * @value: set
 *
 * Return: 0 or a negative errno.
 */
int target_read(struct usrpci_device *dev, const struct target *target, uint64_t *value);

/**
 * target_write() - Write one value.
 * @dev: the device
 * @target: where
 * @value: what
 *
 * Return: 0 or a negative errno.
 */
int target_write(struct usrpci_device *dev, const struct target *target, uint64_t value);

#endif /* TOOLS_TARGET_H */
