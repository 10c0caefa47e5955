// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-direct.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/swiotlb.h>

static bool is_translated(struct device *dev)
{
	return usrpci_translation(dev) >= USRPCI_TRANSLATED_LAZY;
}

bool usrpci_can_bounce(struct device *dev)
{
	return is_swiotlb_active(dev);
}

bool usrpci_beyond_mask(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	if (is_translated(dev))
		return false;
	for_each_sgtable_sg(sgt, sg, i)
		if (!dma_capable(dev, phys_to_dma(dev, sg_phys(sg)), sg->length, true))
			return true;
	return false;
}

/*
 * Behind an IOMMU only an untrusted device's partial pages are bounced, and only
 * the first and the last page of a region can be partial.
 */
static bool is_bounced_translated(struct device *dev, struct sg_table *sgt)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	struct scatterlist *sg, *last;
	dma_addr_t end = 0;
	unsigned int i;

	if (!to_pci_dev(dev)->untrusted)
		return false;
	for_each_sgtable_dma_sg(sgt, sg, i)
		end = sg_dma_address(sg) + sg_dma_len(sg) - 1;
	last = sg_last(sgt->sgl, sgt->orig_nents);
	return iommu_iova_to_phys(domain, sg_dma_address(sgt->sgl)) != sg_phys(sgt->sgl) ||
	       iommu_iova_to_phys(domain, end) != sg_phys(last) + last->length - 1;
}

bool usrpci_is_bounced(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	if (is_translated(dev))
		return is_bounced_translated(dev, sgt);
	for_each_sgtable_dma_sg(sgt, sg, i)
		if (dma_to_phys(dev, sg_dma_address(sg)) != sg_phys(sg))
			return true;
	return false;
}
