// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "kvfio.h"

/* The page tables are this program's alone, and an unmap waits till they are flushed. */
int usrpci_kvfio_info(struct usrpci_device *base, struct usrpci_info *info)
{
	const struct usrpci_kvfio_device *dev = usrpci_kvfio(usrpci_vfio(base));
	int err = usrpci_vfio_info(base, info);

	if (err)
		return err;
	info->isolation = USRPCI_STRICT;
	info->iommu_group = dev->iommu_group;
	info->numa_node = dev->numa_node;
	if (dev->remaps)
		info->caps |= USRPCI_CAN_REMAP_IRQ;
	return 0;
}

const struct usrpci_backend usrpci_backend_vfio = {
	.name = "vfio",
	.serves = usrpci_kvfio_serves,
	.open = usrpci_kvfio_open,
	.explain_open = usrpci_kvfio_explain_open,
	.close = usrpci_kvfio_close,
	.fd = usrpci_kvfio_fd,
	.info = usrpci_kvfio_info,
	.set_master = usrpci_vfio_set_master,
	.reset = usrpci_vfio_reset,
	.config_read = usrpci_vfio_config_read,
	.config_write = usrpci_vfio_config_write,
	.bar_info = usrpci_vfio_bar_info,
	.bar_map = usrpci_vfio_bar_map,
	.bar_unmap = usrpci_vfio_munmap,
	.bar_read = usrpci_vfio_bar_read,
	.bar_write = usrpci_vfio_bar_write,
	.set_dma_mask = usrpci_vfio_set_dma_mask,
	.coherent_alloc = usrpci_vfio_coherent_alloc,
	.coherent_release = usrpci_vfio_coherent_release,
	.coherent_unmap = usrpci_vfio_munmap,
	.map = usrpci_vfio_map,
	.unmap = usrpci_vfio_unmap,
	.sync = usrpci_vfio_sync,
	.irq_setup = usrpci_vfio_irq_setup,
	.irq_wire = usrpci_vfio_irq_wire,
	.irq_unmask = usrpci_vfio_irq_unmask,
	.event = usrpci_kvfio_event,
};
