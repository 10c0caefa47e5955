// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "vfio-user.h"

int usrpci_socket_fd(const struct usrpci_device *dev)
{
	return usrpci_socket(usrpci_vfio(dev))->hangup[0];
}

/* The protocol has the server tell of nothing; that it goes is seen. */
int usrpci_socket_event(struct usrpci_device *base, struct usrpci_event *event)
{
	struct usrpci_socket_device *dev = usrpci_socket(usrpci_vfio(base));

	if (!atomic_load(&dev->gone))
		return -EAGAIN;
	if (atomic_exchange(&dev->told, true))
		return -ENODEV;
	*event = (struct usrpci_event){ .kind = USRPCI_VANISHED, .count = 1 };
	return 0;
}
