// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kvfio.h"

/* Part of it isn't an answer: a register is read whole, or not. */
static int outcome(ssize_t done, size_t len)
{
	if (done < 0)
		return -errno;
	return (size_t)done == len ? 0 : -EIO;
}

/* Whether a register of 8 bytes lies where it can be mapped. */
static bool is_wide(const struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		    size_t len)
{
	const struct usrpci_region *r = &dev->regions[region];
	unsigned int i;

	for (i = 0; i < r->nr_windows && len == sizeof(uint64_t); i++) {
		if (offset >= r->windows[i].offset &&
		    offset + len <= r->windows[i].offset + r->windows[i].len)
			return true;
	}
	return false;
}

/* By read(2) it would be two of 4 bytes, before Linux 6.10: what a register may not take. */
static int access_wide(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		       uint64_t *value, bool write)
{
	const struct usrpci_region *r = &dev->regions[region];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), at = offset % page;
	volatile uint64_t *reg;
	char *map;

	map = mmap(NULL, page, write ? PROT_WRITE : PROT_READ, MAP_SHARED, r->fd,
		   (off_t)(r->offset + offset - at));
	if (map == MAP_FAILED)
		return -errno;
	reg = (volatile uint64_t *)(map + at);
	if (write)
		*reg = *value;
	else
		*value = *reg;
	munmap(map, page);
	return 0;
}

static int read_region(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		       void *buf, size_t len)
{
	if (is_wide(dev, region, offset, len))
		return access_wide(dev, region, offset, buf, false);
	return outcome(pread(usrpci_kvfio(dev)->device, buf, len,
			     (off_t)(dev->regions[region].offset + offset)), len);
}

static int write_region(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
			const void *buf, size_t len)
{
	uint64_t value;

	if (is_wide(dev, region, offset, len)) {
		memcpy(&value, buf, sizeof(value));
		return access_wide(dev, region, offset, &value, true);
	}
	return outcome(pwrite(usrpci_kvfio(dev)->device, buf, len,
			      (off_t)(dev->regions[region].offset + offset)), len);
}

static int set_irqs(struct usrpci_vfio_device *dev, const struct vfio_irq_set *set,
		    const int *eventfds, unsigned int nr)
{
	const size_t len = sizeof(*set) + nr * sizeof(*eventfds);
	struct vfio_irq_set *arg = malloc(len);
	int ret;

	if (!arg)
		return -ENOMEM;
	*arg = *set;
	arg->argsz = (uint32_t)len;
	if (nr)
		memcpy(arg->data, eventfds, nr * sizeof(*eventfds));
	ret = usrpci_kvfio_ioctl(usrpci_kvfio(dev)->device, VFIO_DEVICE_SET_IRQS, arg);
	free(arg);
	/* So many there would be, but the platform hasn't as many as were wanted. */
	return ret > 0 ? -ENOSPC : ret;
}

static int reset(struct usrpci_vfio_device *dev)
{
	return usrpci_kvfio_ioctl(usrpci_kvfio(dev)->device, VFIO_DEVICE_RESET, NULL);
}

static int map(struct usrpci_vfio_device *vdev, const struct usrpci_dma *dma, uint64_t *missing)
{
	struct usrpci_kvfio_device *dev = usrpci_kvfio(vdev);
	int err = dev->memory->map(dev, dma);

	if (err == -ENOMEM)
		*missing = usrpci_kvfio_missing(dev->memory,
						dma->iova.last - dma->iova.first + 1);
	return err;
}

static int unmap(struct usrpci_vfio_device *vdev, const struct usrpci_dma *dma)
{
	struct usrpci_kvfio_device *dev = usrpci_kvfio(vdev);

	return dev->memory->unmap(dev, dma);
}

const struct usrpci_vfio_ops usrpci_kvfio_ops = {
	.read = read_region,
	.write = write_region,
	.set_irqs = set_irqs,
	.reset = reset,
	.map = map,
	.unmap = unmap,
};
