// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/usrpci.h>

#include "file.h"
#include "gate.h"
#include "info.h"
#include "ioctl.h"
#include "irq.h"
#include "isolation.h"

static u32 usrpci_caps(struct pci_dev *pdev)
{
	struct usrpci_reach reach;
	u32 caps = 0;

	if (pdev->reset_methods[0])
		caps |= USRPCI_CAP_RESET;
	if (usrpci_irqs_remapped(&pdev->dev))
		caps |= USRPCI_CAP_IRQ_REMAP;
	usrpci_reach(&pdev->dev, &reach);
	if (reach.can_bounce)
		caps |= USRPCI_CAP_BOUNCE;
	return caps;
}

static u64 usrpci_max_mapping(struct device *dev)
{
	size_t max = dma_max_mapping_size(dev);

	return max == SIZE_MAX ? U64_MAX : max;
}

static void usrpci_fill_info(struct usrpci_ioc_info *info, struct pci_dev *pdev)
{
	*info = (struct usrpci_ioc_info){
		.size = sizeof(*info),
		.abi = USRPCI_ABI_VERSION,
		.caps = usrpci_caps(pdev),
		.domain = pci_domain_nr(pdev->bus),
		.bus = pdev->bus->number,
		.slot = PCI_SLOT(pdev->devfn),
		.function = PCI_FUNC(pdev->devfn),
		.revision = pdev->revision,
		.vendor = pdev->vendor,
		.device = pdev->device,
		.subvendor = pdev->subsystem_vendor,
		.subdevice = pdev->subsystem_device,
		.class_code = pdev->class,
		.nr_intx = usrpci_irq_offered(pdev, USRPCI_IRQ_INTX),
		.nr_msi = usrpci_irq_offered(pdev, USRPCI_IRQ_MSI),
		.nr_msix = usrpci_irq_offered(pdev, USRPCI_IRQ_MSIX),
		.isolation = usrpci_isolation(pdev),
		.iommu_group = usrpci_iommu_group(pdev),
		.numa_node = dev_to_node(&pdev->dev),
		.config_size = pdev->cfg_size,
		.config_offset = usrpci_config_offset(),
		.dma_mask = dma_get_mask(&pdev->dev),
		.coherent_mask = pdev->dev.coherent_dma_mask,
		.max_mapping = usrpci_max_mapping(&pdev->dev),
	};
}

int usrpci_info(struct usrpci_command *cmd)
{
	int err;

	err = usrpci_enter(cmd->file);
	if (err)
		return err;
	usrpci_fill_info(cmd->arg, usrpci_pdev(cmd->file));
	usrpci_leave(cmd->file);
	return usrpci_respond(cmd, sizeof(struct usrpci_ioc_info));
}
