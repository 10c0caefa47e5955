// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "backend.h"
#include "pager/pager.h"
#include "public.h"

static int fail(struct usrpci_device *dev, enum usrpci_call call, unsigned int what,
		unsigned int nr, int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = call,
		.err = err,
		.what = what,
		.len = nr,
	});
}

static bool is_setup(enum usrpci_irq type, unsigned int nr)
{
	switch (type) {
	case USRPCI_NO_IRQ:
		return nr == 0;
	case USRPCI_INTX:
		return nr == 1;
	case USRPCI_MSI:
	case USRPCI_MSIX:
		return nr > 0;
	}
	return false;
}

/* Under the lock. */
static int set_up(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr)
{
	/* No function has as many: the backend says so. */
	const unsigned int most = nr < USRPCI_BATCH_MAX ? nr : USRPCI_BATCH_MAX;
	int *eventfds;
	int err;

	if (dev->spaces.pager)
		return -EBUSY;
	eventfds = nr ? calloc(most, sizeof(*eventfds)) : NULL;
	if (nr && !eventfds)
		return -ENOMEM;
	err = dev->backend->irq_setup(dev, type, nr);
	if (err)
		free(eventfds);
	else
		usrpci_wires_set_up(&dev->wires, type, nr, eventfds);
	return err;
}

USRPCI_PUBLIC int usrpci_irq_setup(struct usrpci_device *dev, enum usrpci_irq type,
				   unsigned int nr)
{
	int ret = -EINVAL;

	if (is_setup(type, nr)) {
		pthread_mutex_lock(&dev->wires.lock);
		ret = set_up(dev, type, nr);
		pthread_mutex_unlock(&dev->wires.lock);
	}
	return ret ? fail(dev, USRPCI_CALL_IRQ_SETUP, type, nr, ret) : 0;
}

/* The pager's vector signals the pager, who passes it on. */
static int wire_beside(struct usrpci_device *dev, struct usrpci_pager *pager, unsigned int first,
		       unsigned int nr, const int *eventfds)
{
	const unsigned int at = usrpci_pager_vector(pager) - first;
	int *fds, copy, err;

	err = usrpci_pager_copy(pager, eventfds[at], &copy);
	if (err)
		return err;
	fds = calloc(nr, sizeof(*fds));
	err = -ENOMEM;
	if (fds) {
		memcpy(fds, eventfds, nr * sizeof(*fds));
		fds[at] = usrpci_pager_eventfd(pager);
		err = dev->backend->irq_wire(dev, first, nr, fds);
	}
	free(fds);
	if (!err)
		usrpci_pager_pass_on(pager, copy);
	else if (copy >= 0)
		close(copy);
	return err;
}

/* Under the lock. */
static int wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
		const int *eventfds)
{
	struct usrpci_pager *pager = dev->spaces.pager;
	int err;

	if (pager && usrpci_pager_vector(pager) - first < nr)
		err = wire_beside(dev, pager, first, nr, eventfds);
	else
		err = dev->backend->irq_wire(dev, first, nr, eventfds);
	if (!err)
		usrpci_wires_note(&dev->wires, first, nr, eventfds);
	return err;
}

USRPCI_PUBLIC int usrpci_irq_wire(struct usrpci_device *dev, unsigned int first,
				  unsigned int nr, const int *eventfds)
{
	int ret = -EINVAL;

	if (eventfds && nr && nr <= USRPCI_BATCH_MAX) {
		pthread_mutex_lock(&dev->wires.lock);
		ret = wire(dev, first, nr, eventfds);
		pthread_mutex_unlock(&dev->wires.lock);
	}
	return ret ? fail(dev, USRPCI_CALL_IRQ_WIRE, first, nr, ret) : 0;
}

USRPCI_PUBLIC int usrpci_irq_unmask(struct usrpci_device *dev, unsigned int vector)
{
	int ret = dev->backend->irq_unmask(dev, vector);

	return ret ? fail(dev, USRPCI_CALL_IRQ_UNMASK, vector, 1, ret) : 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * -EAGAIN when another thread took the count first: a plain read would then
 * sleep past the timeout, since the descriptor need not be non-blocking.
 */
static int64_t take_count(int eventfd)
{
	uint64_t count;
	struct iovec to = { .iov_base = &count, .iov_len = sizeof(count) };
	ssize_t ret = preadv2(eventfd, &to, 1, -1, RWF_NOWAIT);

	if (ret < 0 && errno == EOPNOTSUPP)
		ret = read(eventfd, &count, sizeof(count));
	if (ret < 0)
		return -errno;
	if (ret != sizeof(count) || !count)
		return -EINVAL;
	return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

static int wait_readable(int eventfd, int timeout_ms)
{
	struct pollfd pfd = { .fd = eventfd, .events = POLLIN };
	int ret = poll(&pfd, 1, timeout_ms);

	if (ret < 0)
		return -errno;
	if (ret == 0)
		return -ETIMEDOUT;
	/* Where the descriptor is a bad one, reading it tells. */
	return 0;
}

USRPCI_PUBLIC int64_t usrpci_irq_wait(int eventfd, int timeout_ms)
{
	int64_t end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int64_t ret;

	/* poll(2) would pass over it and sleep. */
	if (eventfd < 0)
		return -EBADF;
	for (;;) {
		ret = wait_readable(eventfd, timeout_ms);
		if (!ret)
			ret = take_count(eventfd);
		if (ret != -EAGAIN)
			return ret;
		if (timeout_ms > 0) {
			int64_t left = end - now_ms();

			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
}
