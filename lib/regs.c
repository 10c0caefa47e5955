// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>
#include <usrpci.h>
#include "failure.h"
#include "public.h"

/* Bytes from @offset that a map can have in one piece; 0 if it can't be mapped. */
static uint64_t mappable(const struct usrpci_bar *bar, uint64_t offset)
{
	unsigned int i;

	if (!(bar->flags & USRPCI_MAPPABLE))
		return 0;
	for (i = 0; i < bar->nr_windows; i++) {
		uint64_t start = bar->windows[i].offset;

		if (offset >= start && offset - start < bar->windows[i].len)
			return bar->windows[i].len - (offset - start);
	}
	return 0;
}

/*
 * A part that can't be mapped, such as the pages of an MSI-X table, is left to calls
 * as well; only what's asked for without a length is the piece that can be.
 */
static int open_regs(struct usrpci_regs *regs, const struct usrpci_bar *bar)
{
	uint64_t mapped = mappable(bar, regs->offset);
	volatile void *addr;
	int err;

	if (bar->type == USRPCI_NO_BAR || regs->offset >= bar->len ||
	    regs->offset % (uint64_t)sysconf(_SC_PAGESIZE))
		return -EINVAL;
	if (!regs->len)
		regs->len = mapped ? mapped : bar->len - regs->offset;
	if (regs->len > bar->len - regs->offset)
		return -EINVAL;
	if (regs->len > mapped)
		return 0;
	err = usrpci_bar_map(regs->dev, regs->bar, regs->offset, regs->len, 0, &addr);
	if (!err)
		regs->addr = addr;
	return err;
}

USRPCI_PUBLIC int usrpci_regs_open(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
				   uint64_t len, struct usrpci_regs *regs)
{
	struct usrpci_regs opened = { .dev = dev, .bar = bar, .offset = offset, .len = len };
	struct usrpci_bar info;
	int err = regs ? usrpci_bar_info(dev, bar, &info) : -EINVAL;

	if (!err)
		err = open_regs(&opened, &info);
	if (err)
		return usrpci_fail(dev, &(struct usrpci_failure){
			.call = USRPCI_CALL_REGS,
			.err = err,
			.what = bar,
			.where = offset,
			.len = len,
		});
	*regs = opened;
	return 0;
}

USRPCI_PUBLIC void usrpci_regs_close(struct usrpci_regs *regs)
{
	if (regs->addr)
		usrpci_bar_unmap(regs->dev, regs->addr);
	*regs = (struct usrpci_regs){ 0 };
}

USRPCI_PUBLIC uint64_t usrpci_regs_call_read(const struct usrpci_regs *regs, uint64_t offset,
					     unsigned int width)
{
	uint64_t value;

	if (offset >= regs->len ||
	    usrpci_bar_read(regs->dev, regs->bar, regs->offset + offset, width, &value))
		return UINT64_MAX;
	return value;
}

USRPCI_PUBLIC void usrpci_regs_call_write(const struct usrpci_regs *regs, uint64_t offset,
					  unsigned int width, uint64_t value)
{
	if (offset < regs->len)
		usrpci_bar_write(regs->dev, regs->bar, regs->offset + offset, width, value);
}
