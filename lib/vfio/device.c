// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <unistd.h>
#include "vfio.h"

/* As many as MSI-X can have. */
#define MOST_VECTORS	2048U

void usrpci_vfio_init(struct usrpci_vfio_device *dev, const struct usrpci_backend *backend,
		      const struct usrpci_vfio_ops *ops)
{
	unsigned int i;

	usrpci_device_init(&dev->base, backend);
	dev->ops = ops;
	dev->owner = getpid();
	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		dev->regions[i].fd = -1;
	pthread_mutex_init(&dev->config_lock, NULL);
	usrpci_vectors_init(&dev->vectors);
	usrpci_dmas_init(&dev->dmas);
}

void usrpci_vfio_destroy(struct usrpci_vfio_device *dev)
{
	usrpci_dmas_destroy(&dev->dmas);
	usrpci_vectors_destroy(&dev->vectors);
	pthread_mutex_destroy(&dev->config_lock);
	usrpci_device_destroy(&dev->base);
}

int usrpci_vfio_note_device(struct usrpci_vfio_device *dev, uint32_t flags,
			    unsigned int *nr_regions, unsigned int *nr_irqs)
{
	if (!(flags & VFIO_DEVICE_FLAGS_PCI) || *nr_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		return -ENOTSUP;
	dev->flags = flags;
	if (*nr_regions > VFIO_PCI_NUM_REGIONS)
		*nr_regions = VFIO_PCI_NUM_REGIONS;
	if (*nr_irqs > VFIO_PCI_NUM_IRQS)
		*nr_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

void usrpci_vfio_note_irqs(struct usrpci_vfio_device *dev, const struct vfio_irq_info *info,
			   unsigned int index)
{
	if (info->flags & VFIO_IRQ_INFO_EVENTFD && info->count <= MOST_VECTORS)
		dev->nr_irqs[index] = info->count;
}

int usrpci_vfio_start(struct usrpci_vfio_device *dev)
{
	int err = usrpci_vfio_learn_config(dev);

	if (!err)
		err = usrpci_vfio_enable(dev);
	if (!err && dev->flags & VFIO_DEVICE_FLAGS_RESET)
		err = dev->ops->reset(dev);
	return err ?: usrpci_vfio_learn_power(dev);
}

bool usrpci_vfio_is_owner(const struct usrpci_vfio_device *dev)
{
	return dev->owner == getpid();
}

/* The rest of it is tried if the device has gone, too. */
void usrpci_vfio_stop(struct usrpci_vfio_device *dev)
{
	if (!usrpci_vfio_is_owner(dev)) {
		usrpci_vfio_drop_all(dev);
		return;
	}
	usrpci_vfio_set_master(&dev->base, false);
	usrpci_vfio_irq_setup(&dev->base, USRPCI_NO_IRQ, 0);
	usrpci_vfio_unmap_all(dev);
}

int usrpci_vfio_answer(const struct usrpci_vfio_device *dev, int err)
{
	int gone = dev->ops->alive ? dev->ops->alive(dev) : 0;

	return gone ? gone : err;
}

static int identify(struct usrpci_device *dev, struct usrpci_info *info)
{
	uint32_t ids, class, subsystem, pin;
	int err;

	err = usrpci_vfio_config_read(dev, PCI_VENDOR_ID, 4, &ids) ?:
	      usrpci_vfio_config_read(dev, PCI_CLASS_REVISION, 4, &class) ?:
	      usrpci_vfio_config_read(dev, PCI_SUBSYSTEM_VENDOR_ID, 4, &subsystem) ?:
	      usrpci_vfio_config_read(dev, PCI_INTERRUPT_PIN, 1, &pin);
	if (err)
		return err;
	info->vendor = (uint16_t)ids;
	info->device = (uint16_t)(ids >> 16);
	info->subvendor = (uint16_t)subsystem;
	info->subdevice = (uint16_t)(subsystem >> 16);
	info->class_code = class >> 8;
	info->revision = (uint8_t)class;
	info->nr_intx = pin && usrpci_vfio(dev)->nr_irqs[VFIO_PCI_INTX_IRQ_INDEX];
	return 0;
}

int usrpci_vfio_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	int err = identify(dev, info);

	if (err)
		return err;
	snprintf(info->bdf, sizeof(info->bdf), "%s", dev->bdf);
	if (vdev->flags & VFIO_DEVICE_FLAGS_RESET)
		info->caps |= USRPCI_CAN_RESET;
	info->nr_msi = vdev->nr_irqs[VFIO_PCI_MSI_IRQ_INDEX];
	info->nr_msix = vdev->nr_irqs[VFIO_PCI_MSIX_IRQ_INDEX];
	info->iommu_group = -1;
	info->numa_node = -1;
	info->config_size = (uint32_t)vdev->regions[VFIO_PCI_CONFIG_REGION_INDEX].len;
	pthread_mutex_lock(&vdev->dmas.lock);
	info->dma_mask = vdev->dmas.mask;
	info->coherent_mask = vdev->dmas.coherent_mask;
	pthread_mutex_unlock(&vdev->dmas.lock);
	info->max_mapping = UINT64_MAX;
	return 0;
}

int usrpci_vfio_reset(struct usrpci_device *dev)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);

	if (!(vdev->flags & VFIO_DEVICE_FLAGS_RESET))
		return usrpci_vfio_answer(vdev, -EOPNOTSUPP);
	return vdev->ops->reset(vdev) ?: usrpci_vfio_learn_power(vdev);
}
