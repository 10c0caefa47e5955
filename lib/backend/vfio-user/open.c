// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "vfio-user.h"

/* A server that doesn't answer for so long won't. */
#define PATIENCE_MS	30000
/* Of region information, with all of its capabilities. */
#define REGION_ROOM	4096

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

bool usrpci_socket_serves(const char *root, const char *address)
{
	return starts(address, USRPCI_SOCKET_PREFIX) || starts(address, USRPCI_SIM_PREFIX);
}

/* Anything else, and a descriptor of who knows what, couldn't be made to end by us. */
static bool is_stream(int fd)
{
	socklen_t len = sizeof(int);
	int domain, type;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return false;
	len = sizeof(int);
	return domain == AF_UNIX && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
	       type == SOCK_STREAM;
}

static int negotiate(struct usrpci_socket_device *dev)
{
	unsigned char payload[VFIO_USER_TEXT], reply[VFIO_USER_MAX_PAYLOAD / 64];
	const struct vfio_user_part part = {
		payload, usrpci_version_format(payload, true, -1),
	};
	struct usrpci_exchange x = {
		.command = VFIO_USER_VERSION, .parts = &part, .nr_parts = 1,
		.reply = reply, .room = sizeof(reply),
	};
	int err = usrpci_socket_exchange(dev, &x);

	if (err)
		return err;
	if (x.len > sizeof(reply))
		err = -EPROTO;
	if (!err)
		err = usrpci_version_parse(reply, x.len, &dev->caps);
	/* We have room for one descriptor, so it's the first. */
	if (!err && dev->caps.twin && (dev->caps.twin_fd || !is_stream(x.fd)))
		err = -EPROTO;
	if (err || !dev->caps.twin) {
		close_fd(x.fd);
		return err;
	}
	dev->twin = x.fd;
	usrpci_message_set_patience(dev->twin, dev->patience_ms);
	return 0;
}

static int learn_device(struct usrpci_socket_device *dev, unsigned int *nr_regions,
			unsigned int *nr_irqs)
{
	struct vfio_user_device_info info = { .argsz = sizeof(info) };
	const struct vfio_user_part part = { &info, sizeof(info) };
	struct usrpci_exchange x = {
		.command = VFIO_USER_DEVICE_GET_INFO, .parts = &part, .nr_parts = 1,
		.reply = &info, .room = sizeof(info),
	};
	int err = usrpci_socket_exchange(dev, &x);

	if (err)
		return err;
	*nr_regions = info.num_regions;
	*nr_irqs = info.num_irqs;
	return usrpci_vfio_note_device(&dev->vfio, info.flags, nr_regions, nr_irqs);
}

/* Whether all windows can be touched as long as they are mapped. Calls do without. */
static bool stays(int fd, const struct usrpci_region *region)
{
	struct stat st;
	unsigned int i;

	if (!usrpci_socket_stays(fd) || fstat(fd, &st) ||
	    region->offset > (uint64_t)st.st_size)
		return false;
	for (i = 0; i < region->nr_windows; i++)
		if (region->windows[i].offset + region->windows[i].len >
		    (uint64_t)st.st_size - region->offset)
			return false;
	return true;
}

static int learn_region(struct usrpci_socket_device *dev, unsigned int index)
{
	struct usrpci_region *region = &dev->vfio.regions[index];
	const struct vfio_region_info ask = { .argsz = REGION_ROOM, .index = index };
	const struct vfio_user_part part = { &ask, sizeof(ask) };
	union {
		struct vfio_region_info info;
		char room[REGION_ROOM];
	} reply;
	struct usrpci_exchange x = {
		.command = VFIO_USER_DEVICE_GET_REGION_INFO, .parts = &part, .nr_parts = 1,
		.reply = &reply, .room = sizeof(reply),
	};
	int err = usrpci_socket_exchange(dev, &x);

	/* As VFIO says it of VGA's, where there is none. */
	if (err == -EINVAL)
		return 0;
	if (err)
		return err;
	err = usrpci_vfio_parse_region(region, &reply.info,
				       x.len < sizeof(reply) ? x.len : sizeof(reply));
	region->fd = x.fd;
	if (region->fd < 0 || !stays(region->fd, region))
		region->nr_windows = 0;
	return err;
}

static int learn_irqs(struct usrpci_socket_device *dev, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	const struct vfio_user_part part = { &info, sizeof(info) };
	struct usrpci_exchange x = {
		.command = VFIO_USER_DEVICE_GET_IRQ_INFO, .parts = &part, .nr_parts = 1,
		.reply = &info, .room = sizeof(info),
	};
	int err = usrpci_socket_exchange(dev, &x);

	/* So VFIO says that there's none of a kind. */
	if (err == -EINVAL)
		return 0;
	if (!err)
		usrpci_vfio_note_irqs(&dev->vfio, &info, index);
	return err;
}

static int learn(struct usrpci_socket_device *dev)
{
	unsigned int i, nr_regions, nr_irqs;
	int err;

	err = learn_device(dev, &nr_regions, &nr_irqs);
	for (i = 0; !err && i < nr_regions; i++)
		err = learn_region(dev, i);
	for (i = 0; !err && i < nr_irqs; i++)
		err = learn_irqs(dev, i);
	return err;
}

static struct usrpci_socket_device *make(void)
{
	struct usrpci_socket_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	usrpci_vfio_init(&dev->vfio, &usrpci_backend_vfio_user, &usrpci_socket_ops);
	pthread_mutex_init(&dev->lock, NULL);
	dev->channel = -1;
	dev->twin = -1;
	dev->stop = -1;
	dev->hangup[0] = -1;
	dev->hangup[1] = -1;
	return dev;
}

/* The server sees the channel close, and takes that for the program's end. */
static int unmake(struct usrpci_socket_device *dev)
{
	unsigned int i;
	int err;

	usrpci_socket_stop(dev);
	close_fd(dev->channel);
	close_fd(dev->twin);
	close_fd(dev->stop);
	close_fd(dev->hangup[0]);
	close_fd(dev->hangup[1]);
	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		close_fd(dev->vfio.regions[i].fd);
	err = usrpci_socket_reap(dev->simulator, dev->patience_ms);
	usrpci_message_free(&dev->reply);
	usrpci_message_free(&dev->command);
	pthread_mutex_destroy(&dev->lock);
	usrpci_vfio_destroy(&dev->vfio);
	free(dev);
	return err;
}

static int reach(struct usrpci_socket_device *dev, const char *address)
{
	if (starts(address, USRPCI_SIM_PREFIX))
		return usrpci_socket_spawn(address + strlen(USRPCI_SIM_PREFIX), &dev->channel,
					   &dev->simulator);
	return usrpci_socket_connect(address + strlen(USRPCI_SOCKET_PREFIX), PATIENCE_MS,
				     &dev->channel);
}

/* What a server may say to anything; from usrpci_open() it would mean the address. */
static int as_of_server(int err)
{
	switch (err) {
	case -EINVAL:
	case -ENOENT:
	case -ECONNREFUSED:
	case -ENOEXEC:
		return -EPROTO;
	}
	return err;
}

/* Undoes @dev unless all works. */
static int begin(struct usrpci_device **devp, struct usrpci_socket_device *dev,
		 const char *address, unsigned int patience_ms)
{
	int err, reaped;

	snprintf(dev->vfio.base.bdf, sizeof(dev->vfio.base.bdf), "%s", address);
	dev->patience_ms = patience_ms;
	usrpci_message_set_patience(dev->channel, patience_ms);
	usrpci_socket_hurry(dev);
	err = pipe2(dev->hangup, O_CLOEXEC | O_NONBLOCK) ? -errno : 0;
	if (!err)
		err = negotiate(dev);
	if (!err)
		err = usrpci_socket_start(dev);
	if (!err)
		err = learn(dev);
	if (!err)
		err = usrpci_vfio_start(&dev->vfio);
	if (err) {
		reaped = unmake(dev);
		return reaped ?: as_of_server(err);
	}
	dev->end_ms = 0;
	*devp = &dev->vfio.base;
	return 0;
}

int usrpci_socket_open(struct usrpci_device **devp, const char *address)
{
	struct usrpci_socket_device *dev = make();
	int err;

	if (!dev)
		return -ENOMEM;
	err = reach(dev, address);
	if (!err)
		return begin(devp, dev, address, PATIENCE_MS);
	unmake(dev);
	return err;
}

int usrpci_socket_open_channel(struct usrpci_device **devp, const char *address, int channel,
			       unsigned int patience_ms)
{
	struct usrpci_socket_device *dev = make();

	if (!dev) {
		close(channel);
		return -ENOMEM;
	}
	dev->channel = channel;
	return begin(devp, dev, address, patience_ms);
}

void usrpci_socket_close(struct usrpci_device *base)
{
	struct usrpci_socket_device *dev = usrpci_socket(usrpci_vfio(base));

	usrpci_socket_hurry(dev);
	usrpci_vfio_stop(&dev->vfio);
	unmake(dev);
}
