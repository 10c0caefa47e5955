// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <sys/mman.h>
#include "kernel.h"

int usrpci_kernel_coherent_alloc(struct usrpci_device *dev, size_t len,
				 struct usrpci_coherent *buf, uint64_t *missing)
{
	struct usrpci_ioc_coherent arg = { .size = sizeof(arg), .len = len };
	const int fd = usrpci_kernel(dev)->fd;
	void *addr;
	int ret;

	ret = usrpci_kernel_ioctl(fd, USRPCI_COHERENT, &arg);
	if (ret) {
		*missing = arg.missing;
		return ret;
	}
	addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)arg.mmap_offset);
	if (addr == MAP_FAILED) {
		ret = -errno;
		usrpci_kernel_release(dev, arg.handle);
		return ret;
	}
	*buf = (struct usrpci_coherent){
		.addr = addr,
		.bus_addr = arg.bus_addr,
		.len = len,
		.handle = arg.handle,
	};
	return 0;
}

int usrpci_kernel_release(struct usrpci_device *dev, uint32_t handle)
{
	return usrpci_kernel_unmap(dev, &handle, 1);
}

void usrpci_kernel_munmap(struct usrpci_device *dev, void *addr, size_t len)
{
	munmap(addr, len);
}
