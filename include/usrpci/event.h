/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_EVENT_H
#define USRPCI_EVENT_H

#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum usrpci_event_kind - What happened to a function besides its interrupts.
 * @USRPCI_REMOVED: it was unbound, or unplugged in good order
 * @USRPCI_VANISHED: it was pulled out, or doesn't answer any more
 * @USRPCI_REVOKED: a fatal error was met and it was taken away; it may be opened
 *	again
 * @USRPCI_WAS_RESET: somebody else reset it: its registers are as after power-on
 * @USRPCI_BUS_ERROR: PCI Express lost a transaction of it; it goes on
 * @USRPCI_FATAL_ERROR: its link failed; USRPCI_REVOKED follows
 * @USRPCI_IRQ_STORM: a vector fired so often that it was masked
 * @USRPCI_REMOVAL_ASKED: it is wanted back; whoever unbinds or unplugs it waits till it
 *	is closed, and asks again meanwhile
 * @USRPCI_TLB_DEAF: its TLB didn't forget what it was told to: it was stopped, and gets no
 *	DMA any more
 * @USRPCI_MISS_OF_NOBODY: it missed a translation for a tag that no space has
 */
enum usrpci_event_kind {
	USRPCI_REMOVED = 1,
	USRPCI_VANISHED,
	USRPCI_REVOKED,
	USRPCI_WAS_RESET,
	USRPCI_BUS_ERROR,
	USRPCI_FATAL_ERROR,
	USRPCI_IRQ_STORM,
	USRPCI_REMOVAL_ASKED,
	USRPCI_TLB_DEAF,
	USRPCI_MISS_OF_NOBODY,
};

/**
 * struct usrpci_event - Something that happened.
 * @kind: enum usrpci_event_kind
 * @vector: USRPCI_IRQ_STORM: which; see usrpci_irq_unmask()
 * @count: how often since it was last told
 * @lost: events of other kinds that there was no room for, before this one
 */
struct usrpci_event {
	enum usrpci_event_kind kind;
	unsigned int vector;
	unsigned int tag;
	uint64_t count;
	uint64_t lost;
};

/**
 * usrpci_event() - Take what happened to the function, oldest first.
 * @dev: the device
 * @event: filled in
 *
 * Doesn't wait: poll(2) usrpci_fd() for POLLIN | POLLPRI. That the function has gone is
 * told last, and once. What the library itself notes, serving misses, isn't seen by poll(2).
 *
 * Return: 0; -EAGAIN nothing happened; -ENODEV the function has gone and that was
 * told; -EOPNOTSUPP the backend tells of nothing; other negative errno.
 */
int usrpci_event(struct usrpci_device *dev, struct usrpci_event *event);

/**
 * usrpci_event_name() - Name a kind of event.
 * @kind: the kind
 *
 * Return: a few words, such as "interrupt storm".
 */
const char *usrpci_event_name(enum usrpci_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_EVENT_H */
