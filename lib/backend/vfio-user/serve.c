// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include "checked.h"
#include "vfio/dma.h"
#include "vfio-user.h"
#include "vfio-user/message.h"

/* Memory that the program has unmapped since is an error here, and no SIGSEGV. */
static ssize_t copy_mapped(void *ours, uint64_t len, const struct usrpci_dma *dma, uint64_t at,
			   bool write)
{
	struct iovec local = { .iov_base = ours, .iov_len = len };
	struct iovec remote = { .iov_base = (char *)dma->addr + at, .iov_len = len };
	ssize_t done;

	if (!usrpci_is_live(remote.iov_base, len, write)) {
		errno = EFAULT;
		return -1;
	}
	if (!write)
		return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	done = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	if (done > 0)
		usrpci_was_written(remote.iov_base, (size_t)done);
	return done;
}

/* The device keeps it after the program has unmapped it, and something else may be there then. */
static ssize_t copy_coherent(void *ours, uint64_t len, const struct usrpci_dma *dma, uint64_t at,
			     bool write)
{
	return write ? pwrite(dma->fd, ours, len, (off_t)at) :
		       pread(dma->fd, ours, len, (off_t)at);
}

static int copy(void *ours, uint64_t len, const struct usrpci_dma *dma, uint64_t at, bool write)
{
	ssize_t done = dma->coherent ? copy_coherent(ours, len, dma, at, write) :
				       copy_mapped(ours, len, dma, at, write);

	if (done < 0)
		return -errno;
	return (uint64_t)done == len ? 0 : -EFAULT;
}

/* As much as lies in one piece of memory, of that which the device was given. */
static int64_t access_some(struct usrpci_dmas *dmas, uint64_t address, unsigned char *data,
			   uint64_t len, bool write)
{
	struct usrpci_iova *iova = usrpci_iovas_find(&dmas->iovas, address);
	struct usrpci_dma *dma;
	uint64_t at;
	int err;

	if (!iova || iova == &dmas->iovas.bottom || iova == &dmas->iovas.top)
		return -EFAULT;
	dma = usrpci_container_of(iova, struct usrpci_dma, iova);
	at = address - usrpci_dma_address(dma);
	if (at >= dma->len)
		return -EFAULT;
	if (dma->direction == (write ? USRPCI_DMA_TO_DEVICE : USRPCI_DMA_FROM_DEVICE))
		return -EACCES;
	if (len > dma->len - at)
		len = dma->len - at;
	err = copy(data, len, dma, at, write);
	return err ? err : (int64_t)len;
}

/* Under the lock, so that unmapping waits for it. */
static int access_memory(struct usrpci_dmas *dmas, const struct vfio_user_dma_access *access,
			 unsigned char *data, bool write)
{
	uint64_t done = 0;
	int64_t some = 0;

	pthread_mutex_lock(&dmas->lock);
	while (done < access->count && some >= 0) {
		some = access_some(dmas, access->address + done, data + done,
				   access->count - done, write);
		done += some > 0 ? (uint64_t)some : 0;
	}
	pthread_mutex_unlock(&dmas->lock);
	return some < 0 ? (int)some : 0;
}

/* Bytes of the device's memory, for an answer. */
static int read_memory(struct usrpci_socket_device *dev, const struct vfio_user_dma_access *access,
		       unsigned char **data)
{
	*data = malloc(access->count);
	if (!*data)
		return -ENOMEM;
	return access_memory(&dev->vfio.dmas, access, *data, false);
}

static int carry_out(struct usrpci_socket_device *dev, struct vfio_user_message *command,
		     struct vfio_user_dma_access *access, unsigned char **data)
{
	const unsigned int what = command->header.command;
	int err;

	err = usrpci_message_check_command(what, command->payload, command->len, command->nr_fds);
	if (err)
		return err;
	if (what != VFIO_USER_DMA_READ && what != VFIO_USER_DMA_WRITE)
		return -ENOTSUP;
	memcpy(access, command->payload, sizeof(*access));
	if (what == VFIO_USER_DMA_READ)
		return read_memory(dev, access, data);
	return access_memory(&dev->vfio.dmas, access, command->payload + sizeof(*access), true);
}

static int answer(int channel, const struct vfio_user_header *command, int err,
		  const struct vfio_user_dma_access *access, const unsigned char *data)
{
	struct vfio_user_header header = {
		.id = command->id,
		.command = command->command,
		.flags = VFIO_USER_REPLY | (err ? VFIO_USER_ERROR : 0),
		.error = (uint32_t)-err,
	};
	const struct vfio_user_part parts[] = {
		{ access, sizeof(*access) },
		{ data, data ? access->count : 0 },
	};

	if (command->flags & VFIO_USER_NO_REPLY)
		return 0;
	return usrpci_message_send(channel, &header, parts, err ? 0 : 2, NULL, 0);
}

/* What is in @message; its channel is of no use after any but 0. */
static int serve(struct usrpci_socket_device *dev, struct vfio_user_message *message, int channel)
{
	struct vfio_user_dma_access access;
	unsigned char *data = NULL;
	int err;

	err = carry_out(dev, message, &access, &data);
	usrpci_message_drop_fds(message);
	err = answer(channel, &message->header, err, &access, data);
	free(data);
	return err;
}

int usrpci_socket_serve(struct usrpci_socket_device *dev, int channel)
{
	return serve(dev, &dev->reply, channel);
}

/* Takes what came while nobody waited for a reply. */
static int serve_between(struct usrpci_socket_device *dev)
{
	struct pollfd p = { .fd = dev->channel, .events = POLLIN };
	int err = 0;

	pthread_mutex_lock(&dev->lock);
	/* Whoever waited meanwhile may have taken it. */
	if (poll(&p, 1, 0) == 1)
		err = usrpci_message_receive(dev->channel, &dev->reply);
	if (!err && p.revents)
		err = dev->reply.header.flags & VFIO_USER_REPLY ?
			-EPROTO : usrpci_socket_serve(dev, dev->channel);
	pthread_mutex_unlock(&dev->lock);
	return err;
}

static int serve_twin(struct usrpci_socket_device *dev)
{
	int err = usrpci_message_receive(dev->twin, &dev->command);

	if (!err && dev->command.header.flags & VFIO_USER_REPLY)
		err = -EPROTO;
	return err ?: serve(dev, &dev->command, dev->twin);
}

static void *run(void *arg)
{
	struct usrpci_socket_device *dev = arg;
	struct pollfd p[] = {
		{ .fd = dev->stop, .events = POLLIN },
		{ .fd = dev->channel, .events = dev->twin < 0 ? POLLIN : 0 },
		{ .fd = dev->twin, .events = POLLIN },
	};
	int err = 0;

	while (!err && !p[0].revents) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[2].revents)
			err = serve_twin(dev);
		else if (p[1].revents & POLLIN)
			err = serve_between(dev);
		else if (p[1].revents)
			err = -EPIPE;
	}
	if (err)
		usrpci_socket_lose(dev);
	return NULL;
}

int usrpci_socket_start(struct usrpci_socket_device *dev)
{
	sigset_t all, before;
	int err;

	dev->stop = eventfd(0, EFD_CLOEXEC);
	if (dev->stop < 0)
		return -errno;
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&dev->thread, NULL, run, dev);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	dev->started = !err;
	return -err;
}

void usrpci_socket_stop(struct usrpci_socket_device *dev)
{
	if (dev->started && usrpci_vfio_is_owner(&dev->vfio)) {
		/* It may be amid a message that the server doesn't end. */
		usrpci_socket_lose(dev);
		eventfd_write(dev->stop, 1);
		pthread_join(dev->thread, NULL);
	}
	dev->started = false;
}
