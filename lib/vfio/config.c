// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include "vfio.h"

#define VENDOR_VIRTIO	0x1af4
#define PM_D3HOT	3U
/* As many as fit, should a list of capabilities be a ring. */
#define MOST_CAPS	48
#define MOST_EXT_CAPS	480

static int get(struct usrpci_vfio_device *dev, unsigned int offset, unsigned int width,
	       uint32_t *value)
{
	const uint64_t end = (uint64_t)offset + width;
	uint32_t raw = 0;
	int err;

	if (end > dev->regions[VFIO_PCI_CONFIG_REGION_INDEX].len)
		return -EINVAL;
	err = dev->ops->read(dev, VFIO_PCI_CONFIG_REGION_INDEX, offset, &raw, width);
	if (!err)
		*value = le32toh(raw);
	return err;
}

/* Accesses to BARs ask whether they are decoded, and each exchange takes its time. */
static void keep_command(struct usrpci_vfio_device *dev, unsigned int offset,
			 unsigned int width, uint32_t value)
{
	unsigned int i;

	for (i = 0; i < width; i++, value >>= 8) {
		unsigned int shift = 8 * (offset + i - PCI_COMMAND);
		uint16_t mask;

		if (offset + i < PCI_COMMAND || shift > 8)
			continue;
		mask = (uint16_t)(0xff << shift);
		__atomic_store_n(&dev->command, (uint16_t)((dev->command & ~mask) |
							   (value << shift & mask)),
				 __ATOMIC_RELAXED);
	}
}

/* What was written needn't be what it is now. */
static int keep_power(struct usrpci_vfio_device *dev)
{
	uint32_t control = 0;
	int err = dev->power ? get(dev, dev->power, 2, &control) : 0;
	const uint32_t state = control & PCI_PM_CTRL_STATE_MASK;

	/* All ones is a device that doesn't answer. */
	__atomic_store_n(&dev->asleep, state == PM_D3HOT && control != UINT16_MAX,
			 __ATOMIC_RELAXED);
	return err;
}

static int put(struct usrpci_vfio_device *dev, unsigned int offset, unsigned int width,
	       uint32_t value)
{
	const uint32_t raw = htole32(value);
	int err;

	err = dev->ops->write(dev, VFIO_PCI_CONFIG_REGION_INDEX, offset, &raw, width);
	if (!err)
		keep_command(dev, offset, width, value);
	if (!err && offset < dev->power + 2 && dev->power < offset + width)
		err = keep_power(dev);
	return err;
}

static void allow(struct usrpci_vfio_device *dev, unsigned int offset, uint16_t set,
		  uint16_t clear)
{
	dev->writable[offset] |= set & 0xff;
	dev->writable[offset + 1] |= (uint8_t)(set >> 8);
	dev->clearable[offset] |= clear & 0xff;
	dev->clearable[offset + 1] |= (uint8_t)(clear >> 8);
}

static void allow_header(struct usrpci_vfio_device *dev)
{
	allow(dev, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY |
	      PCI_COMMAND_SERR, 0);
	allow(dev, PCI_STATUS, 0, 0xffff);
	allow(dev, PCI_CACHE_LINE_SIZE, 0xffff, 0);	/* and the latency timer */
}

/* What usrpci.ko allows too; its config.c says why. */
static int allow_capability(struct usrpci_vfio_device *dev, unsigned int cap, unsigned int id)
{
	uint32_t len, vendor;
	int err;

	if (id == PCI_CAP_ID_PM) {
		allow(dev, cap + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK, 0);
		dev->power = cap + PCI_PM_CTRL;
	} else if (id == PCI_CAP_ID_EXP) {
		allow(dev, cap + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN |
		      PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ, 0);
		allow(dev, cap + PCI_EXP_DEVSTA, 0, PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
		      PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
	} else if (id == PCI_CAP_ID_VNDR) {
		err = get(dev, PCI_VENDOR_ID, 2, &vendor) ?:
		      get(dev, cap + PCI_CAP_FLAGS, 1, &len);
		if (err)
			return err;
		if (vendor != VENDOR_VIRTIO && len > 3 && cap + len <= PCI_CFG_SPACE_SIZE)
			memset(&dev->writable[cap + 3], 0xff, len - 3);
	}
	return 0;
}

static int allow_capabilities(struct usrpci_vfio_device *dev)
{
	unsigned int nr = MOST_CAPS;
	uint32_t status, cap, id;
	int err;

	err = get(dev, PCI_STATUS, 2, &status);
	if (err || !(status & PCI_STATUS_CAP_LIST))
		return err;
	err = get(dev, PCI_CAPABILITY_LIST, 1, &cap);
	while (!err && (cap &= ~3U) >= PCI_STD_HEADER_SIZEOF && nr--) {
		err = get(dev, cap, 1, &id);
		if (!err)
			err = allow_capability(dev, cap, id);
		if (!err)
			err = get(dev, cap + PCI_CAP_LIST_NEXT, 1, &cap);
	}
	return err;
}

static int allow_extended(struct usrpci_vfio_device *dev)
{
	const uint64_t len = dev->regions[VFIO_PCI_CONFIG_REGION_INDEX].len;
	unsigned int cap = PCI_CFG_SPACE_SIZE, nr = MOST_EXT_CAPS;
	uint32_t head, vendor;
	int err = 0;

	while (cap >= PCI_CFG_SPACE_SIZE && cap + 8 <= len && nr--) {
		err = get(dev, cap, 4, &head) ?: get(dev, cap + PCI_VNDR_HEADER, 4, &vendor);
		if (err || !head || head == UINT32_MAX)
			break;
		if (PCI_EXT_CAP_ID(head) == PCI_EXT_CAP_ID_VNDR &&
		    PCI_VNDR_HEADER_LEN(vendor) > 8 && cap + PCI_VNDR_HEADER_LEN(vendor) <= len)
			memset(&dev->writable[cap + 8], 0xff, PCI_VNDR_HEADER_LEN(vendor) - 8);
		cap = PCI_EXT_CAP_NEXT(head);
	}
	return err;
}

static int learn_bars(struct usrpci_vfio_device *dev)
{
	unsigned int bar;
	uint32_t low;
	int err = 0;

	for (bar = 0; !err && bar < USRPCI_BARS; bar++) {
		if (!dev->regions[bar].len)
			continue;
		err = get(dev, PCI_BASE_ADDRESS_0 + 4 * bar, 4, &low);
		if (!err)
			dev->regions[bar].ports = low & PCI_BASE_ADDRESS_SPACE_IO;
	}
	return err;
}

int usrpci_vfio_learn_config(struct usrpci_vfio_device *dev)
{
	struct usrpci_region *config = &dev->regions[VFIO_PCI_CONFIG_REGION_INDEX];

	if (config->len < PCI_CFG_SPACE_SIZE)
		return -EPROTO;
	if (config->len > USRPCI_CONFIG_SIZE)
		config->len = USRPCI_CONFIG_SIZE;
	allow_header(dev);
	return learn_bars(dev) ?: allow_capabilities(dev) ?: allow_extended(dev);
}

static int set_command(struct usrpci_vfio_device *dev, uint32_t clear, uint32_t set)
{
	uint32_t command;
	int err;

	pthread_mutex_lock(&dev->config_lock);
	err = get(dev, PCI_COMMAND, 2, &command);
	if (!err)
		err = put(dev, PCI_COMMAND, 2, (command & ~clear) | set);
	pthread_mutex_unlock(&dev->config_lock);
	return err;
}

/* Nobody has done so before where the device isn't a machine's. */
int usrpci_vfio_enable(struct usrpci_vfio_device *dev)
{
	return set_command(dev, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
}

int usrpci_vfio_set_master(struct usrpci_device *dev, bool on)
{
	return set_command(usrpci_vfio(dev), PCI_COMMAND_MASTER, on ? PCI_COMMAND_MASTER : 0);
}

int usrpci_vfio_learn_power(struct usrpci_vfio_device *dev)
{
	int err;

	pthread_mutex_lock(&dev->config_lock);
	err = keep_power(dev);
	pthread_mutex_unlock(&dev->config_lock);
	return err;
}

int usrpci_vfio_restore_command(struct usrpci_vfio_device *dev)
{
	int err;

	pthread_mutex_lock(&dev->config_lock);
	err = put(dev, PCI_COMMAND, 2, dev->command);
	pthread_mutex_unlock(&dev->config_lock);
	return err;
}

int usrpci_vfio_config_read(struct usrpci_device *dev, unsigned int offset,
			    unsigned int width, uint32_t *value)
{
	return get(usrpci_vfio(dev), offset, width, value);
}

static uint32_t bits(const uint8_t *table, unsigned int offset, unsigned int width)
{
	uint32_t raw = 0;

	memcpy(&raw, table + offset, width);
	return le32toh(raw);
}

/* INTx is masked by it, and a program has no part in that. */
static uint32_t ignored(unsigned int offset, unsigned int width)
{
	unsigned int at = PCI_COMMAND + 1;

	if (offset > at || at >= offset + width)
		return 0;
	return (PCI_COMMAND_INTX_DISABLE >> 8) << (8 * (at - offset));
}

static int change(struct usrpci_vfio_device *dev, unsigned int offset, unsigned int width,
		  uint32_t value)
{
	uint32_t set, clear, now;
	int err;

	err = get(dev, offset, width, &now);
	if (err)
		return err;
	set = bits(dev->writable, offset, width);
	clear = bits(dev->clearable, offset, width);
	if ((value ^ now) & ~(set | clear | ignored(offset, width)))
		return -EPERM;
	if (!(set | clear))
		return 0;
	return put(dev, offset, width, (now & ~(set | clear)) | (value & (set | clear)));
}

int usrpci_vfio_config_write(struct usrpci_device *dev, unsigned int offset,
			     unsigned int width, uint32_t value)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	int err;

	pthread_mutex_lock(&vdev->config_lock);
	err = change(vdev, offset, width, value);
	pthread_mutex_unlock(&vdev->config_lock);
	return err;
}
