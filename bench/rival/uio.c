// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "function.h"
#include "uio.h"

int uio_open(const char *address, int flags)
{
	char path[PATH_MAX];
	glob_t found;
	int fd;

	function_give(address, "uio_pci_generic");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uio/uio*", address);
	if (glob(path, 0, NULL, &found) || found.gl_pathc != 1)
		errx(1, "%s has no uio", address);
	snprintf(path, sizeof(path), "/dev/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

void uio_unmask(const char *address)
{
	char path[PATH_MAX];
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", path);
	command &= (uint16_t)~PCI_COMMAND_INTX_DISABLE;
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", path);
	close(fd);
}
