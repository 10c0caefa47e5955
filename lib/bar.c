// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>
#include "backend.h"
#include "device.h"
#include "public.h"

static int fail(struct usrpci_device *dev, enum usrpci_call call, unsigned int bar,
		uint64_t offset, uint64_t len, int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = call,
		.err = err,
		.what = bar,
		.where = offset,
		.len = len,
	});
}

static int get_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info)
{
	*info = (struct usrpci_bar){ .type = USRPCI_NO_BAR };
	return bar < USRPCI_BARS ? dev->backend->bar_info(dev, bar, info) : -EINVAL;
}

USRPCI_PUBLIC int usrpci_bar_info(struct usrpci_device *dev, unsigned int bar,
				  struct usrpci_bar *info)
{
	struct usrpci_bar filled;
	int ret = info ? get_info(dev, bar, &filled) : -EINVAL;

	if (ret)
		return fail(dev, USRPCI_CALL_BAR_ACCESS, bar, 0, 0, ret);
	*info = filled;
	return 0;
}

/* Narrows @len to the window that holds @offset, or refuses. */
static int fit_window(const struct usrpci_bar *info, uint64_t offset, uint64_t *len)
{
	unsigned int i;

	for (i = 0; i < info->nr_windows; i++) {
		uint64_t start = info->windows[i].offset;
		uint64_t rest = start + info->windows[i].len - offset;

		if (offset < start || offset - start >= info->windows[i].len)
			continue;
		if (*len > rest)
			return -EINVAL;
		if (!*len)
			*len = rest;
		return 0;
	}
	return -EINVAL;
}

static int check_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		     uint64_t *len, unsigned int flags)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct usrpci_bar info;
	int ret;

	if (offset % page || flags & ~USRPCI_WRITE_COMBINING)
		return -EINVAL;
	ret = get_info(dev, bar, &info);
	if (ret)
		return ret;
	if (!(info.flags & USRPCI_MAPPABLE) || !dev->backend->bar_map)
		return -EINVAL;
	if (flags & USRPCI_WRITE_COMBINING && !(info.flags & USRPCI_PREFETCHABLE))
		return -EINVAL;
	ret = fit_window(&info, offset, len);
	if (ret)
		return ret;
	*len = (*len + page - 1) & ~(page - 1);
	return *len > SIZE_MAX ? -ENOMEM : 0;
}

static int map(struct usrpci_device *dev, unsigned int bar, uint64_t offset, uint64_t len,
	       unsigned int flags, volatile void **regs)
{
	struct usrpci_range range;
	int ret;

	if (!regs)
		return -EINVAL;
	ret = check_map(dev, bar, offset, &len, flags);
	if (ret)
		return ret;
	range = (struct usrpci_range){ .len = (size_t)len };
	ret = dev->backend->bar_map(dev, bar, offset, range.len, flags, &range.addr);
	if (ret)
		return ret;
	ret = usrpci_ranges_add(&dev->bars, &range);
	if (ret)
		dev->backend->bar_unmap(dev, range.addr, range.len);
	else
		*regs = range.addr;
	return ret;
}

USRPCI_PUBLIC int usrpci_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
				 uint64_t len, unsigned int flags, volatile void **regs)
{
	int ret = map(dev, bar, offset, len, flags, regs);

	return ret ? fail(dev, USRPCI_CALL_BAR_MAP, bar, offset, len, ret) : 0;
}

USRPCI_PUBLIC int usrpci_bar_unmap(struct usrpci_device *dev, volatile void *regs)
{
	struct usrpci_range range;

	if (!usrpci_ranges_take(&dev->bars, (const void *)regs, &range))
		return fail(dev, USRPCI_CALL_BAR_ACCESS, 0, 0, 0, -EINVAL);
	dev->backend->bar_unmap(dev, range.addr, range.len);
	return 0;
}

USRPCI_PUBLIC int usrpci_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
				  unsigned int width, uint64_t *value)
{
	int ret = -EINVAL;

	if (value && bar < USRPCI_BARS && usrpci_is_register(offset, width, 8))
		ret = dev->backend->bar_read(dev, bar, offset, width, value);
	return ret ? fail(dev, USRPCI_CALL_BAR_ACCESS, bar, offset, width, ret) : 0;
}

USRPCI_PUBLIC int usrpci_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
				   unsigned int width, uint64_t value)
{
	int ret = -EINVAL;

	if (bar < USRPCI_BARS && usrpci_is_register(offset, width, 8))
		ret = dev->backend->bar_write(dev, bar, offset, width, value);
	return ret ? fail(dev, USRPCI_CALL_BAR_ACCESS, bar, offset, width, ret) : 0;
}
