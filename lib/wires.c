// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdlib.h>
#include "vfio/eventfd.h"
#include "wires.h"

void usrpci_wires_init(struct usrpci_wires *wires)
{
	pthread_mutex_init(&wires->lock, NULL);
}

void usrpci_wires_destroy(struct usrpci_wires *wires)
{
	free(wires->eventfds);
	pthread_mutex_destroy(&wires->lock);
}

void usrpci_wires_set_up(struct usrpci_wires *wires, enum usrpci_irq type, unsigned int nr,
			 int *eventfds)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		eventfds[i] = -1;
	free(wires->eventfds);
	wires->type = type;
	wires->nr = nr;
	wires->eventfds = eventfds;
}

void usrpci_wires_note(struct usrpci_wires *wires, unsigned int first, unsigned int nr,
		       const int *eventfds)
{
	unsigned int i;

	/* Of a borrowed device somebody else may have set them up. */
	for (i = 0; i < nr && first + i < wires->nr; i++)
		wires->eventfds[first + i] = eventfds[i];
}

int usrpci_wires_get(const struct usrpci_wires *wires, unsigned int vector)
{
	int fd = vector < wires->nr ? wires->eventfds[vector] : -1;

	return fd >= 0 && !usrpci_check_eventfd(fd) ? fd : -1;
}
