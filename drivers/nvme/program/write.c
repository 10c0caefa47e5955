// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <string.h>
#include "commands.h"
#include "disk.h"
#include "progress.h"
#include "stream.h"

/* Without --length the input decides, and may turn out too long. */
static enum status copy(struct nvme *nvme, const struct options *options, struct stream *input)
{
	uint64_t length = options->length, done = 0;
	struct progress progress;
	size_t part;
	ssize_t got;
	int err;

	progress_start(&progress, options->progress, length == UINT64_MAX ? 0 : length);
	while (done < length) {
		part = length - done < STREAM_BUFFER ? (size_t)(length - done) : STREAM_BUFFER;
		got = stream_read(input, part);
		if (got < 0)
			return complain(STATUS_FAILED, "reading the input: %s; run: usrpci-nvme "
					"--help", strerror((int)-got));
		if (!got)
			break;
		err = nvme_write(nvme_queue(nvme, 0), options->offset + done, input->buf,
				 (size_t)got, 0);
		if (err)
			return disk_complain(nvme, "writing", err);
		done += (uint64_t)got;
		progress_show(&progress, done);
	}
	progress_end(&progress);
	err = nvme_flush(nvme_queue(nvme, 0));
	return err ? disk_complain(nvme, "flushing", err) : STATUS_OK;
}

static enum status run(struct nvme *nvme, const struct options *options)
{
	struct stream input;
	enum status status;
	uint64_t most;

	status = disk_check_range(nvme, options, &most);
	if (!status)
		status = stream_open(&input, options->path, false);
	if (status)
		return status;
	status = copy(nvme, options, &input);
	return stream_close(&input) ? STATUS_FAILED : status;
}

const struct subcommand write_command = {
	.name = "write",
	.takes = "dipolIP",
	.run = run,
};
