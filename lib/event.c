// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "backend.h"
#include "pager/pager.h"
#include "public.h"

USRPCI_PUBLIC int usrpci_event(struct usrpci_device *dev, struct usrpci_event *event)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);

	if (!event)
		return -EINVAL;
	if (pager && !usrpci_pager_event(pager, event))
		return 0;
	return dev->backend->event ? dev->backend->event(dev, event) : -EOPNOTSUPP;
}

USRPCI_PUBLIC const char *usrpci_event_name(enum usrpci_event_kind kind)
{
	switch (kind) {
	case USRPCI_REMOVED:
		return "removed";
	case USRPCI_VANISHED:
		return "vanished";
	case USRPCI_REVOKED:
		return "taken away after a fatal error";
	case USRPCI_WAS_RESET:
		return "reset by somebody else";
	case USRPCI_BUS_ERROR:
		return "bus error";
	case USRPCI_FATAL_ERROR:
		return "fatal bus error";
	case USRPCI_IRQ_STORM:
		return "interrupt storm";
	case USRPCI_REMOVAL_ASKED:
		return "wanted back";
	case USRPCI_TLB_DEAF:
		return "deaf TLB";
	case USRPCI_MISS_OF_NOBODY:
		return "miss of nobody";
	}
	return "unknown event";
}
