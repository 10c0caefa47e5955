// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/usrpci.h>

#include "claim.h"
#include "control.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "isolation.h"
#include "object.h"
#include "tlb/tlb.h"

static bool is_mask(u64 mask)
{
	return mask && !(mask & (mask + 1));
}

static int usrpci_change_dma_mask(struct usrpci_file *file, u64 streaming, u64 coherent)
{
	struct device *dev = usrpci_dma_device(file);
	u64 old = dma_get_mask(dev);

	/* What is mapped was placed under the masks of its time. */
	if (usrpci_objects_any(file) || !list_empty(&file->coherents) || usrpci_tlb_in_use(file))
		return -EBUSY;
	if (dma_set_mask(dev, streaming))
		return -EIO;
	if (dma_set_coherent_mask(dev, coherent)) {
		dma_set_mask(dev, old);
		return -EIO;
	}
	usrpci_claim_update_segment(file);
	return 0;
}

int usrpci_set_dma_mask(struct usrpci_command *cmd)
{
	struct usrpci_ioc_dma_mask *arg = cmd->arg;
	int err;

	if (!is_mask(arg->streaming) || !is_mask(arg->coherent))
		return -EIO;
	err = usrpci_enter_alone(cmd->file);
	if (err)
		return err;
	err = usrpci_change_dma_mask(cmd->file, arg->streaming, arg->coherent);
	usrpci_leave_alone(cmd->file);
	return err;
}

/* With nobody else inside the gate: INTx's handler writes to the same register. */
static int usrpci_change_master(struct usrpci_file *file, bool enable)
{
	int err = 0;

	usrpci_irq_hold(file);
	if (enable)
		err = usrpci_tlb_start_master(file);
	else
		pci_clear_master(usrpci_pdev(file));
	usrpci_irq_release(file);
	return err;
}

int usrpci_set_master(struct usrpci_command *cmd)
{
	struct usrpci_ioc_master *arg = cmd->arg;
	int err;

	if (arg->enable > 1 || arg->reserved)
		return -EINVAL;
	err = usrpci_enter_alone(cmd->file);
	if (err)
		return err;
	if (arg->enable && !usrpci_isolation_permits(usrpci_pdev(cmd->file),
						     cmd->file->needs_strict))
		err = -EPERM;
	else
		err = usrpci_change_master(cmd->file, arg->enable);
	usrpci_leave_alone(cmd->file);
	return err;
}
