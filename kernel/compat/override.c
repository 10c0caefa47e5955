// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/device.h>
#include <linux/pci.h>

#ifdef USRPCI_DEVICE_OVERRIDE
bool usrpci_is_named(struct pci_dev *pdev)
{
	return device_match_driver_override(&pdev->dev, pdev->dev.driver) > 0;
}
#else
bool usrpci_is_named(struct pci_dev *pdev)
{
	return pdev->driver_override && !strcmp(pdev->driver_override, KBUILD_MODNAME);
}
#endif
