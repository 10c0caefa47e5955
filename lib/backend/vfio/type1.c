// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The older way: a group of functions, in a container that holds the page tables. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kvfio.h"

/* As many as fit, should a list of capabilities be a ring. */
#define MOST_CAPS	64

static int open_container(const char *root)
{
	int fd = usrpci_kvfio_open_file(root, "/dev/vfio/vfio");

	if (fd < 0)
		return fd == -ENOENT ? -ENXIO : fd;
	if (usrpci_kvfio_ioctl(fd, VFIO_GET_API_VERSION, NULL) == VFIO_API_VERSION &&
	    usrpci_kvfio_ioctl(fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU) == 1)
		return fd;
	close(fd);
	return -EPROTONOSUPPORT;
}

static int open_group(const char *root, int number)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];
	int fd, err;

	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	fd = usrpci_kvfio_open_file(root, path);
	if (fd < 0)
		return fd == -ENOENT ? -ENXIO : fd;
	err = usrpci_kvfio_ioctl(fd, VFIO_GROUP_GET_STATUS, &status);
	if (err >= 0 && status.flags & VFIO_GROUP_FLAGS_VIABLE)
		return fd;
	close(fd);
	return err < 0 ? err : -EPERM;
}

/* Whoever closes the device closes what was opened on the way here. */
static int attach(struct usrpci_kvfio_device *dev, const char *root)
{
	int ret = open_container(root);

	if (ret < 0)
		return ret;
	dev->space = ret;
	ret = open_group(root, dev->iommu_group);
	if (ret < 0)
		return ret;
	dev->group = ret;
	ret = usrpci_kvfio_ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->space);
	if (ret >= 0)
		ret = usrpci_kvfio_ioctl(dev->space, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU);
	if (ret >= 0)
		ret = usrpci_kvfio_ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->vfio.base.bdf);
	if (ret < 0)
		return ret;
	dev->device = ret;
	fcntl(ret, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int reserve_ranges(struct usrpci_kvfio_device *dev, const unsigned char *cap, size_t len)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	struct usrpci_kvfio_range *ranges;
	struct vfio_iova_range range;
	uint32_t i;
	int err;

	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, cap, sizeof(head));
	if (head.nr_iovas > (len - sizeof(head)) / sizeof(range))
		return -EPROTO;
	ranges = calloc(head.nr_iovas + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (i = 0; i < head.nr_iovas; i++) {
		memcpy(&range, cap + sizeof(head) + i * sizeof(range), sizeof(range));
		ranges[i] = (struct usrpci_kvfio_range){ range.start, range.end };
	}
	err = usrpci_kvfio_reserve_others(dev, ranges, head.nr_iovas);
	free(ranges);
	return err;
}

/* A kernel before 5.4 doesn't say; then only a mapping there is refused. */
static int find_ranges(struct usrpci_kvfio_device *dev, const unsigned char *info, size_t argsz,
		       uint32_t at)
{
	struct vfio_info_cap_header head;
	unsigned int nr = MOST_CAPS;

	for (; at; at = head.next) {
		if (!nr-- || at > argsz || argsz - at < sizeof(head))
			return -EPROTO;
		memcpy(&head, info + at, sizeof(head));
		if (head.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			return reserve_ranges(dev, info + at, argsz - at);
	}
	return 0;
}

static int reserve(struct usrpci_kvfio_device *dev)
{
	const struct vfio_iommu_type1_info ask = { .argsz = sizeof(ask) };
	struct vfio_iommu_type1_info *info;
	int err;

	err = usrpci_kvfio_get(dev->space, VFIO_IOMMU_GET_INFO, &ask, sizeof(ask), (void **)&info);
	if (err)
		return err;
	if (info->flags & VFIO_IOMMU_INFO_CAPS)
		err = find_ranges(dev, (const unsigned char *)info, info->argsz, info->cap_offset);
	free(info);
	return err;
}

static int map(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma)
{
	const struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = (dma->direction != USRPCI_DMA_FROM_DEVICE ? VFIO_DMA_MAP_FLAG_READ : 0) |
			 (dma->direction != USRPCI_DMA_TO_DEVICE ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uintptr_t)dma->addr & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1),
		.iova = dma->iova.first,
		.size = dma->iova.last - dma->iova.first + 1,
	};
	int err = usrpci_kvfio_ioctl(dev->space, VFIO_IOMMU_MAP_DMA, &arg);

	/* It has a limit of mappings; to our caller ENOSPC is a short scatterlist. */
	return err == -ENOSPC ? -EMFILE : err;
}

static int unmap(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.iova = dma->iova.first,
		.size = dma->iova.last - dma->iova.first + 1,
	};
	const uint64_t len = arg.size;
	int err = usrpci_kvfio_ioctl(dev->space, VFIO_IOMMU_UNMAP_DMA, &arg);

	return err ?: (arg.size == len ? 0 : -EIO);
}

const struct usrpci_kvfio_memory usrpci_kvfio_type1 = {
	.accounted = "VmLck",
	.unsafe = "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	.attach = attach,
	.reserve = reserve,
	.map = map,
	.unmap = unmap,
};
