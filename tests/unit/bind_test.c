// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Binding and unbinding in a made-up /sys, with a made-up kernel behind it that
 * binds and unbinds when its files are written, and fails when it is told to.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <usrpci.h>
#include "tree.h"

/* What bind.c writes goes through the made-up kernel. */
#define usrpci_sysfs_write fake_write
#include "../../lib/bind.c"
#include "../../lib/group.c"

#define BDF	"0000:00:04.0"
#define FOLDER	"sys/bus/pci/devices/" BDF
#define RECORD	"run/usrpci/" BDF
#define GROUP	"sys/kernel/iommu_groups/7"
#define OTHER	"0000:00:03.0"

/**
 * struct kernel - The made-up kernel.
 * @tree: its /sys
 * @writes: how many were made
 * @fail_at: the number of the write that fails, from 1
 * @err: what that returns
 * @refuses: a driver that refuses the function
 * @refusal: what it returns
 * @keeps: what changing the group's type returns, 0: it changes
 */
static struct kernel {
	struct tree tree;
	int writes;
	int fail_at;
	int err;
	const char *refuses;
	int refusal;
	int keeps;
} kernel;

static void set_driver(const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	tree_link(&kernel.tree, FOLDER "/driver", target);
}

/* As a probe goes: an override lets no other driver have the function. */
static int kernel_bind(const char *driver)
{
	const char *override = tree_text(&kernel.tree, FOLDER "/driver_override");

	if (tree_has(&kernel.tree, FOLDER "/driver"))
		return -ENODEV;
	if (strncmp(override, "(null)", 6) && *override != '\n' &&
	    (strncmp(override, driver, strlen(driver)) || override[strlen(driver)] != '\n'))
		return -ENODEV;
	if (!strncmp(override, "(null)", 6) && !strcmp(driver, "usrpci"))
		return -ENODEV;
	if (kernel.refuses && !strcmp(kernel.refuses, driver))
		return kernel.refusal;
	set_driver(driver);
	return 0;
}

/* As Linux 6.1 does it, from 6.5 on with EPERM. */
static int kernel_set_type(const char *type)
{
	char line[64];

	if (tree_has(&kernel.tree, FOLDER "/driver"))
		return -EBUSY;
	if (kernel.keeps)
		return kernel.keeps;
	snprintf(line, sizeof(line), "%s\n", type);
	tree_file(&kernel.tree, GROUP "/type", line);
	return 0;
}

static int kernel_act(const char *text, const char *below)
{
	char driver[64];

	if (strstr(below, "/driver_override")) {
		tree_file(&kernel.tree, below, *text == '\n' ? "(null)\n" : text);
		return 0;
	}
	if (strstr(below, "/iommu_group/type"))
		return kernel_set_type(text);
	assert_string_equal(text, BDF);
	if (strstr(below, "/driver/unbind")) {
		tree_remove(&kernel.tree, FOLDER "/driver");
		return 0;
	}
	if (strstr(below, "/drivers_probe"))
		return kernel_bind("nvme");
	assert_int_equal(sscanf(below, "sys/bus/pci/drivers/%63[^/]/bind", driver), 1);
	return kernel_bind(driver);
}

int fake_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (++kernel.writes == kernel.fail_at)
		return kernel.err;
	if (access(path, F_OK))
		return -errno;
	return kernel_act(text, path + strlen(kernel.tree.root) + 1);
}

static int setup(void **state)
{
	kernel = (struct kernel){ 0 };
	tree_make(&kernel.tree);
	tree_file(&kernel.tree, FOLDER "/driver_override", "(null)\n");
	tree_file(&kernel.tree, "sys/bus/pci/drivers_probe", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/nvme/bind", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/nvme/unbind", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/bind", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/unbind", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/usrpci/bind", "");
	tree_file(&kernel.tree, "sys/bus/pci/drivers/usrpci/unbind", "");
	return 0;
}

static int teardown(void **state)
{
	tree_free(&kernel.tree);
	return 0;
}

/* The driver and the override are as told, and there is a record or not. */
static void expect(const char *driver, const char *override, bool recorded)
{
	char name[64], line[64];

	assert_int_equal(usrpci_function_driver(kernel.tree.root, BDF, name, sizeof(name)), 0);
	assert_string_equal(name, driver);
	snprintf(line, sizeof(line), "%s\n", override);
	assert_string_equal(tree_text(&kernel.tree, FOLDER "/driver_override"), line);
	assert_int_equal(tree_has(&kernel.tree, RECORD), recorded);
}

static int bind_it(void)
{
	return usrpci_bind_at(kernel.tree.root, BDF);
}

static int unbind_it(void)
{
	return usrpci_unbind_at(kernel.tree.root, BDF);
}

static void test_there_and_back(void **state)
{
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	expect("usrpci", "usrpci", true);
	assert_string_equal(tree_text(&kernel.tree, RECORD), "driver=nvme\ndriver_override=\n");
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

static void test_without_driver(void **state)
{
	assert_int_equal(bind_it(), 0);
	expect("usrpci", "usrpci", true);
	assert_int_equal(unbind_it(), 0);
	expect("", "(null)", false);
}

static void test_override_comes_back(void **state)
{
	set_driver("vfio-pci");
	tree_file(&kernel.tree, FOLDER "/driver_override", "vfio-pci\n");
	assert_int_equal(bind_it(), 0);
	expect("usrpci", "usrpci", true);
	assert_int_equal(unbind_it(), 0);
	expect("vfio-pci", "vfio-pci", false);
}

static void test_bound_already(void **state)
{
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	kernel.writes = 0;
	assert_int_equal(bind_it(), 0);
	assert_int_equal(kernel.writes, 0);
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

static void test_not_bound(void **state)
{
	set_driver("nvme");
	assert_int_equal(unbind_it(), -ENXIO);
	expect("nvme", "(null)", false);
	assert_int_equal(kernel.writes, 0);
	assert_false(tree_has(&kernel.tree, "run/usrpci"));
}

static void test_bad_address(void **state)
{
	assert_int_equal(usrpci_bind_at(kernel.tree.root, "../04.0"), -EINVAL);
	assert_int_equal(usrpci_bind_at(kernel.tree.root, NULL), -EINVAL);
	assert_int_equal(usrpci_bind_at(kernel.tree.root, "00:05.0"), -ENOENT);
	assert_int_equal(usrpci_unbind_at(kernel.tree.root, "00:05.0"), -ENOENT);
}

static void test_no_module(void **state)
{
	set_driver("nvme");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/usrpci/bind");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/usrpci/unbind");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/usrpci");
	assert_int_equal(bind_it(), -ENODEV);
	expect("nvme", "(null)", false);
	assert_int_equal(kernel.writes, 0);
}

static void test_usrpci_refuses(void **state)
{
	static const struct {
		int refusal;
		int ret;
	} table[] = { { -EINVAL, -ENODEV }, { -ENODEV, -ENODEV }, { -ENOMEM, -ENOMEM } };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		set_driver("nvme");
		kernel.refuses = "usrpci";
		kernel.refusal = table[i].refusal;
		assert_int_equal(bind_it(), table[i].ret);
		expect("nvme", "(null)", false);
	}
}

/* Whatever write of a bind fails, the function stays with its driver. */
static void test_bind_fails_anywhere(void **state)
{
	int ret;

	set_driver("vfio-pci");
	tree_file(&kernel.tree, FOLDER "/driver_override", "vfio-pci\n");
	kernel.err = -EIO;
	for (kernel.fail_at = 1;; kernel.fail_at++) {
		kernel.writes = 0;
		ret = bind_it();
		if (!ret)
			break;
		assert_int_equal(ret, -EIO);
		expect("vfio-pci", "vfio-pci", false);
	}
	assert_int_equal(kernel.fail_at, 4);
	expect("usrpci", "usrpci", true);
}

/* Whatever write of an unbind fails, it stays with usrpci, and can be tried again. */
static void test_unbind_fails_anywhere(void **state)
{
	int ret;

	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	kernel.err = -EIO;
	for (kernel.fail_at = 1;; kernel.fail_at++) {
		kernel.writes = 0;
		ret = unbind_it();
		if (!ret)
			break;
		assert_int_equal(ret, -EIO);
		expect("usrpci", "usrpci", true);
	}
	assert_int_equal(kernel.fail_at, 4);
	expect("nvme", "(null)", false);
}

static void test_former_driver_is_gone(void **state)
{
	set_driver("vfio-pci");
	assert_int_equal(bind_it(), 0);
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/bind");
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

static void test_nobody_wants_it(void **state)
{
	set_driver("vfio-pci");
	assert_int_equal(bind_it(), 0);
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/bind");
	kernel.refuses = "nvme";
	kernel.refusal = -EIO;
	assert_int_equal(unbind_it(), 0);
	expect("", "(null)", false);
}

/* Bound by hand, by driver_override and drivers_probe. */
static void test_no_record(void **state)
{
	set_driver("usrpci");
	tree_file(&kernel.tree, FOLDER "/driver_override", "usrpci\n");
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

static void test_driver_that_stays(void **state)
{
	set_driver("nvme");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/nvme/unbind");
	assert_int_equal(bind_it(), -EOPNOTSUPP);
	expect("nvme", "(null)", false);
}

static void test_driver_name(void **state)
{
	char name[8] = "before";

	assert_int_equal(usrpci_function_driver(kernel.tree.root, BDF, name, sizeof(name)), 0);
	assert_string_equal(name, "");
	set_driver("vfio-pci");
	assert_int_equal(usrpci_function_driver(kernel.tree.root, "00:04.0", name, sizeof(name)),
			 -ENAMETOOLONG);
	set_driver("usrpci7");
	assert_int_equal(usrpci_function_driver(kernel.tree.root, BDF, name, sizeof(name)), 0);
	assert_string_equal(name, "usrpci7");
	assert_int_equal(usrpci_function_driver(kernel.tree.root, BDF, NULL, 8), -EINVAL);
	assert_int_equal(usrpci_function_driver(kernel.tree.root, BDF, name, 0), -EINVAL);
}

static void join_group(const char *bdf, const char *class)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/class", bdf);
	tree_file(&kernel.tree, path, class);
	snprintf(path, sizeof(path), GROUP "/devices/%s/class", bdf);
	tree_file(&kernel.tree, path, class);
}

static void set_group(const char *type)
{
	tree_link(&kernel.tree, FOLDER "/iommu_group", "../../../../kernel/iommu_groups/7");
	tree_file(&kernel.tree, GROUP "/type", type);
	join_group(BDF, "0x010802\n");
}

static void expect_type(const char *type)
{
	assert_string_equal(tree_text(&kernel.tree, GROUP "/type"), type);
}

static int bind_strict(void)
{
	enum usrpci_isolation was;
	int ret = usrpci_bind_strict_at(kernel.tree.root, BDF, &was);

	return ret ? ret : (int)was;
}

static void test_strict_and_back(void **state)
{
	static const struct {
		const char *type;
		enum usrpci_isolation was;
	} table[] = { { "DMA-FQ\n", USRPCI_LAZY }, { "identity\n", USRPCI_PASSTHROUGH } };
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		set_group(table[i].type);
		set_driver("nvme");
		assert_int_equal(bind_strict(), table[i].was);
		expect("usrpci", "usrpci", true);
		expect_type("DMA\n");
		assert_int_equal(unbind_it(), 0);
		expect("nvme", "(null)", false);
		expect_type(table[i].type);
	}
}

static void test_strict_already(void **state)
{
	set_group("DMA\n");
	set_driver("nvme");
	assert_int_equal(bind_strict(), USRPCI_STRICT);
	expect("usrpci", "usrpci", true);
	assert_string_equal(tree_text(&kernel.tree, RECORD), "driver=nvme\ndriver_override=\n");
	kernel.writes = 0;
	assert_int_equal(bind_strict(), USRPCI_STRICT);
	assert_int_equal(kernel.writes, 0);
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
	expect_type("DMA\n");
}

static void test_strict_beside_bridge(void **state)
{
	set_group("DMA-FQ\n");
	join_group(OTHER, "0x060400\n");
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	expect("usrpci", "usrpci", true);
}

static void test_not_strict(void **state)
{
	set_driver("nvme");
	assert_int_equal(bind_strict(), -EXDEV);
	expect("nvme", "(null)", false);
	set_group("DMA\n");
	join_group(OTHER, "0x020000\n");
	assert_int_equal(bind_strict(), -EXDEV);
	expect("nvme", "(null)", false);
	assert_int_equal(kernel.writes, 0);
	assert_int_equal(usrpci_bind_strict_at(kernel.tree.root, "00:05.0", NULL), -ENOENT);
	assert_int_equal(usrpci_bind_strict_at(kernel.tree.root, "04.0", NULL), -EINVAL);
}

static void test_kernel_keeps_the_type(void **state)
{
	static const struct {
		int keeps;
		int ret;
	} table[] = {
		{ -EINVAL, -EXDEV }, { -EBUSY, -EXDEV }, { -EPERM, -EXDEV },
		{ -EACCES, -EACCES }, { -ENOMEM, -ENOMEM },
	};
	size_t i;

	set_group("DMA-FQ\n");
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		set_driver("nvme");
		kernel.keeps = table[i].keeps;
		assert_int_equal(bind_strict(), table[i].ret);
		expect("nvme", "(null)", false);
		expect_type("DMA-FQ\n");
	}
}

/* Bound to usrpci, lazily: it leaves it for a moment. */
static void test_strict_afterwards(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	expect_type("DMA-FQ\n");
	tree_file(&kernel.tree, "sys/class/usrpci/" BDF "/opener", "4711 my driver\n");
	assert_int_equal(bind_strict(), -EBUSY);
	expect_type("DMA-FQ\n");
	tree_file(&kernel.tree, "sys/class/usrpci/" BDF "/opener", "\n");
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	expect("usrpci", "usrpci", true);
	expect_type("DMA\n");
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
	expect_type("DMA-FQ\n");
}

/* Somebody moved the group on: that is left as it is. */
static void test_type_changed_meanwhile(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	tree_file(&kernel.tree, GROUP "/type", "identity\n");
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
	expect_type("identity\n");
}

/* The kernel doesn't move it back: the function goes home all the same. */
static void test_type_stays(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	kernel.keeps = -EINVAL;
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
	expect_type("DMA\n");
}

/* Whatever write fails, driver, override and type are what they were. */
static void test_strict_fails_anywhere(void **state)
{
	int ret;

	set_group("identity\n");
	set_driver("vfio-pci");
	tree_file(&kernel.tree, FOLDER "/driver_override", "vfio-pci\n");
	kernel.err = -EIO;
	for (kernel.fail_at = 1;; kernel.fail_at++) {
		kernel.writes = 0;
		ret = bind_strict();
		if (ret >= 0)
			break;
		assert_int_equal(ret, -EIO);
		expect("vfio-pci", "vfio-pci", false);
		expect_type("identity\n");
	}
	assert_int_equal(kernel.fail_at, 5);
	expect("usrpci", "usrpci", true);
	expect_type("DMA\n");
}

static void test_strict_afterwards_fails_anywhere(void **state)
{
	int ret;

	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	kernel.err = -EIO;
	for (kernel.fail_at = 1;; kernel.fail_at++) {
		kernel.writes = 0;
		ret = bind_strict();
		if (ret >= 0)
			break;
		assert_int_equal(ret, -EIO);
		expect("usrpci", "usrpci", true);
		expect_type("DMA-FQ\n");
		assert_string_equal(tree_text(&kernel.tree, RECORD),
				    "driver=nvme\ndriver_override=\n");
	}
	assert_int_equal(kernel.fail_at, 4);
	expect_type("DMA\n");
}

/* That the driver doesn't take it back leaves it with usrpci, and strict. */
static void test_strict_unbind_fails(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	kernel.refuses = "nvme";
	kernel.refusal = -EIO;
	assert_int_equal(unbind_it(), -EIO);
	expect("usrpci", "usrpci", true);
	expect_type("DMA\n");
}

static int bind_vfio(void)
{
	return usrpci_bind_driver_at(kernel.tree.root, BDF, "vfio-pci");
}

static void test_vfio_and_back(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_vfio(), 0);
	expect("vfio-pci", "vfio-pci", true);
	expect_type("DMA-FQ\n");
	kernel.writes = 0;
	assert_int_equal(bind_vfio(), 0);
	assert_int_equal(kernel.writes, 0);
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

/* From one to the other and on, what came first is what comes back. */
static void test_vfio_between(void **state)
{
	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	assert_int_equal(bind_vfio(), 0);
	expect("vfio-pci", "vfio-pci", true);
	assert_int_equal(bind_strict(), USRPCI_LAZY);
	expect("usrpci", "usrpci", true);
	expect_type("DMA\n");
	assert_int_equal(bind_vfio(), 0);
	expect("vfio-pci", "vfio-pci", true);
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
	expect_type("DMA-FQ\n");
}

/* Whatever write fails, it stays with usrpci, and goes home from there. */
static void test_vfio_fails_anywhere(void **state)
{
	int ret;

	set_group("DMA-FQ\n");
	set_driver("nvme");
	assert_int_equal(bind_it(), 0);
	kernel.err = -EIO;
	for (kernel.fail_at = 1;; kernel.fail_at++) {
		kernel.writes = 0;
		ret = bind_vfio();
		if (!ret)
			break;
		assert_int_equal(ret, -EIO);
		expect("usrpci", "usrpci", true);
		assert_string_equal(tree_text(&kernel.tree, RECORD),
				    "driver=nvme\ndriver_override=\n");
	}
	assert_int_equal(kernel.fail_at, 4);
	kernel.fail_at = 0;
	expect("vfio-pci", "vfio-pci", true);
	assert_int_equal(unbind_it(), 0);
	expect("nvme", "(null)", false);
}

static void test_vfio_refusals(void **state)
{
	set_driver("nvme");
	assert_int_equal(bind_vfio(), -EXDEV);
	set_group("DMA\n");
	assert_int_equal(usrpci_bind_driver_at(kernel.tree.root, BDF, "nvme"), -EINVAL);
	assert_int_equal(usrpci_bind_driver_at(kernel.tree.root, BDF, NULL), -EINVAL);
	kernel.refuses = "vfio-pci";
	kernel.refusal = -EINVAL;
	assert_int_equal(bind_vfio(), -ENODEV);
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/bind");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/vfio-pci/unbind");
	tree_remove(&kernel.tree, "sys/bus/pci/drivers/vfio-pci");
	assert_int_equal(bind_vfio(), -ENODEV);
	expect("nvme", "(null)", false);
}

/* What a virtual machine has of it isn't ours to take. */
static void test_vfio_of_others(void **state)
{
	set_driver("vfio-pci");
	tree_file(&kernel.tree, FOLDER "/driver_override", "vfio-pci\n");
	assert_int_equal(unbind_it(), -ENXIO);
	expect("vfio-pci", "vfio-pci", false);
	assert_int_equal(kernel.writes, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_there_and_back),
		TEST(test_without_driver),
		TEST(test_override_comes_back),
		TEST(test_bound_already),
		TEST(test_not_bound),
		TEST(test_bad_address),
		TEST(test_no_module),
		TEST(test_usrpci_refuses),
		TEST(test_bind_fails_anywhere),
		TEST(test_unbind_fails_anywhere),
		TEST(test_former_driver_is_gone),
		TEST(test_nobody_wants_it),
		TEST(test_no_record),
		TEST(test_driver_that_stays),
		TEST(test_driver_name),
		TEST(test_strict_and_back),
		TEST(test_strict_already),
		TEST(test_strict_beside_bridge),
		TEST(test_not_strict),
		TEST(test_kernel_keeps_the_type),
		TEST(test_strict_afterwards),
		TEST(test_type_changed_meanwhile),
		TEST(test_type_stays),
		TEST(test_strict_fails_anywhere),
		TEST(test_strict_afterwards_fails_anywhere),
		TEST(test_strict_unbind_fails),
		TEST(test_vfio_and_back),
		TEST(test_vfio_between),
		TEST(test_vfio_fails_anywhere),
		TEST(test_vfio_refusals),
		TEST(test_vfio_of_others),
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
