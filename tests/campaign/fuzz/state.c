// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "function.h"
#include "memory.h"
#include "state.h"

#define BARS		0x10
#define NR_BARS		6

static void read_vectors(struct state *state)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		state->vectors += !!strstr(line, "usrpci-");
	if (file)
		fclose(file);
}

/* Root removes functions and has them found again: the kernel may put them elsewhere. */
static long bars_moved(int config, const char *bdf)
{
	unsigned long long start, end, flags;
	char path[96], line[128];
	long i, moved = 0;
	uint32_t bar;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(path, "re");
	for (i = 0; file && i < NR_BARS && fgets(line, sizeof(line), file); i++)
		if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) == 3 && start &&
		    pread(config, &bar, sizeof(bar), BARS + 4 * i) == sizeof(bar))
			moved += (bar & (bar & 1 ? ~3U : ~15U)) != (uint32_t)start;
	if (file)
		fclose(file);
	return moved;
}

static void read_config(struct state *state, const char *bdf)
{
	int fd = function_config_open(bdf);

	if (fd < 0)
		return;
	state->master = !!(function_command(bdf) & PCI_COMMAND_MASTER);
	state->moved = bars_moved(fd, bdf);
	close(fd);
}

struct state state_now(const char *bdf)
{
	struct state state = { .pinned = pages_pinned(), .held = function_nr_held(bdf) };

	read_vectors(&state);
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
	compare(c, "vectors", 0, after->vectors);
	compare(c, "bus master", 0, after->master);
	compare(c, "BARs moved", 0, after->moved);
}
