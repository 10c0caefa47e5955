// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "kernel.h"

/* Regions for which no memory is allocated: 3 KiB of stack. */
#define FEW	64

static_assert(USRPCI_BATCH_MAX == USRPCI_MAX_BATCH, "the module takes as many");

/* The kernel writes straight into the caller's scatterlist. */
static_assert(sizeof(struct usrpci_sg) == sizeof(struct usrpci_ioc_sg), "same entries");
static_assert(offsetof(struct usrpci_sg, bus_addr) == offsetof(struct usrpci_ioc_sg, bus_addr),
	      "same entries");
static_assert(offsetof(struct usrpci_sg, len) == offsetof(struct usrpci_ioc_sg, len),
	      "same entries");

static __u32 direction_of(enum usrpci_dma_direction direction)
{
	switch (direction) {
	case USRPCI_DMA_TO_DEVICE:
		return USRPCI_TO_DEVICE;
	case USRPCI_DMA_FROM_DEVICE:
		return USRPCI_FROM_DEVICE;
	case USRPCI_DMA_BOTH:
		break;
	}
	return USRPCI_BIDIRECTIONAL;
}

static void put_region(struct usrpci_ioc_region *region, const struct usrpci_mapping *map)
{
	*region = (struct usrpci_ioc_region){
		.addr = (uintptr_t)map->addr,
		.len = map->len,
		.direction = direction_of(map->direction),
		.flags = map->flags & USRPCI_NO_BOUNCE ? USRPCI_MAP_NO_BOUNCE : 0,
		.sg = (uintptr_t)map->sg,
		.nr_sg = map->sg ? map->nr_sg : 0,
	};
}

static void get_region(struct usrpci_mapping *map, const struct usrpci_ioc_region *region)
{
	map->flags &= ~USRPCI_BOUNCED;
	if (region->state & USRPCI_MAP_BOUNCED)
		map->flags |= USRPCI_BOUNCED;
	map->nr_sg = region->nr_sg;
	map->handle = region->handle;
}

static int map_regions(int fd, struct usrpci_ioc_region *regions,
		       struct usrpci_mapping *maps, unsigned int nr, uint64_t *missing)
{
	struct usrpci_ioc_map arg = {
		.size = sizeof(arg),
		.region_size = sizeof(*regions),
		.nr_regions = nr,
		.regions = (uintptr_t)regions,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++)
		put_region(&regions[i], &maps[i]);
	ret = usrpci_kernel_ioctl(fd, USRPCI_MAP, &arg);
	for (i = 0; i < nr; i++) {
		if (!ret)
			get_region(&maps[i], &regions[i]);
		else if (ret == -ENOSPC && maps[i].sg)
			maps[i].nr_sg = regions[i].nr_sg;
	}
	*missing = arg.missing;
	return ret;
}

int usrpci_kernel_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		      uint64_t *missing)
{
	struct usrpci_ioc_region few[FEW], *many;
	const int fd = usrpci_kernel(dev)->fd;
	int ret;

	if (nr <= FEW)
		return map_regions(fd, few, maps, nr, missing);
	many = malloc(nr * sizeof(*many));
	if (!many)
		return -ENOMEM;
	ret = map_regions(fd, many, maps, nr, missing);
	free(many);
	return ret;
}

int usrpci_kernel_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr)
{
	struct usrpci_ioc_unmap arg = {
		.size = sizeof(arg),
		.nr_handles = nr,
		.handles = (uintptr_t)handles,
	};

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_UNMAP, &arg);
}

int usrpci_kernel_sync(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		       uint64_t len, bool for_cpu)
{
	struct usrpci_ioc_sync arg = {
		.size = sizeof(arg),
		.flags = for_cpu ? USRPCI_SYNC_FOR_CPU : USRPCI_SYNC_FOR_DEVICE,
		.handle = handle,
		.offset = offset,
		.len = len,
	};

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_SYNC, &arg);
}
