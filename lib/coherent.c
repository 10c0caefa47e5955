// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>
#include "backend.h"
#include "pager/pager.h"
#include "public.h"

static int fail(struct usrpci_device *dev, size_t len, uint64_t missing, int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_COHERENT,
		.err = err,
		.missing = missing,
		.len = len,
	});
}

static struct usrpci_range range_of(const struct usrpci_coherent *buf)
{
	return (struct usrpci_range){
		.addr = buf->addr,
		.len = buf->len,
		.handle = buf->handle,
	};
}

static int alloc(struct usrpci_device *dev, size_t len, struct usrpci_coherent *buf,
		 uint64_t *missing)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct usrpci_coherent filled = { 0 };
	struct usrpci_range range;
	int ret;

	if (!len || !buf)
		return -EINVAL;
	if (len > SIZE_MAX - page)
		return -ENOMEM;
	len = (len + page - 1) & ~(page - 1);
	ret = dev->backend->coherent_alloc(dev, len, &filled, missing);
	if (ret)
		return ret;
	range = range_of(&filled);
	ret = usrpci_ranges_add(&dev->coherents, &range);
	if (ret) {
		dev->backend->coherent_release(dev, range.handle);
		dev->backend->coherent_unmap(dev, range.addr, range.len);
		return ret;
	}
	*buf = filled;
	return 0;
}

USRPCI_PUBLIC int usrpci_coherent_alloc(struct usrpci_device *dev, size_t len,
					struct usrpci_coherent *buf)
{
	uint64_t missing = 0;
	int ret = alloc(dev, len, buf, &missing);

	return ret ? fail(dev, len, missing, ret) : 0;
}

/*
 * Takes the buffer's record and has the backend give the buffer up. After a
 * removal there is nothing left to give up.
 */
static int give_up(struct usrpci_device *dev, const struct usrpci_coherent *buf,
		   int (*release)(struct usrpci_device *dev, uint32_t handle),
		   struct usrpci_range *range)
{
	int ret;

	if (!buf || !usrpci_ranges_take(&dev->coherents, buf->addr, range))
		return -EINVAL;
	ret = release(dev, range->handle);
	if (!ret || ret == -ENODEV)
		return 0;
	/* Without memory for the record the buffer stays till the process ends. */
	usrpci_ranges_add(&dev->coherents, range);
	return ret;
}

/* Misses are read there till the device is closed. */
static bool is_kept(struct usrpci_device *dev, const struct usrpci_coherent *buf)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);

	return pager && buf && buf->handle && usrpci_pager_keeps(pager, buf->handle);
}

USRPCI_PUBLIC int usrpci_coherent_free(struct usrpci_device *dev, struct usrpci_coherent *buf)
{
	struct usrpci_range range;
	int ret;

	if (is_kept(dev, buf)) {
		*buf = (struct usrpci_coherent){ 0 };
		return 0;
	}
	ret = give_up(dev, buf, dev->backend->coherent_release, &range);
	if (ret)
		return fail(dev, 0, 0, ret);
	dev->backend->coherent_unmap(dev, range.addr, range.len);
	*buf = (struct usrpci_coherent){ 0 };
	return 0;
}

USRPCI_PUBLIC int usrpci_coherent_detach(struct usrpci_device *dev, struct usrpci_coherent *buf)
{
	struct usrpci_range range;
	int ret = -EOPNOTSUPP;

	if (is_kept(dev, buf))
		ret = -EBUSY;
	else if (dev->backend->coherent_detach)
		ret = give_up(dev, buf, dev->backend->coherent_detach, &range);
	if (ret)
		return fail(dev, 0, 0, ret);
	buf->handle = 0;
	return 0;
}
