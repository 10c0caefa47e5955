// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The newer way, from Linux 6.6: a file of the function's own, page tables from /dev/iommu. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "iommufd.h"
#include "kvfio.h"
#include "sysfs.h"

#define MOST_RANGES	65536U

/* Where it isn't the older way may be. */
static int open_file(const char *root, const char *path)
{
	int fd = usrpci_kvfio_open_file(root, path);

	return fd == -ENOENT || fd == -ENODEV ? -ENOTSUP : fd;
}

/* It is named after its one folder in vfio-dev. */
int usrpci_kvfio_name_file(const char *root, const char *bdf, char *name)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = -ENOTSUP;
	DIR *dir;

	snprintf(path, sizeof(path), USRPCI_SYS_FUNCTION "/vfio-dev", root, bdf);
	dir = opendir(path);
	if (!dir)
		return ret;
	do {
		entry = readdir(dir);
	} while (entry && strncmp(entry->d_name, "vfio", 4));
	if (entry)
		ret = snprintf(name, USRPCI_KVFIO_FILE_LEN, "/dev/vfio/devices/%s",
			       entry->d_name) < USRPCI_KVFIO_FILE_LEN ? 0 : -ENAMETOOLONG;
	closedir(dir);
	return ret;
}

static int open_function(const char *root, const char *bdf)
{
	char name[USRPCI_KVFIO_FILE_LEN];
	int err = usrpci_kvfio_name_file(root, bdf, name);

	return err ? err : open_file(root, name);
}

/* Of a function that is open VFIO says EINVAL; our arguments can't be meant. */
static int bind(struct usrpci_kvfio_device *dev)
{
	struct iommufd_vfio_bind arg = { .argsz = sizeof(arg), .iommufd = dev->space };
	int err = usrpci_kvfio_ioctl(dev->device, IOMMUFD_VFIO_BIND, &arg);

	return err == -EINVAL ? -EBUSY : err;
}

static int attach_opened(struct usrpci_kvfio_device *dev)
{
	struct iommufd_vfio_attach behind = { .argsz = sizeof(behind) };
	struct iommufd_alloc alloc = { .size = sizeof(alloc) };
	int err;

	err = usrpci_kvfio_ioctl(dev->space, IOMMUFD_IOAS_ALLOC, &alloc);
	if (!err)
		err = bind(dev);
	if (err)
		return err;
	dev->ioas = alloc.ioas;
	behind.ioas = alloc.ioas;
	return usrpci_kvfio_ioctl(dev->device, IOMMUFD_VFIO_ATTACH, &behind);
}

static int attach(struct usrpci_kvfio_device *dev, const char *root)
{
	int ret = open_function(root, dev->vfio.base.bdf);

	if (ret < 0)
		return ret;
	dev->device = ret;
	ret = open_file(root, "/dev/iommu");
	if (ret >= 0) {
		dev->space = ret;
		return attach_opened(dev);
	}
	close(dev->device);
	dev->device = -1;
	return ret;
}

static int get_ranges(struct usrpci_kvfio_device *dev, struct usrpci_kvfio_range *ranges,
		      uint32_t *nr)
{
	struct iommufd_ranges arg = {
		.size = sizeof(arg), .ioas = dev->ioas, .nr = *nr, .ranges = (uintptr_t)ranges,
	};
	int err = usrpci_kvfio_ioctl(dev->space, IOMMUFD_IOAS_IOVA_RANGES, &arg);

	*nr = arg.nr;
	return err;
}

static int reserve(struct usrpci_kvfio_device *dev)
{
	struct usrpci_kvfio_range *ranges;
	uint32_t nr = 0, room;
	int err = get_ranges(dev, NULL, &nr);

	if (err && err != -EMSGSIZE)
		return err;
	if (nr > MOST_RANGES)
		return -EPROTO;
	room = nr;
	ranges = calloc(room + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	err = get_ranges(dev, ranges, &nr);
	if (!err)
		err = nr > room ? -EPROTO : usrpci_kvfio_reserve_others(dev, ranges, nr);
	free(ranges);
	return err;
}

static int map(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma)
{
	struct iommufd_map arg = {
		.size = sizeof(arg),
		.flags = IOMMUFD_MAP_FIXED |
			 (dma->direction != USRPCI_DMA_FROM_DEVICE ? IOMMUFD_MAP_READ : 0) |
			 (dma->direction != USRPCI_DMA_TO_DEVICE ? IOMMUFD_MAP_WRITE : 0),
		.ioas = dev->ioas,
		.addr = (uintptr_t)dma->addr & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1),
		.len = dma->iova.last - dma->iova.first + 1,
		.iova = dma->iova.first,
	};

	return usrpci_kvfio_ioctl(dev->space, IOMMUFD_IOAS_MAP, &arg);
}

static int unmap(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma)
{
	struct iommufd_unmap arg = {
		.size = sizeof(arg),
		.ioas = dev->ioas,
		.iova = dma->iova.first,
		.len = dma->iova.last - dma->iova.first + 1,
	};
	const uint64_t len = arg.len;
	int err = usrpci_kvfio_ioctl(dev->space, IOMMUFD_IOAS_UNMAP, &arg);

	return err ?: (arg.len == len ? 0 : -EIO);
}

const struct usrpci_kvfio_memory usrpci_kvfio_iommufd = {
	.accounted = "VmPin",
	.by_user = true,
	.unsafe = "/sys/module/iommufd/parameters/allow_unsafe_interrupts",
	.attach = attach,
	.reserve = reserve,
	.map = map,
	.unmap = unmap,
};
