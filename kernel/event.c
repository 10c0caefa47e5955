// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/usrpci.h>

#include "event.h"
#include "file.h"
#include "ioctl.h"
#include "trace.h"

void usrpci_events_init(struct usrpci_events *events)
{
	mutex_init(&events->telling);
	spin_lock_init(&events->lock);
}

bool usrpci_events_any(struct usrpci_events *events)
{
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&events->lock, flags);
	any = events->nr || events->removed;
	spin_unlock_irqrestore(&events->lock, flags);
	return any;
}

/* Under the lock. */
static void usrpci_event_queue(struct usrpci_events *events, u32 type, u32 detail)
{
	u32 i;

	for (i = 0; i < events->nr; i++)
		if (events->queue[i].type == type && events->queue[i].detail == detail)
			break;
	if (i == USRPCI_NR_EVENTS) {
		events->lost++;
		return;
	}
	if (i == events->nr) {
		events->nr++;
		events->queue[i].type = type;
		events->queue[i].detail = detail;
		events->queue[i].count = 0;
	}
	events->queue[i].count++;
}

void usrpci_event_add(struct usrpci_file *file, enum usrpci_event_type type, u32 detail)
{
	struct usrpci_events *events = &file->events;
	unsigned long flags;

	spin_lock_irqsave(&events->lock, flags);
	if (type == USRPCI_EVENT_REMOVED) {
		events->ended = true;
		events->removed = detail;
	} else if (!events->ended) {
		usrpci_event_queue(events, type, detail);
	}
	spin_unlock_irqrestore(&events->lock, flags);
	trace_usrpci_event(file->function, type, detail);
	wake_up_interruptible_poll(&file->wait, EPOLLPRI);
}

/* The oldest one; it stays. */
static int usrpci_event_peek(struct usrpci_file *file, struct usrpci_ioc_event *arg)
{
	struct usrpci_events *events = &file->events;
	int err = 0;

	spin_lock_irq(&events->lock);
	if (events->nr) {
		arg->type = events->queue[0].type;
		arg->detail = events->queue[0].detail;
		arg->count = events->queue[0].count;
	} else if (events->removed) {
		arg->type = USRPCI_EVENT_REMOVED;
		arg->detail = events->removed;
		arg->count = 1;
	} else {
		err = READ_ONCE(file->dead) ? -ENODEV : -EAGAIN;
	}
	arg->lost = events->lost;
	spin_unlock_irq(&events->lock);
	return err;
}

/* What was told goes. It may have happened again meanwhile, and that's to be told yet. */
static void usrpci_event_drop(struct usrpci_events *events, const struct usrpci_ioc_event *told)
{
	spin_lock_irq(&events->lock);
	events->lost -= told->lost;
	if (told->type == USRPCI_EVENT_REMOVED) {
		events->removed = 0;
	} else {
		events->queue[0].count -= told->count;
		if (!events->queue[0].count) {
			events->nr--;
			memmove(events->queue, events->queue + 1,
				events->nr * sizeof(events->queue[0]));
		}
	}
	spin_unlock_irq(&events->lock);
}

/* All or nothing: an event is dropped once the caller has it, and no sooner. */
int usrpci_event(struct usrpci_command *cmd)
{
	struct usrpci_events *events = &cmd->file->events;
	struct usrpci_ioc_event *arg = cmd->arg;
	int err;

	/* The memory of one caller can make the others wait, which nothing else does. */
	if (mutex_lock_killable(&events->telling))
		return -EINTR;
	err = usrpci_event_peek(cmd->file, arg);
	if (!err)
		err = usrpci_respond(cmd, sizeof(*arg));
	if (!err)
		usrpci_event_drop(events, arg);
	mutex_unlock(&events->telling);
	return err;
}
