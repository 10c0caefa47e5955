/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_ERROR_H
#define TOOLS_ERROR_H

/* What the command exits with; the manual page documents them. */
enum status {
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,
	STATUS_NO_FUNCTION,
	STATUS_IN_USE,
	STATUS_NOT_PERMITTED,
	STATUS_NOT_BOUND,
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

/**
 * warn() - Print one sentence that isn't about a failure on standard error.
 * @format: as printf()'s
 */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * status_of() - The exit status that says what a library call's error says.
 * @err: a negative errno from opening or binding a function
 *
 * Return: the status.
 */
enum status status_of(int err);

struct usrpci_device;

/**
 * complain_open() - Say why a function couldn't be opened or unbound.
 * @bdf: the function
 * @err: what the library returned
 *
 * Return: the status that fits @err.
 */
enum status complain_open(const char *bdf, int err);

/**
 * complain_bind() - Say why a function couldn't be given to a driver.
 * @bdf: the function
 * @driver: the driver
 * @err: what the library returned
 *
 * Return: the status that is meant by @err.
 */
enum status complain_bind(const char *bdf, const char *driver, int err);

/**
 * complain_call() - Say why a call on an open function failed.
 * @dev: the device
 * @bdf: its name
 * @err: what the library returned
 *
 * Return: the status that fits @err.
 */
enum status complain_call(struct usrpci_device *dev, const char *bdf, int err);

#endif /* TOOLS_ERROR_H */
