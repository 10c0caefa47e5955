// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "vfio-user.h"

/* The server sees what it is sent, a file whole; and nothing else of this process. */
int usrpci_socket_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	int err = usrpci_vfio_info(dev, info);

	if (err)
		return err;
	info->isolation = USRPCI_STRICT;
	info->caps |= USRPCI_CAN_REWIRE;
	return 0;
}

const struct usrpci_backend usrpci_backend_vfio_user = {
	.name = "vfio-user",
	.serves = usrpci_socket_serves,
	.open = usrpci_socket_open,
	.explain_open = usrpci_socket_explain_open,
	.close = usrpci_socket_close,
	.fd = usrpci_socket_fd,
	.info = usrpci_socket_info,
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
	.event = usrpci_socket_event,
};
