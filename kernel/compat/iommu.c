// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/iommu.h>
#include <linux/irqdomain.h>

enum usrpci_translation usrpci_translation(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (!domain)
		return USRPCI_NO_IOMMU;
	if (!(domain->type & __IOMMU_DOMAIN_PAGING))
		return USRPCI_IDENTITY;
	if (domain->type == IOMMU_DOMAIN_DMA_FQ)
		return USRPCI_TRANSLATED_LAZY;
	return USRPCI_TRANSLATED;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
bool usrpci_irqs_remapped(struct device *dev)
{
	return irq_domain_check_msi_remap() || device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}
#else
bool usrpci_irqs_remapped(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	bool remapped = group && iommu_group_has_isolated_msi(group);

	iommu_group_put(group);
	return remapped;
}
#endif

void usrpci_flush_iotlb(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	/* Strict domains were flushed by the unmap itself. */
	if (domain && domain->type == IOMMU_DOMAIN_DMA_FQ)
		iommu_flush_iotlb_all(domain);
}
