// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "kernel.h"

int usrpci_kernel_fd(const struct usrpci_device *dev)
{
	return usrpci_kernel(dev)->fd;
}

int usrpci_kernel_set_master(struct usrpci_device *dev, bool on)
{
	struct usrpci_ioc_master arg = { .size = sizeof(arg), .enable = on };

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_MASTER, &arg);
}

int usrpci_kernel_reset(struct usrpci_device *dev)
{
	struct usrpci_ioc_reset arg = { .size = sizeof(arg) };

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_RESET, &arg);
}

int usrpci_kernel_set_dma_mask(struct usrpci_device *dev, uint64_t streaming,
			       uint64_t coherent)
{
	struct usrpci_ioc_dma_mask arg = {
		.size = sizeof(arg),
		.streaming = streaming,
		.coherent = coherent,
	};

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_DMA_MASK, &arg);
}
