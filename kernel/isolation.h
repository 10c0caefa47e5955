/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_ISOLATION_H
#define USRPCI_ISOLATION_H

#include <linux/usrpci.h>

struct pci_dev;

enum usrpci_isolation_level usrpci_isolation(struct pci_dev *pdev);
const char *usrpci_isolation_name(enum usrpci_isolation_level level);

/* Number of the function's IOMMU group, -1 without. */
int usrpci_iommu_group(struct pci_dev *pdev);

/* The caller may have a function only if it's isolated strictly. */
bool usrpci_isolation_required(void);

/* A function that is isolated as it is now may be used; always, if that isn't required. */
bool usrpci_isolation_permits(struct pci_dev *pdev, bool required);

#endif /* USRPCI_ISOLATION_H */
