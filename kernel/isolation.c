// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>

#include "isolation.h"

static bool usrpci_require_strict;
module_param_named(require_strict, usrpci_require_strict, bool, 0644);
MODULE_PARM_DESC(require_strict, "Only functions that are isolated strictly may be opened, by whomever");

/* A bridge does no DMA of its own. Any other may get a driver, or another user, at any time. */
static int usrpci_is_other(struct device *dev, void *own)
{
	if (dev == own)
		return 0;
	return !dev_is_pci(dev) || to_pci_dev(dev)->hdr_type == PCI_HEADER_TYPE_NORMAL;
}

/* Functions of a group share what the IOMMU lets them reach. */
static bool usrpci_shares_group(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	bool shares;

	if (!group)
		return false;
	shares = iommu_group_for_each_dev(group, &pdev->dev, usrpci_is_other);
	iommu_group_put(group);
	return shares;
}

enum usrpci_isolation_level usrpci_isolation(struct pci_dev *pdev)
{
	if (usrpci_shares_group(pdev))
		return USRPCI_ISOLATION_NONE;
	switch (usrpci_translation(&pdev->dev)) {
	case USRPCI_TRANSLATED:
		return USRPCI_ISOLATION_STRICT;
	case USRPCI_TRANSLATED_LAZY:
		return USRPCI_ISOLATION_LAZY;
	case USRPCI_IDENTITY:
		return USRPCI_ISOLATION_PASSTHROUGH;
	case USRPCI_NO_IOMMU:
		break;
	}
	return USRPCI_ISOLATION_NONE;
}

const char *usrpci_isolation_name(enum usrpci_isolation_level level)
{
	static const char * const names[] = {
		[USRPCI_ISOLATION_NONE] = "none",
		[USRPCI_ISOLATION_PASSTHROUGH] = "passthrough",
		[USRPCI_ISOLATION_LAZY] = "lazy",
		[USRPCI_ISOLATION_STRICT] = "strict",
	};

	return names[level];
}

int usrpci_iommu_group(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int id;

	if (!group)
		return -1;
	id = iommu_group_id(group);
	iommu_group_put(group);
	return id;
}

bool usrpci_isolation_required(void)
{
	return usrpci_require_strict || !capable(CAP_SYS_RAWIO);
}

/*
 * Less isolated, the device reaches memory that nobody handed to it; with
 * interrupts that aren't remapped it can raise any, by writing to memory.
 */
bool usrpci_isolation_permits(struct pci_dev *pdev, bool required)
{
	return !required || (usrpci_isolation(pdev) == USRPCI_ISOLATION_STRICT &&
			     usrpci_irqs_remapped(&pdev->dev));
}
