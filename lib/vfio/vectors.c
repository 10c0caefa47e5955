// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include "eventfd.h"
#include "vfio.h"

static unsigned int index_of(enum usrpci_irq type)
{
	switch (type) {
	case USRPCI_MSI:
		return VFIO_PCI_MSI_IRQ_INDEX;
	case USRPCI_MSIX:
		return VFIO_PCI_MSIX_IRQ_INDEX;
	case USRPCI_INTX:
	case USRPCI_NO_IRQ:
		break;
	}
	return VFIO_PCI_INTX_IRQ_INDEX;
}

/* What @eventfds signal from now on; none of them gives the vectors back. */
static int trigger(struct usrpci_vfio_device *dev, enum usrpci_irq type, unsigned int first,
		   unsigned int nr, const int *eventfds)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
			 (nr ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
		.index = index_of(type),
		.start = first,
		.count = nr,
	};

	return dev->ops->set_irqs(dev, &set, eventfds, nr);
}

static void close_all(int *fds, unsigned int nr)
{
	while (fds && nr--)
		close(fds[nr]);
	free(fds);
}

static int make_eventfds(unsigned int nr, int **fdsp)
{
	int *fds = calloc(nr, sizeof(*fds));
	unsigned int i;
	int err;

	if (!fds)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fds[i] < 0) {
			err = -errno;
			close_all(fds, i);
			return err;
		}
	}
	*fdsp = fds;
	return 0;
}

static int set_up(struct usrpci_vfio_device *dev, enum usrpci_irq type, unsigned int nr)
{
	struct usrpci_vectors *vectors = &dev->vectors;
	unsigned int most = dev->nr_irqs[index_of(type)];
	int *own = NULL;
	int err;

	if (vectors->type != USRPCI_NO_IRQ)
		return -EBUSY;
	if (!most)
		return -EOPNOTSUPP;
	if (nr > most)
		return -ENOSPC;
	err = make_eventfds(nr, &own);
	if (err)
		return err;
	err = trigger(dev, type, 0, nr, own);
	if (err) {
		close_all(own, nr);
		return err;
	}
	vectors->type = type;
	vectors->nr = nr;
	vectors->own = own;
	return 0;
}

static void forget(struct usrpci_vectors *vectors)
{
	close_all(vectors->own, vectors->nr);
	vectors->type = USRPCI_NO_IRQ;
	vectors->nr = 0;
	vectors->own = NULL;
}

void usrpci_vectors_init(struct usrpci_vectors *vectors)
{
	pthread_mutex_init(&vectors->lock, NULL);
}

/* They are still there if the peer wouldn't have them back. */
void usrpci_vectors_destroy(struct usrpci_vectors *vectors)
{
	forget(vectors);
	pthread_mutex_destroy(&vectors->lock);
}

static int give_back(struct usrpci_vfio_device *dev)
{
	struct usrpci_vectors *vectors = &dev->vectors;
	int err;

	if (vectors->type == USRPCI_NO_IRQ)
		return 0;
	err = trigger(dev, vectors->type, 0, 0, NULL);
	if (err && err != -ENODEV)
		return err;
	forget(vectors);
	return err;
}

int usrpci_vfio_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	int err;

	pthread_mutex_lock(&vdev->vectors.lock);
	err = type == USRPCI_NO_IRQ ? give_back(vdev) : set_up(vdev, type, nr);
	pthread_mutex_unlock(&vdev->vectors.lock);
	return usrpci_vfio_answer(vdev, err);
}

/*
 * The peer has the descriptor too: it may have taken the count first, and have made reading wait
 * for the next.
 */
static bool take_count(int own)
{
	uint64_t count;
	struct iovec to = { .iov_base = &count, .iov_len = sizeof(count) };
	ssize_t ret = preadv2(own, &to, 1, -1, RWF_NOWAIT);

	if (ret < 0 && errno == EOPNOTSUPP)
		ret = read(own, &count, sizeof(count));
	return ret == sizeof(count);
}

/* What fired while a vector had only its own. One at its maximum is readable as it is. */
static void pass_on(int own, int eventfd)
{
	struct pollfd p = { .fd = eventfd, .events = POLLOUT };

	if (eventfd < 0 || !take_count(own))
		return;
	if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
		eventfd_write(eventfd, 1);
}

static int wire(struct usrpci_vfio_device *dev, unsigned int first, unsigned int nr,
		const int *eventfds)
{
	struct usrpci_vectors *vectors = &dev->vectors;
	unsigned int i;
	int *fds;
	int err;

	if (!nr || first >= vectors->nr || nr > vectors->nr - first)
		return -EINVAL;
	fds = calloc(nr, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		fds[i] = eventfds[i] >= 0 ? eventfds[i] : vectors->own[first + i];
	err = trigger(dev, vectors->type, first, nr, fds);
	free(fds);
	for (i = 0; !err && i < nr; i++)
		pass_on(vectors->own[first + i], eventfds[i]);
	return err;
}

int usrpci_vfio_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			 const int *eventfds)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++)
		err = eventfds[i] == -1 ? 0 : usrpci_check_eventfd(eventfds[i]);
	if (err)
		return err;
	pthread_mutex_lock(&vdev->vectors.lock);
	err = wire(vdev, first, nr, eventfds);
	pthread_mutex_unlock(&vdev->vectors.lock);
	return usrpci_vfio_answer(vdev, err);
}

static int unmask(struct usrpci_vfio_device *dev, unsigned int vector)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.start = vector,
		.count = 1,
	};

	if (vector >= dev->vectors.nr)
		return -EINVAL;
	/* Nothing masks the others. */
	return dev->vectors.type == USRPCI_INTX ? dev->ops->set_irqs(dev, &set, NULL, 0) : 0;
}

int usrpci_vfio_irq_unmask(struct usrpci_device *dev, unsigned int vector)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	int err;

	pthread_mutex_lock(&vdev->vectors.lock);
	err = unmask(vdev, vector);
	pthread_mutex_unlock(&vdev->vectors.lock);
	return usrpci_vfio_answer(vdev, err);
}
