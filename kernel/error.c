// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/pci.h>

#include "config.h"
#include "error.h"
#include "file.h"
#include "function.h"
#include "reset.h"

static void usrpci_error_tell(struct usrpci_function *f, enum usrpci_error_level level)
{
	down_read(&f->gate);
	if (f->file)
		usrpci_event_add(f->file, USRPCI_EVENT_ERROR, level);
	up_read(&f->gate);
}

/*
 * Under device_lock. What comes after a fatal error resets the link below
 * everybody's feet; nobody is waited for, so the user loses the function, and may
 * open it again.
 */
static pci_ers_result_t usrpci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal) {
		usrpci_error_tell(f, USRPCI_ERROR_NONFATAL);
		return PCI_ERS_RESULT_CAN_RECOVER;
	}
	usrpci_error_tell(f, USRPCI_ERROR_FATAL);
	usrpci_function_revoke(f, USRPCI_REMOVED_ERROR);
	return state == pci_channel_io_perm_failure ? PCI_ERS_RESULT_DISCONNECT :
						      PCI_ERS_RESULT_NEED_RESET;
}

/*
 * The function may have the state of power-on. It has a user yet if the error wasn't
 * fatal and another function asked for the reset: for that user it is one by others.
 */
static pci_ers_result_t usrpci_slot_reset(struct pci_dev *pdev)
{
	usrpci_reset_restore(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

const struct pci_error_handlers usrpci_error_handlers = {
	.error_detected = usrpci_error_detected,
	.slot_reset = usrpci_slot_reset,
	.reset_prepare = usrpci_reset_prepare,
	.reset_done = usrpci_reset_done,
};
