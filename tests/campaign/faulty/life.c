// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "campaign.h"
#include "function.h"
#include "life.h"

#define MISTAKES	40
#define FOR_EVER	100000000
#define WINDOW		(2 * PAGE)

uint64_t life_below(struct life *l, uint64_t n)
{
	return random_below(&l->random, n);
}

static void map_some(struct life *l)
{
	unsigned int i;

	for (i = 0; i < LIFE_HANDLES / 2; i++) {
		uint64_t page = life_below(l, LIFE_PAGES);
		struct usrpci_ioc_region region =
			function_region(l->memory + page * PAGE, PAGE * (LIFE_PAGES - page),
					life_below(l, 3));

		if (!function_map(l->fd, &region))
			l->handles[i] = region.handle;
	}
}

static void get_buffer(struct life *l)
{
	if (function_coherent(l->fd, PAGE * (2 + life_below(l, 14)), &l->buffer)) {
		l->buffer.size = 0;
		return;
	}
	l->queue = mmap(NULL, l->buffer.len, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd,
			(off_t)l->buffer.mmap_offset);
	if (l->queue == MAP_FAILED)
		l->queue = NULL;
}

/* What a driver does before it goes wrong; some of it was forgotten. */
static void set_up(struct life *l)
{
	if (life_below(l, 8)) {
		l->bar = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd,
			      function_bar(l->fd, 0).offset);
		if (l->bar == MAP_FAILED)
			l->bar = NULL;
	}
	if (life_below(l, 4))
		function_master(l->fd, 1);
	if (life_below(l, 4))
		get_buffer(l);
	if (life_below(l, 4))
		map_some(l);
	if (life_below(l, 3) && !function_irq_setup(l->fd, 1 + life_below(l, 3), 1) &&
	    life_below(l, 3))
		function_irq_wire(l->fd, 0, 1, &l->event);
}

static void __attribute__((noreturn)) finish(enum life_end end)
{
	volatile int *volatile nowhere = NULL;

	if (end == LIFE_CRASH)
		*nowhere = 1;
	if (end == LIFE_ABORT)
		abort();
	_exit(0);
}

void life_run(const char *bdf, bool is_nvme, uint64_t seed, enum life_end end)
{
	struct rlimit no_core = { 0, 0 };
	struct life l = { .random = seed, .is_nvme = is_nvme };
	unsigned int i, mistakes = end == LIFE_KILLED ? FOR_EVER : MISTAKES;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	l.fd = function_open(bdf);
	if (l.fd < 0)
		_exit(2);
	l.memory = mmap(NULL, LIFE_PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	l.event = eventfd(0, EFD_NONBLOCK);
	l.isolated = function_info(l.fd).isolation == USRPCI_ISOLATION_STRICT;
	set_up(&l);
	for (i = 0; i < mistakes; i++) {
		if (life_below(&l, 2))
			mistake_call(&l);
		else if (is_nvme)
			mistake_nvme(&l);
		else
			mistake_edu(&l);
	}
	finish(end);
}
