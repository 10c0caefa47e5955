// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <string.h>

#include "acts.h"
#include "scene.h"

/* What a driver does from its start to its end. */
static int act_life(struct scene *s)
{
	int err = open_it(s);

	if (err)
		return err;
	err = ask_bar(s) ?: function_mask(s->fd, 32) ?: act_coherent(s) ?: hold(s) ?:
	      act_unmap(s) ?: act_irq_none(s) ?: act_free(s);
	end_unmap_close(s);
	return err;
}

/* The same, and nothing is given back by call. */
static int act_short_life(struct scene *s)
{
	int err = open_it(s);

	if (err)
		return err;
	err = ask_bar(s) ?: act_coherent(s) ?: hold(s);
	close_it(s);
	end_unmap_close(s);
	return err;
}

static const struct sequence sequences[] = {
	{ "life", EDU, .n = 2, .kind = MSI, .act = act_life },
	{ "life, intx", EDU, .n = 30, .kind = INTX, .act = act_life },
	{ "life, nvme", NVME, .n = 12, .kind = MSIX, .act = act_life },
	{ "short life", EDU, .n = 3, .kind = MSI, .act = act_short_life },
	{ "short life, nvme", NVME, .n = 3, .kind = MSIX, .act = act_short_life },
};

const struct group life_group = GROUP(sequences);
