// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "backend.h"
#include "pager/pager.h"
#include "public.h"

/* Vectors stay as they are while it's worked out what the TLB's signals. */
static int start_pager(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
		       unsigned int *fault)
{
	struct usrpci_pager *pager;
	int err;

	pthread_mutex_lock(&dev->wires.lock);
	err = usrpci_pager_start(dev, tlb, fault, &pager);
	if (!err)
		__atomic_store_n(&dev->spaces.pager, pager, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dev->wires.lock);
	return err;
}

static int describe(struct usrpci_device *dev, const struct usrpci_tlb *tlb, unsigned int flags,
		    unsigned int *fault)
{
	int err = -EOPNOTSUPP;

	if (!tlb || flags & ~USRPCI_TLB_BY_LIBRARY)
		return -EINVAL;
	if (dev->spaces.described)
		return -EBUSY;
	if (!(flags & USRPCI_TLB_BY_LIBRARY) && dev->backend->tlb_describe)
		err = dev->backend->tlb_describe(dev, tlb, fault);
	return err == -EOPNOTSUPP ? start_pager(dev, tlb, fault) : err;
}

USRPCI_PUBLIC int usrpci_tlb_describe(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
				      unsigned int flags)
{
	unsigned int fault = 0;
	int err;

	pthread_mutex_lock(&dev->spaces.lock);
	err = describe(dev, tlb, flags, &fault);
	if (!err)
		dev->spaces.described = true;
	else if (tlb)
		dev->spaces.refused = *tlb;
	pthread_mutex_unlock(&dev->spaces.lock);
	if (!err)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_TLB,
		.err = err,
		.what = fault,
		.where = tlb ? tlb->vector : 0,
	});
}
