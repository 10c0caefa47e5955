// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include "vfio.h"

/* The register; the upper half of a 64-bit BAR has no region. */
static int describe(struct usrpci_vfio_device *dev, unsigned int bar, struct usrpci_bar *info)
{
	uint32_t low, high = 0;
	int err;

	err = usrpci_vfio_config_read(&dev->base, PCI_BASE_ADDRESS_0 + 4 * bar, 4, &low);
	if (err)
		return err;
	if (dev->regions[bar].ports) {
		info->type = USRPCI_PORT_BAR;
		info->addr = low & PCI_BASE_ADDRESS_IO_MASK;
		return 0;
	}
	info->type = USRPCI_MEMORY_BAR;
	if (low & PCI_BASE_ADDRESS_MEM_PREFETCH)
		info->flags |= USRPCI_PREFETCHABLE;
	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64) {
		info->flags |= USRPCI_64BIT;
		if (bar + 1 < USRPCI_BARS)
			err = usrpci_vfio_config_read(&dev->base,
						      PCI_BASE_ADDRESS_0 + 4 * (bar + 1), 4, &high);
	}
	info->addr = (uint64_t)high << 32 | (low & PCI_BASE_ADDRESS_MEM_MASK);
	return err;
}

int usrpci_vfio_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	const struct usrpci_region *region = &vdev->regions[bar];
	unsigned int i;

	if (!region->len)
		return 0;
	info->len = region->len;
	info->nr_windows = region->nr_windows;
	if (region->nr_windows)
		info->flags |= USRPCI_MAPPABLE;
	for (i = 0; i < region->nr_windows; i++) {
		info->windows[i].offset = region->windows[i].offset;
		info->windows[i].len = region->windows[i].len;
	}
	return describe(vdev, bar, info);
}

int usrpci_vfio_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			size_t len, unsigned int flags, void **addr)
{
	const struct usrpci_region *region = &usrpci_vfio(dev)->regions[bar];
	int prot = 0;
	void *map;

	if (flags & USRPCI_WRITE_COMBINING)
		return -EOPNOTSUPP;
	if (region->flags & VFIO_REGION_INFO_FLAG_READ)
		prot |= PROT_READ;
	if (region->flags & VFIO_REGION_INFO_FLAG_WRITE)
		prot |= PROT_WRITE;
	map = mmap(NULL, len, prot, MAP_SHARED, region->fd, (off_t)(region->offset + offset));
	if (map == MAP_FAILED)
		return -errno;
	/* As with usrpci.ko: a child would keep the registers when the device has been closed. */
	madvise(map, len, MADV_DONTFORK);
	*addr = map;
	return 0;
}

void usrpci_vfio_munmap(struct usrpci_device *dev, void *addr, size_t len)
{
	munmap(addr, len);
}

/* Whether @width bytes are a register of the BAR, and decoded. Ports have no 8 bytes. */
static int check(struct usrpci_vfio_device *dev, unsigned int bar, uint64_t offset,
		 unsigned int width)
{
	const struct usrpci_region *region = &dev->regions[bar];
	const uint16_t decodes = region->ports ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (offset >= region->len || width > region->len - offset)
		return -EINVAL;
	if (width == 8 && region->ports)
		return -EINVAL;
	/* The kernel's VFIO would end the program if it touched a map now. */
	if (__atomic_load_n(&dev->asleep, __ATOMIC_RELAXED))
		return -EIO;
	return __atomic_load_n(&dev->command, __ATOMIC_RELAXED) & decodes ? 0 : -EIO;
}

int usrpci_vfio_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			 unsigned int width, uint64_t *value)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	uint64_t raw = 0;
	int err = check(vdev, bar, offset, width);

	if (!err)
		err = vdev->ops->read(vdev, bar, offset, &raw, width);
	if (!err)
		*value = le64toh(raw);
	return err;
}

int usrpci_vfio_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			  unsigned int width, uint64_t value)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	const uint64_t raw = htole64(value);
	int err = check(vdev, bar, offset, width);

	return err ?: vdev->ops->write(vdev, bar, offset, &raw, width);
}
