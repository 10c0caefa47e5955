// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "function.h"

#define CAPABILITIES	0x34

const char *function_edu(void)
{
	const char *bdf = getenv("USRPCI_EDU");

	return bdf && *bdf ? bdf : NULL;
}

const char *function_nvme(void)
{
	const char *bdf = getenv("USRPCI_NVME");

	return bdf && *bdf ? bdf : NULL;
}

bool kernel_is_slow(void)
{
	return getenv("SLOW_KERNEL");
}

unsigned int times(unsigned int n)
{
	return kernel_is_slow() ? (n + 9) / 10 : n;
}

void function_require(void)
{
	if (function_edu() && !geteuid())
		return;
	printf("1..0 # SKIP needs root and a function, by USRPCI_EDU and USRPCI_NVME\n");
	exit(SKIPPED);
}

int function_open(const char *bdf)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/usrpci/%s", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int function_call(int fd, unsigned int nr, void *arg)
{
	return ioctl(fd, nr, arg) < 0 ? -errno : 0;
}

struct usrpci_ioc_info function_info(int fd)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };

	assert_int_equal(function_call(fd, USRPCI_INFO, &info), 0);
	return info;
}

struct usrpci_ioc_bar function_bar(int fd, unsigned int index)
{
	struct usrpci_ioc_bar bar = { .size = sizeof(bar), .index = index };

	assert_int_equal(function_call(fd, USRPCI_BAR, &bar), 0);
	return bar;
}

int function_master(int fd, unsigned int enable)
{
	struct usrpci_ioc_master arg = { .size = sizeof(arg), .enable = enable };

	return function_call(fd, USRPCI_MASTER, &arg);
}

int function_mask(int fd, unsigned int bits)
{
	uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : ~0ULL;
	struct usrpci_ioc_dma_mask arg = {
		.size = sizeof(arg), .streaming = mask, .coherent = mask,
	};

	return function_call(fd, USRPCI_DMA_MASK, &arg);
}

int function_reset(int fd)
{
	struct usrpci_ioc_reset arg = { .size = sizeof(arg) };

	return function_call(fd, USRPCI_RESET, &arg);
}

struct usrpci_ioc_region function_region(const void *addr, uint64_t len, unsigned int direction)
{
	return (struct usrpci_ioc_region){
		.addr = (uintptr_t)addr, .len = len, .direction = direction,
	};
}

int function_map_regions(int fd, struct usrpci_ioc_region *regions, unsigned int nr,
			 uint64_t *missing)
{
	struct usrpci_ioc_map arg = {
		.size = sizeof(arg), .region_size = sizeof(*regions), .nr_regions = nr,
		.regions = (uintptr_t)regions,
	};
	int err = function_call(fd, USRPCI_MAP, &arg);

	if (missing)
		*missing = arg.missing;
	return err;
}

int function_map(int fd, struct usrpci_ioc_region *region)
{
	return function_map_regions(fd, region, 1, NULL);
}

int function_unmap(int fd, const uint32_t *handles, unsigned int nr)
{
	struct usrpci_ioc_unmap arg = {
		.size = sizeof(arg), .nr_handles = nr, .handles = (uintptr_t)handles,
	};

	return function_call(fd, USRPCI_UNMAP, &arg);
}

int function_unmap_one(int fd, uint32_t handle)
{
	return function_unmap(fd, &handle, 1);
}

int function_sync(int fd, uint32_t handle, unsigned int flags, uint64_t offset, uint64_t len)
{
	struct usrpci_ioc_sync arg = {
		.size = sizeof(arg), .flags = flags, .handle = handle, .offset = offset, .len = len,
	};

	return function_call(fd, USRPCI_SYNC, &arg);
}

int function_coherent(int fd, uint64_t len, struct usrpci_ioc_coherent *buffer)
{
	*buffer = (struct usrpci_ioc_coherent){ .size = sizeof(*buffer), .len = len };
	return function_call(fd, USRPCI_COHERENT, buffer);
}

int function_irq_setup(int fd, unsigned int type, unsigned int nr)
{
	struct usrpci_ioc_irq_setup arg = { .size = sizeof(arg), .type = type, .nr_vectors = nr };

	return function_call(fd, USRPCI_IRQ_SETUP, &arg);
}

int function_irq_wire(int fd, unsigned int first, unsigned int nr, const int *fds)
{
	struct usrpci_ioc_irq_wire arg = {
		.size = sizeof(arg), .first = first, .nr = nr, .fds = (uintptr_t)fds,
	};

	return function_call(fd, USRPCI_IRQ_WIRE, &arg);
}

int function_irq_unmask(int fd, unsigned int vector)
{
	struct usrpci_ioc_irq_unmask arg = { .size = sizeof(arg), .vector = vector };

	return function_call(fd, USRPCI_IRQ_UNMASK, &arg);
}

int function_quiesce(int fd, const struct usrpci_ioc_quiesce_step *steps, unsigned int nr)
{
	struct usrpci_ioc_quiesce arg = {
		.size = sizeof(arg), .step_size = sizeof(*steps), .nr_steps = nr,
		.steps = (uintptr_t)steps,
	};

	return function_call(fd, USRPCI_QUIESCE, &arg);
}

int function_event(int fd, struct usrpci_ioc_event *event)
{
	*event = (struct usrpci_ioc_event){ .size = sizeof(*event) };
	return function_call(fd, USRPCI_EVENT, event);
}

static off_t config_offset(int fd)
{
	static off_t offset;

	if (!offset)
		offset = function_info(fd).config_offset;
	return offset;
}

int config_read(int fd, unsigned int offset, unsigned int width, uint32_t *value)
{
	*value = 0;
	if (pread(fd, value, width, config_offset(fd) + offset) < 0)
		return -errno;
	return 0;
}

int config_write(int fd, unsigned int offset, unsigned int width, uint32_t value)
{
	if (pwrite(fd, &value, width, config_offset(fd) + offset) < 0)
		return -errno;
	return 0;
}

unsigned int config_capability(int fd, unsigned int id)
{
	uint32_t cap, found;
	int ttl = 48;

	assert_int_equal(config_read(fd, CAPABILITIES, 1, &cap), 0);
	while (cap && ttl--) {
		assert_int_equal(config_read(fd, cap, 1, &found), 0);
		if (found == id)
			return cap;
		assert_int_equal(config_read(fd, cap + 1, 1, &cap), 0);
	}
	return 0;
}

static char *read_all(const char *path)
{
	char *text = calloc(1, 65536);
	size_t have = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		free(text);
		return NULL;
	}
	while ((n = read(fd, text + have, 65535 - have)) > 0)
		have += n;
	close(fd);
	return text;
}

char *function_holders(const char *bdf)
{
	char path[96];
	char *text;

	snprintf(path, sizeof(path), "/sys/kernel/debug/usrpci/%s", bdf);
	text = read_all(path);
	assert_non_null(text);
	return text;
}

/* Lines of debugfs that tell of a mapping or a buffer. */
unsigned int function_nr_held(const char *bdf)
{
	char *text = function_holders(bdf), *line;
	unsigned int nr = 0;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		nr += !strncmp(line, "mapping ", 8) || !strncmp(line, "coherent ", 9) ||
		      !strncmp(line, "space ", 6);
	free(text);
	return nr;
}

char *function_attribute(const char *bdf, const char *name, char *buf, size_t len)
{
	char path[128];
	char *text;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	text = read_all(path);
	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = 0;
	snprintf(buf, len, "%s", text);
	free(text);
	return buf;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int module_parameter(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/usrpci/parameters/%s", name);
	return file_write(path, value);
}

int function_config_open(const char *bdf)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

unsigned int function_command(const char *bdf)
{
	uint16_t command = 0xffff;
	int fd = function_config_open(bdf);

	if (fd < 0)
		return command;
	if (pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		command = 0xffff;
	close(fd);
	return command;
}

int function_unbind(const char *bdf)
{
	return file_write("/sys/bus/pci/drivers/usrpci/unbind", bdf);
}

int function_bind(const char *bdf)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	err = file_write(path, "usrpci");
	return err ?: file_write("/sys/bus/pci/drivers_probe", bdf);
}
