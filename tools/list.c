// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdio.h>
#include <stdlib.h>
#include <usrpci.h>
#include "commands.h"
#include "function.h"
#include "json.h"
#include "table.h"

#define BASE_CLASS_BRIDGE 0x06

static bool shown(const struct function *function, const struct options *options)
{
	if (options->given & TAKES_BOUND)
		return function_bound(function);
	return options->given & TAKES_ALL || function->class_id >> 8 != BASE_CLASS_BRIDGE;
}

static int add_row(struct table *table, const struct function *function)
{
	char title[400], group[16] = "", opener[80] = "";
	const char *const cells[] = { function->bdf, function->driver, group,
				      function->isolation, opener, title };

	function_title(function, title, sizeof(title));
	if (function->iommu_group >= 0)
		snprintf(group, sizeof(group), "%d", function->iommu_group);
	if (function->opener_pid)
		snprintf(opener, sizeof(opener), "%d %s", function->opener_pid, function->opener);
	return table_row(table, cells);
}

static int print_table(const struct function *functions, size_t nr, const struct options *options)
{
	static const char *const heading[] = {
		"ADDRESS", "DRIVER", "GROUP", "ISOLATION", "OPENED BY", "FUNCTION",
	};
	struct table table = { .columns = 6, .heading = true };
	int ret = table_row(&table, heading);
	size_t i;

	for (i = 0; i < nr && !ret; i++) {
		if (shown(&functions[i], options))
			ret = add_row(&table, &functions[i]);
	}
	if (table.nr > table.columns)
		table_print(&table);
	else if (options->given & TAKES_BOUND)
		warn("nothing is bound to usrpci or vfio-pci; to bind a function: usrpci bind BDF");
	else
		warn("there is nothing but bridges; to see them: usrpci list --all");
	return ret;
}

static void print_json(const struct function *functions, size_t nr, const struct options *options)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < nr; i++) {
		if (shown(&functions[i], options))
			json_object_array_add(array, function_json(&functions[i]));
	}
	json_print(array);
}

static enum status run(const struct options *options, int nr_args, char **args)
{
	struct function *functions;
	ssize_t nr = functions_read("", &functions);
	int ret = 0;

	if (nr < 0)
		return complain(STATUS_FAILED, "no memory to list the functions");
	if (options->given & TAKES_JSON)
		print_json(functions, nr, options);
	else
		ret = print_table(functions, nr, options);
	free(functions);
	return ret ? complain(STATUS_FAILED, "no memory to list the functions") : STATUS_OK;
}

const struct subcommand list_command = {
	.name = "list",
	.arguments = "",
	.summary = "Show the PCI functions, what drives them and who has them open",
	.takes = TAKES_ALL | TAKES_BOUND | TAKES_JSON,
	.run = run,
};
