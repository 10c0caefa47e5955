// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "function.h"
#include "group.h"
#include "kvfio.h"
#include "sysfs.h"

bool usrpci_kvfio_serves(const char *root, const char *address)
{
	char driver[USRPCI_DRIVER_LEN];

	return !usrpci_function_driver(root, address, driver, sizeof(driver)) &&
	       !strcmp(driver, USRPCI_VFIO_DRIVER);
}

static struct usrpci_kvfio_device *make(void)
{
	struct usrpci_kvfio_device *dev = calloc(1, sizeof(*dev));
	unsigned int i;

	if (!dev)
		return NULL;
	usrpci_vfio_init(&dev->vfio, &usrpci_backend_vfio, &usrpci_kvfio_ops);
	dev->device = -1;
	dev->group = -1;
	dev->space = -1;
	dev->poll = -1;
	for (i = 0; i < USRPCI_KVFIO_NR_TOLD; i++)
		dev->told[i] = -1;
	return dev;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The function first: the kernel resets it while its memory is still there. */
static void unmake(struct usrpci_kvfio_device *dev)
{
	close_fd(dev->device);
	close_fd(dev->group);
	close_fd(dev->space);
	usrpci_kvfio_deafen(dev);
	usrpci_vfio_destroy(&dev->vfio);
	free(dev->reserved);
	free(dev);
}

/* A kernel may have the newer way, the older one, or both of them, and allow but one. */
static int attach_either(struct usrpci_kvfio_device *dev, const char *root)
{
	int newer, err;

	dev->memory = &usrpci_kvfio_iommufd;
	newer = dev->memory->attach(dev, root);
	if (newer != -ENOTSUP && newer != -EACCES)
		return newer;
	dev->memory = &usrpci_kvfio_type1;
	err = dev->memory->attach(dev, root);
	return err == -ENXIO && newer == -EACCES ? newer : err;
}

static int attach(struct usrpci_kvfio_device *dev, const char *root)
{
	char value[8];
	int err = attach_either(dev, root);

	if (err)
		return err;
	dev->remaps = !usrpci_sysfs_read(value, sizeof(value), "%s%s", root,
					 dev->memory->unsafe) && !strcmp(value, "N");
	return dev->memory->reserve(dev);
}

static int find(struct usrpci_kvfio_device *dev, const char *root, const char *address)
{
	char *bdf = dev->vfio.base.bdf, node[16];
	int ret = usrpci_parse_bdf(address, bdf);

	if (ret)
		return ret;
	ret = usrpci_group_number(root, bdf);
	if (ret < 0)
		return ret == -ENOENT ? -EXDEV : ret;
	dev->iommu_group = ret;
	ret = usrpci_sysfs_read(node, sizeof(node), USRPCI_SYS_FUNCTION "/numa_node", root, bdf);
	dev->numa_node = ret ? -1 : atoi(node);
	return 0;
}

int usrpci_kvfio_open_at(struct usrpci_device **devp, const char *root, const char *address)
{
	struct usrpci_kvfio_device *dev = make();
	int err;

	if (!dev)
		return -ENOMEM;
	err = find(dev, root, address);
	if (!err)
		err = attach(dev, root);
	if (!err)
		err = usrpci_kvfio_learn(dev);
	if (!err)
		err = usrpci_kvfio_listen(dev);
	if (!err)
		err = usrpci_vfio_start(&dev->vfio);
	if (err) {
		unmake(dev);
		return err;
	}
	*devp = &dev->vfio.base;
	return 0;
}

int usrpci_kvfio_open(struct usrpci_device **devp, const char *address)
{
	return usrpci_kvfio_open_at(devp, "", address);
}

void usrpci_kvfio_close(struct usrpci_device *base)
{
	struct usrpci_kvfio_device *dev = usrpci_kvfio(usrpci_vfio(base));

	usrpci_vfio_stop(&dev->vfio);
	unmake(dev);
}
