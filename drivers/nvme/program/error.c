// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdarg.h>
#include <stdio.h>
#include "error.h"

enum status complain(enum status status, const char *format, ...)
{
	va_list args;

	fputs("usrpci-nvme: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}
