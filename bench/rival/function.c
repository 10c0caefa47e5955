// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "function.h"

static void put(const char *text, const char *format, const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), format, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* What a link in its folder leads to; "" without one. */
static const char *link_of(const char *address, const char *name, char target[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, name);
	len = readlink(path, target, PATH_MAX - 1);
	if (len < 0)
		return "";
	target[len] = '\0';
	return strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
}

/* usrpci_bind() knows nothing of a floor. */
void function_give(const char *address, const char *driver)
{
	char target[PATH_MAX];
	const char *bound = link_of(address, "driver", target);

	if (!strcmp(bound, driver))
		return;
	put(driver, "/sys/bus/pci/devices/%s/driver_override", address);
	if (*bound)
		put(address, "/sys/bus/pci/devices/%s/driver/unbind", address);
	put(address, "/sys/bus/pci/drivers/%s/bind", driver);
}

int function_group(const char *address)
{
	char target[PATH_MAX];
	const char *number = link_of(address, "iommu_group", target);

	return *number ? atoi(number) : -1;
}

static int open_file(const char *address, const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, name);
	fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

volatile void *function_map_bar(const char *address, uint64_t len)
{
	int fd = open_file(address, "resource0");
	void *regs = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (regs == MAP_FAILED)
		err(1, "BAR 0 of %s", address);
	close(fd);
	return regs;
}

void function_set_master(const char *address)
{
	int fd = open_file(address, "config");
	uint16_t command;

	if (pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", address);
	command |= PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", address);
	close(fd);
}
