/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Rows of text in aligned columns, the last one unpadded. */
struct table {
	unsigned int columns;
	size_t nr;	/* cells */
	char **cells;
	bool heading;	/* the first row is one */
};

/**
 * table_row() - Add a row.
 * @table: the table; @columns is set by the caller, the rest is 0
 * @cells: one text a column; NULL or empty ones show as "-"
 *
 * Return: 0 or -ENOMEM.
 */
int table_row(struct table *table, const char *const *cells);

/**
 * table_field() - Add a row of two cells to a table of two columns.
 * @table: the table
 * @name: first cell
 * @format: second cell, as printf()'s
 *
 * Return: 0 or -ENOMEM.
 */
int table_field(struct table *table, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * table_print() - Print a table on standard output and free its rows.
 * @table: the table
 */
void table_print(struct table *table);

#endif /* TOOLS_TABLE_H */
