// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
// Has QEMU's edu device compute 10!, and sleeps till its interrupt: edu_factorial 00:01.0
#include <err.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <usrpci.h>

static void check(struct usrpci_device *dev, int64_t err)
{
	char why[256];

	if (err >= 0)
		return;
	usrpci_explain(dev, (int)err, why, sizeof(why));
	errx(1, "%s", why);
}

int main(int argc, char **argv)
{
	const char *edu = argc > 1 ? argv[1] : "";
	int event = eventfd(0, EFD_CLOEXEC);
	struct usrpci_device *dev;
	struct usrpci_regs regs;
	char why[256];
	int err;

	err = usrpci_open(&dev, edu);
	if (err) {
		usrpci_explain_open(edu, err, why, sizeof(why));
		errx(1, "%s", why);
	}
	check(dev, usrpci_regs_open(dev, 0, 0, 0, &regs));
	if (usrpci_regs_read32(&regs, 0) != 0x010000ed)
		errx(1, "%s is no edu device", edu);
	check(dev, usrpci_set_master(dev, true));		/* an MSI is a write to memory */
	check(dev, usrpci_irq_setup(dev, USRPCI_MSI, 1));
	check(dev, usrpci_irq_wire(dev, 0, 1, &event));

	usrpci_regs_write32(&regs, 0x20, 0x80);			/* interrupt when done */
	usrpci_regs_write32(&regs, 0x08, 10);			/* compute 10! */
	check(dev, usrpci_irq_wait(event, 5000));		/* sleeps */
	usrpci_regs_write32(&regs, 0x64, usrpci_regs_read32(&regs, 0x24));	/* acknowledge */
	printf("10! = %u\n", usrpci_regs_read32(&regs, 0x08));
	usrpci_close(dev);
	return 0;
}
