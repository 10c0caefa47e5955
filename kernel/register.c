// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/io.h>
#include <linux/pci.h>

#include "bar.h"
#include "file.h"
#include "gate.h"
#include "register.h"

static void __iomem *usrpci_registers_map(struct usrpci_file *file, unsigned int bar)
{
	void __iomem *io;

	mutex_lock(&file->io_lock);
	if (!file->io[bar])
		file->io[bar] = pci_iomap(usrpci_pdev(file), bar, 0);
	io = file->io[bar];
	mutex_unlock(&file->io_lock);
	return io;
}

void usrpci_registers_unmap(struct usrpci_file *file)
{
	unsigned int i;

	for (i = 0; i < USRPCI_NR_BARS; i++) {
		if (file->io[i])
			pci_iounmap(usrpci_pdev(file), file->io[i]);
		file->io[i] = NULL;
	}
}

u64 usrpci_register_read(void __iomem *reg, size_t width)
{
	switch (width) {
	case 1:
		return ioread8(reg);
	case 2:
		return ioread16(reg);
	case 4:
		return ioread32(reg);
	default:
		return readq(reg);
	}
}

void usrpci_register_write(void __iomem *reg, size_t width, u64 value)
{
	switch (width) {
	case 1:
		iowrite8(value, reg);
		break;
	case 2:
		iowrite16(value, reg);
		break;
	case 4:
		iowrite32(value, reg);
		break;
	default:
		writeq(value, reg);
	}
}

static bool usrpci_forges_irq(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width)
{
	u64 start, end;

	usrpci_bar_msix_table(file, bar, &start, &end);
	return offset < end && offset + width > start;
}

int usrpci_register_find(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width,
			 bool write, void __iomem **reg)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	enum usrpci_bar_kind kind = usrpci_bar_kind(pdev, bar);
	size_t widest = kind == USRPCI_BAR_MEM ? 8 : 4;
	void __iomem *io;

	if (kind == USRPCI_BAR_NONE || width > widest)
		return -EINVAL;
	if (offset >= pci_resource_len(pdev, bar) || width > pci_resource_len(pdev, bar) - offset)
		return -EINVAL;
	if (write && usrpci_forges_irq(file, bar, offset, width))
		return -EPERM;
	io = usrpci_registers_map(file, bar);
	if (!io)
		return -ENOMEM;
	*reg = io + offset;
	return 0;
}

/* Inside the gate. */
static int usrpci_register_touch(struct usrpci_file *file, unsigned int bar, u64 offset,
				 size_t width, u64 *value, bool write)
{
	bool port = usrpci_bar_kind(usrpci_pdev(file), bar) == USRPCI_BAR_IO;
	void __iomem *reg;
	int err;

	err = usrpci_register_find(file, bar, offset, width, write, &reg);
	if (err)
		return err;
	if (!(file->decode & (port ? IORESOURCE_IO : IORESOURCE_MEM)))
		return -EIO;
	if (write)
		usrpci_register_write(reg, width, *value);
	else
		*value = usrpci_register_read(reg, width);
	return 0;
}

int usrpci_register_access(struct usrpci_file *file, unsigned int bar, u64 offset, size_t width,
			   u64 *value, bool write)
{
	int err;

	err = usrpci_enter(file);
	if (err)
		return err;
	err = usrpci_register_touch(file, bar, offset, width, value, write);
	usrpci_leave(file);
	return err;
}
