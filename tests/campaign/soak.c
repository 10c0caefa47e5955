// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Very many maps, opens and interrupts; then all counters are where they were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "campaign.h"
#include "edu.h"
#include "function.h"
#include "memory.h"
#include "slab.h"

#define REGION_PAGES	16
#define MAPS_A_ROUND	10	/* for each open and each interrupt */
#define WARM_UP		200

struct soak {
	struct campaign *c;
	unsigned char *memory;
	int event;
};

static int open_edu(struct soak *s)
{
	int fd = function_open(function_edu());

	if (fd < 0)
		campaign_fault(s->c, "open: %s", strerror(-fd));
	else
		campaign_tally(s->c, "opens", 1);
	return fd;
}

static void map_once(struct soak *s, int fd)
{
	size_t offset = campaign_below(s->c, 8 * PAGE);
	size_t len = 1 + campaign_below(s->c, REGION_PAGES * PAGE - offset);
	struct usrpci_ioc_region region =
		function_region(s->memory + offset, len, campaign_below(s->c, 3));
	int err = function_map(fd, &region);

	if (!err)
		err = function_unmap_one(fd, region.handle);
	if (err)
		campaign_fault(s->c, "map or unmap: %s", strerror(-err));
}

static void interrupt_once(struct soak *s, struct edu_hw *edu)
{
	uint64_t count = 0;

	if (function_irq_setup(edu->fd, USRPCI_IRQ_MSI, 1) ||
	    function_irq_wire(edu->fd, 0, 1, &s->event)) {
		campaign_fault(s->c, "an interrupt can't be set up");
		return;
	}
	edu_hw_raise(edu, 1);
	edu_hw_ack(edu, 1);
	if (read(s->event, &count, sizeof(count)) != sizeof(count) || count != 1)
		campaign_fault(s->c, "an interrupt came %d times", (int)count);
	campaign_tally(s->c, "interrupts", count);
}

/* The file is closed with the last of its mappings, its vectors and its BAR still held. */
static unsigned int one_round(struct soak *s)
{
	struct edu_hw edu = { .fd = open_edu(s) };
	struct usrpci_ioc_region held;
	int i;

	if (edu.fd < 0)
		return MAPS_A_ROUND;
	edu.regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
			function_bar(edu.fd, 0).offset);
	edu_hw_start(&edu);
	for (i = 0; i < MAPS_A_ROUND - 1; i++)
		map_once(s, edu.fd);
	held = function_region(s->memory, REGION_PAGES * PAGE, USRPCI_BIDIRECTIONAL);
	if (function_map(edu.fd, &held))
		campaign_fault(s->c, "the last map of a round failed");
	interrupt_once(s, &edu);
	munmap((void *)edu.regs, PAGE);
	close(edu.fd);
	return MAPS_A_ROUND;
}

static void compare(struct campaign *c, const char *what, long before, long after)
{
	if (after != before)
		campaign_fault(c, "%s: %ld before, %ld after", what, before, after);
}

int main(int argc, char **argv)
{
	struct campaign c;
	struct soak s = { .c = &c };
	long pinned, charged, slab;
	int i;

	campaign_start(&c, argc, argv, "soak", "maps", 1000000);
	function_require();
	s.memory = pages_new(REGION_PAGES, 1);
	s.event = eventfd(0, 0);
	/* What caches keep for the next time is there before anything is compared. */
	for (i = 0; i < WARM_UP; i++)
		one_round(&s);
	c.nr_tallies = 0;
	slab = slab_objects();
	if (slab < 0)
		campaign_fault(&c, "no kernel memory is counted: boot with slub_debug=U,kmalloc-*");
	campaign_peak(&c, "objects of the module's", slab);
	pinned = pages_pinned();
	charged = pages_charged();
	while (!campaign_is_done(&c))
		campaign_step(&c, one_round(&s));
	compare(&c, "pages pinned", pinned, pages_pinned());
	compare(&c, "pages charged", charged, pages_charged());
	compare(&c, "slab objects", slab, slab_objects());
	if (c.failures)
		slab_show();
	return campaign_end(&c);
}
