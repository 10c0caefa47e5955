/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_PIN_H
#define USRPCI_PIN_H

#include <linux/types.h>

struct usrpci_mapping;

/*
 * Pin a mapping's pages into its scatterlist, in entries of up to @max_segment
 * bytes. May sleep for as long as a user likes: never inside the gate.
 */
int usrpci_pin_mapping(struct usrpci_mapping *m, size_t max_segment);

/* @dirty: the device may have written there. */
void usrpci_unpin_mapping(struct usrpci_mapping *m, bool dirty);

#endif /* USRPCI_PIN_H */
