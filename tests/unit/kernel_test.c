// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The kernel backend against a made-up module: this program has its own ioctl(),
 * mmap(), pread() and pwrite(), which serve one descriptor and check what comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "../../include/uapi/linux/usrpci.h"

#define BAR_OFFSET(bar)	(((uint64_t)(bar) + 1) << 44)
#define CONFIG_OFFSET	(7ULL << 44)
#define MMAP_OFFSET	(1ULL << 62)
#define HANDLE		0x1000U

/**
 * struct module - The made-up module.
 * @fd: what it serves
 * @command: the last ioctl(), and its argument
 * @err: what the next one gives instead
 * @abi: the version that it claims
 * @level: isolation that it tells
 * @mmap_err: what the next mmap() gives instead
 * @where: offset of the last mmap(), pread(), pwrite()
 * @len: and its length
 * @bytes: what was written, or is to be read
 * @coherents: that are allocated
 * @region: the first that was to be mapped
 * @steps: of the last quiesce list
 * @event: what it tells next
 * @space: descriptor of the last space; it's served too
 * @refusal: what that tells next
 */
static struct module {
	int fd;
	unsigned long command;
	union {
		__u32 size;
		struct usrpci_ioc_dma_mask mask;
		struct usrpci_ioc_master master;
		struct usrpci_ioc_map map;
		struct usrpci_ioc_unmap unmap;
		struct usrpci_ioc_sync sync;
		struct usrpci_ioc_irq_setup setup;
		struct usrpci_ioc_irq_wire wire;
		struct usrpci_ioc_irq_unmask unmask;
		struct usrpci_ioc_reset reset;
		struct usrpci_ioc_quiesce quiesce;
		struct usrpci_ioc_tlb tlb;
		struct usrpci_ioc_bind bind;
		struct usrpci_ioc_space_forget forget;
	} arg;
	int err;
	unsigned int abi;
	unsigned int level;
	int mmap_err;
	uint64_t where;
	size_t len;
	unsigned char bytes[8];
	int coherents;
	struct usrpci_ioc_region region;
	struct usrpci_ioc_quiesce_step steps[2];
	struct usrpci_ioc_event event;
	int space;
	struct usrpci_ioc_space_refusal refusal;
} module;

static void do_info(struct usrpci_ioc_info *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->flags, 0);
	*arg = (struct usrpci_ioc_info){
		.size = sizeof(*arg),
		.abi = module.abi,
		.caps = USRPCI_CAP_RESET | USRPCI_CAP_BOUNCE,
		.domain = 0x10000,
		.bus = 0xa0,
		.slot = 0x1e,
		.function = 5,
		.revision = 1,
		.vendor = 2,
		.device = 3,
		.subvendor = 4,
		.subdevice = 5,
		.class_code = 0x060708,
		.nr_intx = 9,
		.nr_msi = 10,
		.nr_msix = 11,
		.isolation = module.level,
		.iommu_group = -1,
		.numa_node = 12,
		.config_size = 4096,
		.config_offset = CONFIG_OFFSET,
		.dma_mask = 13,
		.coherent_mask = 14,
		.max_mapping = 15,
	};
}

static void do_bar(struct usrpci_ioc_bar *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->flags, 0);
	arg->offset = BAR_OFFSET(arg->index);
	if (arg->index == 1) {
		arg->kind = USRPCI_BAR_IO;
	} else if (arg->index == 2) {
		arg->kind = USRPCI_BAR_MEM;
		arg->attrs = USRPCI_BAR_PREFETCH | USRPCI_BAR_64BIT | USRPCI_BAR_MAPPABLE;
		arg->addr = 0xfe000000;
		arg->len = 0x10000;
		arg->nr_windows = 2;
		arg->windows[0] = (struct usrpci_ioc_window){ 0, 0x1000 };
		arg->windows[1] = (struct usrpci_ioc_window){ 0x4000, 0xc000 };
	}
}

/* As if bus addresses were virtual ones with a bit set, in runs of one page. */
static int do_map(struct usrpci_ioc_map *arg)
{
	struct usrpci_ioc_region *regions = (void *)(uintptr_t)arg->regions;
	bool short_of_room = false;
	unsigned int i;

	assert_int_equal(arg->region_size, sizeof(*regions));
	module.region = regions[0];
	for (i = 0; i < arg->nr_regions; i++) {
		struct usrpci_ioc_sg *sg = (void *)(uintptr_t)regions[i].sg;
		unsigned int room = regions[i].nr_sg;

		assert_int_equal(regions[i].reserved, 0);
		assert_int_equal(regions[i].handle, 0);
		assert_true(sg || !room);
		regions[i].nr_sg = 2;
		short_of_room |= room == 1;
		if (room > 1 && !short_of_room)
			sg[0] = (struct usrpci_ioc_sg){ regions[i].addr | 1ULL << 40, 1 };
		if (room > 1 && !short_of_room)
			sg[1] = (struct usrpci_ioc_sg){ 2, 3 };
		regions[i].handle = HANDLE + i;
		regions[i].state = regions[i].flags ? 0 : USRPCI_MAP_BOUNCED;
	}
	return short_of_room ? -ENOSPC : 0;
}

static void do_coherent(struct usrpci_ioc_coherent *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->flags | arg->reserved, 0);
	assert_int_equal(arg->len % 4096, 0);
	arg->bus_addr = 0xabc000;
	arg->mmap_offset = MMAP_OFFSET;
	arg->handle = HANDLE;
	module.coherents++;
}

static void do_unmap(const struct usrpci_ioc_unmap *arg)
{
	const __u32 *handles = (void *)(uintptr_t)arg->handles;

	assert_int_equal(arg->reserved, 0);
	if (module.coherents && handles[0] == HANDLE)
		module.coherents--;
}

static void do_event(struct usrpci_ioc_event *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->flags, 0);
	*arg = module.event;
}

static void do_bind(struct usrpci_ioc_bind *arg)
{
	assert_int_equal(arg->reserved, 0);
	module.space = open("/dev/null", O_RDWR | O_CLOEXEC);
	arg->fd = module.space;
	arg->tag = 11;
}

static void do_space_info(struct usrpci_ioc_space_info *arg)
{
	unsigned int i;

	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->flags | arg->reserved, 0);
	for (i = 0; i < 9; i++)
		(&arg->misses)[i] = 100 + i;
	for (i = 0; i < USRPCI_SPACE_NR_BINS; i++)
		arg->latency[i] = 200 + i;
}

/* What fails may have written anything, but only @missing means something. */
static void spoil_map(struct usrpci_ioc_map *arg)
{
	struct usrpci_ioc_region *regions = (void *)(uintptr_t)arg->regions;

	arg->missing = 4096;
	regions[0].nr_sg = 99;
	regions[0].handle = 99;
}

static int serve(unsigned long command, void *arg)
{
	module.command = command;
	if (module.err && command == USRPCI_COHERENT)
		((struct usrpci_ioc_coherent *)arg)->missing = 4096;
	if (module.err && command == USRPCI_MAP)
		spoil_map(arg);
	if (module.err && command == USRPCI_TLB)
		((struct usrpci_ioc_tlb *)arg)->fault = USRPCI_TLB_FAULT_DONE;
	if (module.err)
		return module.err;
	/* So the library asks whether there is such a command. */
	if (command == USRPCI_BIND && !*(__u32 *)arg)
		return -EINVAL;
	switch (command) {
	case USRPCI_SPACE_INFO:
		do_space_info(arg);
		return 0;
	case USRPCI_SPACE_REFUSAL:
		*(struct usrpci_ioc_space_refusal *)arg = module.refusal;
		return 0;
	case USRPCI_INFO:
		do_info(arg);
		return 0;
	case USRPCI_BAR:
		do_bar(arg);
		return 0;
	case USRPCI_COHERENT:
		do_coherent(arg);
		return 0;
	case USRPCI_EVENT:
		do_event(arg);
		return 0;
	}
	memcpy(&module.arg, arg, *(__u32 *)arg);
	if (command == USRPCI_BIND)
		do_bind(arg);
	if (command == USRPCI_UNMAP)
		do_unmap(arg);
	if (command == USRPCI_QUIESCE)
		memcpy(module.steps, (void *)(uintptr_t)module.arg.quiesce.steps,
		       module.arg.quiesce.nr_steps * sizeof(module.steps[0]));
	return command == USRPCI_MAP ? do_map(arg) : 0;
}

static int answer(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/* They take the place of the C library's for this program. */
#pragma GCC visibility push(default)
int ioctl(int fd, unsigned long command, ...)
{
	va_list args;
	void *arg;

	va_start(args, command);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd != module.fd && fd != module.space)
		return (int)syscall(SYS_ioctl, fd, command, arg);
	return answer(serve(command, arg));
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (fd != module.fd || fd < 0)
		return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	assert_int_equal(flags, MAP_SHARED);
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	module.where = (uint64_t)offset;
	module.len = len;
	if (module.mmap_err) {
		errno = -module.mmap_err;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, NULL, len, prot, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	if (fd != module.fd)
		return syscall(SYS_pread64, fd, buf, len, offset);
	module.where = (uint64_t)offset;
	module.len = len;
	if (module.err)
		return answer(module.err);
	memcpy(buf, module.bytes, len);
	return (ssize_t)len;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	if (fd != module.fd)
		return syscall(SYS_pwrite64, fd, buf, len, offset);
	module.where = (uint64_t)offset;
	module.len = len;
	if (module.err)
		return answer(module.err);
	memcpy(module.bytes, buf, len);
	return (ssize_t)len;
}

#pragma GCC visibility pop

static int setup(void **state)
{
	module = (struct module){
		.abi = USRPCI_ABI_VERSION, .level = USRPCI_ISOLATION_STRICT, .space = -1,
	};
	module.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return usrpci_open_fd((struct usrpci_device **)state, module.fd);
}

static int teardown(void **state)
{
	usrpci_close(*state);
	/* Borrowed: it's still ours to close. */
	return close(module.fd);
}

static void test_open_fd(void **state)
{
	struct usrpci_device *other = NULL;
	int file = open("/", O_RDONLY | O_CLOEXEC), fd = module.fd;

	assert_int_equal(usrpci_fd(*state), fd);
	module.abi = USRPCI_ABI_VERSION + 1;
	assert_int_equal(usrpci_open_fd(&other, fd), -EPROTONOSUPPORT);
	module.err = -ENOTTY;
	assert_int_equal(usrpci_open_fd(&other, fd), -EINVAL);
	module.err = -ENODEV;
	assert_int_equal(usrpci_open_fd(&other, fd), -ENODEV);
	/* No ioctl is tried on what isn't a character device. */
	module.fd = file;
	module.err = 0;
	module.command = 0;
	assert_int_equal(usrpci_open_fd(&other, file), -EINVAL);
	assert_int_equal(module.command, 0);
	assert_null(other);
	module.fd = fd;
	close(file);
}

static void test_info(void **state)
{
	struct usrpci_info info;

	assert_int_equal(usrpci_info(*state, &info), 0);
	assert_string_equal(info.bdf, "10000:a0:1e.5");
	assert_string_equal(info.backend, "kernel");
	assert_int_equal(info.caps, USRPCI_CAN_RESET | USRPCI_CAN_BOUNCE | USRPCI_CAN_COMBINE |
			 USRPCI_CAN_MASK_STORM | USRPCI_CAN_REWIRE | USRPCI_CAN_QUIESCE |
			 USRPCI_CAN_DETACH | USRPCI_CAN_MIRROR);
	assert_int_equal(info.revision, 1);
	assert_int_equal(info.vendor, 2);
	assert_int_equal(info.device, 3);
	assert_int_equal(info.subvendor, 4);
	assert_int_equal(info.subdevice, 5);
	assert_int_equal(info.class_code, 0x060708);
	assert_int_equal(info.nr_intx, 9);
	assert_int_equal(info.nr_msi, 10);
	assert_int_equal(info.nr_msix, 11);
	assert_int_equal(info.iommu_group, -1);
	assert_int_equal(info.numa_node, 12);
	assert_int_equal(info.config_size, 4096);
	assert_int_equal(info.dma_mask, 13);
	assert_int_equal(info.coherent_mask, 14);
	assert_int_equal(info.max_mapping, 15);
}

static void test_isolation(void **state)
{
	static const struct {
		unsigned int level;
		enum usrpci_isolation isolation;
	} table[] = {
		{ USRPCI_ISOLATION_STRICT, USRPCI_STRICT },
		{ USRPCI_ISOLATION_LAZY, USRPCI_LAZY },
		{ USRPCI_ISOLATION_PASSTHROUGH, USRPCI_PASSTHROUGH },
		{ USRPCI_ISOLATION_NONE, USRPCI_NO_ISOLATION },
		{ 77, USRPCI_NO_ISOLATION },
	};
	struct usrpci_info info;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		module.level = table[i].level;
		assert_int_equal(usrpci_info(*state, &info), 0);
		assert_int_equal(info.isolation, table[i].isolation);
	}
}

static void test_bar_info(void **state)
{
	struct usrpci_bar bar;

	assert_int_equal(usrpci_bar_info(*state, 0, &bar), 0);
	assert_int_equal(bar.type, USRPCI_NO_BAR);
	assert_int_equal(usrpci_bar_info(*state, 1, &bar), 0);
	assert_int_equal(bar.type, USRPCI_PORT_BAR);
	assert_int_equal(usrpci_bar_info(*state, 2, &bar), 0);
	assert_int_equal(bar.type, USRPCI_MEMORY_BAR);
	assert_int_equal(bar.flags, USRPCI_PREFETCHABLE | USRPCI_64BIT | USRPCI_MAPPABLE);
	assert_int_equal(bar.addr, 0xfe000000);
	assert_int_equal(bar.len, 0x10000);
	assert_int_equal(bar.nr_windows, 2);
	assert_int_equal(bar.windows[1].offset, 0x4000);
	assert_int_equal(bar.windows[1].len, 0xc000);
	assert_int_equal(usrpci_bar_info(*state, 6, &bar), -EINVAL);
}

static void test_bar_map(void **state)
{
	volatile void *regs;

	assert_int_equal(usrpci_bar_map(*state, 2, 0x5000, 0, 0, &regs), 0);
	assert_int_equal(module.where, BAR_OFFSET(2) + 0x5000);
	assert_int_equal(module.len, 0xb000);
	assert_int_equal(usrpci_bar_unmap(*state, regs), 0);
	assert_int_equal(usrpci_bar_map(*state, 2, 0, 0, USRPCI_WRITE_COMBINING, &regs), 0);
	assert_int_equal(module.where, BAR_OFFSET(2) | USRPCI_MMAP_WC);
	module.mmap_err = -ENODEV;
	assert_int_equal(usrpci_bar_map(*state, 2, 0, 0, 0, &regs), -ENODEV);
}

static void test_access(void **state)
{
	uint32_t value = 0;
	uint64_t wide = 0;

	memcpy(module.bytes, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	assert_int_equal(usrpci_config_read(*state, 0x40, 2, &value), 0);
	assert_int_equal(value, 0x2211);
	assert_int_equal(module.where, CONFIG_OFFSET + 0x40);
	assert_int_equal(module.len, 2);
	assert_int_equal(usrpci_bar_read(*state, 3, 0x18, 8, &wide), 0);
	assert_true(wide == 0x8877665544332211ULL);
	assert_int_equal(module.where, BAR_OFFSET(3) + 0x18);
	assert_int_equal(usrpci_config_write(*state, 6, 2, 0xabcd), 0);
	assert_memory_equal(module.bytes, "\xcd\xab\x33", 3);
	assert_int_equal(usrpci_bar_write(*state, 0, 3, 1, 0xef), 0);
	assert_memory_equal(module.bytes, "\xef\xab\x33", 3);
	assert_int_equal(module.where, BAR_OFFSET(0) + 3);
	module.where = 0;
	assert_int_equal(usrpci_bar_read(*state, 0, 1ULL << 44, 4, &wide), -EINVAL);
	assert_int_equal(usrpci_bar_write(*state, 0, UINT64_MAX - 3, 4, 0), -EINVAL);
	assert_int_equal(module.where, 0);
	module.err = -EPERM;
	assert_int_equal(usrpci_config_write(*state, 4, 2, 4), -EPERM);
	assert_int_equal(usrpci_bar_read(*state, 0, 0, 4, &wide), -EPERM);
}

static void test_map_one(void **state)
{
	struct usrpci_sg sg[3] = { { 0 } };
	struct usrpci_mapping map = {
		.addr = (void *)0x5123,
		.len = 0x3000,
		.direction = USRPCI_DMA_FROM_DEVICE,
		.flags = USRPCI_NO_BOUNCE | USRPCI_BOUNCED,
		.sg = sg,
		.nr_sg = 3,
	};

	assert_int_equal(usrpci_map(*state, &map, 1), 0);
	assert_int_equal(module.arg.map.nr_regions, 1);
	assert_int_equal(module.region.addr, 0x5123);
	assert_int_equal(module.region.len, 0x3000);
	assert_int_equal(module.region.flags, USRPCI_MAP_NO_BOUNCE);
	assert_int_equal(map.handle, HANDLE);
	assert_int_equal(map.nr_sg, 2);
	assert_int_equal(map.flags, USRPCI_NO_BOUNCE);
	assert_int_equal(sg[0].bus_addr, 0x5123 | 1ULL << 40);
	assert_int_equal(sg[1].len, 3);
	map.flags = 0;
	map.sg = NULL;
	map.nr_sg = 1;
	assert_int_equal(usrpci_map(*state, &map, 1), 0);
	assert_int_equal(map.flags, USRPCI_BOUNCED);
	assert_int_equal(map.nr_sg, 2);
}

/* On the stack, at its end, and above it. */
static void test_map_many(void **state)
{
	static const unsigned int counts[] = { 2, 63, 64, 65, 4096 };
	struct usrpci_mapping *maps = calloc(4096, sizeof(*maps));
	unsigned int i, j;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (j = 0; j < counts[i]; j++)
			maps[j] = (struct usrpci_mapping){ .addr = maps, .len = 1 };
		assert_int_equal(usrpci_map(*state, maps, counts[i]), 0);
		assert_int_equal(module.arg.map.nr_regions, counts[i]);
		for (j = 0; j < counts[i]; j++)
			assert_int_equal(maps[j].handle, HANDLE + j);
	}
	free(maps);
}

static void test_map_directions(void **state)
{
	static const struct {
		enum usrpci_dma_direction direction;
		__u32 abi;
	} table[] = {
		{ USRPCI_DMA_BOTH, USRPCI_BIDIRECTIONAL },
		{ USRPCI_DMA_TO_DEVICE, USRPCI_TO_DEVICE },
		{ USRPCI_DMA_FROM_DEVICE, USRPCI_FROM_DEVICE },
	};
	struct usrpci_mapping map = { .addr = &map, .len = sizeof(map) };
	size_t i;

	for (i = 0; i < 3; i++) {
		map.direction = table[i].direction;
		assert_int_equal(usrpci_map(*state, &map, 1), 0);
		assert_int_equal(module.region.direction, table[i].abi);
	}
}

/* Too little room is told for each region; nothing else changes. */
static void test_map_fails(void **state)
{
	struct usrpci_sg sg[3];
	struct usrpci_mapping maps[3] = {
		{ .addr = sg, .len = 1, .sg = sg, .nr_sg = 1 },
		{ .addr = sg, .len = 1, .sg = sg, .nr_sg = 3 },
		{ .addr = sg, .len = 1, .nr_sg = 9 },
	};

	assert_int_equal(usrpci_map(*state, maps, 3), -ENOSPC);
	assert_int_equal(maps[0].nr_sg, 2);
	assert_int_equal(maps[1].nr_sg, 2);
	assert_int_equal(maps[2].nr_sg, 9);
	assert_int_equal(maps[0].handle | maps[1].handle | maps[2].handle, 0);
	assert_int_equal(maps[0].flags, 0);
	maps[1].nr_sg = 3;
	module.err = -EFAULT;
	assert_int_equal(usrpci_map(*state, &maps[1], 1), -EFAULT);
	assert_int_equal(maps[1].nr_sg, 3);
}

static void test_missing(void **state)
{
	struct usrpci_mapping map = { .addr = &map, .len = 1 };
	struct usrpci_coherent buf;
	char sentence[256];

	module.err = -ENOMEM;
	assert_int_equal(usrpci_map(*state, &map, 1), -ENOMEM);
	usrpci_explain(*state, -ENOMEM, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, "needs 4 KiB more locked memory"));
	module.err = -EFAULT;
	usrpci_map(*state, &map, 1);
	module.err = -ENOMEM;
	assert_int_equal(usrpci_coherent_alloc(*state, 1, &buf), -ENOMEM);
	usrpci_explain(*state, -ENOMEM, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, "needs 4 KiB more locked memory"));
}

static void test_coherent(void **state)
{
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(*state, 4097, &buf), 0);
	assert_int_equal(buf.len, 8192);
	assert_int_equal(buf.bus_addr, 0xabc000);
	assert_int_equal(module.where, MMAP_OFFSET);
	memset(buf.addr, 1, buf.len);
	assert_int_equal(usrpci_coherent_free(*state, &buf), 0);
	assert_int_equal(module.coherents, 0);
	module.mmap_err = -ENOMEM;
	assert_int_equal(usrpci_coherent_alloc(*state, 1, &buf), -ENOMEM);
	assert_int_equal(module.coherents, 0);
	assert_null(buf.addr);
}

static void test_detach(void **state)
{
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(*state, 1, &buf), 0);
	assert_int_equal(usrpci_coherent_detach(*state, &buf), 0);
	assert_int_equal(module.coherents, 0);
	memset(buf.addr, 1, buf.len);
	assert_int_equal(munmap(buf.addr, buf.len), 0);
}

static void test_unmap_and_sync(void **state)
{
	const uint32_t handles[2] = { 1, 2 };

	assert_int_equal(usrpci_unmap(*state, handles, 2), 0);
	assert_int_equal(module.command, USRPCI_UNMAP);
	assert_int_equal(module.arg.unmap.nr_handles, 2);
	assert_ptr_equal((void *)(uintptr_t)module.arg.unmap.handles, handles);
	assert_int_equal(usrpci_sync_for_cpu(*state, 7, 8, 9), 0);
	assert_int_equal(module.command, USRPCI_SYNC);
	assert_int_equal(module.arg.sync.flags, USRPCI_SYNC_FOR_CPU);
	assert_int_equal(module.arg.sync.handle, 7);
	assert_int_equal(module.arg.sync.offset, 8);
	assert_int_equal(module.arg.sync.len, 9);
	assert_int_equal(usrpci_sync_for_device(*state, 7, 8, 9), 0);
	assert_int_equal(module.arg.sync.flags, USRPCI_SYNC_FOR_DEVICE);
}

static void test_control(void **state)
{
	assert_int_equal(usrpci_set_master(*state, true), 0);
	assert_int_equal(module.command, USRPCI_MASTER);
	assert_int_equal(module.arg.master.enable, 1);
	assert_int_equal(usrpci_set_master(*state, false), 0);
	assert_int_equal(module.arg.master.enable, 0);
	assert_int_equal(usrpci_reset(*state), 0);
	assert_int_equal(module.command, USRPCI_RESET);
	assert_int_equal(usrpci_set_dma_mask(*state, 1, 3), 0);
	assert_int_equal(module.command, USRPCI_DMA_MASK);
	assert_int_equal(module.arg.mask.streaming, 1);
	assert_int_equal(module.arg.mask.coherent, 3);
}

static void test_interrupts(void **state)
{
	static const struct {
		enum usrpci_irq type;
		unsigned int nr;
		__u32 abi;
	} table[] = {
		{ USRPCI_NO_IRQ, 0, USRPCI_IRQ_NONE },
		{ USRPCI_INTX, 1, USRPCI_IRQ_INTX },
		{ USRPCI_MSI, 2, USRPCI_IRQ_MSI },
		{ USRPCI_MSIX, 3, USRPCI_IRQ_MSIX },
	};
	const int fds[2] = { 3, -1 };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(usrpci_irq_setup(*state, table[i].type, table[i].nr), 0);
		assert_int_equal(module.command, USRPCI_IRQ_SETUP);
		assert_int_equal(module.arg.setup.type, table[i].abi);
		assert_int_equal(module.arg.setup.nr_vectors, table[i].nr);
	}
	assert_int_equal(usrpci_irq_wire(*state, 5, 2, fds), 0);
	assert_int_equal(module.command, USRPCI_IRQ_WIRE);
	assert_int_equal(module.arg.wire.first, 5);
	assert_int_equal(module.arg.wire.nr, 2);
	assert_ptr_equal((void *)(uintptr_t)module.arg.wire.fds, fds);
	assert_int_equal(usrpci_irq_unmask(*state, 7), 0);
	assert_int_equal(module.command, USRPCI_IRQ_UNMASK);
	assert_int_equal(module.arg.unmask.vector, 7);
}

static void test_quiesce(void **state)
{
	const struct usrpci_step steps[] = {
		{ .bar = 2, .width = 8, .offset = 16, .value = 3, .mask = UINT64_MAX },
		{ .until = true, .bar = 1, .width = 1, .offset = 5, .value = 1, .mask = 1,
		  .timeout_us = USRPCI_QUIESCE_US },
	};
	struct usrpci_step bad = steps[1];

	assert_int_equal(usrpci_quiesce(*state, steps, 2), 0);
	assert_int_equal(module.command, USRPCI_QUIESCE);
	assert_int_equal(module.arg.quiesce.nr_steps, 2);
	assert_int_equal(module.arg.quiesce.step_size, sizeof(module.steps[0]));
	assert_int_equal(module.steps[0].kind, USRPCI_QUIESCE_WRITE);
	assert_int_equal(module.steps[0].bar, 2);
	assert_int_equal(module.steps[0].width, 8);
	assert_int_equal(module.steps[0].offset, 16);
	assert_int_equal(module.steps[0].value, 3);
	assert_true(module.steps[0].mask == UINT64_MAX);
	assert_int_equal(module.steps[1].kind, USRPCI_QUIESCE_UNTIL);
	assert_int_equal(module.steps[1].timeout_us, USRPCI_QUIESCE_US);
	assert_int_equal(usrpci_quiesce(*state, NULL, 0), 0);
	assert_int_equal(module.arg.quiesce.nr_steps, 0);
	module.command = 0;
	assert_int_equal(usrpci_quiesce(*state, NULL, 1), -EINVAL);
	assert_int_equal(usrpci_quiesce(*state, steps, USRPCI_QUIESCE_STEPS + 1), -EINVAL);
	bad.timeout_us++;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	bad = steps[1];
	bad.until = false;	/* nothing to wait for */
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	bad.timeout_us = 0;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), 0);
	module.command = 0;
	bad.mask = 0x100;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	bad.mask = 2;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	bad = steps[0];
	bad.offset = 4;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	bad = steps[0];
	bad.bar = USRPCI_BARS;
	assert_int_equal(usrpci_quiesce(*state, &bad, 1), -EINVAL);
	assert_int_equal(module.command, 0);
}

static void test_events(void **state)
{
	static const struct {
		__u32 type;
		__u32 detail;
		enum usrpci_event_kind kind;
	} table[] = {
		{ USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ASKED, USRPCI_REMOVED },
		{ USRPCI_EVENT_REMOVED, USRPCI_REMOVED_VANISHED, USRPCI_VANISHED },
		{ USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ERROR, USRPCI_REVOKED },
		{ USRPCI_EVENT_RESET, 0, USRPCI_WAS_RESET },
		{ USRPCI_EVENT_ERROR, USRPCI_ERROR_NONFATAL, USRPCI_BUS_ERROR },
		{ USRPCI_EVENT_ERROR, USRPCI_ERROR_FATAL, USRPCI_FATAL_ERROR },
		{ USRPCI_EVENT_STORM, 7, USRPCI_IRQ_STORM },
	};
	struct usrpci_event event;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		module.event = (struct usrpci_ioc_event){
			.type = table[i].type, .detail = table[i].detail, .count = 3, .lost = 4,
		};
		assert_int_equal(usrpci_event(*state, &event), 0);
		assert_int_equal(event.kind, table[i].kind);
		assert_int_equal(event.vector, event.kind == USRPCI_IRQ_STORM ? 7 : 0);
		assert_int_equal(event.count, 3);
		assert_int_equal(event.lost, 4);
		assert_string_not_equal(usrpci_event_name(event.kind), "unknown event");
	}
	module.err = -EAGAIN;
	assert_int_equal(usrpci_event(*state, &event), -EAGAIN);
	assert_int_equal(event.kind, USRPCI_IRQ_STORM);
	assert_int_equal(usrpci_event(*state, NULL), -EINVAL);
}

/* --- spaces --- */

static const struct usrpci_tlb tlb = {
	.vector = 1,
	.tags = 2,
	.page_sizes = USRPCI_PAGE_2M,
	.misses = {
		.reg = { 3, 4, 5 }, .words = 6, .word_width = 7, .ring = 8, .ring_entries = 9,
		.ring_offset = 10, .valid = { 11, 12, 13 }, .addr = { 14, 15, 16 },
		.tag = { 17, 18, 19 }, .write = { 20, 21, 22 }, .entry = { 23, 24, 25 },
		.id = { 26, 27, 28 },
	},
	.entries = {
		.reg = { 29, 30, 31 }, .nr = 32, .stride = 33, .words = 34,
		.valid = { 35, 36, 37 }, .addr = { 38, 39, 40 }, .tag = { 41, 42, 43 },
		.bus = { 44, 45, 46 }, .write = { 47, 48, 49 }, .large = { 50, 51, 52 },
	},
	.ack = { { 53, 54, 55 }, 56, { 57, 58, 59 } },
	.go_on = { { 60, 61, 62 }, 63, { 64, 65, 66 } },
	.refuse = { { 67, 68, 69 }, 70, { 71, 72, 73 } },
	.invalidate = { { 74, 75, 76 }, 77, { 78, 79, 80 } },
	.invalidate_tag = { { 81, 82, 83 }, 84, { 85, 86, 87 } },
	.done = { 88, 89, 90 },
	.done_mask = 91,
	.done_value = 92,
	.timeout_us = 93,
};

#define FIELD(_n) { (_n), (_n) + 1, (_n) + 2, 0 }
#define REG(_n) { (_n), (_n) + 1, (_n) + 2 }
#define COMMAND(_n) { REG(_n), (_n) + 3, FIELD((_n) + 4), 0 }

static void test_describe(void **state)
{
	static const struct usrpci_ioc_tlb wanted = {
		.size = sizeof(wanted),
		.vector = 1,
		.tags = 2,
		.page_sizes = USRPCI_TLB_2M,
		.timeout_us = 93,
		.misses = {
			.reg = REG(3), .words = 6, .word_width = 7, .ring = 8, .ring_entries = 9,
			.ring_offset = 10, .valid = FIELD(11), .addr = FIELD(14),
			.tag = FIELD(17), .write = FIELD(20), .entry = FIELD(23), .id = FIELD(26),
		},
		.entries = {
			.reg = REG(29), .nr = 32, .stride = 33, .words = 34,
			.valid = FIELD(35), .addr = FIELD(38), .tag = FIELD(41), .bus = FIELD(44),
			.write = FIELD(47), .large = FIELD(50),
		},
		.ack = COMMAND(53),
		.go_on = COMMAND(60),
		.refuse = COMMAND(67),
		.invalidate = COMMAND(74),
		.invalidate_tag = COMMAND(81),
		.done = REG(88),
		.done_mask = 91,
		.done_value = 92,
	};
	char why[512];

	module.err = -EINVAL;
	assert_int_equal(usrpci_tlb_describe(*state, &tlb, 0), -EINVAL);
	usrpci_explain(*state, -EINVAL, why, sizeof(why));
	assert_non_null(strstr(why, "done.width is 89"));
	module.err = 0;
	assert_int_equal(usrpci_tlb_describe(*state, &tlb, 0), 0);
	assert_memory_equal(&module.arg.tlb, &wanted, sizeof(wanted));
	module.command = 0;
	assert_int_equal(usrpci_tlb_describe(*state, &tlb, 0), -EBUSY);
	assert_int_equal(module.command, 0);
}

/* The library serves then; it finds what is wrong with this one. */
static void test_describe_to_an_old_module(void **state)
{
	char why[512];

	module.err = -ENOTTY;
	assert_int_equal(usrpci_tlb_describe(*state, &tlb, 0), -EINVAL);
	assert_int_equal(module.command, USRPCI_TLB);
	usrpci_explain(*state, -EINVAL, why, sizeof(why));
	assert_non_null(strstr(why, "misses.words is 6"));
	module.command = 0;
	assert_int_equal(usrpci_tlb_describe(*state, &tlb, USRPCI_TLB_BY_LIBRARY), -EINVAL);
	assert_int_equal(module.command, 0);
}

static void test_space(void **state)
{
	const struct usrpci_space_options options = {
		.flags = USRPCI_SPACE_MIRRORED, .around = 17,
	};
	struct usrpci_space_stats stats;
	struct usrpci_refusal refusal;
	struct usrpci_space *space;

	assert_int_equal(usrpci_tlb_describe(*state, &tlb, 0), 0);
	module.err = -ENOSPC;
	assert_int_equal(usrpci_space_bind(*state, NULL, &space), -ENOSPC);
	module.err = 0;
	assert_int_equal(usrpci_space_bind(*state, &options, &space), 0);
	assert_int_equal(module.arg.bind.flags, USRPCI_BIND_MIRRORED);
	assert_int_equal(module.arg.bind.around, 17);
	assert_int_equal(usrpci_space_tag(space), 11);
	assert_int_equal(usrpci_space_fd(space), module.space);
	assert_int_equal(usrpci_space_forget(space, (void *)0x1234, 5), 0);
	assert_int_equal(module.command, USRPCI_SPACE_FORGET);
	assert_int_equal(module.arg.forget.addr, 0x1234);
	assert_int_equal(module.arg.forget.len, 5);
	module.refusal = (struct usrpci_ioc_space_refusal){
		.addr = 1, .reason = USRPCI_REFUSAL_BEYOND, .write = 1, .lost = 4,
	};
	assert_int_equal(usrpci_space_refusal(space, &refusal), 0);
	assert_int_equal(refusal.addr, 1);
	assert_int_equal(refusal.reason, USRPCI_REFUSED_BEYOND);
	assert_true(refusal.write);
	assert_int_equal(refusal.lost, 4);
	assert_int_equal(usrpci_space_stats(space, &stats), 0);
	assert_int_equal(stats.misses, 100);
	assert_int_equal(stats.fills, 101);
	assert_int_equal(stats.evictions, 102);
	assert_int_equal(stats.invalidations, 103);
	assert_int_equal(stats.refusals, 104);
	assert_int_equal(stats.retries, 105);
	assert_int_equal(stats.faults, 106);
	assert_int_equal(stats.entries, 107);
	assert_int_equal(stats.pages, 108);
	assert_int_equal(stats.latency[31], 231);
	module.err = -ENODEV;
	assert_int_equal(usrpci_space_forget(space, NULL, 1), -ENODEV);
	module.err = -EAGAIN;
	assert_int_equal(usrpci_space_refusal(space, &refusal), -EAGAIN);
	module.err = 0;
	usrpci_space_close(space);
	assert_int_equal(fcntl(module.space, F_GETFD), -1);
	module.space = -1;
}

/* The descriptor would keep the function claimed. */
static void test_space_outlives_device(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct usrpci_device *other;
	struct usrpci_space *space;

	assert_int_equal(usrpci_open_fd(&other, module.fd), 0);
	assert_int_equal(usrpci_tlb_describe(other, &tlb, 0), 0);
	assert_int_equal(usrpci_space_bind(other, NULL, &space), 0);
	p.fd = usrpci_space_fd(space);
	module.space = -1;
	usrpci_close(other);
	assert_int_equal(usrpci_space_fd(space), p.fd);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLHUP);
	assert_int_equal(usrpci_space_forget(space, NULL, 1), -ENODEV);
	usrpci_space_close(space);
	assert_int_equal(fcntl(p.fd, F_GETFD), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_fd),
		TEST(test_info),
		TEST(test_isolation),
		TEST(test_bar_info),
		TEST(test_bar_map),
		TEST(test_access),
		TEST(test_map_one),
		TEST(test_map_many),
		TEST(test_map_directions),
		TEST(test_map_fails),
		TEST(test_missing),
		TEST(test_coherent),
		TEST(test_detach),
		TEST(test_unmap_and_sync),
		TEST(test_control),
		TEST(test_interrupts),
		TEST(test_quiesce),
		TEST(test_events),
		TEST(test_describe),
		TEST(test_describe_to_an_old_module),
		TEST(test_space),
		TEST(test_space_outlives_device),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
