// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "mappings.h"
#include "registry.h"

#define PUBLIC __attribute__((visibility("default")))

/* The module fills in the caller's scatterlist itself, so a bad one is an EFAULT. */
static_assert(sizeof(struct usr_pci_sglist) == sizeof(struct usrpci_sg), "64 bits only");
static_assert(offsetof(struct usr_pci_sglist, len) == offsetof(struct usrpci_sg, len),
	      "64 bits only");

/* Sets errno and returns what the caller returns. */
static int answer(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/* The errors that usr_pci_open() was to have; a removed function is no such function. */
static int open_error(int err)
{
	switch (err) {
	case -EMFILE:
	case -ENFILE:
		return -ENFILE;
	case -ENXIO:
		return -EBUSY;
	case -ENODEV:
	case -EINVAL:
		return -ENOENT;
	case -ENOENT:
	case -EBUSY:
	case -EIO:
	case -ENOMEM:
	case -EACCES:
	case -EPERM:
		return err;
	}
	return -EIO;
}

/* The same for the others. ENODEV is newer than they are: functions come and go. */
static int memory_error(int err)
{
	switch (err) {
	case -EFAULT:
	case -ENOMEM:
	case -EINVAL:
	case -ENODEV:
		return err;
	case -ENOSPC:
	case -EBADF:
		return -EINVAL;
	}
	return -ENOMEM;
}

static int make_address(char *address, int bus, int slot, int function)
{
	if (bus < 0 || slot < 0 || slot > 31 || function < 0 || function > 7)
		return -ENOENT;
	snprintf(address, USRPCI_BDF_LEN, "%04x:%02x:%02x.%x", (unsigned int)bus >> 8,
		 (unsigned int)bus & 0xff, (unsigned int)slot, (unsigned int)function);
	return 0;
}

/* Takes a function that nobody drives; @bound tells the caller to undo it. */
static int open_bound(struct usrpci_device **dev, const char *address, bool *bound)
{
	char driver[256];
	int ret = usrpci_open(dev, address);

	*bound = false;
	if (ret != -ENXIO)
		return ret;
	ret = usrpci_driver(address, driver, sizeof(driver));
	if (ret)
		return ret;
	if (*driver)
		return -EBUSY;
	ret = usrpci_bind(address);
	if (ret)
		return ret;
	*bound = true;
	return usrpci_open(dev, address);
}

static int enable(struct usrpci_device *dev, uint64_t dma_mask)
{
	int ret = usrpci_set_dma_mask(dev, dma_mask, dma_mask);

	return ret ? ret : usrpci_set_master(dev, true);
}

/*
 * The program closes the function by close(2), so its descriptor must not be one
 * that a device closes: a copy of it with a device that only borrows it.
 */
static int hand_out(struct usrpci_device *dev)
{
	struct usrpci_device *borrower;
	int ret, fd = usrpci_fd(dev);

	if (fd < 0)
		return fd;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = usrpci_open_fd(&borrower, fd);
	if (ret)
		goto close_fd;
	ret = usrdrv_record_add(fd, borrower);
	if (ret)
		goto close_borrower;
	return fd;

close_borrower:
	usrpci_close(borrower);
close_fd:
	close(fd);
	return ret;
}

static int open_function(const char *address, uint64_t dma_mask)
{
	struct usrpci_device *dev = NULL;
	bool bound;
	int ret;

	ret = open_bound(&dev, address, &bound);
	if (!ret)
		ret = enable(dev, dma_mask);
	if (!ret)
		ret = hand_out(dev);
	usrpci_close(dev);
	if (ret < 0 && bound)
		usrpci_unbind(address);
	return ret;
}

PUBLIC int usr_pci_open(int bus, int slot, int function, uint64_t dma_mask)
{
	char address[USRPCI_BDF_LEN];
	int ret = make_address(address, bus, slot, function);

	if (!ret)
		ret = open_function(address, dma_mask);
	return answer(ret < 0 ? open_error(ret) : ret);
}

static int get_consistent(struct usrpci_device *dev, size_t size, void **vaddr,
			  unsigned long *dmaaddr)
{
	struct usrpci_coherent buf;
	int ret;

	if (!size)
		return -EINVAL;
	if (!vaddr || !dmaaddr)
		return -EFAULT;
	ret = usrpci_coherent_alloc(dev, size, &buf);
	if (ret)
		return ret;
	ret = usrpci_coherent_detach(dev, &buf);
	if (ret) {
		usrpci_coherent_free(dev, &buf);
		return ret;
	}
	*vaddr = buf.addr;
	*dmaaddr = buf.bus_addr;
	return 0;
}

PUBLIC int usr_pci_get_consistent(int fd, size_t size, void **vaddr, unsigned long *dmaaddr)
{
	struct usrdrv_record *record = usrdrv_record_get(fd);
	int ret;

	if (!record)
		return answer(-EINVAL);
	ret = get_consistent(record->dev, size, vaddr, dmaaddr);
	usrdrv_record_put(record);
	return answer(ret ? memory_error(ret) : 0);
}

static int direction_of(enum dma_data_direction direction, enum usrpci_dma_direction *to)
{
	switch (direction) {
	case DMA_BIDIRECTIONAL:
		*to = USRPCI_DMA_BOTH;
		return 0;
	case DMA_TO_DEVICE:
		*to = USRPCI_DMA_TO_DEVICE;
		return 0;
	case DMA_FROM_DEVICE:
		*to = USRPCI_DMA_FROM_DEVICE;
		return 0;
	case DMA_NONE:
		break;
	}
	return -EINVAL;
}

static int check_info(const struct mapping_info *info, struct usrpci_mapping *map)
{
	if (!info)
		return -EFAULT;
	if (direction_of(info->direction, &map->direction) || !info->size)
		return -EINVAL;
	if (!info->sglist)
		return -EFAULT;
	if (info->nents < usrpci_sg_room(info->size))
		return -EINVAL;
	map->addr = info->virtaddr;
	map->len = info->size;
	map->sg = (struct usrpci_sg *)info->sglist;
	map->nr_sg = info->nents;
	return 0;
}

static int map_memory(struct usrdrv_record *record, struct mapping_info *info)
{
	struct usrpci_mapping map = { 0 };
	struct mapping_info filled;
	int ret = check_info(info, &map);

	if (ret)
		return ret;
	ret = usrpci_map(record->dev, &map, 1);
	if (ret)
		return ret;
	filled = *info;
	filled.nents = map.nr_sg;
	filled.dmaaddr = info->sglist[0].dmaaddr;
	pthread_mutex_lock(&record->lock);
	ret = usrdrv_mappings_add(&record->mappings, &filled, map.handle);
	pthread_mutex_unlock(&record->lock);
	if (ret)
		usrpci_unmap(record->dev, &map.handle, 1);
	else
		*info = filled;
	return ret;
}

PUBLIC int usr_pci_mmap(int fd, struct mapping_info *info)
{
	struct usrdrv_record *record = usrdrv_record_get(fd);
	int ret;

	if (!record)
		return answer(-EINVAL);
	ret = map_memory(record, info);
	usrdrv_record_put(record);
	return answer(ret ? memory_error(ret) : 0);
}

/* Under the lock all along, so that of two callers one unmaps. */
static int unmap_memory(struct usrdrv_record *record, const struct mapping_info *info)
{
	uint32_t handle = usrdrv_mappings_find(record->mappings, info);
	int ret = -EINVAL;

	if (handle)
		ret = usrpci_unmap(record->dev, &handle, 1);
	/* After these the module doesn't know the handle either. */
	if (!ret || ret == -EINVAL || ret == -ENODEV)
		usrdrv_mappings_remove(&record->mappings, info);
	return ret;
}

PUBLIC int usr_pci_munmap(int fd, struct mapping_info *info)
{
	struct usrdrv_record *record = usrdrv_record_get(fd);
	int ret = -EFAULT;

	if (!record)
		return answer(-EINVAL);
	if (info) {
		pthread_mutex_lock(&record->lock);
		ret = unmap_memory(record, info);
		pthread_mutex_unlock(&record->lock);
	}
	usrdrv_record_put(record);
	return answer(ret ? memory_error(ret) : 0);
}
