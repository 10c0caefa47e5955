/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_STREAM_H
#define PROGRAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "error.h"

/* Bytes between disk and file. */
#define STREAM_BUFFER	(8U << 20)

/**
 * struct stream - The other end of a copy: a file, and the memory between.
 * @path: its name; NULL or "-": standard input or output
 * @fd: its descriptor
 * @buf: STREAM_BUFFER bytes
 */
struct stream {
	const char *path;
	int fd;
	char *buf;
};

/**
 * stream_open() - Open the other end of a copy.
 * @stream: filled in
 * @path: file; NULL or "-": standard input or output
 * @output: to be written: it is made, or made empty
 *
 * Return: STATUS_OK, or STATUS_FAILED after having said why.
 */
enum status stream_open(struct stream *stream, const char *path, bool output);

/**
 * stream_close() - Close it.
 * @stream: what stream_open() made
 *
 * Return: STATUS_OK, or STATUS_FAILED after having said that something is lost.
 */
enum status stream_close(struct stream *stream);

/**
 * stream_write() - Write what is in the buffer.
 * @stream: an output
 * @len: bytes
 *
 * Return: 0, or a negative errno.
 */
int stream_write(struct stream *stream, size_t len);

/**
 * stream_read() - Fill the buffer.
 * @stream: an input
 * @len: bytes
 *
 * Return: bytes, less than @len only at the end; or a negative errno.
 */
ssize_t stream_read(struct stream *stream, size_t len);

#endif /* PROGRAM_STREAM_H */
