// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What the function's user is told, which isn't lost by a call that fails. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "acts.h"
#include "memory.h"
#include "scene.h"

static int act_event(struct scene *s)
{
	struct usrpci_ioc_event event;
	int err = function_event(s->fd, &event);

	return err ?: event.type == s->q->kind && event.count && !event.lost ? 0 : -EBADMSG;
}

/* Twice the same, and counted. */
static int setup_reset(struct scene *s)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", s->bdf);
	return setup_open(s) ?: file_write(path, "1") ?: file_write(path, "1");
}

static int setup_removed(struct scene *s)
{
	return setup_open(s) ?: act_unbind(s);
}

static int setup_told(struct scene *s)
{
	return setup_removed(s) ?: act_event(s);
}

static int act_no_event(struct scene *s)
{
	struct usrpci_ioc_event event;
	int err = function_event(s->fd, &event);

	return err == -(int)s->q->n ? 0 : err ?: -EBADMSG;
}

/* An answer has no room in memory that the process may only read. */
static int setup_read_only(struct scene *s)
{
	struct usrpci_ioc_event *event = (void *)pages_new(1, 0);

	event->size = sizeof(*event);
	s->map = (void *)event;
	s->map_len = PAGE;
	return mprotect(event, PAGE, PROT_READ) ? -errno : setup_removed(s);
}

static int act_event_there(struct scene *s)
{
	int err = function_call(s->fd, USRPCI_EVENT, s->map);

	return err == -EFAULT ? 0 : err ?: -EBADMSG;
}

static void undo_event_there(struct scene *s)
{
	must(s, "event", act_event(s));
}

static const struct sequence sequences[] = {
	{ "event", NVME, .kind = USRPCI_EVENT_RESET, .setup = setup_reset, .act = act_event,
	  .end = close_it },
	{ "event, removed", EDU, .kind = USRPCI_EVENT_REMOVED, .setup = setup_removed,
	  .act = act_event, .end = end_unbound },
	{ "event, none", EDU, .n = EAGAIN, OPENED, .act = act_no_event },
	{ "event, told", EDU, .n = ENODEV, .kind = USRPCI_EVENT_REMOVED, .setup = setup_told,
	  .act = act_no_event, .end = end_unbound },
	{ "event to read-only memory", EDU, .kind = USRPCI_EVENT_REMOVED,
	  .setup = setup_read_only, .act = act_event_there, .undo = undo_event_there,
	  .end = end_unbound },
};

const struct group event_group = GROUP(sequences);
