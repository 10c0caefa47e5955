// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <limits.h>
#include <unistd.h>
#include "backend.h"
#include "public.h"

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

USRPCI_PUBLIC int usrpci_set_dma_mask(struct usrpci_device *dev, uint64_t streaming,
				      uint64_t coherent)
{
	int ret = dev->backend->set_dma_mask(dev, streaming, coherent);

	if (!ret)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_DMA_MASK,
		.err = ret,
		.where = streaming,
		.len = coherent,
	});
}

USRPCI_PUBLIC unsigned int usrpci_sg_room(size_t len)
{
	uint64_t room = len / page_size() + 2;

	return room > UINT_MAX ? UINT_MAX : (unsigned int)room;
}

/* Whether a region is as it should be, whatever the backend. */
static bool is_region(const struct usrpci_mapping *map)
{
	/* USRPCI_BOUNCED may be left over from the last time. */
	if (!map->len || map->flags & ~(USRPCI_NO_BOUNCE | USRPCI_BOUNCED))
		return false;
	if (map->len - 1 > UINTPTR_MAX - (uintptr_t)map->addr)
		return false;
	switch (map->direction) {
	case USRPCI_DMA_BOTH:
	case USRPCI_DMA_TO_DEVICE:
	case USRPCI_DMA_FROM_DEVICE:
		return true;
	}
	return false;
}

static int map_all(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		   uint64_t *missing)
{
	unsigned int i;

	if (!maps || !nr || nr > USRPCI_BATCH_MAX)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (!is_region(&maps[i]))
			return -EINVAL;
	}
	return dev->backend->map(dev, maps, nr, missing);
}

USRPCI_PUBLIC int usrpci_map(struct usrpci_device *dev, struct usrpci_mapping *maps,
			     unsigned int nr)
{
	uint64_t missing = 0;
	int ret = map_all(dev, maps, nr, &missing);

	if (!ret)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_MAP,
		.err = ret,
		.missing = missing,
		.what = nr,
		.where = maps && nr == 1 ? (uintptr_t)maps->addr : 0,
		.len = maps && nr == 1 ? maps->len : 0,
	});
}

USRPCI_PUBLIC int usrpci_unmap(struct usrpci_device *dev, const uint32_t *handles,
			       unsigned int nr)
{
	int ret = -EINVAL;

	if (handles && nr && nr <= USRPCI_BATCH_MAX)
		ret = dev->backend->unmap(dev, handles, nr);
	if (!ret)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_UNMAP,
		.err = ret,
		.what = nr,
	});
}

static int sync_part(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		     uint64_t len, bool for_cpu)
{
	int ret = dev->backend->sync(dev, handle, offset, len, for_cpu);

	if (!ret)
		return 0;
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_SYNC,
		.err = ret,
		.what = handle,
		.where = offset,
		.len = len,
	});
}

USRPCI_PUBLIC int usrpci_sync_for_cpu(struct usrpci_device *dev, uint32_t handle,
				      uint64_t offset, uint64_t len)
{
	return sync_part(dev, handle, offset, len, true);
}

USRPCI_PUBLIC int usrpci_sync_for_device(struct usrpci_device *dev, uint32_t handle,
					 uint64_t offset, uint64_t len)
{
	return sync_part(dev, handle, offset, len, false);
}
