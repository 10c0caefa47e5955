// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Each sequence of calls is swept: its first call into the kernel that can fail does,
 * then its second, and so on till it gets through with nothing failed. After each
 * failure all is as before, and the same sequence succeeds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "failnth/groups.h"
#include "failnth/sweep.h"
#include "memory.h"

#define MAX_SEQUENCES	200
#define LONG_RUN	250	/* in which the module is loaded again, too */

static const struct group *const groups[] = {
	&module_group, &control_group, &buffer_group, &mapping_group, &interrupt_group,
	&storm_group, &register_group, &quiesce_group, &event_group, &isolation_group,
	&end_group, &fork_group, &driver_group, &revoke_group, &life_group,
	&space_group,
};

/* Those that this VM is for, and that are swept @once or not. */
static unsigned int sequences_of(const struct scene *s, bool once, const struct sequence **found)
{
	unsigned int nr = 0;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (j = 0; j < groups[i]->nr && nr < MAX_SEQUENCES; j++) {
			const struct sequence *q = &groups[i]->sequences[j];

			if (q->once == once && sequence_is_for(q, s->injector))
				found[nr++] = q;
		}
	return nr;
}

static void shuffle(struct campaign *c, const struct sequence **all, unsigned int nr)
{
	const struct sequence *other;
	unsigned int i, j;

	for (i = nr - 1; i > 0; i--) {
		j = campaign_below(c, i + 1);
		other = all[i];
		all[i] = all[j];
		all[j] = other;
	}
}

/*
 * In any order, again and again with other offsets, till as many failed as were asked for.
 * What loads the module comes first, since what it counts begins again then.
 */
static void sweep_all(struct scene *s)
{
	const struct sequence *all[MAX_SEQUENCES];
	unsigned int i, nr = sequences_of(s, true, all);
	/* Where the whole kernel's calls fail that would take hours, and one sequence minutes. */
	bool whole = s->c->goal >= LONG_RUN && !s->injector->of_kernel;

	s->limit = s->injector->of_kernel ? s->c->goal : 0;
	for (i = 0; i < nr && s->c->goal >= LONG_RUN; i++)
		sweep(s, all[i]);
	nr = sequences_of(s, false, all);
	while (nr && !campaign_is_done(s->c)) {
		shuffle(s->c, all, nr);
		for (i = 0; i < nr && (whole || !campaign_is_done(s->c)); i++)
			sweep(s, all[i]);
		whole = false;
	}
}

/* One of them, by its name. */
static void sweep_one(struct scene *s, const char *name)
{
	const struct sequence *all[MAX_SEQUENCES];
	unsigned int i, once, nr;

	for (once = 0; once < 2; once++) {
		nr = sequences_of(s, once, all);
		for (i = 0; i < nr; i++)
			if (!strcmp(all[i]->name, name))
				sweep(s, all[i]);
	}
}

static void scene_new(struct scene *s, struct campaign *c)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->c = c;
	s->injector = injector_find();
	s->pool = pages_new(POOL_PAGES, 0);
	s->pristine = pages_new(POOL_PAGES, 0);
	for (i = 0; i < POOL_PAGES * PAGE; i++)
		s->pool[i] = campaign_random(c);
	memcpy(s->pristine, s->pool, POOL_PAGES * PAGE);
	for (i = 0; i < MAX_VECTORS; i++)
		s->events[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static const char *argument(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return NULL;
}

int main(int argc, char **argv)
{
	static struct scene s;
	const char *only = argument(argc, argv, "--only");
	unsigned int sites, never;
	struct campaign c;

	function_require();
	campaign_start(&c, argc, argv, "failnth", "injections", only ? 0 : 1500);
	scene_new(&s, &c);
	if (!s.injector) {
		fprintf(stderr, "failnth: neither this kernel nor this module can fail calls\n");
		return SKIPPED;
	}
	fprintf(stderr, "failnth: by %s\n", s.injector->name);
	if (only)
		sweep_one(&s, only);
	else
		sweep_all(&s);
	injector_sites(&sites, &never, true);
	if (sites) {
		campaign_peak(&c, "sites", sites);
		campaign_peak(&c, "sites that never failed", never);
	}
	return campaign_end(&c);
}
