// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A vector that fires too often is masked, and what's done with it then. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "acts.h"
#include "edu.h"
#include "scene.h"

/* A second within a tenth of a second is one too many. */
#define LOW	"10"

static int storm(struct scene *s)
{
	struct edu_hw edu = { .fd = s->fd, .regs = (volatile uint32_t *)s->map };
	struct pollfd p = { .fd = s->fd, .events = POLLPRI };
	unsigned int i;

	for (i = 0; i < 200; i++) {
		edu_hw_raise(&edu, 1);
		edu_hw_ack(&edu, 1);
		if (poll(&p, 1, 2) == 1 && p.revents & POLLPRI)
			return 0;
	}
	return -ETIMEDOUT;
}

static int setup_masked(struct scene *s)
{
	uint64_t count;
	int err = module_parameter("storm_rate", LOW) ?: setup_regs(s) ?: act_irq(s) ?:
		  act_wire(s) ?: storm(s);

	/* It's told by an event; what was signalled before it isn't wanted here. */
	if (!err && read(s->events[0], &count, sizeof(count)) < 0)
		err = -errno;
	return err;
}

static void end_storm(struct scene *s)
{
	end_unmap_close(s);
	must(s, "storm_rate", module_parameter("storm_rate", STORM_RATE));
}

/* Since something may have been lost. */
static void undo_unmask(struct scene *s)
{
	uint64_t count;

	if (read(s->events[0], &count, sizeof(count)) < 0)
		must(s, "signalled", -errno);
}

static int act_event(struct scene *s)
{
	struct usrpci_ioc_event event;
	int err = function_event(s->fd, &event);

	return err ?: event.type == USRPCI_EVENT_STORM && !event.detail ? 0 : -EBADMSG;
}

static const struct sequence sequences[] = {
	{ "unmask after a storm", EDU, .n = 1, .kind = MSI, .setup = setup_masked,
	  .act = act_unmask, .undo = undo_unmask, .end = end_storm },
	{ "no interrupts after a storm", EDU, .n = 1, .kind = MSI, .setup = setup_masked,
	  .act = act_irq_none, .end = end_storm },
	{ "wire after a storm", EDU, .n = 1, .kind = MSI, .setup = setup_masked,
	  .act = act_wire, .end = end_storm },
	{ "event, storm", EDU, .n = 1, .kind = MSI, .setup = setup_masked,
	  .act = act_event, .end = end_storm },
	{ "close after a storm", EDU, .n = 1, .kind = MSI, .setup = setup_masked,
	  .act = act_close, .end = end_storm },
};

const struct group storm_group = GROUP(sequences);
