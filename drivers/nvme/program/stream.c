// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream.h"

static int open_file(const char *path, bool output)
{
	if (!path || !strcmp(path, "-"))
		return output ? STDOUT_FILENO : STDIN_FILENO;
	if (output)
		return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return open(path, O_RDONLY | O_CLOEXEC);
}

enum status stream_open(struct stream *stream, const char *path, bool output)
{
	stream->path = path;
	stream->fd = open_file(path, output);
	if (stream->fd < 0)
		return complain(STATUS_FAILED, "%s: %s; run: ls -ld %s", path, strerror(errno),
				path);
	/* Whole pages, for the driver maps them. */
	stream->buf = aligned_alloc(4096, STREAM_BUFFER);
	if (stream->buf)
		return STATUS_OK;
	complain(STATUS_FAILED, "too little memory; run: free -m");
	stream_close(stream);
	return STATUS_FAILED;
}

enum status stream_close(struct stream *stream)
{
	free(stream->buf);
	if (stream->fd <= STDERR_FILENO || !close(stream->fd))
		return STATUS_OK;
	return complain(STATUS_FAILED, "%s: %s; run: df %s", stream->path, strerror(errno),
			stream->path);
}

int stream_write(struct stream *stream, size_t len)
{
	const char *buf = stream->buf;
	ssize_t did;

	while (len) {
		did = write(stream->fd, buf, len);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		buf += did;
		len -= (size_t)did;
	}
	return 0;
}

ssize_t stream_read(struct stream *stream, size_t len)
{
	size_t have = 0;
	ssize_t did;

	while (have < len) {
		did = read(stream->fd, stream->buf + have, len - have);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		if (!did)
			break;
		have += (size_t)did;
	}
	return (ssize_t)have;
}
