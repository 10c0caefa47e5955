// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "dma.h"
#include "vfio.h"

/* A length that no file and no map can have. */
static int no_memory(int err)
{
	return err == EINVAL || err == EFBIG ? -ENOMEM : -err;
}

/*
 * Ordinary memory that can be shared with whoever plays the device, who can't make it shorter:
 * the program would be killed when it touched what is missing.
 */
static int make_file(size_t len)
{
	int err, fd = memfd_create("usrpci-coherent", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)len) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	err = no_memory(errno);
	close(fd);
	return err;
}

int usrpci_vfio_coherent_alloc(struct usrpci_device *dev, size_t len,
			       struct usrpci_coherent *buf, uint64_t *missing)
{
	struct usrpci_dma what = { .len = len, .coherent = true };
	int err;

	what.fd = make_file(len);
	if (what.fd < 0)
		return what.fd;
	what.addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, what.fd, 0);
	if (what.addr == MAP_FAILED) {
		err = no_memory(errno);
		close(what.fd);
		return err;
	}
	err = usrpci_dma_map(usrpci_vfio(dev), &what, missing);
	if (err) {
		munmap(what.addr, len);
		close(what.fd);
		return err;
	}
	*buf = (struct usrpci_coherent){
		.addr = what.addr,
		.bus_addr = what.iova.first,
		.len = len,
		.handle = what.handle,
	};
	return 0;
}

int usrpci_vfio_coherent_release(struct usrpci_device *dev, uint32_t handle)
{
	return usrpci_vfio_unmap(dev, &handle, 1);
}
