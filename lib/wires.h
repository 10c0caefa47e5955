/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_WIRES_H
#define LIB_WIRES_H

#include <pthread.h>
#include <usrpci/irq.h>

/**
 * struct usrpci_wires - What vectors signal, as the program said through this device.
 * @lock: one call that changes vectors at a time; guards the rest
 * @type: of vectors
 * @nr: how many
 * @eventfds: of each, -1: none; the program's, which may have closed them
 */
struct usrpci_wires {
	pthread_mutex_t lock;
	enum usrpci_irq type;
	unsigned int nr;
	int *eventfds;
};

void usrpci_wires_init(struct usrpci_wires *wires);
void usrpci_wires_destroy(struct usrpci_wires *wires);

/* Under the lock. @eventfds: room for @nr, theirs from then on. */
void usrpci_wires_set_up(struct usrpci_wires *wires, enum usrpci_irq type, unsigned int nr,
			 int *eventfds);
void usrpci_wires_note(struct usrpci_wires *wires, unsigned int first, unsigned int nr,
		       const int *eventfds);

/* What a vector signals, as far as it's still an eventfd; -1. Under the lock. */
int usrpci_wires_get(const struct usrpci_wires *wires, unsigned int vector);

#endif /* LIB_WIRES_H */
