/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: usrpci - drive a PCI function from an ordinary program
 *
 * Every function returns 0 (or what it says) on success and a negative errno
 * on failure; nothing is printed and nothing exits. A call that fails leaves
 * everything as it was. After the function was removed every call gives
 * -ENODEV, but usrpci_event(), which tells why.
 *
 * Calls on one device may come from any number of threads; usrpci_close() must
 * be the last one.
 */
#ifndef USRPCI_H
#define USRPCI_H

#include <usrpci/device.h>
#include <usrpci/bind.h>
#include <usrpci/bar.h>
#include <usrpci/mmio.h>
#include <usrpci/regs.h>
#include <usrpci/dma.h>
#include <usrpci/irq.h>
#include <usrpci/quiesce.h>
#include <usrpci/event.h>
#include <usrpci/tlb.h>
#include <usrpci/space.h>

#endif /* USRPCI_H */
