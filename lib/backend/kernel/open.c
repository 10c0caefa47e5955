// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "function.h"
#include "kernel.h"

bool usrpci_kernel_serves(const char *root, const char *address)
{
	char driver[USRPCI_DRIVER_LEN];

	return !usrpci_function_driver(root, address, driver, sizeof(driver)) &&
	       !strcmp(driver, USRPCI_DRIVER);
}

/* Learn where in the file things lie: that doesn't change while it is open. */
static int learn(struct usrpci_kernel_device *kdev)
{
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar arg;
	unsigned int bar;
	int ret;

	ret = usrpci_kernel_read_info(kdev->fd, &info);
	if (ret)
		return ret;
	if (info.abi != USRPCI_ABI_VERSION)
		return -EPROTONOSUPPORT;
	snprintf(kdev->base.bdf, sizeof(kdev->base.bdf), "%04x:%02x:%02x.%x",
		 info.domain, info.bus, info.slot, info.function);
	kdev->config_offset = info.config_offset;
	for (bar = 0; bar < USRPCI_BARS; bar++) {
		ret = usrpci_kernel_read_bar(kdev->fd, bar, &arg);
		if (ret)
			return ret;
		kdev->bar_offsets[bar] = arg.offset;
	}
	return 0;
}

static int make_device(struct usrpci_device **devp, int fd)
{
	struct usrpci_kernel_device *kdev = calloc(1, sizeof(*kdev));
	int ret;

	if (!kdev)
		return -ENOMEM;
	usrpci_device_init(&kdev->base, &usrpci_backend_kernel);
	kdev->fd = fd;
	ret = learn(kdev);
	if (ret) {
		usrpci_device_destroy(&kdev->base);
		free(kdev);
		return ret;
	}
	*devp = &kdev->base;
	return 0;
}

int usrpci_kernel_open(struct usrpci_device **devp, const char *address)
{
	char path[sizeof("/dev/usrpci/") + USRPCI_BDF_LEN];
	char bdf[USRPCI_BDF_LEN];
	int fd, ret;

	ret = usrpci_parse_bdf(address, bdf);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/dev/usrpci/%s", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = make_device(devp, fd);
	if (ret)
		close(fd);
	return ret;
}

int usrpci_kernel_open_fd(struct usrpci_device **devp, int fd)
{
	struct usrpci_ioc_info info;
	struct stat st;
	int ret;

	/* Spare other kinds of files an ioctl that they might take for theirs. */
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -EINVAL;
	ret = usrpci_kernel_read_info(fd, &info);
	if (ret)
		return ret == -ENODEV ? ret : -EINVAL;
	return make_device(devp, fd);
}

void usrpci_kernel_close(struct usrpci_device *dev)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);

	if (!dev->borrowed)
		close(kdev->fd);
	usrpci_device_destroy(dev);
	free(kdev);
}
