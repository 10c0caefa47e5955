// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "function.h"
#include "vfio.h"

const char *vfio_lacks(const char *address)
{
	if (function_group(address) < 0)
		return "there is no IOMMU, and Debian's kernels lack VFIO's mode without one";
	return NULL;
}

static int call(int fd, unsigned long request, const void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		err(1, "VFIO: %s", what);
	return ret;
}

void vfio_open(struct vfio *vfio, const char *address)
{
	char path[64];

	function_give(address, "vfio-pci");
	snprintf(path, sizeof(path), "/dev/vfio/%d", function_group(address));
	*vfio = (struct vfio){ .address = address };
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	if (vfio->container < 0 || vfio->group < 0)
		err(1, "%s", path);
	call(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container, "container");
	call(vfio->container, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU, "type 1");
	vfio->device = call(vfio->group, VFIO_GROUP_GET_DEVICE_FD, address, "device");
}

void vfio_close(struct vfio *vfio)
{
	if (vfio->regs)
		munmap((void *)vfio->regs, vfio->len);
	close(vfio->device);
	close(vfio->group);
	close(vfio->container);
}

void vfio_map(const struct vfio *vfio, void *addr, size_t len, uint64_t iova)
{
	const struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)addr, .iova = iova, .size = len,
	};

	call(vfio->container, VFIO_IOMMU_MAP_DMA, &map, "map");
}

void vfio_unmap(const struct vfio *vfio, size_t len, uint64_t iova)
{
	const struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = len,
	};

	call(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap, "unmap");
}

static uint64_t region_at(const struct vfio *vfio, unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	call(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &info, "region");
	return info.offset;
}

volatile void *vfio_map_bar(struct vfio *vfio, size_t len)
{
	void *regs = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device,
			  (off_t)region_at(vfio, VFIO_PCI_BAR0_REGION_INDEX));

	if (regs == MAP_FAILED)
		err(1, "VFIO: BAR 0");
	vfio->regs = regs;
	vfio->len = len;
	return regs;
}

void vfio_wire(const struct vfio *vfio, unsigned int index, int eventfd)
{
	char room[sizeof(struct vfio_irq_set) + sizeof(int)] = { 0 };
	struct vfio_irq_set *set = (struct vfio_irq_set *)room;

	set->argsz = sizeof(room);
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = index;
	set->count = 1;
	memcpy(set->data, &eventfd, sizeof(eventfd));
	call(vfio->device, VFIO_DEVICE_SET_IRQS, set, "interrupt");
}

void vfio_unmask(const struct vfio *vfio, unsigned int index)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set), .index = index, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
	};

	call(vfio->device, VFIO_DEVICE_SET_IRQS, &set, "unmask");
}

void vfio_set_master(const struct vfio *vfio)
{
	const uint64_t at = region_at(vfio, VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND;
	uint16_t command;

	if (pread(vfio->device, &command, sizeof(command), (off_t)at) != sizeof(command))
		err(1, "VFIO: configuration");
	command |= PCI_COMMAND_MASTER;
	if (pwrite(vfio->device, &command, sizeof(command), (off_t)at) != sizeof(command))
		err(1, "VFIO: configuration");
}
