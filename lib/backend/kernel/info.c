// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdio.h>
#include "kernel.h"

int usrpci_kernel_read_info(int fd, struct usrpci_ioc_info *info)
{
	*info = (struct usrpci_ioc_info){ .size = sizeof(*info) };
	return usrpci_kernel_ioctl(fd, USRPCI_INFO, info);
}

static enum usrpci_isolation isolation_of(__u32 level)
{
	switch (level) {
	case USRPCI_ISOLATION_STRICT:
		return USRPCI_STRICT;
	case USRPCI_ISOLATION_LAZY:
		return USRPCI_LAZY;
	case USRPCI_ISOLATION_PASSTHROUGH:
		return USRPCI_PASSTHROUGH;
	}
	/* A level that this library doesn't know is none that can be relied on. */
	return USRPCI_NO_ISOLATION;
}

static uint32_t caps_of(__u32 bits)
{
	uint32_t caps = USRPCI_CAN_COMBINE | USRPCI_CAN_MASK_STORM | USRPCI_CAN_REWIRE;

	if (bits & USRPCI_CAP_RESET)
		caps |= USRPCI_CAN_RESET;
	if (bits & USRPCI_CAP_IRQ_REMAP)
		caps |= USRPCI_CAN_REMAP_IRQ;
	if (bits & USRPCI_CAP_BOUNCE)
		caps |= USRPCI_CAN_BOUNCE;
	return caps;
}

int usrpci_kernel_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	struct usrpci_ioc_info arg;
	int ret = usrpci_kernel_read_info(usrpci_kernel(dev)->fd, &arg);

	if (ret)
		return ret;
	snprintf(info->bdf, sizeof(info->bdf), "%s", dev->bdf);
	info->caps = caps_of(arg.caps);
	if (usrpci_kernel_can_mirror(usrpci_kernel(dev)->fd))
		info->caps |= USRPCI_CAN_MIRROR;
	info->vendor = arg.vendor;
	info->device = arg.device;
	info->subvendor = arg.subvendor;
	info->subdevice = arg.subdevice;
	info->class_code = arg.class_code;
	info->revision = arg.revision;
	info->nr_intx = arg.nr_intx;
	info->nr_msi = arg.nr_msi;
	info->nr_msix = arg.nr_msix;
	info->isolation = isolation_of(arg.isolation);
	info->iommu_group = arg.iommu_group;
	info->numa_node = arg.numa_node;
	info->config_size = arg.config_size;
	info->dma_mask = arg.dma_mask;
	info->coherent_mask = arg.coherent_mask;
	info->max_mapping = arg.max_mapping;
	return 0;
}
