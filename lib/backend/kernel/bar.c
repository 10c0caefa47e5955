// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include "kernel.h"

#define WINDOWS 2U

static_assert(sizeof(((struct usrpci_bar *)0)->windows) ==
	      WINDOWS * sizeof(((struct usrpci_bar *)0)->windows[0]), "as many in the library");
static_assert(sizeof(((struct usrpci_ioc_bar *)0)->windows) ==
	      WINDOWS * sizeof(struct usrpci_ioc_window), "as many in the module");
static_assert(USRPCI_BARS == USRPCI_NR_BARS, "a function has six BARs");

int usrpci_kernel_read_bar(int fd, unsigned int bar, struct usrpci_ioc_bar *arg)
{
	*arg = (struct usrpci_ioc_bar){ .size = sizeof(*arg), .index = bar };
	return usrpci_kernel_ioctl(fd, USRPCI_BAR, arg);
}

static enum usrpci_bar_type type_of(__u32 kind)
{
	switch (kind) {
	case USRPCI_BAR_MEM:
		return USRPCI_MEMORY_BAR;
	case USRPCI_BAR_IO:
		return USRPCI_PORT_BAR;
	}
	return USRPCI_NO_BAR;
}

static unsigned int flags_of(__u32 attrs)
{
	unsigned int flags = 0;

	if (attrs & USRPCI_BAR_PREFETCH)
		flags |= USRPCI_PREFETCHABLE;
	if (attrs & USRPCI_BAR_64BIT)
		flags |= USRPCI_64BIT;
	if (attrs & USRPCI_BAR_MAPPABLE)
		flags |= USRPCI_MAPPABLE;
	return flags;
}

int usrpci_kernel_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info)
{
	struct usrpci_ioc_bar arg;
	unsigned int i;
	int ret = usrpci_kernel_read_bar(usrpci_kernel(dev)->fd, bar, &arg);

	if (ret)
		return ret;
	info->type = type_of(arg.kind);
	info->flags = flags_of(arg.attrs);
	info->addr = arg.addr;
	info->len = arg.len;
	info->nr_windows = arg.nr_windows < WINDOWS ? arg.nr_windows : WINDOWS;
	for (i = 0; i < info->nr_windows; i++) {
		info->windows[i].offset = arg.windows[i].offset;
		info->windows[i].len = arg.windows[i].len;
	}
	return 0;
}

int usrpci_kernel_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			  size_t len, unsigned int flags, void **addr)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);
	uint64_t where = kdev->bar_offsets[bar] + offset;
	void *mapped;

	if (flags & USRPCI_WRITE_COMBINING)
		where |= USRPCI_MMAP_WC;
	mapped = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, kdev->fd, (off_t)where);
	if (mapped == MAP_FAILED)
		return -errno;
	*addr = mapped;
	return 0;
}
