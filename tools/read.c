// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <usrpci.h>
#include "commands.h"
#include "json.h"
#include "target.h"

#define LINE_BYTES	16
#define MAX_BYTES	(16U << 20)

static enum status read_values(const struct target *first, uint64_t *values, uint64_t count)
{
	struct target target = *first;
	enum status status = STATUS_OK;
	struct usrpci_device *dev;
	uint64_t i;
	int ret;

	ret = usrpci_open(&dev, target.address);
	if (ret)
		return complain_open(target.address, ret);
	for (i = 0; i < count && !status; i++) {
		ret = target_read(dev, &target, &values[i]);
		if (ret)
			status = complain_call(dev, target.address, ret);
		target.offset += target.width;
	}
	usrpci_close(dev);
	return status;
}

static void print_dump(const struct target *target, const uint64_t *values, uint64_t count)
{
	unsigned int a_line = LINE_BYTES / target->width;
	uint64_t i;

	for (i = 0; i < count; i++) {
		if (i % a_line == 0)
			printf("%08" PRIx64 ":", target->offset + i * target->width);
		printf(" %0*" PRIx64, (int)target->width * 2, values[i]);
		if (i % a_line == a_line - 1 || i == count - 1)
			putchar('\n');
	}
}

static void print_json(const struct target *target, const uint64_t *values, uint64_t count)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	uint64_t i;

	json_add_text(object, "address", target->address);
	if (target->bar == TARGET_CONFIG)
		json_add_text(object, "target", "config");
	else
		json_add_format(object, "target", "bar%u", target->bar);
	json_object_object_add(object, "offset", json_object_new_uint64(target->offset));
	json_object_object_add(object, "width", json_object_new_int((int)target->width));
	for (i = 0; i < count; i++)
		json_object_array_add(array, json_object_new_uint64(values[i]));
	json_object_object_add(object, "values", array);
	json_print(object);
}

static enum status run(const struct options *options, int nr, char **args)
{
	struct target target;
	enum status status = target_parse(&target, options->width, args);
	uint64_t *values;

	if (status)
		return status;
	if (options->count > MAX_BYTES / options->width)
		return complain(STATUS_USAGE, "read takes a --count of up to %u, 16 MiB; "
				"see: usrpci help read", MAX_BYTES / options->width);
	values = calloc(options->count, sizeof(*values));
	if (!values)
		return complain(STATUS_FAILED, "no memory for %" PRIu64 " values; see: free -m",
				options->count);
	status = read_values(&target, values, options->count);
	if (!status && options->given & TAKES_JSON)
		print_json(&target, values, options->count);
	else if (!status && options->count > 1)
		print_dump(&target, values, options->count);
	else if (!status)
		printf("0x%0*" PRIx64 "\n", (int)target.width * 2, values[0]);
	free(values);
	return status;
}

const struct subcommand read_command = {
	.name = "read",
	.arguments = "ADDRESS config|bar0..bar5 OFFSET",
	.summary = "Read registers",
	.takes = TAKES_COUNT | TAKES_JSON | TAKES_WIDTH,
	.min = 3,
	.max = 3,
	.run = run,
};
