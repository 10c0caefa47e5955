// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "memory.h"
#include "rig.h"

#define SKIPPED		77

/* Where no IOMMU brings memory near, the device reaches a part of it only: looked for. */
#define CHUNK_PAGES	4096UL
#define CHUNKS		40

struct usrpci_device *dev;
struct usrpci_regs regs;

const char *rig_address(void)
{
	return getenv("USRPCI_EDU");
}

bool rig_is_private(void)
{
	return !strncmp(rig_address(), "sim:", 4);
}

bool rig_keeps_registers(void)
{
	return getenv("USRPCI_KEEPS");
}

int rig_open(void **state)
{
	int err = usrpci_open(&dev, rig_address());
	char why[300];

	if (!err)
		err = usrpci_regs_open(dev, 0, 0, 0, &regs);
	if (!err)
		return 0;
	usrpci_explain_open(rig_address(), err, why, sizeof(why));
	printf("# %s: %s\n", rig_address(), why);
	return err;
}

int rig_close(void **state)
{
	memset(&regs, 0, sizeof(regs));
	usrpci_close(dev);
	dev = NULL;
	return 0;
}

/* A column of the table: the backend, and in what it differs from itself elsewhere. */
static int introduce(void)
{
	struct usrpci_info info;
	const char *how;
	int err;

	err = rig_open(NULL);
	if (!err)
		err = usrpci_info(dev, &info);
	if (err)
		return err;
	how = usrpci_isolation_name(info.isolation);
	if (rig_is_private())
		how = "sim";
	else if (!strncmp(rig_address(), "vfio-user:", 10))
		how = "socket";
	printf("# conformance: %s %s\n", info.backend, how);
	return rig_close(NULL);
}

int rig_run(const char *noun, const struct CMUnitTest *promises, size_t nr)
{
	int err;

	if (!rig_address()) {
		fprintf(stderr, "USRPCI_EDU=ADDRESS names an edu: sim:edu\n");
		return SKIPPED;
	}
	err = introduce();
	/* No backend of this library serves the driver that has it. */
	if (err)
		return err == -ENXIO ? SKIPPED : 1;
	return _cmocka_run_group_tests(noun, promises, nr, NULL, NULL);
}

void rig_skip(const char *reason)
{
	printf("# because %s\n", reason);
	skip();
}

void rig_need(uint32_t cap, const char *reason)
{
	if (!(rig_info().caps & cap))
		rig_skip(reason);
}

struct usrpci_info rig_info(void)
{
	struct usrpci_info info;

	assert_int_equal(usrpci_info(dev, &info), 0);
	return info;
}

struct usrpci_bar rig_bar(void)
{
	struct usrpci_bar bar;

	assert_int_equal(usrpci_bar_info(dev, 0, &bar), 0);
	return bar;
}

uint32_t rig_config(unsigned int offset, unsigned int width)
{
	uint32_t value = 0;

	assert_int_equal(usrpci_config_read(dev, offset, width, &value), 0);
	return value;
}

unsigned int rig_capability(unsigned int id)
{
	unsigned int cap = rig_config(0x34, 1) & ~3U, nr = 48;

	while (cap && nr-- && rig_config(cap, 1) != id)
		cap = rig_config(cap + 1, 1) & ~3U;
	return cap;
}

/* --- DMA --- */

void rig_dma_start(uint64_t source, uint64_t destination, size_t len, uint32_t command)
{
	usrpci_regs_write64(&regs, EDU_DMA_SOURCE, source);
	usrpci_regs_write64(&regs, EDU_DMA_DESTINATION, destination);
	usrpci_regs_write64(&regs, EDU_DMA_COUNT, len);
	usrpci_regs_write64(&regs, EDU_DMA_COMMAND, command | EDU_DMA_RUN);
}

void rig_dma_wait(void)
{
	uint64_t end = now_ms() + SOON_MS;

	while (usrpci_regs_read64(&regs, EDU_DMA_COMMAND) & EDU_DMA_RUN) {
		assert_true(now_ms() < end);
		usleep(100);
	}
}

/* QEMU ends at an address or a length that is none of the device's. */
static void check(uint64_t bus, size_t len, size_t at)
{
	assert_true(len && at < EDU_BUFFER_LEN && len <= EDU_BUFFER_LEN - at);
	assert_true(bus + len - 1 <= EDU_DMA_MASK);
}

void rig_take(uint64_t bus, size_t len, size_t at)
{
	check(bus, len, at);
	rig_dma_start(bus, EDU_BUFFER + at, len, 0);
	rig_dma_wait();
}

void rig_give(uint64_t bus, size_t len, size_t at)
{
	check(bus, len, at);
	rig_dma_start(EDU_BUFFER + at, bus, len, EDU_DMA_TO_RAM);
	rig_dma_wait();
}

void rig_start(void)
{
	assert_int_equal(usrpci_set_dma_mask(dev, EDU_DMA_MASK, EDU_DMA_MASK), 0);
	assert_int_equal(usrpci_set_master(dev, true), 0);
}

/* --- memory --- */

/* 0, or why the device can't have these pages without a copy. */
static int try_pages(unsigned char *pages, size_t nr)
{
	struct usrpci_mapping map = {
		.addr = pages, .len = nr * PAGE, .flags = USRPCI_NO_BOUNCE,
	};
	int err = usrpci_map(dev, &map, 1);

	return err ? err : usrpci_unmap(dev, &map.handle, 1);
}

/* The first @nr in a row. */
static unsigned char *near_pages(unsigned char *chunk, size_t nr)
{
	size_t i, run = 0;

	for (i = 0; i < CHUNK_PAGES; i++) {
		run = try_pages(chunk + i * PAGE, 1) ? 0 : run + 1;
		if (run == nr)
			return chunk + (i + 1 - nr) * PAGE;
	}
	return NULL;
}

static unsigned char *new_chunk(void)
{
	unsigned char *chunk = mmap(NULL, CHUNK_PAGES * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(chunk, MAP_FAILED);
	/* Pages that lie alone can move alone. */
	madvise(chunk, CHUNK_PAGES * PAGE, MADV_NOHUGEPAGE);
	return chunk;
}

/* What is too far stays allocated meanwhile, so that other memory is found. */
static unsigned char *find_pages(size_t nr)
{
	unsigned char *chunks[CHUNKS], *found = NULL;
	unsigned int n = 0, i;

	while (!found && n < CHUNKS) {
		chunks[n] = new_chunk();
		found = near_pages(chunks[n++], nr);
	}
	/* The last one has them. */
	for (i = 0; i < n - !!found; i++)
		munmap(chunks[i], CHUNK_PAGES * PAGE);
	return found;
}

unsigned char *rig_pages(size_t nr)
{
	static unsigned char *pages;
	static size_t held;

	if (held < nr || try_pages(pages, nr)) {
		pages = find_pages(nr);
		held = pages ? nr : 0;
	}
	assert_non_null(pages);
	memset(pages, 0, nr * PAGE);
	return pages;
}

struct usrpci_mapping rig_map(void *addr, size_t len, enum usrpci_dma_direction direction,
			      struct usrpci_sg *sg)
{
	struct usrpci_mapping map = {
		.addr = addr, .len = len, .direction = direction, .sg = sg,
		.nr_sg = sg ? usrpci_sg_room(len) : 0,
	};

	assert_int_equal(usrpci_map(dev, &map, 1), 0);
	assert_int_not_equal(map.handle, 0);
	return map;
}

void rig_unmap(uint32_t handle)
{
	assert_int_equal(usrpci_unmap(dev, &handle, 1), 0);
}

void rig_take_all(const struct usrpci_mapping *map)
{
	size_t at = 0;
	unsigned int i;

	assert_int_equal(usrpci_sync_for_device(dev, map->handle, 0, map->len), 0);
	for (i = 0; i < map->nr_sg; at += map->sg[i++].len)
		rig_take(map->sg[i].bus_addr, map->sg[i].len, at);
}

void rig_give_all(const struct usrpci_mapping *map)
{
	size_t at = 0;
	unsigned int i;

	assert_int_equal(usrpci_sync_for_device(dev, map->handle, 0, map->len), 0);
	for (i = 0; i < map->nr_sg; at += map->sg[i++].len)
		rig_give(map->sg[i].bus_addr, map->sg[i].len, at);
	assert_int_equal(usrpci_sync_for_cpu(dev, map->handle, 0, map->len), 0);
}

void rig_assert_nothing_mapped(void)
{
	struct usrpci_info info = rig_info();

	assert_int_equal(usrpci_set_dma_mask(dev, info.dma_mask, info.coherent_mask), 0);
}

void rig_fill(unsigned char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 29 + (i >> 8) * 13 + seed);
}

/* --- interrupts --- */

int rig_irq(enum usrpci_irq kind)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	assert_int_equal(usrpci_set_master(dev, true), 0);
	assert_int_equal(usrpci_irq_setup(dev, kind, 1), 0);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
	return fd;
}

void rig_raise(uint32_t bits)
{
	usrpci_regs_write32(&regs, EDU_IRQ_RAISE, bits);
}

void rig_ack(uint32_t bits)
{
	usrpci_regs_write32(&regs, EDU_IRQ_ACK, bits);
	/* Has arrived when this is answered. */
	usrpci_regs_read32(&regs, EDU_IRQ_STATUS);
}

unsigned int rig_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	assert_non_null(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* --- removal --- */

static bool is_child(const char *pid)
{
	char path[300], state;
	FILE *file;
	int parent;
	bool is;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	is = fscanf(file, "%*d (%*[^)]) %c %d", &state, &parent) == 2 && parent == getpid();
	fclose(file);
	return is;
}

/* The simulator that plays a device for this process alone. */
static void kill_children(void)
{
	DIR *dir = opendir("/proc");
	unsigned int nr = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (atoi(entry->d_name) <= 1 || !is_child(entry->d_name))
			continue;
		kill(atoi(entry->d_name), SIGKILL);
		nr++;
	}
	closedir(dir);
	assert_int_not_equal(nr, 0);
}

void rig_remove(void)
{
	const char *command = getenv("USRPCI_REMOVE");
	struct pollfd p = { .fd = usrpci_fd(dev), .events = POLLPRI };
	int err = 0;

	if (command)
		assert_int_equal(system(command), 0);
	else if (rig_is_private())
		kill_children();
	else
		err = usrpci_unbind(rig_address());
	if (err == -ENXIO)
		rig_skip("the driver lets nobody take the function away while it's open");
	assert_int_equal(err, 0);
	if (p.fd >= 0)
		assert_int_equal(poll(&p, 1, SOON_MS), 1);
}

void rig_restore(void)
{
	const char *command = getenv("USRPCI_RESTORE");

	rig_close(NULL);
	if (command)
		assert_int_equal(system(command), 0);
	else if (!rig_is_private())
		assert_int_equal(usrpci_bind(rig_address()), 0);
}

int rig_reap(pid_t child)
{
	int status;

	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}
