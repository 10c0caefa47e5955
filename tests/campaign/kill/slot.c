// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "slot.h"

#define LENT_PAGES	3

static unsigned int add_functions(struct slot *slots, unsigned int max, const char *names,
				  bool nvme)
{
	char *list = strdup(names ?: ""), *rest = list, *bdf;
	unsigned int nr = 0;

	while (nr < max && (bdf = strtok_r(rest, " \n", &rest))) {
		slots[nr] = (struct slot){ .bdf = strdup(bdf), .nvme = nvme };
		slots[nr].life.box = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		slots[nr].lent = pages_new(LENT_PAGES, CANARY_BYTE);
		nr++;
	}
	free(list);
	return nr;
}

unsigned int slots_find(struct slot *slots, unsigned int max)
{
	unsigned int nr = add_functions(slots, max, getenv("USRPCI_EDUS"), false);

	return nr + add_functions(slots + nr, max - nr, getenv("USRPCI_NVMES"), true);
}

/* The function stays open in the child alone: its death ends the parent's mapping. */
static void lend(struct slot *s)
{
	struct usrpci_ioc_region region =
		function_region(s->lent + PAGE, PAGE, USRPCI_BIDIRECTIONAL);
	struct usrpci_ioc_sg run;

	region.sg = (uintptr_t)&run;
	region.nr_sg = 1;
	s->life.fd = function_open(s->bdf);
	if (s->life.fd < 0 || function_mask(s->life.fd, edu_hw_bits()) ||
	    function_map(s->life.fd, &region))
		return;
	s->life.lent_bus = run.bus_addr;
}

void slot_begin(struct slot *s, const struct workload *w, enum life_end end, uint64_t us,
		uint64_t random)
{
	s->work = w;
	s->life = (struct life){
		.bdf = s->bdf, .fd = -1, .random = random, .end = end, .end_us = us,
		.box = s->life.box,
	};
	if (w->lent)
		lend(s);
	s->pid = life_begin(&s->life, w);
	if (s->life.fd >= 0)
		close(s->life.fd);
}

/* How it was lived, for messages. */
static const char *describe(const struct slot *s)
{
	static char text[96];

	if (s->life.end == LIFE_TRACED)
		snprintf(text, sizeof(text), "%s, killed at system call stop %u", s->work->name,
			 s->point);
	else
		snprintf(text, sizeof(text), "%s, killed %" PRIu64 " us after its %s",
			 s->work->name, s->life.end_us,
			 s->life.end == LIFE_MOVING ? "first DMA" : "begin");
	return text;
}

void slot_ended(struct campaign *c, struct slot *s, int status, struct canary *canary)
{
	struct life_box *box = s->life.box;
	uint64_t wanted[LIFE_PAGES];
	unsigned int i;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		campaign_fault(c, "%s: ended by itself, status %#x", describe(s), status);
	s->pid = 0;
	s->ended_ms = now_ms();
	if (s->work->lent)
		memset(s->lent, CANARY_BYTE, LENT_PAGES * PAGE);
	s->wanted = 0;
	for (i = 0; i < LIFE_PAGES; i++)
		if (box->pages[i])
			wanted[s->wanted++] = box->pages[i];
	if (s->wanted)
		canary_catch(canary, wanted, s->wanted);
}

/* By sysfs, since the function is nobody's. */
static bool is_master(const char *bdf)
{
	return function_command(bdf) & PCI_COMMAND_MASTER;
}

static void check_held(struct campaign *c, struct slot *s)
{
	char *held = function_holders(s->bdf);

	if (*held)
		campaign_fault(c, "%s: still held: %.60s", describe(s), held);
	free(held);
}

static void check_lent(struct campaign *c, struct slot *s)
{
	size_t changed = canary_bytes(s->lent, LENT_PAGES * PAGE);

	if (changed)
		campaign_fault(c, "%s: %zu bytes of lent memory have changed", describe(s),
			       changed);
	memset(s->lent, CANARY_BYTE, LENT_PAGES * PAGE);
}

static void count(struct campaign *c, const struct slot *s)
{
	campaign_tally(c, "died with DMA started", s->life.box->moving);
	campaign_tally(c, "transfers before that", s->life.box->landed);
	campaign_tally(c, "pages freed", s->wanted);
}

void slot_check(struct campaign *c, struct slot *s)
{
	if (is_master(s->bdf))
		campaign_fault(c, "%s: it's still bus master", describe(s));
	check_held(c, s);
	check_lent(c, s);
	count(c, s);
	s->work = NULL;
}
