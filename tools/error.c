// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <usrpci.h>
#include "error.h"

static void say(const char *format, va_list args)
{
	fputs("usrpci: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

enum status complain(enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return status;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

enum status status_of(int err)
{
	switch (-err) {
	case 0:
		return STATUS_OK;
	case ENOENT:
		return STATUS_NO_FUNCTION;
	case EBUSY:
		return STATUS_IN_USE;
	case EPERM:
	case EACCES:
		return STATUS_NOT_PERMITTED;
	case ENXIO:
	case ENODEV:
		return STATUS_NOT_BOUND;
	default:
		return STATUS_FAILED;
	}
}

/* The library's sentence may or may not name the function: say it once. */
static void say_explained(const char *bdf, const char *sentence)
{
	if (strstr(sentence, bdf))
		warn("%s", sentence);
	else
		warn("%s: %s", bdf, sentence);
}

enum status complain_open(const char *bdf, int err)
{
	char sentence[512];

	usrpci_explain_open(bdf, err, sentence, sizeof(sentence));
	say_explained(bdf, sentence);
	return status_of(err);
}

enum status complain_bind(const char *bdf, const char *driver, int err)
{
	char sentence[512];

	usrpci_explain_bind(bdf, driver, err, sentence, sizeof(sentence));
	say_explained(bdf, sentence);
	return status_of(err);
}

enum status complain_call(struct usrpci_device *dev, const char *bdf, int err)
{
	char sentence[512];

	usrpci_explain(dev, err, sentence, sizeof(sentence));
	say_explained(bdf, sentence);
	/* It was bound when it was opened: now it's gone. */
	return err == -ENODEV ? STATUS_NO_FUNCTION : status_of(err);
}
