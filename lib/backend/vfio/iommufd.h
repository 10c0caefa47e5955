/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: iommufd
 *
 * What is used of /dev/iommu, and of VFIO with it, as Linux documents it in
 * Documentation/userspace-api/iommufd.rst and vfio.rst: headers older than 6.6 lack it. Each
 * structure starts with its size, and what is reserved is 0.
 */
#ifndef LIB_BACKEND_VFIO_IOMMUFD_H
#define LIB_BACKEND_VFIO_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vfio.h>

#define IOMMUFD_CALL(nr)		_IO(';', nr)
#define IOMMUFD_IOAS_ALLOC		IOMMUFD_CALL(0x81)
#define IOMMUFD_IOAS_IOVA_RANGES	IOMMUFD_CALL(0x84)
#define IOMMUFD_IOAS_MAP		IOMMUFD_CALL(0x85)
#define IOMMUFD_IOAS_UNMAP		IOMMUFD_CALL(0x86)

/* Of a function's own descriptor. */
#define IOMMUFD_VFIO_BIND		_IO(VFIO_TYPE, VFIO_BASE + 18)
#define IOMMUFD_VFIO_ATTACH		_IO(VFIO_TYPE, VFIO_BASE + 19)

/* iommufd_map.flags */
#define IOMMUFD_MAP_FIXED		(1U << 0)
#define IOMMUFD_MAP_WRITE		(1U << 1)
#define IOMMUFD_MAP_READ		(1U << 2)

/** struct iommufd_alloc - Makes page tables; @ioas: set to their number. */
struct iommufd_alloc {
	__u32 size;
	__u32 flags;
	__u32 ioas;
};

/**
 * struct iommufd_ranges - Bus addresses that memory can have.
 * @size: of this
 * @ioas: page tables
 * @nr: in: room in @ranges; out: how many there are, with EMSGSIZE if that's more
 * @reserved: 0
 * @ranges: array of pairs of addresses, first and last, in order
 * @align: set to what addresses and lengths are multiples of
 */
struct iommufd_ranges {
	__u32 size;
	__u32 ioas;
	__u32 nr;
	__u32 reserved;
	__aligned_u64 ranges;
	__aligned_u64 align;
};

/**
 * struct iommufd_map - Gives memory to whatever is attached.
 * @size: of this
 * @flags: IOMMUFD_MAP_*
 * @ioas: page tables
 * @reserved: 0
 * @addr: in this process
 * @len: bytes
 * @iova: bus address
 */
struct iommufd_map {
	__u32 size;
	__u32 flags;
	__u32 ioas;
	__u32 reserved;
	__aligned_u64 addr;
	__aligned_u64 len;
	__aligned_u64 iova;
};

/** struct iommufd_unmap - Takes it back; @len: out: what was mapped of it. */
struct iommufd_unmap {
	__u32 size;
	__u32 ioas;
	__aligned_u64 iova;
	__aligned_u64 len;
};

/** struct iommufd_vfio_bind - Makes a function one of an iommufd's; @id: set. */
struct iommufd_vfio_bind {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 id;
};

/** struct iommufd_vfio_attach - Puts it behind the page tables @ioas. */
struct iommufd_vfio_attach {
	__u32 argsz;
	__u32 flags;
	__u32 ioas;
};

#endif /* LIB_BACKEND_VFIO_IOMMUFD_H */
