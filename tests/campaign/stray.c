// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Devices try to reach memory after it was unmapped, and after their file was closed.
 * It must not change; where the IOMMU translates it must report each attempt.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <nvme/nvme.h>

#include "function.h"
#include "memory.h"
#include "stray/stray.h"

#define UNMAPS	50

void stray_free_page(struct stray *s, unsigned char *page)
{
	uint64_t physical = physical_address(page);
	size_t before = s->canary.caught;

	pages_free(page, 1);
	canary_catch(&s->canary, &physical, 1);
	campaign_tally(&s->c, "pages freed", 1);
	campaign_tally(&s->c, "of them caught again", s->canary.caught - before);
}

void stray_check(struct stray *s, const char *what, const unsigned char *page, unsigned int pages)
{
	size_t changed = canary_changed(&s->canary);

	if (page)
		changed += canary_bytes(page, pages * PAGE);
	if (changed)
		campaign_fault(&s->c, "%s: %zu canary bytes have changed", what, changed);
	campaign_tally(&s->c, "canary bytes changed", changed);
}

static unsigned int split(const char *names, const char **list)
{
	char *rest = strdup(names ?: ""), *bdf;
	unsigned int nr = 0;

	while (nr < MAX_FUNCTIONS && (bdf = strtok_r(rest, " \n", &rest)))
		list[nr++] = bdf;
	return nr;
}

/* A disk that is a file of the host's has the serial number of its drive. */
static bool keeps_data(const char *bdf)
{
	struct nvme *nvme;
	bool keeps;

	if (nvme_open(&nvme, bdf, NULL))
		return false;
	keeps = !strncmp(nvme_info(nvme)->serial, "drive", 5);
	nvme_close(nvme);
	return keeps;
}

static void find_disks(struct stray *s)
{
	const char *all[MAX_FUNCTIONS];
	unsigned int i, nr = split(getenv("USRPCI_NVMES"), all);

	for (i = 0; i < nr; i++) {
		if (keeps_data(all[i]))
			s->disk = all[i];
		else
			s->slow[s->nr_slow++] = all[i];
	}
}

static bool is_translated(const struct stray *s)
{
	int fd = function_open(s->edus[0]);
	unsigned int isolation = function_info(fd).isolation;

	close(fd);
	return isolation == USRPCI_ISOLATION_LAZY || isolation == USRPCI_ISOLATION_STRICT;
}

/* Long campaigns open the disk less often. */
static void one_round(struct stray *s, bool translated)
{
	unsigned int i, scale = 1 + s->c.goal / 1200;

	if (translated && s->disk)
		campaign_step(&s->c, stray_nvme_unmapped(s, scale * UNMAPS));
	for (i = 0; i < scale; i++) {
		if (translated)
			campaign_step(&s->c, stray_edu_unmapped(s));
		campaign_step(&s->c, stray_edu_closed(s));
	}
	campaign_step(&s->c, stray_nvme_closed(s));
}

int main(int argc, char **argv)
{
	static struct stray s;
	bool translated;
	long pinned;

	campaign_start(&s.c, argc, argv, "stray", "attempts", 5000);
	function_require();
	s.nr_edus = split(getenv("USRPCI_EDUS"), s.edus);
	find_disks(&s);
	translated = is_translated(&s);
	pinned = pages_pinned();
	while (!campaign_is_done(&s.c))
		one_round(&s, translated);
	if (pages_pinned() != pinned || pages_charged())
		campaign_fault(&s.c, "pages stay pinned or charged");
	return campaign_end(&s.c);
}
