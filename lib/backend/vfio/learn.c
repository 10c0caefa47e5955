// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include "kvfio.h"

static int learn_device(struct usrpci_kvfio_device *dev, unsigned int *nr_regions,
			unsigned int *nr_irqs)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int err = usrpci_kvfio_ioctl(dev->device, VFIO_DEVICE_GET_INFO, &info);

	if (err < 0)
		return err;
	*nr_regions = info.num_regions;
	*nr_irqs = info.num_irqs;
	return usrpci_vfio_note_device(&dev->vfio, info.flags, nr_regions, nr_irqs);
}

/* EINVAL: there is none of this kind, as VGA's. */
static int learn_region(struct usrpci_kvfio_device *dev, unsigned int index)
{
	const struct vfio_region_info ask = { .argsz = sizeof(ask), .index = index };
	struct usrpci_region *region = &dev->vfio.regions[index];
	struct vfio_region_info *info;
	int err;

	err = usrpci_kvfio_get(dev->device, VFIO_DEVICE_GET_REGION_INFO, &ask, sizeof(ask),
			       (void **)&info);
	if (err)
		return err == -EINVAL ? 0 : err;
	err = usrpci_vfio_parse_region(region, info, info->argsz);
	region->fd = dev->device;
	free(info);
	return err;
}

/* The same of interrupts, as those that tell of errors. */
static int learn_irqs(struct usrpci_kvfio_device *dev, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	int err = usrpci_kvfio_ioctl(dev->device, VFIO_DEVICE_GET_IRQ_INFO, &info);

	if (err < 0)
		return err == -EINVAL ? 0 : err;
	usrpci_vfio_note_irqs(&dev->vfio, &info, index);
	return 0;
}

int usrpci_kvfio_learn(struct usrpci_kvfio_device *dev)
{
	unsigned int i, nr_regions = 0, nr_irqs = 0;
	int err = learn_device(dev, &nr_regions, &nr_irqs);

	for (i = 0; !err && i < nr_regions; i++)
		err = learn_region(dev, i);
	for (i = 0; !err && i < nr_irqs; i++)
		err = learn_irqs(dev, i);
	return err;
}
