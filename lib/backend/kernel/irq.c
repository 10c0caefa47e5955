// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <assert.h>
#include "kernel.h"

static_assert(sizeof(int) == sizeof(__s32), "descriptors go to the module as they are");

static __u32 type_of(enum usrpci_irq type)
{
	switch (type) {
	case USRPCI_INTX:
		return USRPCI_IRQ_INTX;
	case USRPCI_MSI:
		return USRPCI_IRQ_MSI;
	case USRPCI_MSIX:
		return USRPCI_IRQ_MSIX;
	case USRPCI_NO_IRQ:
		break;
	}
	return USRPCI_IRQ_NONE;
}

int usrpci_kernel_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr)
{
	struct usrpci_ioc_irq_setup arg = {
		.size = sizeof(arg),
		.type = type_of(type),
		.nr_vectors = nr,
	};

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_IRQ_SETUP, &arg);
}

int usrpci_kernel_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			   const int *eventfds)
{
	struct usrpci_ioc_irq_wire arg = {
		.size = sizeof(arg),
		.first = first,
		.nr = nr,
		.fds = (uintptr_t)eventfds,
	};

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_IRQ_WIRE, &arg);
}

int usrpci_kernel_irq_unmask(struct usrpci_device *dev, unsigned int vector)
{
	struct usrpci_ioc_irq_unmask arg = { .size = sizeof(arg), .vector = vector };

	return usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_IRQ_UNMASK, &arg);
}
