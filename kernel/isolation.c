// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/pci.h>

#include "isolation.h"

enum usrpci_isolation_level usrpci_isolation(struct pci_dev *pdev)
{
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

int usrpci_isolation_permit(enum usrpci_isolation_level level)
{
	/* Less isolated, the device reaches memory that nobody handed to it. */
	if (level == USRPCI_ISOLATION_STRICT || capable(CAP_SYS_RAWIO))
		return 0;
	return -EPERM;
}
