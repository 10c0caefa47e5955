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

#define BDF	"0000:00:04.0"
#define FOLDER	"sys/bus/pci/devices/" BDF
#define RECORD	"run/usrpci/" BDF

/**
 * struct kernel - The made-up kernel.
 * @tree: its /sys
 * @writes: how many were made
 * @fail_at: the number of the write that fails, from 1
 * @err: what that returns
 * @refuses: a driver that refuses the function
 * @refusal: what it returns
 */
static struct kernel {
	struct tree tree;
	int writes;
	int fail_at;
	int err;
	const char *refuses;
	int refusal;
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

static int kernel_act(const char *text, const char *below)
{
	char driver[64];

	if (strstr(below, "/driver_override")) {
		tree_file(&kernel.tree, below, *text == '\n' ? "(null)\n" : text);
		return 0;
	}
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
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
