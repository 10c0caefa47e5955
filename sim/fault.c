// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fault.h"

#define SEED	1

static const struct knob {
	const char *name;
	const char *help;
	size_t offset;
	uint64_t most;
} knobs[] = {
	{ "irq-storm", "vector 0 fires by itself, so many times a second",
	  offsetof(struct sim_faults, irq_storm), 1000000 },
	{ "irq-lost", "one of so many interrupts is lost",
	  offsetof(struct sim_faults, irq_lost), UINT32_MAX },
	{ "irq-doubled", "one of so many interrupts comes twice",
	  offsetof(struct sim_faults, irq_doubled), UINT32_MAX },
	{ "stray-dma", "after one of so many DMAs another goes where nothing is mapped",
	  offsetof(struct sim_faults, stray_dma), UINT32_MAX },
	{ "command-held", "nvme: one of so many I/O commands isn't done till it's aborted",
	  offsetof(struct sim_faults, command_held), UINT32_MAX },
	{ "command-lost", "nvme: one of so many I/O commands is never done",
	  offsetof(struct sim_faults, command_lost), UINT32_MAX },
	{ "hang", "1: writes to registers do nothing, and its clock stands still",
	  offsetof(struct sim_faults, hang), 1 },
	{ "slow", "microseconds that each access to a register takes",
	  offsetof(struct sim_faults, slow), 1000000 },
	{ "all-ones", "1: reads give ones, and writes do nothing, as with no device",
	  offsetof(struct sim_faults, all_ones), 1 },
	{ "remove", "1: the device goes away, and usrpci-sim ends",
	  offsetof(struct sim_faults, remove), 1 },
	{ "reset-fails", "1: so does a reset", offsetof(struct sim_faults, reset_fails), 1 },
	{ "seed", "of what is drawn by lot", offsetof(struct sim_faults, random), UINT64_MAX },
};

#define NR_KNOBS	(sizeof(knobs) / sizeof(knobs[0]))

void sim_faults_init(struct sim_faults *faults)
{
	*faults = (struct sim_faults){ .random = SEED };
}

static uint64_t *value_of(const struct sim_faults *faults, const struct knob *knob)
{
	return (uint64_t *)((char *)faults + knob->offset);
}

static int set(struct sim_faults *faults, const struct knob *knob, const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > knob->most)
		return -EINVAL;
	/* The generator never leaves 0. */
	*value_of(faults, knob) = knob->offset == offsetof(struct sim_faults, random) && !value ?
				  SEED : value;
	return 0;
}

int sim_faults_set(struct sim_faults *faults, const char *text)
{
	size_t i, len = strcspn(text, "=");

	for (i = 0; i < NR_KNOBS; i++)
		if (strlen(knobs[i].name) == len && !strncmp(knobs[i].name, text, len))
			return text[len] ? set(faults, &knobs[i], text + len + 1) : -EINVAL;
	return -ENOENT;
}

bool sim_faults_get(const struct sim_faults *faults, unsigned int index, const char **name,
		    const char **help, uint64_t *value)
{
	if (index >= NR_KNOBS)
		return false;
	*name = knobs[index].name;
	*help = knobs[index].help;
	*value = *value_of(faults, &knobs[index]);
	return true;
}

/* xorshift64 */
uint64_t sim_faults_random(struct sim_faults *faults)
{
	faults->random ^= faults->random << 13;
	faults->random ^= faults->random >> 7;
	faults->random ^= faults->random << 17;
	return faults->random;
}

bool sim_faults_draw(struct sim_faults *faults, uint64_t n)
{
	return n && !(sim_faults_random(faults) % n);
}
