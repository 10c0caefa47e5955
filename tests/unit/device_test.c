// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The core's calls on a device of a made-up backend. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "device.h"
#include "fake.h"
#include "tree.h"

static const struct usrpci_backend *const backends[] = { &fake_backend, NULL };

static const struct usrpci_backend fake_remote_backend = {
	.name = "fake-remote",
	FAKE_OPS,
};

static void test_open(void **state)
{
	struct usrpci_device *dev = NULL;
	struct usrpci_info info;
	struct tree tree;

	tree_make(&tree);
	tree_link(&tree, "sys/bus/pci/devices/0000:00:04.0/driver", "../../drivers/nvme");
	tree_folder(&tree, "sys/bus/pci/devices/0000:00:05.0");
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "fake:EIO"), -EIO);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "nonsense"), -EINVAL);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "0000:00:03.0"), -ENOENT);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "0000:00:04.0"), -ENXIO);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "00:05.0"), -ENXIO);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, NULL), -EINVAL);
	assert_int_equal(usrpci_open_from(backends, tree.root, NULL, "fake:1"), -EINVAL);
	assert_null(dev);
	assert_int_equal(usrpci_open_from(backends, tree.root, &dev, "fake:1"), 0);
	assert_int_equal(usrpci_info(dev, &info), 0);
	assert_string_equal(info.backend, "fake");
	assert_int_equal(usrpci_fd(dev), 77);
	usrpci_close(dev);
	free(usrpci_container_of(dev, struct fake, base));
	tree_free(&tree);
}

static void test_open_fd(void **state)
{
	struct usrpci_device *dev = NULL;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(usrpci_open_fd(&dev, -1), -EBADF);
	assert_int_equal(usrpci_open_fd(&dev, fd), -EINVAL);
	assert_int_equal(usrpci_open_fd(NULL, fd), -EINVAL);
	assert_int_equal(usrpci_open_fd_from(backends, &dev, fd), -EINVAL);
	close(fd);
	assert_int_equal(usrpci_open_fd(&dev, fd), -EBADF);
	assert_null(dev);
}

static void test_close_null(void **state)
{
	usrpci_close(NULL);
}

/* Every call hands on the backend's error, and its success. */
static int call(struct usrpci_device *dev, int which)
{
	struct usrpci_mapping map = { .addr = dev, .len = 1 };
	struct usrpci_coherent buf;
	struct usrpci_event event;
	struct usrpci_info info;
	volatile void *regs;
	uint32_t value = 1;
	uint64_t wide;
	int fd = 3;

	switch (which) {
	case 0: return usrpci_info(dev, &info);
	case 1: return usrpci_set_master(dev, true);
	case 2: return usrpci_reset(dev);
	case 3: return usrpci_config_read(dev, 0, 4, &value);
	case 4: return usrpci_config_write(dev, 4, 2, 0);
	case 5: return usrpci_bar_map(dev, 0, 0, 0, 0, &regs);
	case 6: return usrpci_bar_read(dev, 0, 8, 8, &wide);
	case 7: return usrpci_bar_write(dev, 0, 8, 8, 1);
	case 8: return usrpci_set_dma_mask(dev, 0xffffffff, 0xffffffff);
	case 9: return usrpci_coherent_alloc(dev, 1, &buf);
	case 10: return usrpci_map(dev, &map, 1);
	case 11: return usrpci_unmap(dev, &value, 1);
	case 12: return usrpci_sync_for_cpu(dev, 1, 0, 1);
	case 13: return usrpci_sync_for_device(dev, 1, 0, 1);
	case 14: return usrpci_irq_setup(dev, USRPCI_MSI, 1);
	case 15: return usrpci_irq_wire(dev, 0, 1, &fd);
	case 16: return usrpci_irq_unmask(dev, 0);
	case 17: return usrpci_quiesce(dev, NULL, 0);
	case 18: return usrpci_event(dev, &event);
	}
	return INT_MAX;
}

static void test_results_pass(void **state)
{
	struct fake fake;
	int which, ret;

	fake_init(&fake, &fake_backend);
	for (which = 0;; which++) {
		fake.calls = 0;
		fake.fail = -ENODEV;
		ret = call(&fake.base, which);
		if (ret == INT_MAX)
			break;
		assert_int_equal(ret, -ENODEV);
		assert_int_equal(fake.calls, 1);
		fake.fail = 0;
		assert_int_equal(call(&fake.base, which), 0);
	}
	assert_int_equal(which, 19);
	usrpci_close(&fake.base);
	assert_int_equal(fake.closed, 1);
}

static void test_info_untouched_on_failure(void **state)
{
	struct usrpci_info info = { .nr_msi = 99 };
	struct fake fake;

	fake_init(&fake, &fake_backend);
	fake.fail = -ENODEV;
	assert_int_equal(usrpci_info(&fake.base, &info), -ENODEV);
	assert_int_equal(info.nr_msi, 99);
	assert_int_equal(usrpci_info(&fake.base, NULL), -EINVAL);
	usrpci_close(&fake.base);
}

/* Nothing that is wrong for every backend reaches one. */
static void test_registers(void **state)
{
	static const unsigned int widths[] = { 0, 3, 5, 6, 7, 16, UINT_MAX };
	struct usrpci_device *dev;
	struct fake fake;
	uint32_t value;
	uint64_t wide;
	size_t i;

	fake_init(&fake, &fake_backend);
	dev = &fake.base;
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		assert_int_equal(usrpci_config_read(dev, 0, widths[i], &value), -EINVAL);
		assert_int_equal(usrpci_config_write(dev, 0, widths[i], 0), -EINVAL);
		assert_int_equal(usrpci_bar_read(dev, 0, 0, widths[i], &wide), -EINVAL);
		assert_int_equal(usrpci_bar_write(dev, 0, 0, widths[i], 0), -EINVAL);
	}
	assert_int_equal(usrpci_config_read(dev, 0, 8, &value), -EINVAL);
	assert_int_equal(usrpci_config_read(dev, 2, 4, &value), -EINVAL);
	assert_int_equal(usrpci_config_read(dev, 1, 2, &value), -EINVAL);
	assert_int_equal(usrpci_config_read(dev, 0, 4, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_read(dev, 0, 4, 8, &wide), -EINVAL);
	assert_int_equal(usrpci_bar_read(dev, 6, 0, 4, &wide), -EINVAL);
	assert_int_equal(usrpci_bar_read(dev, 0, 0, 4, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_write(dev, UINT_MAX, 0, 4, 0), -EINVAL);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(usrpci_config_read(dev, 0xffe, 2, &value), 0);
	assert_int_equal(value, 0xc2);
	assert_int_equal(usrpci_bar_read(dev, 0, 24, 8, &wide), 0);
	assert_int_equal(wide, 24);
	usrpci_close(dev);
}

static void test_interrupts(void **state)
{
	int fds[2] = { -1, -1 };
	struct fake fake;

	fake_init(&fake, &fake_backend);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_NO_IRQ, 1), -EINVAL);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_INTX, 0), -EINVAL);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_INTX, 2), -EINVAL);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_MSI, 0), -EINVAL);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_MSIX + 1, 1), -EINVAL);
	assert_int_equal(usrpci_irq_wire(&fake.base, 0, 0, fds), -EINVAL);
	assert_int_equal(usrpci_irq_wire(&fake.base, 0, 4097, fds), -EINVAL);
	assert_int_equal(usrpci_irq_wire(&fake.base, 0, 2, NULL), -EINVAL);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_NO_IRQ, 0), 0);
	assert_int_equal(usrpci_irq_setup(&fake.base, USRPCI_MSIX, 2048), 0);
	usrpci_close(&fake.base);
}

/* What a backend lacks is refused, and nothing is called through NULL. */
static void test_remote(void **state)
{
	struct usrpci_coherent buf;
	volatile void *regs = NULL;
	struct fake fake;

	fake_init(&fake, &fake_remote_backend);
	assert_int_equal(usrpci_fd(&fake.base), -EOPNOTSUPP);
	assert_int_equal(usrpci_bar_map(&fake.base, 0, 0, 0, 0, &regs), -EINVAL);
	assert_null(regs);
	assert_int_equal(usrpci_coherent_alloc(&fake.base, 1, &buf), 0);
	assert_int_equal(usrpci_coherent_detach(&fake.base, &buf), -EOPNOTSUPP);
	assert_int_equal(usrpci_coherent_free(&fake.base, &buf), 0);
	usrpci_close(&fake.base);
	assert_int_equal(fake.at_close, 0);
}

static void test_isolation_names(void **state)
{
	assert_string_equal(usrpci_isolation_name(USRPCI_STRICT), "strict");
	assert_string_equal(usrpci_isolation_name(USRPCI_LAZY), "lazy");
	assert_string_equal(usrpci_isolation_name(USRPCI_PASSTHROUGH), "passthrough");
	assert_string_equal(usrpci_isolation_name(USRPCI_NO_ISOLATION), "none");
	assert_string_equal(usrpci_isolation_name((enum usrpci_isolation)99), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_fd),
		cmocka_unit_test(test_close_null),
		cmocka_unit_test(test_results_pass),
		cmocka_unit_test(test_info_untouched_on_failure),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_isolation_names),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
