// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The kernel's log tells of ten faults in five seconds and no more; but the IOMMU
 * raises an interrupt for each that comes when none is pending.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "stray.h"

#define PATIENCE_MS	5000
#define PATIENCE_TOGETHER_MS	300
#define MAX_LOSSES	5

/* A line is "NUMBER: count count ... controller type name". */
static unsigned long sum_of(const char *line)
{
	const char *at = strchr(line, ':');
	unsigned long sum = 0, count;
	char *end;

	for (at = at ? at + 1 : line; ; at = end) {
		count = strtoul(at, &end, 10);
		if (end == at || *end != ' ')
			return sum;
		sum += count;
	}
}

unsigned long faults_reported(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	unsigned long sum = 0;
	char line[512];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (strstr(line, " dmar"))
			sum += sum_of(line);
	fclose(file);
	return sum;
}

static unsigned long wait_for(unsigned long before, unsigned int nr, uint64_t ms)
{
	uint64_t end = now_ms() + ms;
	unsigned long got = faults_reported() - before;

	while (got < nr && now_ms() < end) {
		usleep(1000);
		got = faults_reported() - before;
	}
	return got;
}

void faults_expect(struct stray *s, const char *what, unsigned long before, unsigned int nr,
		   bool together)
{
	unsigned long got = wait_for(before, nr, together ? PATIENCE_TOGETHER_MS : PATIENCE_MS);

	s->losses = got < nr ? s->losses + 1 : 0;
	if (s->losses > (together ? MAX_LOSSES : 0))
		campaign_fault(&s->c, "%s: %lu faults reported for %u attempts", what, got, nr);
	if (got < nr)
		campaign_tally(&s->c, "faults lost as they came together", nr - got);
	campaign_tally(&s->c, "attempts on a translated address", nr);
	campaign_tally(&s->c, "faults reported for them", got);
}
