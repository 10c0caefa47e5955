// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A coherent buffer whose function is taken away: the maps get a copy, as far as memory goes. */
#include <errno.h>

#include "acts.h"
#include "memory.h"
#include "scene.h"

static uint32_t pattern(size_t page)
{
	return 0xc0de0000U + page;
}

static size_t pages_of(struct scene *s)
{
	return s->buffer.len / PAGE;
}

static int setup_filled(struct scene *s)
{
	int err = setup_coherent_mapped(s);
	size_t i;

	for (i = 0; !err && i < pages_of(s); i++)
		*(volatile uint32_t *)(s->coherent + i * PAGE) = pattern(i);
	return err;
}

static int setup_revoked(struct scene *s)
{
	return setup_filled(s) ?: act_unbind(s);
}

/* From a page on that there was no memory for all are lost; the ones before are as they were. */
static void undo_revoke(struct scene *s)
{
	size_t i, lost = 0;

	for (i = 0; i < pages_of(s); i++) {
		volatile uint32_t *word = (volatile uint32_t *)(s->coherent + i * PAGE);

		if (touch(word))
			lost++;
		else if (lost || *word != pattern(i) || touch_write(word, ~*word))
			must(s, "what was in the buffer", -EBADMSG);
	}
	if (lost && !s->failed)
		campaign_fault(s->c, "%s, call %u: %zu pages of %zu are lost", s->q->name, s->nth,
			       lost, pages_of(s));
	campaign_tally(s->c, "pages lost for want of memory", lost);
}

static int act_touch(struct scene *s)
{
	return touch_all(s->coherent, s->buffer.len);
}

static const struct sequence sequences[] = {
	{ "revoke", EDU, .n = 7, .setup = setup_filled, .act = act_unbind, .undo = undo_revoke,
	  .end = end_unbound, .hook_only = true },
	{ "revoke, nvme", NVME, .n = 3, .setup = setup_filled, .act = act_unbind,
	  .undo = undo_revoke, .end = end_unbound, .hook_only = true },
	{ "touch what was revoked", EDU, .n = 5, .setup = setup_revoked, .act = act_touch,
	  .undo = undo_revoke, .end = end_unbound },
};

const struct group revoke_group = GROUP(sequences);
