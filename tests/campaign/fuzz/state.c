// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "function.h"
#include "memory.h"
#include "state.h"

#define COMMAND		0x04
#define MASTER		0x04
#define BARS		0x10

static void read_interrupts(struct state *state)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		state->lines++;
		state->vectors += !!strstr(line, "usrpci-");
	}
	if (file)
		fclose(file);
}

static void read_config(struct state *state, const char *bdf)
{
	char path[96];
	uint16_t command = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (pread(fd, &command, sizeof(command), COMMAND) == sizeof(command))
		state->master = !!(command & MASTER);
	if (pread(fd, state->bars, sizeof(state->bars), BARS) != sizeof(state->bars))
		state->bars[0] = 0;
	close(fd);
}

struct state state_now(const char *bdf)
{
	struct state state = { .pinned = pages_pinned(), .held = function_nr_held(bdf) };

	read_interrupts(&state);
	read_config(&state, bdf);
	return state;
}

static void compare(struct campaign *c, const char *what, long before, long after)
{
	if (before != after)
		campaign_fault(c, "%s: %ld before, %ld after", what, before, after);
}

void state_compare(struct campaign *c, const struct state *before, const struct state *after)
{
	compare(c, "pages pinned", before->pinned, after->pinned);
	compare(c, "objects held", 0, after->held);
	compare(c, "lines of /proc/interrupts", before->lines, after->lines);
	compare(c, "vectors", 0, after->vectors);
	compare(c, "bus master", 0, after->master);
	if (memcmp(before->bars, after->bars, sizeof(before->bars)))
		campaign_fault(c, "a BAR was moved: %#x before, %#x after", before->bars[0],
			       after->bars[0]);
}
