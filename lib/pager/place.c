// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <linux/pci_regs.h>
#include "internal.h"

/**
 * struct table - Where the MSI-X table is.
 * @bar: its BAR
 * @start: first byte
 * @end: after the last; 0: there's none
 */
struct table {
	unsigned int bar;
	uint64_t start;
	uint64_t end;
};

static int read_config(struct usrpci_device *dev, unsigned int offset, unsigned int width,
		       uint32_t *value)
{
	*value = 0;
	return dev->backend->config_read(dev, offset, width, value);
}

/* 0: there's none. The list has no more than 48 of them, unless it goes round. */
static unsigned int find_msix(struct usrpci_device *dev)
{
	unsigned int nr = 48;
	uint32_t at, id;

	if (read_config(dev, PCI_CAPABILITY_LIST, 1, &at))
		return 0;
	for (at &= ~3U; at && nr--; at &= ~3U) {
		if (read_config(dev, at, 1, &id) || id == PCI_CAP_ID_MSIX)
			return id == PCI_CAP_ID_MSIX ? at : 0;
		if (read_config(dev, at + PCI_CAP_LIST_NEXT, 1, &at))
			return 0;
	}
	return 0;
}

static struct table find_table(struct usrpci_device *dev)
{
	unsigned int cap = find_msix(dev);
	uint32_t flags, place;
	struct table table = { 0 };

	if (!cap || read_config(dev, cap + PCI_MSIX_FLAGS, 2, &flags) ||
	    read_config(dev, cap + PCI_MSIX_TABLE, 4, &place))
		return table;
	table.bar = place & PCI_MSIX_TABLE_BIR;
	table.start = place & PCI_MSIX_TABLE_OFFSET;
	table.end = table.start + ((flags & PCI_MSIX_FLAGS_QSIZE) + 1) * PCI_MSIX_ENTRY_SIZE;
	return table;
}

/* Whether @len bytes are registers; those that are written mayn't be the table's. */
static int find(struct usrpci_device *dev, const struct usrpci_ioc_reg *reg, uint64_t len,
		bool write)
{
	struct usrpci_bar bar = { .type = USRPCI_NO_BAR };
	struct table table;
	int err;

	if (!reg->width)
		return 0;
	err = dev->backend->bar_info(dev, reg->bar, &bar);
	if (err)
		return err;
	if (bar.type != USRPCI_MEMORY_BAR || reg->offset >= bar.len ||
	    len > bar.len - reg->offset)
		return -EINVAL;
	if (!write)
		return 0;
	table = find_table(dev);
	return table.end && table.bar == reg->bar && reg->offset < table.end &&
	       reg->offset + len > table.start ? -EPERM : 0;
}

static int find_one(struct usrpci_device *dev, const struct usrpci_ioc_reg *reg, bool write)
{
	return find(dev, reg, reg->width, write);
}

static int find_misses(struct usrpci_device *dev, const struct usrpci_ioc_tlb_misses *m)
{
	if (m->ring)
		return find_one(dev, &m->reg, true);
	return find(dev, &m->reg, (uint64_t)m->words * m->word_width, false);
}

static int find_ring(struct usrpci_pager *pager)
{
	const struct usrpci_ioc_tlb_misses *m = &pager->desc.misses;
	const uint64_t len = (uint64_t)m->ring_entries * m->words * m->word_width;
	struct usrpci_range range;

	if (!m->ring)
		return 0;
	if (!usrpci_ranges_find(&pager->dev->coherents, m->ring, &range) ||
	    m->ring_offset > range.len || len > range.len - m->ring_offset)
		return -EINVAL;
	pager->ring = (const unsigned char *)range.addr + m->ring_offset;
	return 0;
}

static int find_entries(struct usrpci_device *dev, const struct usrpci_ioc_tlb_entries *e)
{
	return find(dev, &e->reg, (uint64_t)(e->nr - 1) * e->stride + e->words * e->reg.width,
		    true);
}

static int find_commands(struct usrpci_device *dev, const struct usrpci_ioc_tlb *d)
{
	return find_one(dev, &d->ack.reg, true) ?:
	       find_one(dev, &d->go_on.reg, true) ?:
	       find_one(dev, &d->refuse.reg, true) ?:
	       find_one(dev, &d->invalidate.reg, true) ?:
	       find_one(dev, &d->invalidate_tag.reg, true);
}

int usrpci_pager_find(struct usrpci_pager *pager, unsigned int *fault)
{
	const struct usrpci_ioc_tlb *d = &pager->desc;
	int err;

	*fault = USRPCI_TLB_FAULT_MISSES;
	err = find_misses(pager->dev, &d->misses);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_RING;
	err = find_ring(pager);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_ENTRIES;
	err = find_entries(pager->dev, &d->entries);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_COMMAND;
	err = find_commands(pager->dev, d);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_DONE;
	return find_one(pager->dev, &d->done, false);
}
