// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "kernel.h"

static enum usrpci_event_kind removal_kind(__u32 why)
{
	switch (why) {
	case USRPCI_REMOVED_VANISHED:
		return USRPCI_VANISHED;
	case USRPCI_REMOVED_ERROR:
		return USRPCI_REVOKED;
	default:
		return USRPCI_REMOVED;
	}
}

/* 0 for an event of a module that is newer than this library. */
static int event_kind(const struct usrpci_ioc_event *arg)
{
	switch (arg->type) {
	case USRPCI_EVENT_REMOVED:
		return removal_kind(arg->detail);
	case USRPCI_EVENT_RESET:
		return USRPCI_WAS_RESET;
	case USRPCI_EVENT_ERROR:
		return arg->detail == USRPCI_ERROR_FATAL ? USRPCI_FATAL_ERROR : USRPCI_BUS_ERROR;
	case USRPCI_EVENT_STORM:
		return USRPCI_IRQ_STORM;
	case USRPCI_EVENT_DEAF:
		return USRPCI_TLB_DEAF;
	case USRPCI_EVENT_NOBODY:
		return USRPCI_MISS_OF_NOBODY;
	}
	return 0;
}

int usrpci_kernel_event(struct usrpci_device *dev, struct usrpci_event *event)
{
	struct usrpci_ioc_event arg;
	int kind, err;

	do {
		arg = (struct usrpci_ioc_event){ .size = sizeof(arg) };
		err = usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_EVENT, &arg);
		kind = event_kind(&arg);
	} while (!err && !kind);
	if (err)
		return err;
	*event = (struct usrpci_event){
		.kind = (enum usrpci_event_kind)kind,
		.vector = kind == USRPCI_IRQ_STORM ? arg.detail : 0,
		.tag = kind == USRPCI_MISS_OF_NOBODY ? arg.detail : 0,
		.count = arg.count,
		.lost = arg.lost,
	};
	return 0;
}
