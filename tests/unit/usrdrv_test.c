// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The 2005 interface on a made-up <usrpci.h>, which serves one function by
 * descriptors of /dev/null and fails when it is told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#define usrpci_open		fake_open
#define usrpci_open_fd		fake_open_fd
#define usrpci_close		fake_close
#define usrpci_fd		fake_fd
#define usrpci_info		fake_info
#define usrpci_set_master	fake_set_master
#define usrpci_set_dma_mask	fake_set_dma_mask
#define usrpci_driver		fake_driver
#define usrpci_bind		fake_bind
#define usrpci_unbind		fake_unbind
#define usrpci_coherent_alloc	fake_coherent_alloc
#define usrpci_coherent_detach	fake_coherent_detach
#define usrpci_coherent_free	fake_coherent_free
#define usrpci_map		fake_map
#define usrpci_unmap		fake_unmap
#include "../../lib/usrdrv/registry.c"
#include "../../lib/usrdrv/usrdrv.c"

#define PAGE	4096U
#define MOST	5000

struct usrpci_device {
	int fd;
	bool borrowed;
};

/**
 * struct world - The made-up rest.
 * @driver: of the function, empty: none
 * @calls: of the library so far
 * @fail_at: the number of the call that fails, from 1
 * @err: what that returns
 * @info_err: what usrpci_info() returns
 * @devices: that are open
 * @mapped: mappings that there are, by handle
 * @handle: the last one
 * @coherents: handles of coherent buffers
 * @address: that was opened
 * @mask: that was set
 */
static struct world {
	char driver[16];
	int calls;
	int fail_at;
	int err;
	int info_err;
	int devices;
	bool mapped[MOST + 1];
	uint32_t handle;
	int coherents;
	char address[32];
	uint64_t mask;
} world;

static int step(void)
{
	return __atomic_add_fetch(&world.calls, 1, __ATOMIC_RELAXED) == world.fail_at ?
	       world.err : 0;
}

static struct usrpci_device *make(int fd, bool borrowed)
{
	struct usrpci_device *dev = malloc(sizeof(*dev));

	*dev = (struct usrpci_device){ .fd = fd, .borrowed = borrowed };
	__atomic_add_fetch(&world.devices, 1, __ATOMIC_RELAXED);
	return dev;
}

int usrpci_open(struct usrpci_device **devp, const char *address)
{
	int ret = step();

	if (ret)
		return ret;
	snprintf(world.address, sizeof(world.address), "%s", address);
	if (strcmp(address, "0000:00:04.0"))
		return -ENOENT;
	if (strcmp(world.driver, "usrpci"))
		return -ENXIO;
	*devp = make(open("/dev/null", O_RDWR | O_CLOEXEC), false);
	return 0;
}

int usrpci_open_fd(struct usrpci_device **devp, int fd)
{
	int ret = step();

	if (!ret)
		*devp = make(fd, true);
	return ret;
}

void usrpci_close(struct usrpci_device *dev)
{
	if (!dev)
		return;
	if (!dev->borrowed)
		close(dev->fd);
	free(dev);
	__atomic_sub_fetch(&world.devices, 1, __ATOMIC_RELAXED);
}

int usrpci_fd(const struct usrpci_device *dev)
{
	return dev->fd;
}

int usrpci_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	return world.info_err;
}

int usrpci_set_master(struct usrpci_device *dev, bool on)
{
	assert_true(on);
	return step();
}

int usrpci_set_dma_mask(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent)
{
	assert_true(streaming == coherent);
	world.mask = streaming;
	return step();
}

int usrpci_driver(const char *address, char *name, size_t len)
{
	snprintf(name, len, "%s", world.driver);
	return step();
}

int usrpci_bind(const char *address)
{
	int ret = step();

	if (!ret)
		strcpy(world.driver, "usrpci");
	return ret;
}

int usrpci_unbind(const char *address)
{
	*world.driver = '\0';
	return 0;
}

int usrpci_coherent_alloc(struct usrpci_device *dev, size_t len, struct usrpci_coherent *buf)
{
	int ret = step();

	if (ret)
		return ret;
	buf->addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	buf->bus_addr = 0xb000;
	buf->len = len;
	world.coherents++;
	return 0;
}

int usrpci_coherent_detach(struct usrpci_device *dev, struct usrpci_coherent *buf)
{
	int ret = step();

	if (!ret)
		world.coherents--;
	return ret;
}

int usrpci_coherent_free(struct usrpci_device *dev, struct usrpci_coherent *buf)
{
	world.coherents--;
	return munmap(buf->addr, buf->len);
}

int usrpci_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr)
{
	int ret = step();

	assert_int_equal(nr, 1);
	if (ret)
		return ret;
	maps->handle = __atomic_add_fetch(&world.handle, 1, __ATOMIC_RELAXED);
	assert_in_range(maps->handle, 1, MOST);
	world.mapped[maps->handle] = true;
	maps->sg[0] = (struct usrpci_sg){ (uintptr_t)maps->addr | 1ULL << 52, maps->len };
	maps->nr_sg = 1;
	return 0;
}

int usrpci_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr)
{
	int ret = step();

	if (ret)
		return ret;
	if (!world.mapped[*handles])
		return -EINVAL;
	world.mapped[*handles] = false;
	return 0;
}

static int nr_mapped(void)
{
	int i, nr = 0;

	for (i = 0; i <= MOST; i++)
		nr += world.mapped[i];
	return nr;
}

static int open_it(void)
{
	return usr_pci_open(0, 4, 0, 0xffffffff);
}

static int setup(void **state)
{
	world = (struct world){ .driver = "usrpci" };
	return 0;
}

/* Closed descriptors leave records behind; one is dropped when it is met again. */
static int teardown(void **state)
{
	int fd;

	for (fd = 3; fd < 64; fd++) {
		close(fd);
		if (usr_pci_munmap(fd, NULL) != -1)
			return -1;
	}
	return world.devices;
}

static void fails(int ret, int err)
{
	int errnum = errno;

	assert_int_equal(ret, -1);
	assert_int_equal(errnum, err);
}

static void test_open(void **state)
{
	int fd = usr_pci_open(0, 4, 0, 0xfffffff);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(world.mask == 0xfffffff);
	/* The first device has been closed: a plain close(2) is the last one. */
	assert_int_equal(world.devices, 1);
	close(fd);
	fails(usr_pci_open(0x12345ab, 31, 7, 1), ENOENT);
	assert_string_equal(world.address, "12345:ab:1f.7");
}

static void test_open_refused(void **state)
{
	fails(usr_pci_open(-1, 4, 0, 1), ENOENT);
	fails(usr_pci_open(0, 32, 0, 1), ENOENT);
	fails(usr_pci_open(0, -1, 0, 1), ENOENT);
	fails(usr_pci_open(0, 4, 8, 1), ENOENT);
	fails(usr_pci_open(0, 4, -1, 1), ENOENT);
	assert_int_equal(world.calls, 0);
	fails(usr_pci_open(0, 5, 0, 1), ENOENT);
	strcpy(world.driver, "nvme");
	fails(open_it(), EBUSY);
	assert_string_equal(world.driver, "nvme");
}

static int nr_descriptors(void)
{
	int fd, nr = 0;

	for (fd = 0; fd < 64; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void test_open_errors(void **state)
{
	static const struct {
		int at, err, errnum;
	} table[] = {
		{ 1, -EBUSY, EBUSY },
		{ 1, -ENODEV, ENOENT },
		{ 1, -EMFILE, ENFILE },
		{ 1, -ENFILE, ENFILE },
		{ 1, -ENOMEM, ENOMEM },
		{ 1, -EACCES, EACCES },
		{ 1, -EPERM, EPERM },
		{ 1, -EPROTONOSUPPORT, EIO },
		{ 2, -EIO, EIO },
		{ 3, -ENODEV, ENOENT },
		{ 4, -ENOMEM, ENOMEM },
	};
	const int before = nr_descriptors();
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		world.calls = 0;
		world.fail_at = table[i].at;
		world.err = table[i].err;
		fails(open_it(), table[i].errnum);
		assert_int_equal(world.devices, 0);
		assert_int_equal(nr_descriptors(), before);
	}
}

/* Whatever fails, a function that had no driver has none again. */
static void test_open_binds(void **state)
{
	int fd;

	world.err = -EIO;
	for (world.fail_at = 1;; world.fail_at++) {
		world.calls = 0;
		*world.driver = '\0';
		fd = open_it();
		if (fd >= 0)
			break;
		assert_int_equal(world.devices, 0);
		assert_string_equal(world.driver, "");
	}
	assert_int_equal(world.fail_at, 8);
	assert_string_equal(world.driver, "usrpci");
	close(fd);
}

static void test_no_descriptors_left(void **state)
{
	struct rlimit before, few;
	int fd = dup(0);

	/* One more than there are: the library gets it, its copy doesn't. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)fd + 1;
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	fails(open_it(), ENFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(world.calls, 3);
	assert_int_equal(world.devices, 0);
}

static void test_consistent(void **state)
{
	unsigned long bus = 0;
	void *addr = NULL;
	int fd = open_it();

	assert_int_equal(usr_pci_get_consistent(fd, PAGE, &addr, &bus), 0);
	assert_int_equal(bus, 0xb000);
	assert_int_equal(world.coherents, 0);
	memset(addr, 1, PAGE);
	assert_int_equal(munmap(addr, PAGE), 0);
	addr = NULL;
	fails(usr_pci_get_consistent(fd, 0, &addr, &bus), EINVAL);
	fails(usr_pci_get_consistent(fd, PAGE, NULL, &bus), EFAULT);
	fails(usr_pci_get_consistent(fd, PAGE, &addr, NULL), EFAULT);
	fails(usr_pci_get_consistent(-1, PAGE, &addr, &bus), EINVAL);
	fails(usr_pci_get_consistent(0, PAGE, &addr, &bus), EINVAL);
	fails(usr_pci_get_consistent(INT_MAX, PAGE, &addr, &bus), EINVAL);
	world.err = -ENOMEM;
	world.fail_at = world.calls + 1;
	fails(usr_pci_get_consistent(fd, PAGE, &addr, &bus), ENOMEM);
	world.fail_at = world.calls + 2;
	fails(usr_pci_get_consistent(fd, PAGE, &addr, &bus), ENOMEM);
	assert_int_equal(world.coherents, 0);
	assert_null(addr);
	close(fd);
}

static struct mapping_info info_of(void *addr, unsigned int size, struct usr_pci_sglist *sg)
{
	return (struct mapping_info){
		.virtaddr = addr,
		.size = size,
		.nents = size / PAGE + 2,
		.sglist = sg,
		.direction = DMA_FROM_DEVICE,
	};
}

static void test_map(void **state)
{
	struct usr_pci_sglist sg[4];
	struct mapping_info info = info_of((void *)0x5008, 2 * PAGE, sg);
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	assert_int_equal(info.nents, 1);
	assert_int_equal(info.dmaaddr, 0x5008 | 1UL << 52);
	assert_int_equal(sg[0].len, 2 * PAGE);
	assert_int_equal(usr_pci_munmap(fd, &info), 0);
	assert_int_equal(nr_mapped(), 0);
	fails(usr_pci_munmap(fd, &info), EINVAL);
	close(fd);
}

static void test_map_refused(void **state)
{
	struct usr_pci_sglist sg[4];
	const struct mapping_info good = info_of((void *)0x5008, 2 * PAGE, sg);
	struct mapping_info info = good;
	int fd = open_it(), calls = world.calls;

	info.nents = 3;
	fails(usr_pci_mmap(fd, &info), EINVAL);
	info = good;
	info.direction = DMA_NONE;
	fails(usr_pci_mmap(fd, &info), EINVAL);
	info.direction = (enum dma_data_direction)4;
	fails(usr_pci_mmap(fd, &info), EINVAL);
	info = good;
	info.size = 0;
	fails(usr_pci_mmap(fd, &info), EINVAL);
	info = good;
	info.sglist = NULL;
	fails(usr_pci_mmap(fd, &info), EFAULT);
	fails(usr_pci_mmap(fd, NULL), EFAULT);
	fails(usr_pci_munmap(fd, NULL), EFAULT);
	info = good;
	fails(usr_pci_mmap(-1, &info), EINVAL);
	fails(usr_pci_mmap(0, &info), EINVAL);
	assert_int_equal(world.calls, calls);
	close(fd);
}

static void test_map_errors(void **state)
{
	static const struct {
		int err, errnum;
	} table[] = {
		{ -EFAULT, EFAULT },
		{ -ENOMEM, ENOMEM },
		{ -ENOSPC, EINVAL },
		{ -ERANGE, ENOMEM },
		{ -EIO, ENOMEM },
		{ -EINVAL, EINVAL },
		{ -ENODEV, ENODEV },
	};
	struct usr_pci_sglist sg[3];
	struct mapping_info info;
	int fd = open_it();
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		info = info_of((void *)0x5000, PAGE, sg);
		world.err = table[i].err;
		world.fail_at = world.calls + 1;
		fails(usr_pci_mmap(fd, &info), table[i].errnum);
		assert_int_equal(info.nents, 3);
	}
	assert_int_equal(nr_mapped(), 0);
	close(fd);
}

/* The old code undid the last mapping of its list when it found none. */
static void test_unmap_of_what_was_never_mapped(void **state)
{
	struct usr_pci_sglist sg[2][3];
	struct mapping_info one = info_of((void *)0x5000, PAGE, sg[0]);
	struct mapping_info two = info_of((void *)0x9000, PAGE, sg[1]);
	struct mapping_info other;
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &one), 0);
	assert_int_equal(usr_pci_mmap(fd, &two), 0);
	other = one;
	other.virtaddr = (void *)0x6000;
	fails(usr_pci_munmap(fd, &other), EINVAL);
	other = one;
	other.dmaaddr = two.dmaaddr;
	fails(usr_pci_munmap(fd, &other), EINVAL);
	other = one;
	other.size--;
	fails(usr_pci_munmap(fd, &other), EINVAL);
	other = one;
	other.direction = DMA_TO_DEVICE;
	fails(usr_pci_munmap(fd, &other), EINVAL);
	assert_int_equal(nr_mapped(), 2);
	assert_int_equal(usr_pci_munmap(fd, &one), 0);
	fails(usr_pci_munmap(fd, &one), EINVAL);
	assert_true(world.mapped[2]);
	assert_int_equal(usr_pci_munmap(fd, &two), 0);
	close(fd);
}

static void test_mapped_twice(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg), again = info;
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	assert_int_equal(usr_pci_mmap(fd, &again), 0);
	assert_int_equal(usr_pci_munmap(fd, &info), 0);
	assert_int_equal(nr_mapped(), 1);
	assert_int_equal(usr_pci_munmap(fd, &info), 0);
	assert_int_equal(nr_mapped(), 0);
	fails(usr_pci_munmap(fd, &info), EINVAL);
	close(fd);
}

/* What the module still holds can be unmapped again; what it has lost is forgotten. */
static void test_unmap_fails(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg);
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	world.err = -ENOMEM;
	world.fail_at = world.calls + 1;
	fails(usr_pci_munmap(fd, &info), ENOMEM);
	world.err = -ENODEV;
	world.fail_at = world.calls + 1;
	fails(usr_pci_munmap(fd, &info), ENODEV);
	fails(usr_pci_munmap(fd, &info), EINVAL);
	close(fd);
}

/* A closed descriptor isn't ours any more, whatever has its number now. */
static void test_stale(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg), again;
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	close(fd);
	again = info_of((void *)0x5000, PAGE, sg);
	fails(usr_pci_mmap(fd, &again), EINVAL);
	assert_int_equal(world.devices, 0);
}

static void test_number_reused(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg);
	int fd = open_it(), calls;

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	close(fd);
	assert_int_equal(open("/dev/zero", O_RDWR | O_CLOEXEC), fd - 1);
	assert_int_equal(dup2(fd - 1, fd), fd);
	calls = world.calls;
	fails(usr_pci_munmap(fd, &info), EINVAL);
	assert_int_equal(world.calls, calls);
	assert_int_equal(world.devices, 0);
}

/* The file looks the same, and no longer answers as a function does. */
static void test_no_function_any_more(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg);
	int fd = open_it();

	world.info_err = -ENODEV;
	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	world.info_err = -ENOTTY;
	fails(usr_pci_munmap(fd, &info), EINVAL);
	assert_int_equal(world.devices, 0);
	close(fd);
}

/* Of an earlier descriptor of the same number nothing is left. */
static void test_opened_again(void **state)
{
	struct usr_pci_sglist sg[3];
	struct mapping_info info = info_of((void *)0x5000, PAGE, sg);
	int fd = open_it();

	assert_int_equal(usr_pci_mmap(fd, &info), 0);
	close(fd);
	assert_int_equal(open_it(), fd);
	assert_int_equal(world.devices, 1);
	fails(usr_pci_munmap(fd, &info), EINVAL);
	close(fd);
}

static void *map_and_unmap(void *arg)
{
	const int fd = *(int *)arg;
	struct usr_pci_sglist sg[3];
	long failures = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		struct mapping_info info = info_of((void *)0x5000, PAGE, sg);

		failures += !!usr_pci_mmap(fd, &info);
		failures += !!usr_pci_munmap(fd, &info);
	}
	return (void *)failures;
}

static void test_threads(void **state)
{
	pthread_t threads[4];
	int i, fd = open_it();
	void *failures;

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, &fd), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	assert_int_equal(nr_mapped(), 0);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_open_refused),
		TEST(test_open_errors),
		TEST(test_open_binds),
		TEST(test_no_descriptors_left),
		TEST(test_consistent),
		TEST(test_map),
		TEST(test_map_refused),
		TEST(test_map_errors),
		TEST(test_unmap_of_what_was_never_mapped),
		TEST(test_mapped_twice),
		TEST(test_unmap_fails),
		TEST(test_stale),
		TEST(test_number_reused),
		TEST(test_no_function_any_more),
		TEST(test_opened_again),
		TEST(test_threads),
	};

	return cmocka_run_group_tests_name("usrdrv", tests, NULL, NULL);
}
