// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What is only so with the kernel's VFIO, on $USRPCI_EDU, bound to vfio-pci; exit 77 without. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <usrpci.h>

#include "function.h"
#include "memory.h"
#include "monitor.h"
#include "slot.h"

#define EDU_MASK	((1ULL << 28) - 1)
#define LIMIT		"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"

/* So many of so many bytes go beyond the first 4 GiB, where interrupts have their addresses. */
#define LARGE		(64UL << 20)
#define NR_LARGE	70

static const char *address;
static struct usrpci_device *dev;

/* Which way the library takes: with iommufd if the kernel has it for this function. */
static bool has_iommufd(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", address);
	return !access("/dev/iommu", F_OK) && !access(path, F_OK);
}

/* Where what a device has of a process is counted. */
static long pages_locked(void)
{
	return has_iommufd() ? pages_charged() : pages_held();
}

static int open_it(void **state)
{
	return usrpci_open(&dev, address);
}

static int close_it(void **state)
{
	usrpci_close(dev);
	dev = NULL;
	return 0;
}

static void test_info(void **state)
{
	char target[64] = "", path[96];
	struct usrpci_info info;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_int_equal(usrpci_info(dev, &info), 0);
	assert_string_equal(info.backend, "vfio");
	assert_string_equal(info.bdf, address);
	assert_int_equal(info.isolation, USRPCI_STRICT);
	assert_int_equal(info.iommu_group, atoi(strrchr(target, '/') + 1));
	assert_int_equal(info.vendor, 0x1234);
	assert_int_equal(info.caps & ~(uint32_t)USRPCI_CAN_RESET, USRPCI_CAN_REMAP_IRQ);
}

/* How many of our descriptors are of @file. */
static unsigned int count_open(const char *file)
{
	char path[300], target[96];
	struct dirent *entry;
	unsigned int nr = 0;
	ssize_t len;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		nr += !strcmp(target, file);
	}
	closedir(dir);
	return nr;
}

static void test_way(void **state)
{
	assert_int_equal(count_open("/dev/iommu"), has_iommufd());
	assert_int_equal(count_open("/dev/vfio/vfio"), !has_iommufd());
}

/* Whether none of it is what the kernel keeps from the group. */
static void check_free(const struct usrpci_sg *sg)
{
	unsigned long long first, last;
	struct usrpci_info info;
	unsigned int nr = 0;
	char path[96];
	FILE *file;

	assert_int_equal(usrpci_info(dev, &info), 0);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/reserved_regions",
		 info.iommu_group);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%llx %llx %*s", &first, &last) == 2) {
		nr++;
		assert_true(sg->bus_addr > last || sg->bus_addr + sg->len - 1 < first);
	}
	fclose(file);
	assert_true(nr > 0);
}

static void test_reserved_regions(void **state)
{
	unsigned char *mem = pages_new(LARGE / PAGE, 1);
	struct usrpci_sg sg[NR_LARGE];
	uint32_t handles[NR_LARGE];
	unsigned int i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < NR_LARGE; i++) {
		struct usrpci_mapping map = {
			.addr = mem, .len = LARGE, .sg = &sg[i], .nr_sg = 1,
		};

		assert_int_equal(usrpci_map(dev, &map, 1), 0);
		handles[i] = map.handle;
		check_free(&sg[i]);
	}
	assert_true(sg[NR_LARGE - 1].bus_addr > UINT32_MAX);
	assert_int_equal(usrpci_unmap(dev, handles, NR_LARGE), 0);
	assert_int_equal(pages_locked(), 0);
	pages_free(mem, LARGE / PAGE);
}

static void test_low_addresses(void **state)
{
	struct usrpci_coherent buf;
	unsigned int nr = 0;
	int ret;

	assert_int_equal(usrpci_set_dma_mask(dev, EDU_MASK, EDU_MASK), 0);
	while (!(ret = usrpci_coherent_alloc(dev, LARGE / 8, &buf))) {
		assert_true(buf.bus_addr + buf.len - 1 <= EDU_MASK);
		nr++;
		if (nr == 20)
			break;
	}
	assert_int_equal(ret, 0);
	/* More than the mask has room for. */
	assert_int_equal(usrpci_coherent_alloc(dev, EDU_MASK + 1, &buf), -ENOMEM);
}

static void drop_lock_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	assert_int_equal(syscall(SYS_capget, &head, caps), 0);
	caps[0].effective &= ~(1U << CAP_IPC_LOCK);
	assert_int_equal(syscall(SYS_capset, &head, caps), 0);
}

static void set_limit(unsigned long bytes)
{
	const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

/* What is said to be missing is exactly what is. */
static void test_locked_memory(void **state)
{
	unsigned char *mem = pages_new(20, 1);
	struct usrpci_mapping maps[] = {
		{ .addr = mem, .len = 4 * PAGE }, { .addr = mem + 4 * PAGE, .len = 16 * PAGE },
	};
	uint32_t handles[2];
	char sentence[256];

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	drop_lock_capability();
	set_limit(5 * PAGE);
	assert_int_equal(usrpci_map(dev, maps, 2), -ENOMEM);
	usrpci_explain(dev, -ENOMEM, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, "needs 60 KiB more locked memory than the limit of 20 "
			       "KiB; run: ulimit -l 80"));
	assert_int_equal(pages_locked(), 0);
	set_limit(20 * PAGE - 1);
	assert_int_equal(usrpci_map(dev, maps, 2), -ENOMEM);
	set_limit(20 * PAGE);
	assert_int_equal(usrpci_map(dev, maps, 2), 0);
	assert_int_equal(pages_locked(), 20);
	handles[0] = maps[0].handle;
	handles[1] = maps[1].handle;
	assert_int_equal(usrpci_unmap(dev, handles, 2), 0);
	assert_int_equal(pages_locked(), 0);
	set_limit(RLIM_INFINITY);
	pages_free(mem, 20);
}

/* What it has mapped stays till it is killed, or this program ends. */
static pid_t start_mapping(const char *other, unsigned int nr)
{
	unsigned char *mem = pages_new(nr, 1);
	struct usrpci_mapping map = { .addr = mem, .len = nr * PAGE };
	struct usrpci_device *second;
	int ready[2], ret;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid) {
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		pages_free(mem, nr);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = usrpci_open(&second, other) ?: usrpci_set_dma_mask(second, UINT64_MAX, UINT64_MAX) ?:
	      usrpci_map(second, &map, 1);
	if (ret || write(ready[1], &byte, 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

/* With iommufd, what the user's other programs have counts too. */
static void test_locked_memory_of_others(void **state)
{
	const char *other = function_nvme();
	unsigned char *mem = pages_new(16, 1);
	struct usrpci_mapping map = { .addr = mem, .len = 16 * PAGE };
	char sentence[256];
	pid_t pid;

	if (!other)
		skip();
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	drop_lock_capability();
	set_limit(20 * PAGE);
	pid = start_mapping(other, 10);
	if (has_iommufd()) {
		assert_int_equal(usrpci_map(dev, &map, 1), -ENOMEM);
		usrpci_explain(dev, -ENOMEM, sentence, sizeof(sentence));
		assert_non_null(strstr(sentence, "needs 24 KiB more locked memory than the limit "
				       "of 80 KiB; run: ulimit -l 104"));
		assert_int_equal(pages_locked(), 0);
		set_limit(26 * PAGE);
	}
	assert_int_equal(usrpci_map(dev, &map, 1), 0);
	assert_int_equal(usrpci_unmap(dev, &map.handle, 1), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	set_limit(RLIM_INFINITY);
	pages_free(mem, 16);
}

/* A container has the limit that there was when it was opened; iommufd has none. */
static void test_many_mappings(void **state)
{
	unsigned char *mem = pages_new(4, 1);
	struct usrpci_mapping maps[4];
	char sentence[512];
	unsigned int i;

	for (i = 0; i < 4; i++)
		maps[i] = (struct usrpci_mapping){ .addr = mem + i * PAGE, .len = PAGE };
	if (has_iommufd())
		skip();
	close_it(state);
	assert_int_equal(file_write(LIMIT, "3"), 0);
	assert_int_equal(open_it(state), 0);
	assert_int_equal(usrpci_map(dev, maps, 4), -EMFILE);
	usrpci_explain(dev, -EMFILE, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, LIMIT));
	assert_int_equal(usrpci_map(dev, maps, 3), 0);
	assert_int_equal(file_write(LIMIT, "65535"), 0);
	pages_free(mem, 4);
}

static void expect_busy(const char *wanted)
{
	struct usrpci_device *second = NULL;
	char sentence[512];

	assert_int_equal(usrpci_open(&second, address), -EBUSY);
	usrpci_explain_open(address, -EBUSY, sentence, sizeof(sentence));
	assert_non_null(strstr(sentence, wanted));
	assert_null(second);
}

static void test_second_open(void **state)
{
	int status = -1;
	pid_t pid;

	expect_busy("this program has");
	pid = fork();
	if (!pid) {
		/* A program of its own has none of our descriptors. */
		close_range(3, ~0U, 0);
		expect_busy("is open already");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static pid_t start_unbinding(void)
{
	char path[96];
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Else the function would be open here too. */
	close_range(3, ~0U, 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", address);
	_exit(file_write(path, address) ? 1 : 0);
}

static void test_removal_asked(void **state)
{
	struct pollfd p = { .fd = usrpci_fd(dev), .events = POLLIN | POLLPRI };
	struct usrpci_event event;
	int status = -1;
	pid_t pid;

	assert_int_equal(usrpci_event(dev, &event), -EAGAIN);
	assert_int_equal(poll(&p, 1, 0), 0);
	pid = start_unbinding();
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(usrpci_event(dev, &event), 0);
	assert_int_equal(event.kind, USRPCI_REMOVAL_ASKED);
	assert_int_equal(event.count, 1);
	assert_int_equal(usrpci_event(dev, &event), -EAGAIN);
	/* It is ours till we close it. */
	usleep(200000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	test_info(state);
	close_it(state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(usrpci_open(&dev, address), -ENXIO);
	assert_int_equal(file_write("/sys/bus/pci/drivers/vfio-pci/bind", address), 0);
	assert_int_equal(open_it(state), 0);
}

static void allow_serr(const char *bdf, unsigned int offset, uint16_t bit)
{
	int fd = function_config_open(bdf);
	uint16_t word;

	assert_int_equal(pread(fd, &word, sizeof(word), offset), sizeof(word));
	word |= bit;
	assert_int_equal(pwrite(fd, &word, sizeof(word), offset), sizeof(word));
	close(fd);
}

/* Of a function in a slot, which QEMU's monitor lets meet an error. */
static void test_bus_error(void **state)
{
	struct usrpci_device *victim;
	struct usrpci_event event;
	struct slot slot;
	struct pollfd p;

	if (!monitor_present() || !slot_find(&slot, 1))
		skip();
	assert_int_equal(usrpci_bind_driver(slot.function, "vfio-pci"), 0);
	assert_int_equal(usrpci_open(&victim, slot.function), 0);
	allow_serr(slot.port, PCI_COMMAND, PCI_COMMAND_SERR);
	allow_serr(slot.port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
	allow_serr(slot.function, PCI_COMMAND, PCI_COMMAND_SERR);
	assert_int_equal(usrpci_event(victim, &event), -EAGAIN);
	assert_int_equal(monitor_command("pcie_aer_inject_error victim1 COMP_ABORT"), 0);
	p = (struct pollfd){ .fd = usrpci_fd(victim), .events = POLLIN | POLLPRI };
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(usrpci_event(victim, &event), 0);
	assert_int_equal(event.kind, USRPCI_BUS_ERROR);
	usrpci_close(victim);
	assert_int_equal(usrpci_unbind(slot.function), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_it, close_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_info),
		TEST(test_way),
		TEST(test_reserved_regions),
		TEST(test_low_addresses),
		TEST(test_many_mappings),
		TEST(test_second_open),
		TEST(test_bus_error),
		TEST(test_removal_asked),
		/* They give up a capability. */
		TEST(test_locked_memory),
		TEST(test_locked_memory_of_others),
	};
	char driver[64];

	address = function_edu();
	if (!address || usrpci_driver(address, driver, sizeof(driver)) ||
	    strcmp(driver, "vfio-pci")) {
		fputs("USRPCI_EDU names no function that vfio-pci has: skipped\n", stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
