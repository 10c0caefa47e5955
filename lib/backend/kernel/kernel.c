// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "kernel.h"

const struct usrpci_backend usrpci_backend_kernel = {
	.name = "kernel",
	.serves = usrpci_kernel_serves,
	.open = usrpci_kernel_open,
	.open_fd = usrpci_kernel_open_fd,
	.explain_open = usrpci_kernel_explain_open,
	.close = usrpci_kernel_close,
	.fd = usrpci_kernel_fd,
	.info = usrpci_kernel_info,
	.set_master = usrpci_kernel_set_master,
	.reset = usrpci_kernel_reset,
	.config_read = usrpci_kernel_config_read,
	.config_write = usrpci_kernel_config_write,
	.bar_info = usrpci_kernel_bar_info,
	.bar_map = usrpci_kernel_bar_map,
	.bar_unmap = usrpci_kernel_munmap,
	.bar_read = usrpci_kernel_bar_read,
	.bar_write = usrpci_kernel_bar_write,
	.set_dma_mask = usrpci_kernel_set_dma_mask,
	.coherent_alloc = usrpci_kernel_coherent_alloc,
	.coherent_release = usrpci_kernel_release,
	.coherent_unmap = usrpci_kernel_munmap,
	/* The module counts the maps of a buffer. */
	.coherent_detach = usrpci_kernel_release,
	.map = usrpci_kernel_map,
	.unmap = usrpci_kernel_unmap,
	.sync = usrpci_kernel_sync,
	.irq_setup = usrpci_kernel_irq_setup,
	.irq_wire = usrpci_kernel_irq_wire,
	.irq_unmask = usrpci_kernel_irq_unmask,
	.quiesce = usrpci_kernel_quiesce,
	.event = usrpci_kernel_event,
	.tlb_describe = usrpci_kernel_tlb_describe,
	.space_bind = usrpci_kernel_space_bind,
};
