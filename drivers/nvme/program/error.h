/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_ERROR_H
#define PROGRAM_ERROR_H

/* What the program exits with; --help documents them. */
enum status {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
};

/**
 * complain() - Print one sentence on standard error.
 * @status: returned, so that callers can "return complain(...)"
 * @format: as printf()'s; no final full stop or newline
 *
 * Return: @status.
 */
enum status complain(enum status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* PROGRAM_ERROR_H */
