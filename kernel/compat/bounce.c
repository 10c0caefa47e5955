// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/swiotlb.h>

#include "../pin.h"

static bool is_translated(struct device *dev)
{
	return usrpci_translation(dev) >= USRPCI_TRANSLATED_LAZY;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define bounce_pool(mem)	(mem)
#else
#define bounce_pool(mem)	(&(mem)->defpool)
#endif

/* The bounce buffer may itself lie where the device doesn't reach. */
static bool can_bounce(struct device *dev)
{
	const struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	/* As is_swiotlb_active(), which isn't for modules any more. */
	return mem && mem->nslabs &&
	       dma_capable(dev, phys_to_dma(dev, bounce_pool(mem)->start),
			   bounce_pool(mem)->end - bounce_pool(mem)->start, true);
}

void usrpci_reach(struct device *dev, struct usrpci_reach *reach)
{
	reach->translated = is_translated(dev);
	reach->can_bounce = can_bounce(dev);
}

static bool is_beyond_mask(struct device *dev, phys_addr_t phys, size_t len)
{
	/* Mostly it's within the mask, which is sooner known. */
	return !dma_capable(dev, phys_to_dma(dev, phys), len, true) && !is_translated(dev);
}

bool usrpci_beyond_mask(struct device *dev, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

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

/* All that is to be known of each entry, since to go by them all costs more. */
unsigned int usrpci_count_runs(struct device *dev, const struct usrpci_reach *reach,
			       struct usrpci_pinned *pins, bool *bounced)
{
	unsigned int nr = 0, elsewhere = 0, i;
	struct scatterlist *sg;
	dma_addr_t end = 0;

	usrpci_for_each_dma_sg(pins, sg, i) {
		nr += !i || sg_dma_address(sg) != end;
		end = sg_dma_address(sg) + sg_dma_len(sg);
		elsewhere |= dma_to_phys(dev, sg_dma_address(sg)) != sg_phys(sg);
	}
	*bounced = reach->translated ? is_bounced_translated(dev, &pins->sgt) : elsewhere;
	return nr;
}

bool usrpci_page_beyond_mask(struct device *dev, struct page *page, size_t len)
{
	return is_beyond_mask(dev, page_to_phys(page), len);
}

/* Whole pages behind an IOMMU never are. */
bool usrpci_page_is_bounced(struct device *dev, struct page *page, dma_addr_t bus)
{
	return dma_to_phys(dev, bus) != page_to_phys(page) && !is_translated(dev);
}

bool usrpci_is_coherent(struct device *dev)
{
	return dev_is_dma_coherent(dev);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)

/*
 * Before 6.10 the bounce buffer's own sync of a part copies nothing, and warns,
 * if the part begins in the first bytes of a slot that the mapping's page offset
 * takes up. Sync the part here where it needs no more than a copy.
 */
static bool sync_by_copy(struct device *dev, struct scatterlist *sg, u64 offset, size_t len,
			 enum dma_data_direction dir, bool for_cpu)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	phys_addr_t bounce = dma_to_phys(dev, sg_dma_address(sg)) + offset;
	void *user = phys_to_virt(sg_phys(sg) + offset);

	if (!IS_ENABLED(CONFIG_64BIT) || !dev_is_dma_coherent(dev) || is_translated(dev) ||
	    !is_swiotlb_buffer(dev, bounce))
		return false;
	if (for_cpu && dir != DMA_TO_DEVICE)
		memcpy(user, mem->vaddr + (bounce - mem->start), len);
	if (!for_cpu && dir != DMA_FROM_DEVICE)
		memcpy(mem->vaddr + (bounce - mem->start), user, len);
	return true;
}

#else

static bool sync_by_copy(struct device *dev, struct scatterlist *sg, u64 offset, size_t len,
			 enum dma_data_direction dir, bool for_cpu)
{
	return false;
}

#endif

void usrpci_sync_part(struct device *dev, struct scatterlist *sg, u64 offset, size_t len,
		      enum dma_data_direction dir, bool for_cpu)
{
	if (sync_by_copy(dev, sg, offset, len, dir, for_cpu))
		return;
	if (for_cpu)
		dma_sync_single_for_cpu(dev, sg_dma_address(sg) + offset, len, dir);
	else
		dma_sync_single_for_device(dev, sg_dma_address(sg) + offset, len, dir);
}
