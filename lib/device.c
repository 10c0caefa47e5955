// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "backend.h"
#include "device.h"
#include "function.h"
#include "pager/pager.h"
#include "public.h"

void usrpci_device_init(struct usrpci_device *dev, const struct usrpci_backend *backend)
{
	dev->backend = backend;
	usrpci_ranges_init(&dev->bars);
	usrpci_ranges_init(&dev->coherents);
	usrpci_wires_init(&dev->wires);
	usrpci_spaces_init(&dev->spaces);
	pthread_mutex_init(&dev->failure.lock, NULL);
}

void usrpci_device_destroy(struct usrpci_device *dev)
{
	pthread_mutex_destroy(&dev->failure.lock);
	usrpci_spaces_destroy(&dev->spaces);
	usrpci_wires_destroy(&dev->wires);
	usrpci_ranges_destroy(&dev->coherents);
	usrpci_ranges_destroy(&dev->bars);
}

/* What is wrong with an address that no backend serves. */
static int not_served(const char *root, const char *address)
{
	char driver[USRPCI_DRIVER_LEN];
	int ret = usrpci_function_driver(root, address, driver, sizeof(driver));

	return ret ? ret : -ENXIO;
}

int usrpci_open_from(const struct usrpci_backend *const *backends, const char *root,
		     struct usrpci_device **devp, const char *address)
{
	if (!devp || !address)
		return -EINVAL;
	for (; *backends; backends++) {
		if ((*backends)->serves(root, address))
			return (*backends)->open(devp, address);
	}
	return not_served(root, address);
}

USRPCI_PUBLIC int usrpci_open(struct usrpci_device **devp, const char *address)
{
	return usrpci_open_from(usrpci_backends, "", devp, address);
}

int usrpci_open_fd_from(const struct usrpci_backend *const *backends,
			struct usrpci_device **devp, int fd)
{
	int ret = -EINVAL;

	if (!devp)
		return -EINVAL;
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	for (; *backends && ret == -EINVAL; backends++) {
		if ((*backends)->open_fd)
			ret = (*backends)->open_fd(devp, fd);
	}
	if (!ret)
		(*devp)->borrowed = true;
	return ret;
}

USRPCI_PUBLIC int usrpci_open_fd(struct usrpci_device **devp, int fd)
{
	return usrpci_open_fd_from(usrpci_backends, devp, fd);
}

/*
 * Memory that the device may still write to is given back by the backend, once
 * it has stopped the device. A borrowed one runs on: what was allocated through
 * this handle goes as if the caller had freed it.
 */
static void close_coherents(struct usrpci_device *dev)
{
	struct usrpci_range range;

	while (usrpci_ranges_take_any(&dev->coherents, &range)) {
		if (dev->borrowed)
			dev->backend->coherent_release(dev, range.handle);
		dev->backend->coherent_unmap(dev, range.addr, range.len);
	}
}

/* Whoever has a space still gets -ENODEV from then on. */
static void end_spaces(struct usrpci_device *dev)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);

	if (pager)
		usrpci_pager_stop(pager);
	usrpci_spaces_detach(&dev->spaces);
	if (pager)
		usrpci_pager_free(pager);
}

USRPCI_PUBLIC void usrpci_close(struct usrpci_device *dev)
{
	struct usrpci_range range;

	if (!dev)
		return;
	end_spaces(dev);
	while (usrpci_ranges_take_any(&dev->bars, &range))
		dev->backend->bar_unmap(dev, range.addr, range.len);
	close_coherents(dev);
	dev->backend->close(dev);
}

USRPCI_PUBLIC int usrpci_fd(const struct usrpci_device *dev)
{
	return dev->backend->fd ? dev->backend->fd(dev) : -EOPNOTSUPP;
}

static int fail(struct usrpci_device *dev, enum usrpci_call call, int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){ .call = call, .err = err });
}

USRPCI_PUBLIC int usrpci_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	struct usrpci_info filled = { .backend = dev->backend->name };
	int ret = info ? dev->backend->info(dev, &filled) : -EINVAL;

	if (ret)
		return fail(dev, USRPCI_CALL_OTHER, ret);
	if (dev->backend->quiesce)
		filled.caps |= USRPCI_CAN_QUIESCE;
	if (dev->backend->coherent_detach)
		filled.caps |= USRPCI_CAN_DETACH;
	*info = filled;
	return 0;
}

USRPCI_PUBLIC int usrpci_set_master(struct usrpci_device *dev, bool on)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);
	int ret = -EIO;

	/* It has translations that it was told to forget. */
	if (!on || !pager || !usrpci_pager_is_broken(pager))
		ret = dev->backend->set_master(dev, on);
	return ret ? fail(dev, USRPCI_CALL_OTHER, ret) : 0;
}

USRPCI_PUBLIC int usrpci_reset(struct usrpci_device *dev)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);
	int ret;

	if (pager)
		usrpci_pager_hold(pager);
	ret = dev->backend->reset(dev);
	if (pager)
		usrpci_pager_release(pager);
	return ret ? fail(dev, USRPCI_CALL_RESET, ret) : 0;
}

bool usrpci_is_register(uint64_t offset, unsigned int width, unsigned int widest)
{
	return width && width <= widest && !(width & (width - 1)) && !(offset & (width - 1));
}

static int fail_config(struct usrpci_device *dev, unsigned int offset, unsigned int width,
		       int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = USRPCI_CALL_CONFIG,
		.err = err,
		.where = offset,
		.len = width,
	});
}

USRPCI_PUBLIC int usrpci_config_read(struct usrpci_device *dev, unsigned int offset,
				     unsigned int width, uint32_t *value)
{
	int ret = -EINVAL;

	if (value && usrpci_is_register(offset, width, 4))
		ret = dev->backend->config_read(dev, offset, width, value);
	return ret ? fail_config(dev, offset, width, ret) : 0;
}

USRPCI_PUBLIC int usrpci_config_write(struct usrpci_device *dev, unsigned int offset,
				      unsigned int width, uint32_t value)
{
	int ret = -EINVAL;

	if (usrpci_is_register(offset, width, 4))
		ret = dev->backend->config_write(dev, offset, width, value);
	return ret ? fail_config(dev, offset, width, ret) : 0;
}

USRPCI_PUBLIC const char *usrpci_isolation_name(enum usrpci_isolation isolation)
{
	switch (isolation) {
	case USRPCI_STRICT:
		return "strict";
	case USRPCI_LAZY:
		return "lazy";
	case USRPCI_PASSTHROUGH:
		return "passthrough";
	case USRPCI_NO_ISOLATION:
		break;
	}
	return "none";
}
