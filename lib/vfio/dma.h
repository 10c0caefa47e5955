/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_VFIO_DMA_H
#define LIB_VFIO_DMA_H

#include <unistd.h>
#include "vfio.h"

/*
 * Maps @dma, of which neither bus addresses nor handle are set till then, and keeps a copy of it.
 * Its descriptor is the copy's from then on if it is coherent.
 */
int usrpci_dma_map(struct usrpci_vfio_device *dev, struct usrpci_dma *dma, uint64_t *missing);

/* Where the device sees the first byte: it lies in its page as it does in the program's. */
static inline uint64_t usrpci_dma_address(const struct usrpci_dma *dma)
{
	return dma->iova.first + (uintptr_t)dma->addr % (uintptr_t)sysconf(_SC_PAGESIZE);
}

#endif /* LIB_VFIO_DMA_H */
