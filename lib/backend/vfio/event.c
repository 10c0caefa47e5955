// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "kvfio.h"

static const unsigned int indices[USRPCI_KVFIO_NR_TOLD] = {
	[USRPCI_KVFIO_REMOVAL] = VFIO_PCI_REQ_IRQ_INDEX,
	[USRPCI_KVFIO_ERROR] = VFIO_PCI_ERR_IRQ_INDEX,
};

/*
 * VFIO doesn't say which errors are fatal: it recovers from all of them, so far as
 * the function does.
 */
static const enum usrpci_event_kind kinds[USRPCI_KVFIO_NR_TOLD] = {
	[USRPCI_KVFIO_REMOVAL] = USRPCI_REMOVAL_ASKED,
	[USRPCI_KVFIO_ERROR] = USRPCI_BUS_ERROR,
};

static int listen_for(struct usrpci_kvfio_device *dev, unsigned int i)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
		.index = indices[i],
		.count = 1,
	};
	/* As drivers poll for it with the module. */
	struct epoll_event event = { .events = EPOLLIN };

	dev->told[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dev->told[i] < 0 || epoll_ctl(dev->poll, EPOLL_CTL_ADD, dev->told[i], &event))
		return -errno;
	return dev->vfio.ops->set_irqs(&dev->vfio, &set, &dev->told[i], 1);
}

int usrpci_kvfio_listen(struct usrpci_kvfio_device *dev)
{
	unsigned int i;
	int err = 0;

	dev->poll = epoll_create1(EPOLL_CLOEXEC);
	if (dev->poll < 0)
		return -errno;
	for (i = 0; i < USRPCI_KVFIO_NR_TOLD && !err; i++) {
		if (dev->vfio.nr_irqs[indices[i]])
			err = listen_for(dev, i);
	}
	return err;
}

void usrpci_kvfio_deafen(struct usrpci_kvfio_device *dev)
{
	unsigned int i;

	for (i = 0; i < USRPCI_KVFIO_NR_TOLD; i++) {
		if (dev->told[i] >= 0)
			close(dev->told[i]);
	}
	if (dev->poll >= 0)
		close(dev->poll);
}

int usrpci_kvfio_fd(const struct usrpci_device *dev)
{
	return usrpci_kvfio(usrpci_vfio(dev))->poll;
}

int usrpci_kvfio_event(struct usrpci_device *base, struct usrpci_event *event)
{
	struct usrpci_kvfio_device *dev = usrpci_kvfio(usrpci_vfio(base));
	uint64_t count;
	unsigned int i;

	for (i = 0; i < USRPCI_KVFIO_NR_TOLD; i++) {
		if (dev->told[i] < 0 || read(dev->told[i], &count, sizeof(count)) < 0)
			continue;
		*event = (struct usrpci_event){ .kind = kinds[i], .count = count };
		return 0;
	}
	return -EAGAIN;
}
