// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "internal.h"

/* --- what the process has there --- */

/* Its protection, "r", "w" or "-" each; false: nothing is there. */
static bool find_area(uint64_t addr, char *prot)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t start, end;
	char *line = NULL;
	bool found = false;
	size_t room = 0;

	while (maps && !found && getline(&line, &room, maps) > 0)
		found = sscanf(line, "%" SCNx64 "-%" SCNx64 " %2s", &start, &end, prot) == 3 &&
			start <= addr && addr < end;
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

int usrpci_page_refusal(uint64_t addr, bool write)
{
	char prot[3] = "";

	if (!find_area(addr, prot))
		return USRPCI_REFUSED_UNMAPPED;
	if (prot[write] != (write ? 'w' : 'r'))
		return USRPCI_REFUSED_PROTECTED;
	return USRPCI_REFUSED_SPECIAL;
}

bool usrpci_page_is_there(uint64_t addr)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned char there = 0;

	return !mincore((void *)(uintptr_t)(addr & ~(page - 1)), 1, &there) && there & 1;
}

/*
 * Whether the CPU maps all of it as one page. Since Linux 6.7; before, it can't be known without
 * reading long lists. Source: Linux, Documentation/admin-guide/mm/pagemap.rst, PAGEMAP_SCAN.
 */
static bool is_large(uint64_t addr)
{
	struct {
		uint64_t start, end, categories;
	} region = { 0 };
	struct {
		uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
		uint64_t inverted, mask, anyof, returned;
	} scan = {
		.size = sizeof(scan),
		.start = addr,
		.end = addr + USRPCI_LARGE_PAGE,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.mask = 1U << 6, /* PAGE_IS_HUGE */
		.returned = 1U << 6,
	};
	int found, fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	found = ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, sizeof(scan)), &scan);
	close(fd);
	return found == 1 && region.start == addr && region.end == scan.end;
}

/* --- mapping it --- */

/* The device's oldest page of the space makes room for another; false if there's none. */
static bool shrink(struct usrpci_pager_space *space)
{
	struct usrpci_pager *pager = space->pager;
	bool any;

	pthread_mutex_lock(&pager->lock);
	any = space->oldest && !usrpci_slots_take_oldest(space);
	pthread_mutex_unlock(&pager->lock);
	return any;
}

static int refusal_of(int err, uint64_t missing, uint64_t addr, bool write)
{
	switch (err) {
	case -EFAULT:
		return usrpci_page_refusal(addr, write);
	case -ERANGE:
		return USRPCI_REFUSED_BEYOND;
	case -EPERM:
		return USRPCI_REFUSED_SPECIAL;
	case -ENODEV:
		return USRPCI_REFUSED_ENDED;
	case -ENOMEM:
		if (missing)
			return USRPCI_REFUSED_LIMIT;
		break;
	}
	return USRPCI_REFUSED_NO_MEMORY;
}

/* Nothing of a page that is copied elsewhere would reach the device without a sync. */
static int try_map(struct usrpci_pager *pager, struct usrpci_page *page, uint64_t *missing)
{
	struct usrpci_device *dev = pager->dev;
	struct usrpci_sg sg = { 0 };
	struct usrpci_mapping map = {
		.addr = (void *)(uintptr_t)page->addr,
		.len = page->len,
		.direction = page->write ? USRPCI_DMA_BOTH : USRPCI_DMA_TO_DEVICE,
		.flags = USRPCI_NO_BOUNCE,
		.sg = &sg,
		.nr_sg = 1,
	};
	int err = dev->backend->map(dev, &map, 1, missing);

	if (err)
		return err;
	page->bus = sg.bus_addr;
	page->handle = map.handle;
	/* A page that lies askew on the bus can't be an entry's. */
	if (!(page->bus & (page->len - 1)) && usrpci_pager_can_hold(pager, page->addr, page->bus))
		return 0;
	usrpci_page_unmap(pager, page);
	return -ERANGE;
}

void usrpci_page_unmap(struct usrpci_pager *pager, const struct usrpci_page *page)
{
	pager->dev->backend->unmap(pager->dev, &page->handle, 1);
}

static bool map_large(struct usrpci_pager_space *space, struct usrpci_page *page)
{
	struct usrpci_page large = *page;
	uint64_t missing = 0;

	large.addr = page->addr & ~(USRPCI_LARGE_PAGE - 1);
	large.len = USRPCI_LARGE_PAGE;
	if (!is_large(large.addr) || try_map(space->pager, &large, &missing))
		return false;
	*page = large;
	return true;
}

static int map_small(struct usrpci_pager_space *space, struct usrpci_page *page)
{
	uint64_t missing;
	int err;

	do {
		missing = 0;
		err = try_map(space->pager, page, &missing);
	} while (((err == -ENOMEM && missing) || err == -EMFILE) && shrink(space));
	return err ? refusal_of(err, missing, page->addr, page->write) : 0;
}

int usrpci_page_map(struct usrpci_pager_space *space, uint64_t addr, bool write,
		    struct usrpci_page *page)
{
	const uint32_t sizes = space->pager->desc.page_sizes;
	int refusal;

	*page = (struct usrpci_page){
		.addr = addr & ~(USRPCI_SMALL_PAGE - 1),
		.len = USRPCI_SMALL_PAGE,
		.write = write,
	};
	if (sizes & USRPCI_TLB_2M && map_large(space, page))
		return 0;
	refusal = map_small(space, page);
	if (refusal || sizes & USRPCI_TLB_4K)
		return refusal;
	/* What was brought in just now may be large. */
	usrpci_page_unmap(space->pager, page);
	return map_large(space, page) ? 0 : USRPCI_REFUSED_SMALL;
}
