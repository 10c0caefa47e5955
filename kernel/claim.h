/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_CLAIM_H
#define USRPCI_CLAIM_H

#include <linux/types.h>

struct usrpci_file;

/*
 * Make the function ready for a user, and put it back as it was. Under
 * device_lock. What the last driver may have left running is reset first.
 */
int usrpci_claim(struct usrpci_file *file);
void usrpci_unclaim(struct usrpci_file *file, bool present);

/* After each change of the DMA mask. */
void usrpci_claim_update_segment(struct usrpci_file *file);

#endif /* USRPCI_CLAIM_H */
