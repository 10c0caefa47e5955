// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>
#include "vfio-user.h"

static int access_region(struct usrpci_socket_device *dev, unsigned int command,
			 const struct vfio_user_region_access *access, void *to,
			 const void *from)
{
	const struct vfio_user_part parts[] = {
		{ access, sizeof(*access) },
		{ from, from ? access->count : 0 },
	};
	struct vfio_user_region_access reply;
	struct usrpci_exchange x = {
		.command = command, .parts = parts, .nr_parts = 2,
		.reply = &reply, .room = sizeof(reply),
		.data = to, .data_room = access->count,
	};
	int err = usrpci_socket_exchange(dev, &x);

	if (err)
		return err;
	return reply.count == access->count ? 0 : -EIO;
}

/* In as many messages as it takes. */
static int access_all(struct usrpci_vfio_device *vdev, unsigned int command, unsigned int region,
		      uint64_t offset, char *to, const char *from, size_t len)
{
	struct usrpci_socket_device *dev = usrpci_socket(vdev);
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		size_t rest = len - done, most = dev->caps.max_transfer;
		const struct vfio_user_region_access access = {
			.offset = offset + done, .region = region,
			.count = (uint32_t)(rest < most ? rest : most),
		};

		err = access_region(dev, command, &access, to ? to + done : NULL,
				    from ? from + done : NULL);
		done += access.count;
	}
	return err;
}

static int read_region(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		       void *buf, size_t len)
{
	return access_all(dev, VFIO_USER_REGION_READ, region, offset, buf, NULL, len);
}

static int write_region(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
			const void *buf, size_t len)
{
	return access_all(dev, VFIO_USER_REGION_WRITE, region, offset, NULL, buf, len);
}

static int set_some(struct usrpci_socket_device *dev, const struct vfio_irq_set *set,
		    const int *eventfds, unsigned int nr)
{
	const struct vfio_user_part part = { set, sizeof(*set) };
	struct usrpci_exchange x = {
		.command = VFIO_USER_DEVICE_SET_IRQS, .parts = &part, .nr_parts = 1,
		.fds = eventfds, .nr_fds = nr,
	};

	return usrpci_socket_exchange(dev, &x);
}

/* As many descriptors at once as the server can take. */
static int set_irqs(struct usrpci_vfio_device *vdev, const struct vfio_irq_set *set,
		    const int *eventfds, unsigned int nr)
{
	struct usrpci_socket_device *dev = usrpci_socket(vdev);
	struct vfio_irq_set some = *set;
	unsigned int done = 0;
	int err;

	do {
		if (nr)
			some.count = nr - done < dev->caps.max_fds ? nr - done : dev->caps.max_fds;
		some.start = set->start + done;
		err = set_some(dev, &some, eventfds ? eventfds + done : NULL, nr ? some.count : 0);
		done += some.count;
	} while (!err && done < nr);
	return err;
}

/* VFIO puts configuration back; of servers, QEMU's leaves decoding and bus mastering off. */
static int reset(struct usrpci_vfio_device *dev)
{
	struct usrpci_exchange x = { .command = VFIO_USER_DEVICE_RESET };
	int err = usrpci_socket_exchange(usrpci_socket(dev), &x);

	return err ?: usrpci_vfio_restore_command(dev);
}

/* A simulator that the library started is as good as this program. */
static int map(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma, uint64_t *missing)
{
	const bool trusted = usrpci_socket(dev)->simulator;
	uint64_t offset = dma->fd_offset;
	int fd = dma->coherent ? dma->fd : usrpci_socket_find_fd(dma, trusted, &offset);
	const struct vfio_user_dma_map message = {
		.argsz = sizeof(message),
		.flags = (dma->direction != USRPCI_DMA_FROM_DEVICE ? VFIO_USER_DMA_READABLE : 0) |
			 (dma->direction != USRPCI_DMA_TO_DEVICE ? VFIO_USER_DMA_WRITEABLE : 0),
		.offset = fd >= 0 ? offset : 0,
		.address = dma->iova.first,
		.size = dma->iova.last - dma->iova.first + 1,
	};
	const struct vfio_user_part part = { &message, sizeof(message) };
	struct usrpci_exchange x = {
		.command = VFIO_USER_DMA_MAP, .parts = &part, .nr_parts = 1,
		.fds = &fd, .nr_fds = fd >= 0,
	};
	int err;

	if (fd < -1)
		return fd;
	err = usrpci_socket_exchange(usrpci_socket(dev), &x);
	if (fd >= 0 && !dma->coherent)
		close(fd);
	return err;
}

static int unmap(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma)
{
	const struct vfio_user_dma_unmap message = {
		.argsz = sizeof(message),
		.address = dma->iova.first,
		.size = dma->iova.last - dma->iova.first + 1,
	};
	const struct vfio_user_part part = { &message, sizeof(message) };
	struct usrpci_exchange x = {
		.command = VFIO_USER_DMA_UNMAP, .parts = &part, .nr_parts = 1,
	};

	return usrpci_socket_exchange(usrpci_socket(dev), &x);
}

static int alive(const struct usrpci_vfio_device *dev)
{
	return atomic_load(&usrpci_socket(dev)->gone) ? -ENODEV : 0;
}

const struct usrpci_vfio_ops usrpci_socket_ops = {
	.read = read_region,
	.write = write_region,
	.set_irqs = set_irqs,
	.reset = reset,
	.map = map,
	.unmap = unmap,
	.alive = alive,
};
