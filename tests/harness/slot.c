// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "function.h"
#include "memory.h"
#include "monitor.h"
#include "slot.h"

#define DEVICES		"/sys/bus/pci/devices"
/* Enumerating a function alone takes seconds on a kernel that checks each access. */
#define PATIENCE_MS	(kernel_is_slow() ? 240000U : 30000U)

static uint32_t get(int fd, unsigned int offset, unsigned int width)
{
	uint32_t value = 0;

	return pread(fd, &value, width, offset) == (ssize_t)width ? value : ~0U;
}

static unsigned int express(int fd)
{
	unsigned int cap = get(fd, PCI_CAPABILITY_LIST, 1), ttl = 48;

	while (cap && ttl--) {
		if (get(fd, cap, 1) == PCI_CAP_ID_EXP)
			return cap;
		cap = get(fd, cap + 1, 1);
	}
	return 0;
}

/* Where that is the root port of slot @number: the rest of @slot. */
static bool is_port(struct slot *slot, const char *bdf)
{
	int fd = function_config_open(bdf);
	unsigned int cap, flags;
	bool found = false;

	if (fd < 0)
		return false;
	cap = get(fd, PCI_HEADER_TYPE, 1) == PCI_HEADER_TYPE_BRIDGE ? express(fd) : 0;
	flags = cap ? get(fd, cap + PCI_EXP_FLAGS, 2) : 0;
	if ((flags & PCI_EXP_FLAGS_SLOT) &&
	    get(fd, cap + PCI_EXP_SLTCAP, 4) >> 19 == slot->number) {
		found = true;
		slot->control = cap + PCI_EXP_SLTCTL;
		snprintf(slot->port, sizeof(slot->port), "%.15s", bdf);
		snprintf(slot->function, sizeof(slot->function), "%.4s:%02x:00.0", bdf,
			 get(fd, PCI_SECONDARY_BUS, 1));
	}
	close(fd);
	return found;
}

bool slot_find(struct slot *slot, unsigned int number)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	bool found = false;

	memset(slot, 0, sizeof(*slot));
	slot->number = number;
	snprintf(slot->name, sizeof(slot->name), "slot%u", number);
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && is_port(slot, entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

void slots_require(unsigned int nr)
{
	struct slot slot;

	if (!geteuid() && monitor_present() && slot_find(&slot, nr))
		return;
	printf("1..0 # SKIP needs vm/run --monitor --slots %u\n", nr);
	exit(SKIPPED);
}

/* Where the kernel found the slot itself, not by ACPI. */
static void slot_path(const struct slot *slot, char *path, size_t len, const char *file)
{
	char bus[16], address[64];
	struct dirent *entry;
	DIR *dir = opendir("/sys/bus/pci/slots");
	int fd, n;

	*path = 0;
	snprintf(bus, sizeof(bus), "%.10s", slot->function);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, len, "/sys/bus/pci/slots/%.16s/address", entry->d_name);
		fd = open(path, O_RDONLY);
		*path = 0;
		if (fd < 0)
			continue;
		n = read(fd, address, sizeof(address) - 1);
		close(fd);
		if (n <= 0 || strncmp(address, bus, strlen(bus)))
			continue;
		snprintf(path, len, "/sys/bus/pci/slots/%.16s/%s", entry->d_name, file);
		break;
	}
	if (dir)
		closedir(dir);
}

bool slots_announce_by_themselves(void)
{
	DIR *dir = opendir("/sys/bus/pci_express/devices");
	struct dirent *entry;
	bool found = false;

	/* A root port's hot-plug service is its third (pcie004). */
	while (dir && !found && (entry = readdir(dir)))
		found = strstr(entry->d_name, "pcie004");
	if (dir)
		closedir(dir);
	return found;
}

static bool function_there(const struct slot *slot)
{
	char path[64];

	snprintf(path, sizeof(path), DEVICES "/%s", slot->function);
	return !access(path, F_OK);
}

/* The kernel's part isn't over when the function is gone: a slot with its power on is full. */
static bool emptied(const struct slot *slot)
{
	int fd;
	uint32_t status;

	if (!slots_announce_by_themselves())
		return true;
	fd = function_config_open(slot->port);
	status = get(fd, slot->control + PCI_EXP_SLTSTA - PCI_EXP_SLTCTL, 2);
	close(fd);
	return !(status & PCI_EXP_SLTSTA_PDS);
}

int slot_wait_no_function(const struct slot *slot)
{
	uint64_t until = now_ms() + PATIENCE_MS;

	while (function_there(slot) || !emptied(slot)) {
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

/* QEMU refuses a device till the one before is let go; the kernel misses one that comes then. */
static void plug_again(const struct slot *slot)
{
	char path[64];

	monitor_plug(slot->device, slot->name, slot->plugged);
	slot_path(slot, path, sizeof(path), "power");
	if (*path && slots_announce_by_themselves())
		file_write(path, "1");
}

int slot_wait_function(const struct slot *slot)
{
	uint64_t start = now_ms();
	int again = 0;

	while (!function_there(slot)) {
		if (now_ms() > start + PATIENCE_MS)
			return -ETIMEDOUT;
		usleep(2000);
		if (++again % 100 == 0)
			plug_again(slot);
	}
	return 0;
}

static void take_from_other_driver(const struct slot *slot)
{
	char path[96], driver[256] = "";

	snprintf(path, sizeof(path), DEVICES "/%s/driver", slot->function);
	if (readlink(path, driver, sizeof(driver) - 1) < 0 || strstr(driver, "/usrpci"))
		return;
	snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", slot->function);
	file_write(path, slot->function);
}

/* The kernel lets drivers have a function some time after it shows it. */
int slot_wait_usrpci(const struct slot *slot)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	char path[64];
	int err = slot_wait_function(slot);

	snprintf(path, sizeof(path), "/dev/usrpci/%s", slot->function);
	while (!err && access(path, F_OK)) {
		take_from_other_driver(slot);
		function_bind(slot->function);
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return err;
}

/* What went without a word may keep its name in QEMU for a while: none is used twice. */
static void new_device_name(struct slot *slot)
{
	static unsigned int plugged;

	snprintf(slot->device, sizeof(slot->device), "in%u-%d-%u", slot->number, getpid(),
		 ++plugged);
}

int slot_plug(struct slot *slot, const char *device)
{
	new_device_name(slot);
	snprintf(slot->plugged, sizeof(slot->plugged), "%s", device);
	return monitor_plug(slot->device, slot->name, slot->plugged);
}

int slot_plug_nvme(struct slot *slot)
{
	int err;

	new_device_name(slot);
	err = monitor_command("drive_add 0 if=none,driver=null-co,read-zeroes=on,size=64M,"
			      "id=%s-drive", slot->device);
	snprintf(slot->plugged, sizeof(slot->plugged), "nvme,serial=%s,drive=%s-drive", slot->name,
		 slot->device);
	return err ?: monitor_plug(slot->device, slot->name, slot->plugged);
}

/* A slot that's still busy with what came before says ENODEV. */
int slot_unplug_by_guest(struct slot *slot)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	char path[64];
	int err;

	slot_path(slot, path, sizeof(path), "power");
	if (!*path)
		return -ENXIO;
	do {
		err = file_write(path, "0");
		if (err)
			usleep(10000);
	} while (err == -ENODEV && function_there(slot) && now_ms() < until);
	return err;
}

static int power(const struct slot *slot, uint16_t value)
{
	const uint16_t mask = PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC;
	int fd = function_config_open(slot->port), err = 0;
	uint16_t control;

	if (fd < 0)
		return fd;
	control = (get(fd, slot->control, 2) & ~mask) | value;
	if (pwrite(fd, &control, 2, slot->control) != 2)
		err = -EIO;
	close(fd);
	return err;
}

/* QEMU drops a device when its slot's power goes, and says so when it comes back. */
static int power_cut(const struct slot *slot)
{
	return power(slot, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF) ?:
	       power(slot, PCI_EXP_SLTCTL_PWR_IND_ON | PCI_EXP_SLTCTL_PWR_ON);
}

int slot_vanish(struct slot *slot)
{
	if (slots_announce_by_themselves())
		return power_cut(slot);
	return monitor_command("halted qom-set /machine/peripheral/%s realized off", slot->device);
}

int slot_kernel_removes(const struct slot *slot)
{
	char path[64];

	snprintf(path, sizeof(path), DEVICES "/%s/remove", slot->function);
	return file_write(path, "1");
}
