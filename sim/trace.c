// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include "trace.h"

int sim_trace_open(struct sim_trace *trace, const char *path)
{
	trace->file = path ? fopen(path, "we") : NULL;
	if (path && !trace->file)
		return -errno;
	/* Somebody may look on. */
	if (trace->file)
		setlinebuf(trace->file);
	return 0;
}

void sim_trace_close(struct sim_trace *trace)
{
	if (trace->file)
		fclose(trace->file);
	trace->file = NULL;
}

void sim_trace_line(struct sim_trace *trace, const char *format, ...)
{
	va_list args;

	if (!trace->file)
		return;
	va_start(args, format);
	vfprintf(trace->file, format, args);
	va_end(args);
	fputc('\n', trace->file);
}

void sim_trace_access(struct sim_trace *trace, const char *what, unsigned int region,
		      uint64_t offset, const void *data, size_t len)
{
	char place[24] = "config";
	uint64_t value = 0;

	if (!trace->file)
		return;
	if (region != VFIO_PCI_CONFIG_REGION_INDEX)
		snprintf(place, sizeof(place), "bar%u", region);
	if (len > sizeof(value)) {
		sim_trace_line(trace, "%s %s+%#" PRIx64 ": %zu bytes", what, place, offset, len);
		return;
	}
	memcpy(&value, data, len);
	sim_trace_line(trace, "%s %s+%#" PRIx64 " = %#" PRIx64, what, place, offset,
		       le64toh(value));
}

void sim_trace_dma(struct sim_trace *trace, const char *what, uint64_t address, size_t len,
		   int err)
{
	sim_trace_line(trace, "%s %#" PRIx64 " %zu%s", what, address, len, err ? ": refused" : "");
}
