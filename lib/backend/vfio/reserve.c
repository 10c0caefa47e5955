// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include "kvfio.h"

/* What lies between two ranges, but for what the allocator keeps itself. */
static void take(struct usrpci_iovas *iovas, struct usrpci_iova *iova, uint64_t first,
		 uint64_t last)
{
	*iova = (struct usrpci_iova){ .first = first, .last = last };
	usrpci_iovas_take_fixed(iovas, iova);
}

static bool are_in_order(const struct usrpci_kvfio_range *ranges, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (ranges[i].last < ranges[i].first ||
		    (i && ranges[i].first <= ranges[i - 1].last))
			return false;
	}
	return true;
}

int usrpci_kvfio_reserve_others(struct usrpci_kvfio_device *dev,
				const struct usrpci_kvfio_range *ranges, unsigned int nr)
{
	struct usrpci_iovas *iovas = &dev->vfio.dmas.iovas;
	const uint64_t most = iovas->top.first - 1;
	uint64_t next = iovas->bottom.last + 1;
	struct usrpci_iova *hole;
	unsigned int i;

	if (!are_in_order(ranges, nr))
		return -EPROTO;
	hole = calloc(nr + 1, sizeof(*hole));
	if (!hole)
		return -ENOMEM;
	dev->reserved = hole;
	for (i = 0; i < nr && ranges[i].first <= most; i++) {
		if (ranges[i].first > next)
			take(iovas, hole++, next, ranges[i].first - 1);
		if (ranges[i].last >= most)
			return 0;
		if (ranges[i].last >= next)
			next = ranges[i].last + 1;
	}
	take(iovas, hole, next, most);
	return 0;
}
