// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <htex/htex.h>
#include <htex/registers.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "way.h"

#define BAR_LEN	(64U << 10)

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

/* Linux numbers a device's vectors upwards. */
static unsigned int find_line(const char *address)
{
	unsigned int line = UINT_MAX, found;
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", address);
	dir = opendir(path);
	if (!dir)
		err(1, "%s", path);
	while ((entry = readdir(dir))) {
		found = (unsigned int)strtoul(entry->d_name, NULL, 10);
		if (found && found < line)
			line = found;
	}
	closedir(dir);
	return line;
}

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

/* usrpci_bind() knows nothing of the floor. */
static void give(const char *address, const char *driver)
{
	char bound[PATH_MAX];

	put(driver, "/sys/bus/pci/devices/%s/driver_override", address);
	snprintf(bound, sizeof(bound), "/sys/bus/pci/devices/%s/driver", address);
	if (!access(bound, F_OK))
		put(address, "/sys/bus/pci/devices/%s/driver/unbind", address);
	put(address, "/sys/bus/pci/drivers/%s/bind", driver);
}

static void open_usrpci(struct way *way)
{
	const struct usrpci_space_options options = {
		.flags = way->mirrored ? USRPCI_SPACE_MIRRORED : 0,
	};
	struct usrpci_device *dev;
	volatile void *regs;
	struct usrpci_tlb tlb;

	give(way->address, "usrpci");
	must(htex_open(&way->htex, way->address, NULL), way->address);
	dev = htex_device(way->htex);
	htex_tlb(way->htex, &tlb);
	must(usrpci_tlb_describe(dev, &tlb, way->kind == BY_LIBRARY ? USRPCI_TLB_BY_LIBRARY : 0),
	     "TLB");
	must(usrpci_space_bind(dev, &options, &way->space), "space");
	must(usrpci_bar_map(dev, 0, 0, BAR_LEN, 0, &regs), "BAR 0");
	way->regs = regs;
	way->tag = usrpci_space_tag(way->space);
	/* The floor has no interrupt at a job's end either. */
	way_write(way, HTEX_CONTROL, HTEX_TRANSLATE | HTEX_IRQ_AT_MISS);
}

static void open_floor(struct way *way)
{
	give(way->address, "usrpci-floor");
	way->floor = open("/dev/usrpci-floor", O_RDWR | O_CLOEXEC);
	if (way->floor < 0 || ioctl(way->floor, BENCH_FLOOR_START, !way->mirrored))
		err(1, "/dev/usrpci-floor");
	way->regs = mmap(NULL, BAR_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, way->floor, 0);
	if (way->regs == MAP_FAILED)
		err(1, "BAR 0");
}

void way_open(struct way *way, const char *address, enum way_kind kind, bool mirrored)
{
	*way = (struct way){
		.kind = kind, .mirrored = mirrored, .address = address, .floor = -1,
	};
	if (kind == BY_FLOOR)
		open_floor(way);
	else
		open_usrpci(way);
	way->line = find_line(address);
}

void way_close(struct way *way)
{
	if (way->kind == BY_FLOOR) {
		munmap((void *)way->regs, BAR_LEN);
		close(way->floor);
		return;
	}
	usrpci_space_close(way->space);
	htex_close(way->htex);
}

void way_forget(const struct way *way, void *addr, size_t len)
{
	if (way->kind != BY_FLOOR)
		must(usrpci_space_forget(way->space, addr, len), "forget");
	else if (ioctl(way->floor, BENCH_FLOOR_FORGET))
		err(1, "forget");
}

const struct moment *way_answered(const struct way *way)
{
	static const struct moment moments[] = {
		[BY_MODULE] = { .function = "usrpci_tlb_answer", .arg = BENCH_WATCH_ANY },
		[BY_FLOOR] = { .function = "bench_floor_answer", .arg = BENCH_WATCH_ANY },
		/* The register's offset. */
		[BY_LIBRARY] = { .function = "usrpci_register_access", .arg = 2,
				 .value = HTEX_GO_ON },
	};

	return &moments[way->kind];
}

const struct moment *way_done(const struct way *way)
{
	static const struct moment moments[] = {
		[BY_MODULE] = { .function = "usrpci_tlb_taken", .arg = BENCH_WATCH_ANY },
		[BY_FLOOR] = { .function = "bench_floor_done", .arg = BENCH_WATCH_ANY },
	};

	return &moments[way->kind];
}
