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

/* 0 if the caller may open a function that is so isolated, or -EPERM. */
int usrpci_isolation_permit(struct pci_dev *pdev);

#endif /* USRPCI_ISOLATION_H */
