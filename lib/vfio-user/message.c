// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "message.h"

int64_t usrpci_message_check_header(const struct vfio_user_header *header)
{
	uint32_t type = header->flags & VFIO_USER_TYPE;
	uint32_t len = header->size - (uint32_t)sizeof(*header);

	if (header->size < sizeof(*header) || len > VFIO_USER_MAX_PAYLOAD)
		return -EPROTO;
	if (type > VFIO_USER_REPLY)
		return -EPROTO;
	/* Then there's no more than the header. */
	if (type == VFIO_USER_REPLY && header->flags & VFIO_USER_ERROR && len)
		return -EPROTO;
	return len;
}

/* Text ends with the payload, where there is any. */
static bool is_version(const void *payload, size_t len)
{
	const char *text = payload;

	if (len < sizeof(struct vfio_user_version))
		return false;
	text += sizeof(struct vfio_user_version);
	len -= sizeof(struct vfio_user_version);
	return !len || strnlen(text, len) == len - 1;
}

static bool wraps(uint64_t start, uint64_t len)
{
	return !len || len - 1 > UINT64_MAX - start;
}

static bool is_dma_map(const void *payload, size_t len, unsigned int nr_fds)
{
	struct vfio_user_dma_map map;

	if (len != sizeof(map) || nr_fds > 1)
		return false;
	memcpy(&map, payload, sizeof(map));
	return !wraps(map.address, map.size) && !wraps(map.offset, map.size) &&
	       !(map.flags & ~(VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE));
}

static bool is_dma_unmap(const void *payload, size_t len)
{
	struct vfio_user_dma_unmap unmap;

	if (len != sizeof(unmap))
		return false;
	memcpy(&unmap, payload, sizeof(unmap));
	if (unmap.flags)
		return unmap.flags == VFIO_USER_DMA_UNMAP_ALL && !unmap.address && !unmap.size;
	return !wraps(unmap.address, unmap.size);
}

/* One of the bits of @all. */
static bool is_one(uint32_t flags, uint32_t all)
{
	flags &= all;
	return flags && !(flags & (flags - 1));
}

static bool is_irq_set(const void *payload, size_t len, unsigned int nr_fds)
{
	struct vfio_irq_set set;
	size_t data;

	if (len < sizeof(set))
		return false;
	memcpy(&set, payload, sizeof(set));
	data = len - sizeof(set);
	if (!is_one(set.flags, VFIO_IRQ_SET_DATA_TYPE_MASK) ||
	    !is_one(set.flags, VFIO_IRQ_SET_ACTION_TYPE_MASK))
		return false;
	if (set.flags & VFIO_IRQ_SET_DATA_BOOL)
		return !nr_fds && data >= set.count;
	if (set.flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return !nr_fds || nr_fds == set.count;
	return !nr_fds;
}

/* @with_data: they follow. */
static bool is_region_access(const void *payload, size_t len, bool with_data)
{
	struct vfio_user_region_access access;

	if (len < sizeof(access))
		return false;
	memcpy(&access, payload, sizeof(access));
	return access.count && access.count <= VFIO_USER_TRANSFER &&
	       !wraps(access.offset, access.count) &&
	       len - sizeof(access) == (with_data ? access.count : 0);
}

static bool is_dma_access(const void *payload, size_t len, bool with_data)
{
	struct vfio_user_dma_access access;

	if (len < sizeof(access))
		return false;
	memcpy(&access, payload, sizeof(access));
	return access.count && access.count <= VFIO_USER_TRANSFER &&
	       !wraps(access.address, access.count) &&
	       len - sizeof(access) == (with_data ? access.count : 0);
}

int usrpci_message_check_command(unsigned int command, const void *payload, size_t len,
				 unsigned int nr_fds)
{
	bool good, wants_fds = false;

	switch (command) {
	case VFIO_USER_VERSION:
		good = is_version(payload, len);
		break;
	case VFIO_USER_DMA_MAP:
		wants_fds = true;
		good = is_dma_map(payload, len, nr_fds);
		break;
	case VFIO_USER_DMA_UNMAP:
		good = is_dma_unmap(payload, len);
		break;
	case VFIO_USER_DEVICE_GET_INFO:
		good = len >= sizeof(struct vfio_user_device_info);
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		good = len >= sizeof(struct vfio_region_info);
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		good = len >= sizeof(struct vfio_irq_info);
		break;
	case VFIO_USER_DEVICE_SET_IRQS:
		wants_fds = true;
		good = is_irq_set(payload, len, nr_fds);
		break;
	case VFIO_USER_REGION_READ:
		good = is_region_access(payload, len, false);
		break;
	case VFIO_USER_REGION_WRITE:
		good = is_region_access(payload, len, true);
		break;
	case VFIO_USER_DMA_READ:
		good = is_dma_access(payload, len, false);
		break;
	case VFIO_USER_DMA_WRITE:
		good = is_dma_access(payload, len, true);
		break;
	case VFIO_USER_DEVICE_RESET:
		good = !len;
		break;
	default:
		return -ENOTSUP;
	}
	return good && (wants_fds || !nr_fds) ? 0 : -EINVAL;
}

/* The specification's table of the reply to a DMA write has 12 bytes, its servers send 16. */
static bool is_dma_written(const void *payload, size_t len)
{
	return len == 12 || is_dma_access(payload, len, false);
}

static bool is_region_info(const void *payload, size_t len, unsigned int nr_fds)
{
	struct vfio_region_info info;

	if (len < sizeof(info) || nr_fds > VFIO_USER_FDS)
		return false;
	memcpy(&info, payload, sizeof(info));
	return info.argsz >= sizeof(info);
}

int usrpci_message_check_reply(unsigned int command, const void *payload, size_t len,
			       unsigned int nr_fds)
{
	bool good, wants_fds = false;

	switch (command) {
	case VFIO_USER_VERSION:
		wants_fds = true;
		good = is_version(payload, len);
		break;
	case VFIO_USER_DEVICE_GET_INFO:
		good = len >= sizeof(struct vfio_user_device_info);
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		wants_fds = true;
		good = is_region_info(payload, len, nr_fds);
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		good = len >= sizeof(struct vfio_irq_info);
		break;
	case VFIO_USER_REGION_READ:
		good = is_region_access(payload, len, true);
		break;
	case VFIO_USER_REGION_WRITE:
		good = is_region_access(payload, len, false);
		break;
	case VFIO_USER_DMA_READ:
		good = is_dma_access(payload, len, true);
		break;
	case VFIO_USER_DMA_WRITE:
		good = is_dma_written(payload, len);
		break;
	case VFIO_USER_DMA_MAP:
	case VFIO_USER_DMA_UNMAP:
	case VFIO_USER_DEVICE_SET_IRQS:
	case VFIO_USER_DEVICE_RESET:
		good = true;
		break;
	default:
		return -EPROTO;
	}
	return good && (wants_fds || !nr_fds) ? 0 : -EPROTO;
}
