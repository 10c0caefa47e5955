// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The backend for the kernel's VFIO against a made-up kernel: its files are in a folder, and
 * this program has its own ioctl(), which serves those of them that are open.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "explain.h"
#include "tree.h"
#include "backend/vfio/iommufd.h"
#include "backend/vfio/kvfio.h"

#define BDF		"0000:00:04.0"
#define FOLDER		"sys/bus/pci/devices/" BDF
#define SIBLING		"0000:00:04.1"
#define CONTAINER	"dev/vfio/vfio"
#define GROUP		"dev/vfio/7"
#define FUNCTION	"dev/vfio/devices/vfio3"
#define IOMMU		"dev/iommu"
#define OFFSET(region)	((uint64_t)(region) << 20)
#define IOAS		41
#define PAGE		4096UL

/**
 * struct kernel - The made-up kernel.
 * @tree: its files
 * @viable: the group is
 * @type1: it has that
 * @fails: the request that fails, and with @err
 * @ranges: bus addresses that there are
 * @nr_ranges: how many
 * @container: given to the group
 * @iommu: given to the function
 * @behind: page tables that the function was put behind
 * @type: of IOMMU that was asked for
 * @nr_mapped: what is
 * @mapped: the last that was, as type1 has it
 * @short_unmap: bytes that weren't unmapped
 * @vectors: what the platform has
 * @told: eventfds for what isn't an interrupt of the function's
 */
static struct kernel {
	struct tree tree;
	bool viable;
	bool type1;
	unsigned long fails;
	int err;
	struct usrpci_kvfio_range ranges[4];
	unsigned int nr_ranges;
	int container;
	int iommu;
	unsigned int behind;
	long type;
	int nr_mapped;
	struct vfio_iommu_type1_dma_map mapped;
	uint64_t short_unmap;
	unsigned int vectors;
	int told[VFIO_PCI_NUM_IRQS];
} kernel;

static int open_function(void)
{
	char path[PATH_MAX];

	tree_path(path, &kernel.tree, FUNCTION);
	return open(path, O_RDWR);
}

static int group_call(unsigned long request, void *arg)
{
	struct vfio_group_status *status = arg;

	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		assert_int_equal(status->argsz, sizeof(*status));
		status->flags = kernel.viable ? VFIO_GROUP_FLAGS_VIABLE : 0;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		kernel.container = *(int *)arg;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		assert_string_equal(arg, BDF);
		assert_int_equal(kernel.type, VFIO_TYPE1v2_IOMMU);
		return open_function();
	}
	return -ENOTTY;
}

/* Two capabilities, the first of which is none that is known. */
static int tell_ranges(struct vfio_iommu_type1_info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range cap = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE },
		.nr_iovas = kernel.nr_ranges,
	};
	struct vfio_info_cap_header other = { .id = 77, .next = sizeof(*info) + sizeof(other) };
	const uint32_t len = other.next + sizeof(cap) + kernel.nr_ranges * sizeof(kernel.ranges[0]);
	unsigned char *at = (unsigned char *)info;
	uint32_t room = info->argsz;

	info->argsz = len;
	if (room < len)
		return 0;
	info->flags = VFIO_IOMMU_INFO_CAPS;
	info->cap_offset = sizeof(*info);
	memcpy(at + sizeof(*info), &other, sizeof(other));
	memcpy(at + other.next, &cap, sizeof(cap));
	memcpy(at + other.next + sizeof(cap), kernel.ranges,
	       kernel.nr_ranges * sizeof(kernel.ranges[0]));
	return 0;
}

static int container_call(unsigned long request, void *arg)
{
	struct vfio_iommu_type1_dma_unmap *unmap = arg;

	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return kernel.type1 && (long)arg == VFIO_TYPE1v2_IOMMU;
	case VFIO_SET_IOMMU:
		kernel.type = (long)arg;
		return 0;
	case VFIO_IOMMU_GET_INFO:
		return tell_ranges(arg);
	case VFIO_IOMMU_MAP_DMA:
		memcpy(&kernel.mapped, arg, sizeof(kernel.mapped));
		assert_int_equal(kernel.mapped.argsz, sizeof(kernel.mapped));
		kernel.nr_mapped++;
		return 0;
	case VFIO_IOMMU_UNMAP_DMA:
		assert_int_equal(unmap->argsz, sizeof(*unmap));
		assert_int_equal(unmap->flags, 0);
		unmap->size -= kernel.short_unmap;
		kernel.nr_mapped--;
		return 0;
	}
	return -ENOTTY;
}

static int iommu_ranges(struct iommufd_ranges *arg)
{
	unsigned int room = arg->nr;

	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->ioas, IOAS);
	arg->nr = kernel.nr_ranges;
	if (room < kernel.nr_ranges)
		return -EMSGSIZE;
	memcpy((void *)(uintptr_t)arg->ranges, kernel.ranges,
	       kernel.nr_ranges * sizeof(kernel.ranges[0]));
	return 0;
}

static int iommu_map(const struct iommufd_map *arg)
{
	assert_int_equal(arg->size, sizeof(*arg));
	assert_int_equal(arg->ioas, IOAS);
	assert_int_equal(arg->flags & IOMMUFD_MAP_FIXED, IOMMUFD_MAP_FIXED);
	kernel.mapped = (struct vfio_iommu_type1_dma_map){
		.flags = (arg->flags & IOMMUFD_MAP_READ ? VFIO_DMA_MAP_FLAG_READ : 0) |
			 (arg->flags & IOMMUFD_MAP_WRITE ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = arg->addr, .iova = arg->iova, .size = arg->len,
	};
	kernel.nr_mapped++;
	return 0;
}

static int iommu_call(unsigned long request, void *arg)
{
	struct iommufd_unmap *unmap = arg;

	switch (request) {
	case IOMMUFD_IOAS_ALLOC:
		((struct iommufd_alloc *)arg)->ioas = IOAS;
		return 0;
	case IOMMUFD_IOAS_IOVA_RANGES:
		/* Only once the function is behind them they are its. */
		assert_int_equal(kernel.behind, IOAS);
		return iommu_ranges(arg);
	case IOMMUFD_IOAS_MAP:
		return iommu_map(arg);
	case IOMMUFD_IOAS_UNMAP:
		assert_int_equal(unmap->ioas, IOAS);
		unmap->len -= kernel.short_unmap;
		kernel.nr_mapped--;
		return 0;
	}
	return -ENOTTY;
}

static int region_info(struct vfio_region_info *info)
{
	assert_true(info->argsz >= sizeof(*info));
	if (info->index == VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->offset = OFFSET(info->index);
	if (info->index == 0) {
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		info->size = 4 * PAGE;
	} else if (info->index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info->size = 256;
	}
	return 0;
}

static int irq_info(struct vfio_irq_info *info)
{
	if (info->index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;
	info->flags = VFIO_IRQ_INFO_EVENTFD;
	info->count = info->index == VFIO_PCI_MSI_IRQ_INDEX ? 4 : 1;
	return 0;
}

static int set_irqs(const struct vfio_irq_set *set)
{
	int first = -1;

	assert_int_equal(set->argsz, sizeof(*set) + (set->flags & VFIO_IRQ_SET_DATA_EVENTFD ?
						     set->count * sizeof(int) : 0));
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		memcpy(&first, set->data, sizeof(first));
	kernel.told[set->index] = first;
	return set->count > kernel.vectors ? (int)kernel.vectors : 0;
}

static int function_call(unsigned long request, void *arg)
{
	struct vfio_device_info *info = arg;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		info->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
		info->num_regions = VFIO_PCI_NUM_REGIONS;
		info->num_irqs = VFIO_PCI_NUM_IRQS;
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return irq_info(arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(arg);
	case VFIO_DEVICE_RESET:
		return 0;
	case IOMMUFD_VFIO_BIND:
		kernel.iommu = ((struct iommufd_vfio_bind *)arg)->iommufd;
		return 0;
	case IOMMUFD_VFIO_ATTACH:
		kernel.behind = ((struct iommufd_vfio_attach *)arg)->ioas;
		return 0;
	}
	return -ENOTTY;
}

/* Which of the made-up files it is. */
static bool is_file(const char *target, const char *file)
{
	char path[PATH_MAX];

	tree_path(path, &kernel.tree, file);
	return !strcmp(target, path);
}

static int serve(const char *target, unsigned long request, void *arg)
{
	if (request == kernel.fails)
		return kernel.err;
	if (is_file(target, CONTAINER))
		return container_call(request, arg);
	if (is_file(target, GROUP))
		return group_call(request, arg);
	if (is_file(target, FUNCTION))
		return function_call(request, arg);
	return is_file(target, IOMMU) ? iommu_call(request, arg) : -ENOTTY;
}

/* It takes the place of the C library's for this program. */
#pragma GCC visibility push(default)
int ioctl(int fd, unsigned long request, ...)
{
	char name[32], target[PATH_MAX] = "";
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (readlink(name, target, sizeof(target) - 1) < 0 || !*kernel.tree.root ||
	    strncmp(target, kernel.tree.root, strlen(kernel.tree.root)))
		return (int)syscall(SYS_ioctl, fd, request, arg);
	ret = serve(target, request, arg);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

#pragma GCC visibility pop

/* The lowest that is free: whether anything was left open. */
static int next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static void put_config(unsigned int at, uint32_t value)
{
	const off_t start = (off_t)OFFSET(VFIO_PCI_CONFIG_REGION_INDEX);
	int fd = open_function();

	assert_int_equal(pwrite(fd, &value, 4, start + at), 4);
	close(fd);
}

static void join_group(const char *bdf, const char *driver)
{
	char path[128], target[64];

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/7/devices/%s", bdf);
	tree_folder(&kernel.tree, path);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	tree_link(&kernel.tree, path, target);
}

static int setup(void **state)
{
	const struct tree *tree = &kernel.tree;

	kernel = (struct kernel){ .viable = true, .type1 = true, .vectors = 4 };
	kernel.ranges[0] = (struct usrpci_kvfio_range){ 0, 0xfedfffff };
	kernel.ranges[1] = (struct usrpci_kvfio_range){ 0xfef00000, (1ULL << 39) - 1 };
	kernel.nr_ranges = 2;
	tree_make(&kernel.tree);
	join_group(BDF, "vfio-pci");
	tree_link(tree, FOLDER "/iommu_group", "../../../../kernel/iommu_groups/7");
	tree_file(tree, FOLDER "/numa_node", "1\n");
	tree_file(tree, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n");
	tree_file(tree, CONTAINER, "");
	tree_file(tree, GROUP, "");
	tree_file(tree, FUNCTION, "");
	put_config(PCI_VENDOR_ID, 0x11e81234);
	put_config(256 - 4, 0);
	return 0;
}

static int teardown(void **state)
{
	tree_free(&kernel.tree);
	kernel.tree.root[0] = '\0';
	return 0;
}

static void add_iommufd(void)
{
	tree_folder(&kernel.tree, FOLDER "/vfio-dev/vfio3");
	tree_file(&kernel.tree, IOMMU, "");
}

static int try_open(struct usrpci_device **dev)
{
	return usrpci_kvfio_open_at(dev, kernel.tree.root, "00:04.0");
}

static struct usrpci_device *open_it(void)
{
	struct usrpci_device *dev = NULL;

	assert_int_equal(try_open(&dev), 0);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	return dev;
}

static void set_capability(unsigned int cap, bool have)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	assert_int_equal(syscall(SYS_capget, &head, caps), 0);
	caps[0].effective &= ~(1U << cap);
	if (have)
		caps[0].effective |= caps[0].permitted & (1U << cap);
	assert_int_equal(syscall(SYS_capset, &head, caps), 0);
}

/* Nobody may open @file, not even root, till it's allowed again. */
static void forbid(const char *file, bool forbidden)
{
	char path[PATH_MAX];

	tree_path(path, &kernel.tree, file);
	assert_int_equal(chmod(path, forbidden ? 0 : 0644), 0);
	set_capability(CAP_DAC_OVERRIDE, !forbidden);
}

static void test_open(void **state)
{
	const int before = next_fd();
	struct usrpci_device *dev = open_it();
	struct usrpci_info info;

	assert_int_equal(kernel.container, usrpci_kvfio(usrpci_vfio(dev))->space);
	assert_int_equal(usrpci_info(dev, &info), 0);
	assert_string_equal(info.bdf, BDF);
	assert_string_equal(info.backend, "vfio");
	assert_int_equal(info.caps, USRPCI_CAN_RESET | USRPCI_CAN_REMAP_IRQ);
	assert_int_equal(info.vendor, 0x1234);
	assert_int_equal(info.device, 0x11e8);
	assert_int_equal(info.isolation, USRPCI_STRICT);
	assert_int_equal(info.iommu_group, 7);
	assert_int_equal(info.numa_node, 1);
	assert_int_equal(info.nr_msi, 4);
	usrpci_close(dev);
	assert_int_equal(next_fd(), before);
}

/* Interrupts may then be forged, for all that can be known. */
static void test_unsafe_interrupts(void **state)
{
	struct usrpci_device *dev;
	struct usrpci_info info;

	tree_file(&kernel.tree, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
		  "Y\n");
	dev = open_it();
	assert_int_equal(usrpci_info(dev, &info), 0);
	assert_int_equal(info.caps & USRPCI_CAN_REMAP_IRQ, 0);
	usrpci_close(dev);
}

static void test_registers(void **state)
{
	struct usrpci_device *dev = open_it();
	volatile void *regs;
	uint64_t value = 0;

	assert_int_equal(usrpci_bar_write(dev, 0, PAGE, 4, 0x12345678), 0);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, 2 * PAGE, 0, &regs), 0);
	assert_int_equal(((volatile uint32_t *)regs)[PAGE / 4], 0x12345678);
	((volatile uint32_t *)regs)[PAGE / 4] = 5;
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 4, &value), 0);
	assert_int_equal(value, 5);
	/* By a map: no answer when that would end the program. */
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, 0), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), -EIO);
	assert_int_equal(usrpci_bar_write(dev, 0, PAGE, 8, 1), -EIO);
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
	assert_int_equal(usrpci_bar_write(dev, 0, PAGE, 8, 0x0123456789abcdef), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), 0);
	assert_int_equal(value, 0x0123456789abcdef);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, PAGE, USRPCI_WRITE_COMBINING, &regs), -EINVAL);
	usrpci_close(dev);
}

/* In D3hot nothing is decoded, and a touch of a map would end the program. */
static void test_asleep(void **state)
{
	struct usrpci_device *dev;
	uint64_t value;

	put_config(PCI_COMMAND, PCI_STATUS_CAP_LIST << 16);
	put_config(PCI_CAPABILITY_LIST, 0x40);
	put_config(0x40, PCI_CAP_ID_PM);
	dev = open_it();
	assert_int_equal(usrpci_bar_write(dev, 0, PAGE, 8, 7), 0);
	assert_int_equal(usrpci_config_write(dev, 0x40 + PCI_PM_CTRL, 2, 3), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), -EIO);
	assert_int_equal(usrpci_bar_write(dev, 0, PAGE, 8, 1), -EIO);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 4, &value), -EIO);
	/* A reset wakes it. */
	put_config(0x40 + PCI_PM_CTRL, 0);
	assert_int_equal(usrpci_reset(dev), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(usrpci_config_write(dev, 0x40 + PCI_PM_CTRL, 1, 3), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), -EIO);
	assert_int_equal(usrpci_config_write(dev, 0x40 + PCI_PM_CTRL, 4, 0), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, PAGE, 8, &value), 0);
	usrpci_close(dev);
}

static int map_one(struct usrpci_device *dev, enum usrpci_dma_direction direction, void *addr,
		   struct usrpci_sg *sg, uint32_t *handle)
{
	struct usrpci_mapping map = {
		.addr = addr, .len = 10, .direction = direction, .sg = sg, .nr_sg = 1,
	};
	int ret = usrpci_map(dev, &map, 1);

	*handle = map.handle;
	return ret;
}

static void check_maps(void)
{
	static const struct {
		enum usrpci_dma_direction direction;
		unsigned int flags;
	} table[] = {
		{ USRPCI_DMA_BOTH, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE },
		{ USRPCI_DMA_TO_DEVICE, VFIO_DMA_MAP_FLAG_READ },
		{ USRPCI_DMA_FROM_DEVICE, VFIO_DMA_MAP_FLAG_WRITE },
	};
	struct usrpci_device *dev = open_it();
	static char memory[2 * PAGE] __attribute__((aligned(4096)));
	char *const addr = memory + PAGE - 3;
	struct usrpci_sg sg;
	uint32_t handle;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(map_one(dev, table[i].direction, addr, &sg, &handle), 0);
		assert_int_equal(kernel.mapped.flags, table[i].flags);
		assert_int_equal(kernel.mapped.vaddr, (uintptr_t)memory);
		assert_int_equal(kernel.mapped.size, 2 * PAGE);
		assert_int_equal(sg.bus_addr, kernel.mapped.iova + PAGE - 3);
		assert_int_equal(sg.len, 10);
		assert_int_equal(usrpci_unmap(dev, &handle, 1), 0);
		assert_int_equal(kernel.nr_mapped, 0);
	}
	/* Part of it might still be the device's. */
	assert_int_equal(map_one(dev, USRPCI_DMA_BOTH, memory, &sg, &handle), 0);
	kernel.short_unmap = PAGE;
	assert_int_equal(usrpci_unmap(dev, &handle, 1), -EIO);
	kernel.short_unmap = 0;
	usrpci_close(dev);
	assert_int_equal(kernel.nr_mapped, 0);
}

static void test_map(void **state)
{
	check_maps();
}

/* Two pages here and two there: the lowest first, and no fifth. */
static void test_reserved(void **state)
{
	static const uint64_t expected[] = { 0x1000, 0x2000, 0xa000, 0xb000 };
	struct usrpci_coherent buf[5];
	struct usrpci_device *dev;
	size_t i;

	kernel.ranges[0] = (struct usrpci_kvfio_range){ 0, 0x2fff };
	kernel.ranges[1] = (struct usrpci_kvfio_range){ 0xa000, 0xbfff };
	dev = open_it();
	for (i = 0; i < 4; i++) {
		assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &buf[i]), 0);
		assert_int_equal(buf[i].bus_addr, expected[i]);
	}
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &buf[4]), -ENOMEM);
	usrpci_close(dev);
	assert_int_equal(kernel.nr_mapped, 0);
}

/* All of 64 bits, or next to nothing, is a range too. */
static void test_odd_ranges(void **state)
{
	struct usrpci_coherent buf;
	struct usrpci_device *dev;

	kernel.ranges[0] = (struct usrpci_kvfio_range){ 0, UINT64_MAX };
	kernel.nr_ranges = 1;
	dev = open_it();
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &buf), 0);
	assert_int_equal(buf.bus_addr, PAGE);
	usrpci_close(dev);
	kernel.ranges[0] = (struct usrpci_kvfio_range){ 0, 10 };
	kernel.ranges[1] = (struct usrpci_kvfio_range){ UINT64_MAX - 4 * PAGE + 1, UINT64_MAX };
	kernel.nr_ranges = 2;
	dev = open_it();
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &buf), 0);
	assert_int_equal(buf.bus_addr, UINT64_MAX - 4 * PAGE + 1);
	usrpci_close(dev);
	kernel.ranges[1] = (struct usrpci_kvfio_range){ UINT64_MAX - 10, UINT64_MAX };
	assert_int_equal(try_open(&dev), 0);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), -EIO);
	usrpci_close(dev);
}

static void test_ranges_out_of_order(void **state)
{
	const int before = next_fd();
	struct usrpci_device *dev;

	kernel.ranges[1] = (struct usrpci_kvfio_range){ 0x1000, 0x1fff };
	assert_int_equal(try_open(&dev), -EPROTO);
	kernel.ranges[1] = (struct usrpci_kvfio_range){ 0xffff0fff, 0xffff0000 };
	assert_int_equal(try_open(&dev), -EPROTO);
	assert_int_equal(next_fd(), before);
}

/* Whatever the kernel refuses, nothing stays open. */
static void test_refusals(void **state)
{
	static const unsigned long requests[] = {
		VFIO_GROUP_GET_STATUS, VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU,
		VFIO_GROUP_GET_DEVICE_FD, VFIO_IOMMU_GET_INFO, VFIO_DEVICE_GET_INFO,
		VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_SET_IRQS,
		VFIO_DEVICE_RESET,
	};
	const int before = next_fd();
	struct usrpci_device *dev;
	size_t i;

	kernel.err = -EIO;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		kernel.fails = requests[i];
		assert_int_equal(try_open(&dev), -EIO);
		assert_int_equal(next_fd(), before);
	}
	kernel.fails = 0;
	kernel.viable = false;
	assert_int_equal(try_open(&dev), -EPERM);
	kernel.type1 = false;
	assert_int_equal(try_open(&dev), -EPROTONOSUPPORT);
	tree_remove(&kernel.tree, CONTAINER);
	assert_int_equal(try_open(&dev), -ENXIO);
	tree_remove(&kernel.tree, FOLDER "/iommu_group");
	assert_int_equal(try_open(&dev), -EXDEV);
	assert_int_equal(next_fd(), before);
}

static void test_too_much(void **state)
{
	const struct rlimit limit = { .rlim_cur = PAGE, .rlim_max = PAGE };
	struct usrpci_device *dev = open_it();
	static char memory[3 * PAGE];
	struct usrpci_mapping maps[2] = {
		{ .addr = memory, .len = 2 * PAGE + 1 }, { .addr = memory, .len = 1 },
	};
	char sentence[512];

	kernel.fails = VFIO_IOMMU_MAP_DMA;
	kernel.err = -ENOSPC;
	assert_int_equal(usrpci_map(dev, maps, 1), -EMFILE);
	usrpci_explain(dev, -EMFILE, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, BDF ": the kernel takes no more mappings at once"));
	kernel.err = -ENOMEM;
	set_capability(CAP_IPC_LOCK, false);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	maps[0].addr = (void *)((uintptr_t)(memory + PAGE) & ~(PAGE - 1));
	maps[0].len = 2 * PAGE;
	assert_int_equal(usrpci_map(dev, maps, 1), -ENOMEM);
	usrpci_explain(dev, -ENOMEM, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, "needs 4 KiB more locked memory than the limit of 4 KiB"));
	/* All that was asked for at once counts. */
	assert_int_equal(usrpci_map(dev, maps, 2), -ENOMEM);
	usrpci_explain(dev, -ENOMEM, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, "needs 8 KiB more locked memory than the limit of 4 KiB"));
	usrpci_close(dev);
	assert_int_equal(kernel.nr_mapped, 0);
}

static void test_few_vectors(void **state)
{
	struct usrpci_device *dev = open_it();

	kernel.vectors = 2;
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 3), -ENOSPC);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 2), 0);
	usrpci_close(dev);
}

static int readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&p, 1, 0);
}

static void test_removal_asked(void **state)
{
	struct usrpci_device *dev = open_it();
	struct usrpci_event event;

	assert_int_equal(readable(usrpci_fd(dev)), 0);
	assert_int_equal(usrpci_event(dev, &event), -EAGAIN);
	eventfd_write(kernel.told[VFIO_PCI_REQ_IRQ_INDEX], 1);
	eventfd_write(kernel.told[VFIO_PCI_REQ_IRQ_INDEX], 1);
	assert_int_equal(readable(usrpci_fd(dev)), 1);
	assert_int_equal(usrpci_event(dev, &event), 0);
	assert_int_equal(event.kind, USRPCI_REMOVAL_ASKED);
	assert_int_equal(event.count, 2);
	assert_int_equal(readable(usrpci_fd(dev)), 0);
	assert_int_equal(usrpci_event(dev, &event), -EAGAIN);
	usrpci_close(dev);
}

static void test_cannot(void **state)
{
	struct usrpci_device *dev = open_it();
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_quiesce(dev, NULL, 0), -EOPNOTSUPP);
	assert_int_equal(usrpci_coherent_alloc(dev, 1, &buf), 0);
	assert_int_equal(usrpci_coherent_detach(dev, &buf), -EOPNOTSUPP);
	assert_int_equal(usrpci_coherent_free(dev, &buf), 0);
	usrpci_close(dev);
}

static void test_iommufd(void **state)
{
	const int before = next_fd();
	struct usrpci_device *dev;

	add_iommufd();
	tree_file(&kernel.tree, "sys/module/iommufd/parameters/allow_unsafe_interrupts", "N\n");
	dev = open_it();
	assert_ptr_equal(usrpci_kvfio(usrpci_vfio(dev))->memory, &usrpci_kvfio_iommufd);
	assert_int_equal(kernel.iommu, usrpci_kvfio(usrpci_vfio(dev))->space);
	assert_int_equal(kernel.behind, IOAS);
	assert_int_equal(kernel.type, 0);
	usrpci_close(dev);
	check_maps();
	test_reserved(state);
	test_ranges_out_of_order(state);
	assert_int_equal(next_fd(), before);
}

static void test_iommufd_refusals(void **state)
{
	static const unsigned long requests[] = {
		IOMMUFD_IOAS_ALLOC, IOMMUFD_VFIO_BIND, IOMMUFD_VFIO_ATTACH,
		IOMMUFD_IOAS_IOVA_RANGES,
	};
	const int before = next_fd();
	struct usrpci_device *dev;
	size_t i;

	add_iommufd();
	kernel.err = -EBUSY;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		kernel.fails = requests[i];
		assert_int_equal(try_open(&dev), -EBUSY);
		assert_int_equal(next_fd(), before);
	}
}

static void test_iommufd_is_not_there(void **state)
{
	struct usrpci_device *dev;

	add_iommufd();
	tree_remove(&kernel.tree, IOMMU);
	dev = open_it();
	assert_ptr_equal(usrpci_kvfio(usrpci_vfio(dev))->memory, &usrpci_kvfio_type1);
	usrpci_close(dev);
}

/* As Linux says of a function that's open. */
static void test_iommufd_busy(void **state)
{
	struct usrpci_device *dev;

	add_iommufd();
	kernel.fails = IOMMUFD_VFIO_BIND;
	kernel.err = -EINVAL;
	assert_int_equal(try_open(&dev), -EBUSY);
}

static void says(int err, const char *wanted)
{
	char sentence[512];

	usrpci_explain_open_from(usrpci_backends, kernel.tree.root, BDF, err, sentence,
				 sizeof(sentence));
	assert_string_equal(sentence, wanted);
}

static void test_sentences(void **state)
{
	struct usrpci_device *dev = open_it();
	char wanted[256];

	says(-EBUSY, "this program has " BDF " or another function of IOMMU group 7 open already, "
	     "and VFIO opens a group but once; close that, or, as root, run: usrpci bind " BDF);
	usrpci_close(dev);
	says(-EBUSY, BDF " or another function of IOMMU group 7 is open already; to see where, "
	     "run: fuser -v /dev/vfio/7 /dev/vfio/devices/*");
	join_group(SIBLING, "vfio-pci");
	says(-EPERM, "interrupts aren't remapped, so that " BDF " could forge them, or a "
	     "container's or service's device rules keep it from /dev/vfio/7; boot with intremap=on"
	     ", or run: docker run --device=/dev/vfio/vfio --device=/dev/vfio/7 ...");
	join_group(SIBLING, "nvme");
	says(-EPERM, "VFIO opens IOMMU group 7 with " BDF " only if no other driver has a part of "
	     "it, but there is " SIBLING " (nvme); as root, for each of them, run: usrpci bind "
	     "--driver vfio-pci DDDD:BB:DD.F");
	says(-EBUSY, "VFIO opens IOMMU group 7 with " BDF " only if no other driver has a part of "
	     "it, but there is " SIBLING " (nvme); as root, for each of them, run: usrpci bind "
	     "--driver vfio-pci DDDD:BB:DD.F");
	snprintf(wanted, sizeof(wanted), "/dev/vfio/7 belongs to user %u and group %u, with mode "
		 "0644; as root, run: usrpci bind --driver vfio-pci --group %u " BDF, geteuid(),
		 getegid(), getegid());
	says(-EACCES, wanted);
	says(-ENXIO, BDF " is bound to vfio-pci, but /dev/vfio/7 isn't there (yet); run: udevadm "
	     "settle");
	says(-EPROTONOSUPPORT, "the kernel's VFIO has no IOMMU driver of type 1, version 2; as "
	     "root, run: modprobe vfio_iommu_type1");
	says(-ENOMEM, BDF ": Cannot allocate memory; run: dmesg");
	tree_remove(&kernel.tree, FOLDER "/iommu_group");
	says(-EXDEV, "VFIO needs an IOMMU, and there is none before " BDF ", or it is off; "
	     "usrpci's own module needs none; run: usrpci bind " BDF);
}

static void remove_groups(void)
{
	add_iommufd();
	tree_remove(&kernel.tree, CONTAINER);
	tree_remove(&kernel.tree, GROUP);
}

static void check_not_allowed(const char *file, const char *wanted)
{
	const int before = next_fd();
	struct usrpci_device *dev;

	forbid(file, true);
	assert_int_equal(try_open(&dev), -EACCES);
	assert_int_equal(next_fd(), before);
	says(-EACCES, wanted);
	forbid(file, false);
}

static void test_iommufd_not_allowed(void **state)
{
	struct usrpci_device *dev;
	char wanted[256];

	remove_groups();
	snprintf(wanted, sizeof(wanted), "/" FUNCTION " belongs to user %u and group %u, with mode "
		 "0000; as root, run: usrpci bind --driver vfio-pci --group %u " BDF, geteuid(),
		 getegid(), getegid());
	check_not_allowed(FUNCTION, wanted);
	snprintf(wanted, sizeof(wanted), "/" IOMMU " belongs to user %u and group %u, with mode "
		 "0000; as root, run: chgrp %u /dev/iommu && chmod g+rw /dev/iommu", geteuid(),
		 getegid(), getegid());
	check_not_allowed(IOMMU, wanted);
	/* Where there are groups too, they do. */
	tree_file(&kernel.tree, CONTAINER, "");
	tree_file(&kernel.tree, GROUP, "");
	forbid(IOMMU, true);
	dev = open_it();
	assert_ptr_equal(usrpci_kvfio(usrpci_vfio(dev))->memory, &usrpci_kvfio_type1);
	usrpci_close(dev);
	forbid(IOMMU, false);
}

static void test_iommufd_sentences(void **state)
{
	struct usrpci_device *dev;

	remove_groups();
	dev = open_it();
	says(-EBUSY, "this program has " BDF " or another function of IOMMU group 7 open already, "
	     "and VFIO opens a group but once; close that, or, as root, run: usrpci bind " BDF);
	usrpci_close(dev);
	says(-EBUSY, BDF " or another function of IOMMU group 7 is open already; to see where, "
	     "run: fuser -v /dev/vfio/devices/*");
	says(-EPERM, "interrupts aren't remapped, so that " BDF " could forge them, or a "
	     "container's or service's device rules keep it from /" FUNCTION "; boot with "
	     "intremap=on, or run: docker run --device=/dev/iommu --device=/" FUNCTION " ...");
	says(-ENXIO, BDF " is bound to vfio-pci, but /" FUNCTION " isn't there (yet); run: udevadm "
	     "settle");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_unsafe_interrupts),
		TEST(test_registers),
		TEST(test_asleep),
		TEST(test_map),
		TEST(test_reserved),
		TEST(test_odd_ranges),
		TEST(test_ranges_out_of_order),
		TEST(test_refusals),
		TEST(test_few_vectors),
		TEST(test_removal_asked),
		TEST(test_cannot),
		TEST(test_iommufd),
		TEST(test_iommufd_refusals),
		TEST(test_iommufd_is_not_there),
		TEST(test_iommufd_busy),
		TEST(test_iommufd_not_allowed),
		TEST(test_iommufd_sentences),
		TEST(test_sentences),
		/* Gives up a capability. */
		TEST(test_too_much),
	};

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
