/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: the 2005 interface
 *
 * Four calls for user-level PCI drivers as they were proposed for Linux in 2005,
 * source-compatible, on top of <usrpci.h>. Each returns -1 and sets errno when
 * it fails; after the function was removed that is ENODEV. Link with -lusrdrv.
 * New programs do better with <usrpci.h>.
 */
#ifndef USRDRV_H
#define USRDRV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** enum dma_data_direction - Who writes the memory. */
enum dma_data_direction {
	DMA_BIDIRECTIONAL = 0,
	DMA_TO_DEVICE = 1,
	DMA_FROM_DEVICE = 2,
	DMA_NONE = 3,
};

/**
 * struct usr_pci_sglist - A run of bus addresses.
 * @dmaaddr: first bus address
 * @len: bytes
 */
struct usr_pci_sglist {
	unsigned long dmaaddr;
	unsigned long len;
};

/**
 * struct mapping_info - Memory to be mapped for DMA.
 * @virtaddr: in: first byte
 * @dmaaddr: out: bus address of the first byte
 * @size: in: bytes
 * @nents: in: entries of room in @sglist; out: entries filled
 * @sglist: in: where the bus addresses go; room for size / page + 2 entries
 * @direction: in: who writes
 */
struct mapping_info {
	void *virtaddr;
	unsigned long dmaaddr;
	unsigned int size;
	unsigned int nents;
	struct usr_pci_sglist *sglist;
	enum dma_data_direction direction;
};

/**
 * usr_pci_open() - Claim and enable a function, with bus mastering on.
 * @bus: bus number, 0 to 255, or with the PCI domain above it: domain << 8 | bus
 * @slot: device number, 0 to 31
 * @function: function number, 0 to 7
 * @dma_mask: what bus addresses it can form, 2^n - 1
 *
 * A function that has no driver is bound to usrpci first, where the caller may.
 * close(2) gives it back, once what usr_pci_get_consistent() mapped is unmapped.
 *
 * Return: a descriptor, or -1 with errno ENOENT no such function; EBUSY it is
 * claimed, by a program or another driver; EIO bad mask; ENFILE; ENOMEM; EACCES
 * or EPERM.
 */
int usr_pci_open(int bus, int slot, int function, uint64_t dma_mask);

/**
 * usr_pci_get_consistent() - Get coherent memory, zeroed and mapped.
 * @fd: from usr_pci_open()
 * @size: bytes
 * @vaddr: set to where the program sees it
 * @dmaaddr: set to where the device sees it
 *
 * munmap(2) frees it.
 *
 * Return: 0, or -1 with errno EINVAL not a descriptor of usr_pci_open(), or size
 * 0; ENOMEM; EFAULT.
 */
int usr_pci_get_consistent(int fd, size_t size, void **vaddr, unsigned long *dmaaddr);

/**
 * usr_pci_mmap() - Pin memory and map it for the device.
 * @fd: from usr_pci_open()
 * @info: what to map; filled in
 *
 * Return: 0, or -1 with errno EINVAL bad descriptor, direction, size 0 or @nents
 * below size / page + 2; EFAULT; ENOMEM, also for memory beyond the mask that the
 * platform can't bounce.
 */
int usr_pci_mmap(int fd, struct mapping_info *info);

/**
 * usr_pci_munmap() - Undo usr_pci_mmap().
 * @fd: from usr_pci_open()
 * @info: as usr_pci_mmap() filled it in
 *
 * Return: 0, or -1 with errno EINVAL: never mapped.
 */
int usr_pci_munmap(int fd, struct mapping_info *info);

#ifdef __cplusplus
}
#endif
#endif /* USRDRV_H */
