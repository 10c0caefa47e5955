// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include <unistd.h>
#include "kernel.h"

/* The file's bytes are in the bus's order, which is little-endian. */
static int read_at(int fd, uint64_t where, unsigned int width, uint64_t *value)
{
	uint64_t bytes = 0;
	ssize_t got = pread(fd, &bytes, width, (off_t)where);

	if (got < 0)
		return -errno;
	if (got != (ssize_t)width)
		return -EIO;
	*value = le64toh(bytes);
	return 0;
}

static int write_at(int fd, uint64_t where, unsigned int width, uint64_t value)
{
	uint64_t bytes = htole64(value);
	ssize_t done = pwrite(fd, &bytes, width, (off_t)where);

	if (done < 0)
		return -errno;
	return done == (ssize_t)width ? 0 : -EIO;
}

int usrpci_kernel_config_read(struct usrpci_device *dev, unsigned int offset,
			      unsigned int width, uint32_t *value)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);
	uint64_t wide = 0;
	int ret = read_at(kdev->fd, kdev->config_offset + offset, width, &wide);

	if (!ret)
		*value = (uint32_t)wide;
	return ret;
}

int usrpci_kernel_config_write(struct usrpci_device *dev, unsigned int offset,
			       unsigned int width, uint32_t value)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);

	return write_at(kdev->fd, kdev->config_offset + offset, width, value);
}

/* An offset so large that it would leave the BAR's part of the file. */
static bool is_outside(uint64_t offset)
{
	return offset >> 40;
}

int usrpci_kernel_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			   unsigned int width, uint64_t *value)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);

	if (is_outside(offset))
		return -EINVAL;
	return read_at(kdev->fd, kdev->bar_offsets[bar] + offset, width, value);
}

int usrpci_kernel_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			    unsigned int width, uint64_t value)
{
	struct usrpci_kernel_device *kdev = usrpci_kernel(dev);

	if (is_outside(offset))
		return -EINVAL;
	return write_at(kdev->fd, kdev->bar_offsets[bar] + offset, width, value);
}
