// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "backend.h"
#include "failure.h"

int usrpci_fail(struct usrpci_device *dev, const struct usrpci_failure *failure)
{
	pthread_mutex_lock(&dev->failure.lock);
	dev->failure.last = *failure;
	pthread_mutex_unlock(&dev->failure.lock);
	return failure->err;
}

struct usrpci_failure usrpci_last_failure(struct usrpci_device *dev, int err)
{
	struct usrpci_failure last;

	pthread_mutex_lock(&dev->failure.lock);
	last = dev->failure.last;
	pthread_mutex_unlock(&dev->failure.lock);
	if (last.err != err)
		last = (struct usrpci_failure){ .call = USRPCI_CALL_OTHER, .err = err };
	return last;
}
