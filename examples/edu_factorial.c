// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
// Has QEMU's edu device compute 10!, and sleeps till its interrupt: edu_factorial 0000:00:04.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <usrpci.h>

static void check(const char *what, int64_t err)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror((int)-err));
	exit(1);
}

int main(int argc, char **argv)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct usrpci_device *dev;
	volatile void *bar;
	volatile char *regs;

	check("open", usrpci_open(&dev, argc > 1 ? argv[1] : ""));
	check("map BAR 0", usrpci_bar_map(dev, 0, 0, 0, 0, &bar));
	check("bus master", usrpci_set_master(dev, true));	/* an MSI is a write */
	check("one MSI", usrpci_irq_setup(dev, USRPCI_MSI, 1));
	check("eventfd", usrpci_irq_wire(dev, 0, 1, &event));

	regs = bar;
	usrpci_write32(regs + 0x20, 0x80);			/* interrupt when done */
	usrpci_write32(regs + 0x08, 10);			/* compute 10! */
	check("interrupt", usrpci_irq_wait(event, 5000));	/* sleeps */
	usrpci_write32(regs + 0x64, usrpci_read32(regs + 0x24));	/* acknowledge */
	printf("10! = %u\n", usrpci_read32(regs + 0x08));
	usrpci_close(dev);
	return 0;
}
