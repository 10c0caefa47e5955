// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Who gets past the checks of a message uses all that they promise. */
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "vfio-user/message.h"

static unsigned int sum(const unsigned char *bytes, size_t len)
{
	unsigned int all = 0;

	while (len--)
		all += *bytes++;
	return all;
}

static void use_region_access(const unsigned char *payload, bool with_data)
{
	struct vfio_user_region_access access;

	memcpy(&access, payload, sizeof(access));
	must(access.count && access.count <= VFIO_USER_TRANSFER, "count of a region access");
	must(access.offset + access.count - 1 >= access.offset, "region access that wraps");
	if (with_data)
		sum(payload + sizeof(access), access.count);
}

static void use_dma_access(const unsigned char *payload, bool with_data)
{
	struct vfio_user_dma_access access;

	memcpy(&access, payload, sizeof(access));
	must(access.count && access.count <= VFIO_USER_TRANSFER, "count of a DMA access");
	must(access.address + access.count - 1 >= access.address, "DMA access that wraps");
	if (with_data)
		sum(payload + sizeof(access), access.count);
}

static void use_dma_map(const unsigned char *payload, unsigned int nr_fds)
{
	struct vfio_user_dma_map map;

	memcpy(&map, payload, sizeof(map));
	must(nr_fds <= 1, "descriptors of a DMA map");
	must(map.size && map.address + map.size - 1 >= map.address, "DMA map that wraps");
	must(map.offset + map.size - 1 >= map.offset, "file of a DMA map that wraps");
}

static void use_irq_set(const unsigned char *payload, unsigned int nr_fds)
{
	struct vfio_irq_set set;

	memcpy(&set, payload, sizeof(set));
	if (set.flags & VFIO_IRQ_SET_DATA_BOOL)
		sum(payload + sizeof(set), set.count);
	must(!nr_fds || nr_fds == set.count, "descriptors of interrupts");
}

static void use_command(unsigned int command, const unsigned char *payload, size_t len,
			unsigned int nr_fds)
{
	switch (command) {
	case VFIO_USER_VERSION:
		if (len > sizeof(struct vfio_user_version))
			must(!payload[len - 1], "end of a version's text");
		break;
	case VFIO_USER_DMA_MAP:
		use_dma_map(payload, nr_fds);
		break;
	case VFIO_USER_DMA_UNMAP:
		sum(payload, sizeof(struct vfio_user_dma_unmap));
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		sum(payload, sizeof(struct vfio_region_info));
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		sum(payload, sizeof(struct vfio_irq_info));
		break;
	case VFIO_USER_DEVICE_SET_IRQS:
		use_irq_set(payload, nr_fds);
		break;
	case VFIO_USER_REGION_READ:
	case VFIO_USER_REGION_WRITE:
		use_region_access(payload, command == VFIO_USER_REGION_WRITE);
		break;
	case VFIO_USER_DMA_READ:
	case VFIO_USER_DMA_WRITE:
		use_dma_access(payload, command == VFIO_USER_DMA_WRITE);
		break;
	}
}

static void use_reply(unsigned int command, const unsigned char *payload, size_t len)
{
	switch (command) {
	case VFIO_USER_VERSION:
		sum(payload, sizeof(struct vfio_user_version));
		break;
	case VFIO_USER_DEVICE_GET_INFO:
		sum(payload, sizeof(struct vfio_user_device_info));
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		sum(payload, sizeof(struct vfio_region_info));
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		sum(payload, sizeof(struct vfio_irq_info));
		break;
	case VFIO_USER_REGION_READ:
	case VFIO_USER_REGION_WRITE:
		use_region_access(payload, command == VFIO_USER_REGION_READ);
		break;
	case VFIO_USER_DMA_READ:
		use_dma_access(payload, true);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct vfio_user_header header = { 0 };
	unsigned int nr_fds = input_u8(&in);
	size_t head = sizeof(header);
	const uint8_t *bytes = input_bytes(&in, &head);
	unsigned char *payload;
	int64_t want;

	if (head)
		memcpy(&header, bytes, head);
	want = usrpci_message_check_header(&header);
	must(want <= (int64_t)VFIO_USER_MAX_PAYLOAD, "a payload's length");
	len = in.len;
	payload = input_copy(&in, len);
	if (!usrpci_message_check_command(header.command, payload, len, nr_fds))
		use_command(header.command, payload, len, nr_fds);
	if (!usrpci_message_check_reply(header.command, payload, len, nr_fds))
		use_reply(header.command, payload, len);
	free(payload);
	return 0;
}
