/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What happens to a function besides its interrupts, kept for its user till asked
 * for. A user that never asks costs nothing: there's room for some events, equal
 * ones are counted, and the rest is only known to be lost.
 */
#ifndef USRPCI_EVENT_H
#define USRPCI_EVENT_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/usrpci.h>

struct usrpci_command;
struct usrpci_file;

#define USRPCI_NR_EVENTS	32

/**
 * struct usrpci_events - Events that were not told yet.
 * @telling: held while one is told, so that it stays the oldest
 * @lock: guards what follows; taken in hard interrupts too
 * @queue: oldest first; @count of each is how often
 * @nr: entries of @queue
 * @lost: had no room
 * @ended: the function was removed; nothing is added any more
 * @removed: enum usrpci_removal till that was told, else 0
 */
struct usrpci_events {
	struct mutex telling; /* who takes events off */
	spinlock_t lock; /* what follows */
	struct {
		u32 type;
		u32 detail;
		u64 count;
	} queue[USRPCI_NR_EVENTS];
	u32 nr;
	u64 lost;
	bool ended;
	u32 removed;
};

void usrpci_events_init(struct usrpci_events *events);
bool usrpci_events_any(struct usrpci_events *events);

/* From any context. */
void usrpci_event_add(struct usrpci_file *file, enum usrpci_event_type type, u32 detail);

/* The command USRPCI_EVENT. */
int usrpci_event(struct usrpci_command *cmd);

#endif /* USRPCI_EVENT_H */
