// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What is told of a function, against a made-up sys/. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "function.h"

#define BUS	"sys/bus/pci/devices/"

static char root[32];

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX], *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, name);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void add_function(const char *bdf, const char *class)
{
	char dir[64];

	snprintf(dir, sizeof(dir), BUS "%s", bdf);
	write_file(dir, "vendor", "0x1234\n");
	write_file(dir, "device", "0x11e8\n");
	write_file(dir, "class", class);
	write_file(dir, "revision", "0x10\n");
	write_file(dir, "subsystem_vendor", "0x1af4\n");
	write_file(dir, "subsystem_device", "0x1100\n");
	write_file(dir, "resource",
		   "0x00000000fea00000 0x00000000feafffff 0x0000000000040200\n"
		   "0x000000000000c000 0x000000000000c03f 0x0000000000040101\n"
		   "0x0000004000000000 0x000000400007ffff 0x000000000014220c\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	write_file(dir, "dma_mask_bits", "28\n");
	write_file(dir, "consistent_dma_mask_bits", "32\n");
	write_file(dir, "irq", "0\n");
	write_file(dir, "numa_node", "-1\n");
}

static void set_group(const char *bdf, const char *number, const char *type)
{
	char path[PATH_MAX], target[64];

	snprintf(path, sizeof(path), "%s/" BUS "%s/iommu_group", root, bdf);
	snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%s", number);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s", number);
	write_file(path, "type", type);
}

static int make_tree(void **state)
{
	snprintf(root, sizeof(root), "/tmp/function_test.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_tree(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void test_sorted(void **state)
{
	struct function *functions;

	add_function("0001:00:00.0", "0x020000\n");
	add_function("0000:00:1f.3", "0x0c0500\n");
	add_function("0000:00:02.0", "0x00ff00\n");
	assert_int_equal(functions_read(root, &functions), 3);
	assert_string_equal(functions[0].bdf, "0000:00:02.0");
	assert_string_equal(functions[1].bdf, "0000:00:1f.3");
	assert_string_equal(functions[2].bdf, "0001:00:00.0");
	assert_int_equal(functions[1].class_id, 0x0c05);
	free(functions);
}

static void test_ids_and_bars(void **state)
{
	struct function function;

	add_function("0000:00:02.0", "0x00ff00\n");
	assert_int_equal(function_read(root, "0000:00:03.0", &function), -ENOENT);
	assert_int_equal(function_read(root, "0000:00:02.0", &function), 0);
	assert_int_equal(function.vendor_id, 0x1234);
	assert_int_equal(function.device_id, 0x11e8);
	assert_int_equal(function.subvendor_id, 0x1af4);
	assert_int_equal(function.revision, 0x10);
	assert_int_equal(function.bars[0].type, USRPCI_MEMORY_BAR);
	assert_int_equal(function.bars[0].addr, 0xfea00000);
	assert_int_equal(function.bars[0].len, 1 << 20);
	assert_int_equal(function.bars[0].flags, 0);
	assert_int_equal(function.bars[1].type, USRPCI_PORT_BAR);
	assert_int_equal(function.bars[1].addr, 0xc000);
	assert_int_equal(function.bars[2].flags, USRPCI_64BIT | USRPCI_PREFETCHABLE);
	assert_int_equal(function.bars[3].type, USRPCI_NO_BAR);
	assert_int_equal(function.dma_mask_bits, 28);
	assert_false(function.can_reset);
	assert_string_equal(function.driver, "");
}

static void expect_isolation(const char *bdf, const char *isolation, int group)
{
	struct function function;

	assert_int_equal(function_read(root, bdf, &function), 0);
	assert_string_equal(function.isolation, isolation);
	assert_int_equal(function.iommu_group, group);
}

static void test_isolation(void **state)
{
	add_function("0000:00:01.0", "0x020000\n");
	add_function("0000:00:02.0", "0x020000\n");
	add_function("0000:00:03.0", "0x020000\n");
	add_function("0000:00:04.0", "0x020000\n");
	set_group("0000:00:02.0", "2", "DMA\n");
	set_group("0000:00:03.0", "3", "DMA-FQ\n");
	set_group("0000:00:04.0", "4", "identity\n");
	expect_isolation("0000:00:01.0", "none", -1);
	expect_isolation("0000:00:02.0", "strict", 2);
	expect_isolation("0000:00:03.0", "lazy", 3);
	expect_isolation("0000:00:04.0", "passthrough", 4);
	/* Once it's bound, the module's word counts. */
	write_file("sys/class/usrpci/0000:00:04.0", "isolation", "lazy\n");
	expect_isolation("0000:00:04.0", "lazy", 4);
}

static void test_opener(void **state)
{
	struct function function;

	add_function("0000:00:02.0", "0x020000\n");
	write_file("sys/class/usrpci/0000:00:02.0", "opener", "\n");
	assert_int_equal(function_read(root, "0000:00:02.0", &function), 0);
	assert_int_equal(function.opener_pid, 0);
	write_file("sys/class/usrpci/0000:00:02.0", "opener", "123 my driver\033\n");
	assert_int_equal(function_read(root, "0000:00:02.0", &function), 0);
	assert_int_equal(function.opener_pid, 123);
	assert_string_equal(function.opener, "my driver?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sorted),
		TEST(test_ids_and_bars),
		TEST(test_isolation),
		TEST(test_opener),
	};

	return cmocka_run_group_tests_name("function", tests, NULL, NULL);
}
