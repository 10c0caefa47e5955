// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/pci.h>
#include <linux/usrpci.h>

#include "config.h"
#include "file.h"
#include "ioctl.h"
#include "pages.h"
#include "reset.h"
#include "tlb/tlb.h"

int usrpci_reset_function(struct pci_dev *pdev)
{
	int err;

	/* Nobody else reads configuration space meanwhile. */
	pci_cfg_access_lock(pdev);
	err = pci_reset_function_locked(pdev);
	pci_cfg_access_unlock(pdev);
	if (!err)
		return 0;
	return err == -ENOTTY ? -EOPNOTSUPP : -EIO;
}

/* The gate is closed by the driver's reset_prepare, as for anybody's reset. */
int usrpci_reset(struct usrpci_command *cmd)
{
	struct usrpci_file *file = cmd->file;
	struct pci_dev *pdev = usrpci_pdev(file);
	int err = -ENODEV;

	device_lock(&pdev->dev);
	if (!file->dead) {
		file->resetting = true;
		err = usrpci_reset_function(pdev);
		file->resetting = false;
	}
	device_unlock(&pdev->dev);
	return err;
}

void usrpci_reset_prepare(struct pci_dev *pdev)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	down_write(&f->gate);
	if (!f->file)
		return;
	usrpci_pages_zap_bars(f->file);
	usrpci_tlb_hold(f->file, USRPCI_HOLD_RESET);
	usrpci_irq_hold(f->file);
}

void usrpci_reset_done(struct pci_dev *pdev)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	if (f->file) {
		usrpci_config_update_decode(f->file);
		usrpci_irq_release(f->file);
		usrpci_tlb_release(f->file, USRPCI_HOLD_RESET);
		if (!f->file->resetting)
			usrpci_event_add(f->file, USRPCI_EVENT_RESET, 0);
	}
	up_write(&f->gate);
}
