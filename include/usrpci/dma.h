/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_DMA_H
#define USRPCI_DMA_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * usrpci_set_dma_mask() - Tell which bus addresses the device can form.
 * @dev: the device
 * @streaming: mask for mappings, 2^n - 1
 * @coherent: mask for coherent buffers, 2^n - 1
 *
 * 32 bits until this is called.
 *
 * Return: 0; -EIO if the platform can't serve it; -EBUSY if something is mapped
 * already; other negative errno.
 */
int usrpci_set_dma_mask(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent);

/**
 * struct usrpci_coherent - Memory that CPU and device both see with no sync.
 * @addr: where the program sees it
 * @bus_addr: where the device sees it
 * @len: bytes, whole pages
 * @handle: what the buffer is called, as in usrpci_tlb_misses.ring
 */
struct usrpci_coherent {
	void *addr;
	uint64_t bus_addr;
	size_t len;
	uint32_t handle;
};

/**
 * usrpci_coherent_alloc() - Get zeroed coherent memory.
 * @dev: the device
 * @len: bytes, rounded up to whole pages
 * @buf: filled in
 *
 * Once the function was removed the memory is the process's alone: it keeps what
 * was in it, unless there is no memory for a copy; then a touch gives SIGBUS.
 *
 * Return: 0; -ENOMEM no memory that the device can reach, or too little locked
 * memory allowed; other negative errno.
 */
int usrpci_coherent_alloc(struct usrpci_device *dev, size_t len, struct usrpci_coherent *buf);

/**
 * usrpci_coherent_free() - Give coherent memory back.
 * @dev: the device
 * @buf: from usrpci_coherent_alloc(); zeroed
 *
 * The device must no longer use it. One that the library reads a TLB's misses from is
 * freed with the device.
 *
 * Return: 0, also after the function was removed; -EINVAL if it wasn't
 * allocated; other negative errno.
 */
int usrpci_coherent_free(struct usrpci_device *dev, struct usrpci_coherent *buf);

/**
 * usrpci_coherent_detach() - Leave coherent memory to munmap(2).
 * @dev: the device
 * @buf: from usrpci_coherent_alloc(); its handle is no longer valid
 *
 * The device and the process keep the memory till all of it has been munmapped,
 * which frees it. Neither usrpci_coherent_free() nor usrpci_close() knows of it
 * any more, and the function stays claimed as long as such memory is mapped.
 *
 * Return: 0; -EINVAL if it wasn't allocated; -EOPNOTSUPP where the backend can't
 * see a munmap; -EBUSY the library reads a TLB's misses from it; other negative errno.
 */
int usrpci_coherent_detach(struct usrpci_device *dev, struct usrpci_coherent *buf);

/** enum usrpci_dma_direction - Who writes the memory. */
enum usrpci_dma_direction {
	USRPCI_DMA_BOTH		= 0,	/* device reads and writes */
	USRPCI_DMA_TO_DEVICE	= 1,	/* device reads */
	USRPCI_DMA_FROM_DEVICE	= 2,	/* device writes; some IOMMUs let it read, too */
};

/* usrpci_mapping.flags */
#define USRPCI_NO_BOUNCE	(1U << 0)	/* in: fail with -ERANGE instead */
#define USRPCI_BOUNCED		(1U << 1)	/* out: sync copies it */

/**
 * struct usrpci_sg - A run of bus addresses.
 * @bus_addr: first bus address
 * @len: bytes
 */
struct usrpci_sg {
	uint64_t bus_addr;
	uint64_t len;
};

/**
 * struct usrpci_mapping - User memory mapped for the device.
 * @addr: in: first byte, of any alignment
 * @len: in: bytes, at least 1
 * @direction: in
 * @flags: in: USRPCI_NO_BOUNCE; out: USRPCI_BOUNCED
 * @sg: in: room for the bus addresses; NULL if not wanted
 * @nr_sg: in: entries of room, 0 if none is wanted; out, also with -ENOSPC: entries that there are
 * @handle: out: for usrpci_unmap() and usrpci_sync(); never 0
 */
struct usrpci_mapping {
	void *addr;
	size_t len;
	enum usrpci_dma_direction direction;
	unsigned int flags;
	struct usrpci_sg *sg;
	unsigned int nr_sg;
	uint32_t handle;
};

/**
 * usrpci_sg_room() - Scatterlist entries that suffice for a buffer.
 * @len: bytes
 *
 * Return: entries.
 */
unsigned int usrpci_sg_room(size_t len);

/**
 * usrpci_map() - Pin memory of this process and map it for the device.
 * @dev: the device
 * @maps: regions, filled in
 * @nr: how many, 1 to 4096; all are mapped or none
 *
 * The memory may be anonymous, shared, of huge pages, or a private map of a file.
 * A shared map of a file can only be read by the device, but for those of tmpfs
 * and hugetlbfs: a filesystem on a disk wouldn't know of a device's writes. The
 * memory belongs to the device till usrpci_unmap(): sync it when CPU and device
 * take turns.
 *
 * An IOMMU that translates has large pages for huge pages of a region that begins at a
 * multiple of 2 MiB, and reaches far more of it at once: align what is large.
 *
 * Return: 0; -EFAULT memory that isn't there or doesn't allow @direction;
 * -ENOSPC too little room for the bus addresses; -ENOMEM too little locked
 * memory allowed, or none left; -EMFILE too many mappings; -ERANGE it would have to be
 * bounced and may not or can't; -EINVAL; other negative errno.
 */
int usrpci_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr);

/**
 * usrpci_unmap() - Give mapped memory back to the CPU and unpin it.
 * @dev: the device
 * @handles: from usrpci_map()
 * @nr: how many, 1 to 4096; all are unmapped or none
 *
 * The device must no longer use it.
 *
 * Return: 0; -EINVAL if a handle isn't mapped; other negative errno.
 */
int usrpci_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr);

/**
 * usrpci_sync_for_cpu() - Let the CPU see what the device wrote.
 * @dev: the device
 * @handle: from usrpci_map()
 * @offset: bytes from the region's start
 * @len: bytes
 *
 * Return: 0; -EINVAL if there is no such mapping or part; other negative errno.
 */
int usrpci_sync_for_cpu(struct usrpci_device *dev, uint32_t handle, uint64_t offset, uint64_t len);

/**
 * usrpci_sync_for_device() - Let the device see what the CPU wrote.
 * @dev: the device
 * @handle: from usrpci_map()
 * @offset: bytes from the region's start
 * @len: bytes
 *
 * Return: as usrpci_sync_for_cpu().
 */
int usrpci_sync_for_device(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
			   uint64_t len);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_DMA_H */
