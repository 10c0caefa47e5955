// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/pci.h>

#include "claim.h"
#include "coherent.h"
#include "file.h"
#include "irq.h"
#include "object.h"
#include "pages.h"
#include "quiesce.h"
#include "reset.h"
#include "teardown.h"
#include "trace.h"
#include "tlb/tlb.h"

/* From here on the device starts no DMA and no interrupt. */
static void usrpci_stop(struct usrpci_file *file)
{
	struct usrpci_function *f = file->function;
	struct pci_dev *pdev = f->pdev;
	int err;

	pci_set_power_state(pdev, PCI_D0);
	usrpci_quiesce_run(file);
	pci_clear_master(pdev);
	pci_wait_for_pending_transaction(pdev);
	/* Of a function that was pulled meanwhile, the end of a reset is awaited for a minute. */
	err = pci_device_is_present(pdev) ? usrpci_reset_function(pdev) : -EIO;
	if (err == -EIO)
		f->needs_reset = true;
	/* It may use what it was told to forget, as long as it isn't reset. */
	if (err && usrpci_tlb_broken(file))
		f->deaf = true;
}

/* After an error its link is reset by others; its registers may hang who reads them. */
static void usrpci_stop_failed(struct usrpci_file *file)
{
	pci_clear_master(usrpci_pdev(file));
	file->function->needs_reset = true;
	file->function->deaf |= usrpci_tlb_broken(file);
}

void usrpci_teardown(struct usrpci_file *file, bool failed)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	bool present = pci_device_is_present(pdev);

	trace_usrpci_teardown(file->function, present);
	/* A program that lives on must not start the device again. */
	usrpci_pages_zap(file);
	/* What follows writes to the command register, and so does INTx's handler. */
	usrpci_irq_hold(file);
	wake_up_interruptible_all(&file->wait);
	if (present && !failed && !pci_channel_offline(pdev)) {
		usrpci_tlb_retire(file);
		usrpci_stop(file);
	} else {
		usrpci_stop_failed(file);
	}
	usrpci_irq_free(file);
	usrpci_tlb_destroy(file);
	usrpci_objects_teardown(file);
	usrpci_coherents_revoke(file);
	usrpci_quiesce_destroy(file);
	usrpci_unclaim(file, present);
	complete_all(&file->torn_down);
}
