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

static int usrpci_reset_file(struct usrpci_file *file)
{
	int err;

	file->resetting = true;
	err = usrpci_reset_function(usrpci_pdev(file));
	/* One that failed before it began has left all as it was. */
	if (err && !file->resetting) {
		down_write(&file->function->gate);
		usrpci_tlb_give_up(file);
		up_write(&file->function->gate);
	}
	file->resetting = false;
	return err;
}

/* The gate is closed by the driver's reset_prepare, as for anybody's reset. */
int usrpci_reset(struct usrpci_command *cmd)
{
	struct usrpci_file *file = cmd->file;
	struct pci_dev *pdev = usrpci_pdev(file);
	int err = -ENODEV;

	device_lock(&pdev->dev);
	if (!file->dead)
		err = usrpci_reset_file(file);
	device_unlock(&pdev->dev);
	return err;
}

static void usrpci_reset_close(struct usrpci_function *f)
{
	down_write(&f->gate);
	if (!f->file)
		return;
	usrpci_pages_zap_bars(f->file);
	usrpci_irq_hold(f->file);
}

void usrpci_reset_prepare(struct pci_dev *pdev)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	usrpci_reset_close(f);
	if (f->file)
		usrpci_tlb_hold(f->file, USRPCI_HOLD_RESET);
}

void usrpci_reset_restore(struct pci_dev *pdev)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	usrpci_reset_close(f);
	usrpci_config_restore(pdev, f->file ? f->file->saved : f->saved);
	/* Before that it couldn't have said that it has no entries. */
	if (f->file) {
		usrpci_tlb_hold(f->file, USRPCI_HOLD_RESET);
		if (pdev->is_busmaster && !usrpci_tlb_broken(f->file))
			pci_set_master(pdev);
	}
	usrpci_reset_done(pdev);
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
		f->file->resetting = false;
	}
	up_write(&f->gate);
}
