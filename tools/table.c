// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "table.h"

int table_row(struct table *table, const char *const *cells)
{
	char **grown = realloc(table->cells, (table->nr + table->columns) * sizeof(*grown));
	unsigned int i;

	if (!grown)
		return -ENOMEM;
	table->cells = grown;
	for (i = 0; i < table->columns; i++) {
		const char *text = cells[i] && *cells[i] ? cells[i] : "-";

		grown[table->nr + i] = strdup(text);
		if (!grown[table->nr + i])
			goto err_free;
	}
	table->nr += table->columns;
	return 0;

err_free:
	while (i--)
		free(grown[table->nr + i]);
	return -ENOMEM;
}

int table_field(struct table *table, const char *name, const char *format, ...)
{
	const char *cells[2] = { name };
	char *text;
	va_list args;
	int ret;

	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret < 0)
		return -ENOMEM;
	cells[1] = text;
	ret = table_row(table, cells);
	free(text);
	return ret;
}

static int width_of(const struct table *table, unsigned int column)
{
	size_t width = 0, len, i;

	for (i = column; i < table->nr; i += table->columns) {
		len = strlen(table->cells[i]);
		if (len > width)
			width = len;
	}
	return (int)width;
}

static void print_row(const struct table *table, size_t first)
{
	unsigned int last = table->columns - 1, i;
	bool bold = table->heading && !first && isatty(STDOUT_FILENO);

	if (bold)
		fputs("\033[1m", stdout);
	for (i = 0; i < last; i++)
		printf("%-*s  ", width_of(table, i), table->cells[first + i]);
	printf("%s%s\n", table->cells[first + last], bold ? "\033[0m" : "");
}

void table_print(struct table *table)
{
	size_t i;

	for (i = 0; i < table->nr; i += table->columns)
		print_row(table, i);
	for (i = 0; i < table->nr; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->nr = 0;
}
