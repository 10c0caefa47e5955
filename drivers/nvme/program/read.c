// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <string.h>
#include "commands.h"
#include "disk.h"
#include "progress.h"
#include "stream.h"

static enum status copy(struct nvme *nvme, const struct options *options, uint64_t length,
			struct stream *output)
{
	struct progress progress;
	uint64_t done = 0;
	size_t part;
	int err;

	progress_start(&progress, options->progress, length);
	while (done < length) {
		part = length - done < STREAM_BUFFER ? (size_t)(length - done) : STREAM_BUFFER;
		err = nvme_read(nvme_queue(nvme, 0), options->offset + done, output->buf, part);
		if (err)
			return disk_complain(nvme, "reading", err);
		err = stream_write(output, part);
		if (err)
			return complain(STATUS_FAILED, "writing the output: %s; run: df",
					strerror(-err));
		done += part;
		progress_show(&progress, done);
	}
	progress_end(&progress);
	return STATUS_OK;
}

static enum status run(struct nvme *nvme, const struct options *options)
{
	struct stream output;
	enum status status;
	uint64_t length;

	status = disk_check_range(nvme, options, &length);
	if (!status)
		status = stream_open(&output, options->path, true);
	if (status)
		return status;
	status = copy(nvme, options, length, &output);
	return stream_close(&output) ? STATUS_FAILED : status;
}

const struct subcommand read_command = {
	.name = "read",
	.takes = "dipolOP",
	.run = run,
};
