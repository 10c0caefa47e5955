/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: the vfio-user protocol
 *
 * What goes over the socket between a program and whoever plays its device. Source: QEMU,
 * docs/interop/vfio-user.rst. All values are in the host's byte order. A message that has
 * a structure in <linux/vfio.h> carries that.
 */
#ifndef LIB_VFIO_USER_PROTOCOL_H
#define LIB_VFIO_USER_PROTOCOL_H

#include <linux/vfio.h>
#include <stdint.h>

#define VFIO_USER_MAJOR	0
#define VFIO_USER_MINOR	0

enum vfio_user_command {
	VFIO_USER_VERSION			= 1,
	VFIO_USER_DMA_MAP			= 2,
	VFIO_USER_DMA_UNMAP			= 3,
	VFIO_USER_DEVICE_GET_INFO		= 4,
	VFIO_USER_DEVICE_GET_REGION_INFO	= 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS	= 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO		= 7,
	VFIO_USER_DEVICE_SET_IRQS		= 8,
	VFIO_USER_REGION_READ			= 9,
	VFIO_USER_REGION_WRITE			= 10,
	VFIO_USER_DMA_READ			= 11,	/* from the server */
	VFIO_USER_DMA_WRITE			= 12,	/* from the server */
	VFIO_USER_DEVICE_RESET			= 13,
	VFIO_USER_REGION_WRITE_MULTI		= 15,
};

/* vfio_user_header.flags */
#define VFIO_USER_TYPE		0x0fU
#define VFIO_USER_REPLY		0x01U
#define VFIO_USER_NO_REPLY	0x10U
#define VFIO_USER_ERROR		0x20U

/* What a peer that says nothing of it can take. */
#define VFIO_USER_DEFAULT_FDS		1U
#define VFIO_USER_DEFAULT_TRANSFER	(1U << 20)

/* What we take. */
#define VFIO_USER_FDS		16U
#define VFIO_USER_TRANSFER	(1U << 20)

/**
 * struct vfio_user_header - Goes before every message.
 * @id: of a command, and of its reply
 * @command: enum vfio_user_command
 * @size: bytes of the message, with this
 * @flags: VFIO_USER_*
 * @error: errno, in a reply with VFIO_USER_ERROR
 */
struct vfio_user_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

/** struct vfio_user_version - Both ways; JSON and a final 0 follow, or nothing. */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
};

#define VFIO_USER_DMA_READABLE	(1U << 0)
#define VFIO_USER_DMA_WRITEABLE	(1U << 1)

/** struct vfio_user_dma_map - Memory that may be reached, with its descriptor or none. */
struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

/* vfio_user_dma_unmap.flags: all there is, of address and size 0. QEMU's, as of VFIO. */
#define VFIO_USER_DMA_UNMAP_ALL	(1U << 1)

/** struct vfio_user_dma_unmap - Such memory as it was mapped; both ways. */
struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};

/** struct vfio_user_device_info - Both ways. */
struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

/** struct vfio_user_region_access - Both ways; the data follow where they go. */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

/** struct vfio_user_dma_access - Both ways; the data follow where they go. */
struct vfio_user_dma_access {
	uint64_t address;
	uint64_t count;
};

/* Of the payload of any message that isn't refused. */
#define VFIO_USER_MAX_PAYLOAD	(VFIO_USER_TRANSFER + 4096U)

#endif /* LIB_VFIO_USER_PROTOCOL_H */
