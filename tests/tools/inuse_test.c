// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What tells that a function is in use, against a made-up tree: a fake sys/,
 * proc/ and dev/ below a temporary folder, laid out as the kernel lays them.
 */
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
#include "inuse.h"

#define BDF	"0000:00:04.0"
#define DEVICE	"sys/devices/pci0000:00/" BDF

struct tree {
	char root[64];
	char said[4096];	/* "what | command\n" of each use */
};

static void make_dirs(const char *path)
{
	char copy[PATH_MAX], *slash;

	snprintf(copy, sizeof(copy), "%s", path);
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(copy, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static void write_file(const struct tree *tree, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", tree->root, path);
	make_dirs(full);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* A link to another place of the tree, relative as the kernel's are. */
static void make_link(const struct tree *tree, const char *path, const char *target)
{
	char full[PATH_MAX], to[PATH_MAX];
	const char *slash;
	int len = 0;

	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		len += snprintf(to + len, sizeof(to) - len, "../");
	snprintf(to + len, sizeof(to) - len, "%s", target);
	snprintf(full, sizeof(full), "%s/%s", tree->root, path);
	make_dirs(full);
	assert_int_equal(symlink(to, full), 0);
}

static void add_disk(const struct tree *tree, const char *dir, const char *number)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev", dir);
	write_file(tree, path, number);
	snprintf(path, sizeof(path), "%s/subsystem", dir);
	make_link(tree, path, "sys/class/block");
}

static void remember(const struct use *use, void *data)
{
	struct tree *tree = data;
	size_t used = strlen(tree->said);

	snprintf(tree->said + used, sizeof(tree->said) - used, "%s | %s\n",
		 use->what, use->command);
}

static void expect(struct tree *tree, int nr, const char *said)
{
	tree->said[0] = '\0';
	assert_int_equal(inuse_find(tree->root, BDF, remember, tree), nr);
	assert_string_equal(tree->said, said);
}

/* An NVMe function with a disk of one partition. */
static int make_tree(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	snprintf(tree->root, sizeof(tree->root), "/tmp/inuse_test.XXXXXX");
	if (!mkdtemp(tree->root))
		return -1;
	write_file(tree, DEVICE "/vendor", "0x1b36\n");
	make_link(tree, "sys/bus/pci/devices/" BDF, DEVICE);
	add_disk(tree, DEVICE "/nvme/nvme0/nvme0n1", "259:0\n");
	add_disk(tree, DEVICE "/nvme/nvme0/nvme0n1/nvme0n1p1", "259:1\n");
	write_file(tree, "proc/swaps", "Filename\t\t\tType\t\tSize\n");
	write_file(tree, "proc/self/mountinfo",
		   "22 1 0:21 / /proc rw - proc proc rw\n"
		   "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
	*state = tree;
	return 0;
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;
	char command[96];
	int ret;

	snprintf(command, sizeof(command), "rm -rf %s", tree->root);
	ret = system(command);
	free(tree);
	return ret;
}

static void test_unused(void **state)
{
	expect(*state, 0, "");
}

static void test_no_function(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(inuse_find(tree->root, "0000:00:05.0", remember, tree), -ENOENT);
}

static void test_mounted_partition(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:1 / /mnt rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n");
	expect(*state, 1, "/dev/nvme0n1p1 is mounted on /mnt | umount /mnt\n");
}

static void test_mounted_twice(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:0 / /a rw - ext4 /dev/nvme0n1 rw\n"
		   "31 27 259:0 /x /b rw - ext4 /dev/nvme0n1 rw\n");
	expect(*state, 2, "/dev/nvme0n1 is mounted on /a | umount /a\n"
			  "/dev/nvme0n1 is mounted on /b | umount /b\n");
}

static void test_number_not_confused(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:10 / /mnt rw - ext4 /dev/sda1 rw\n"
		   "31 27 25:90 / /mnt2 rw - ext4 /dev/sda2 rw\n");
	expect(*state, 0, "");
}

static void test_escaped_mount_point(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:1 / /my\\040disk rw - ext4 /dev/nvme0n1p1 rw\n");
	expect(*state, 1, "/dev/nvme0n1p1 is mounted on /my disk | umount '/my disk'\n");
}

static void test_quote_in_mount_point(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:1 / /a';b rw - ext4 /dev/nvme0n1p1 rw\n");
	expect(*state, 1, "/dev/nvme0n1p1 is mounted on /a';b | umount '/a'\\'';b'\n");
}

static void test_btrfs_mount(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 0:35 / /mnt rw - btrfs /dev/nvme0n1p1 rw\n");
	expect(*state, 1, "/dev/nvme0n1p1 is mounted on /mnt | umount /mnt\n");
}

static void test_btrfs_second_disk(void **state)
{
	write_file(*state, "proc/self/mountinfo",
		   "30 27 0:35 / /mnt rw - btrfs /dev/sda1 rw\n");
	make_link(*state, "sys/fs/btrfs/1234-5678/devices/nvme0n1p1",
		  DEVICE "/nvme/nvme0/nvme0n1/nvme0n1p1");
	expect(*state, 1, "/dev/nvme0n1p1 is part of a mounted btrfs | "
			  "btrfs filesystem show /dev/nvme0n1p1\n");
}

static void test_swap(void **state)
{
	write_file(*state, "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
		   "/dev/nvme0n1p1 partition\t1048572\t0\t-2\n");
	expect(*state, 1, "/dev/nvme0n1p1 is used as swap | swapoff /dev/nvme0n1p1\n");
}

static void add_holder(const struct tree *tree, const char *name, const char *number)
{
	char path[PATH_MAX], dir[256];

	snprintf(dir, sizeof(dir), "sys/devices/virtual/block/%s", name);
	add_disk(tree, dir, number);
	snprintf(path, sizeof(path), DEVICE "/nvme/nvme0/nvme0n1/nvme0n1p1/holders/%s", name);
	make_link(tree, path, dir);
}

static void test_dm_holder(void **state)
{
	add_holder(*state, "dm-0", "253:0\n");
	write_file(*state, "sys/devices/virtual/block/dm-0/dm/name", "vg-data\n");
	expect(*state, 1, "/dev/nvme0n1p1 is held by dm-0 | dmsetup remove vg-data\n");
}

static void test_md_holder(void **state)
{
	add_holder(*state, "md127", "9:127\n");
	expect(*state, 1, "/dev/nvme0n1p1 is held by md127 | mdadm --stop /dev/md127\n");
}

static void test_other_holder(void **state)
{
	add_holder(*state, "bcache0", "251:0\n");
	expect(*state, 1, "/dev/nvme0n1p1 is held by bcache0 | lsblk /dev/nvme0n1p1\n");
}

static void test_mounted_holder(void **state)
{
	add_holder(*state, "dm-0", "253:0\n");
	write_file(*state, "proc/self/mountinfo",
		   "30 27 253:0 / /srv rw - xfs /dev/mapper/vg-data rw\n");
	expect(*state, 1, "/dev/dm-0 is mounted on /srv | umount /srv\n");
}

/* One path of a multipath disk: the disk itself hangs elsewhere. */
static void test_nvme_multipath(void **state)
{
	write_file(*state, DEVICE "/nvme/nvme7/transport", "pcie\n");
	make_link(*state, "sys/devices/virtual/nvme-subsystem/nvme-subsys7/nvme7",
		  DEVICE "/nvme/nvme7");
	add_disk(*state, "sys/devices/virtual/nvme-subsystem/nvme-subsys7/nvme7n1", "259:7\n");
	make_link(*state, "sys/class/nvme-subsystem/nvme-subsys7",
		  "sys/devices/virtual/nvme-subsystem/nvme-subsys7");
	expect(*state, 0, "");
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:7 / /fast rw - ext4 /dev/nvme7n1 rw\n");
	expect(*state, 1, "/dev/nvme7n1 is mounted on /fast | umount /fast\n");
}

static void test_nvme_of_another_function(void **state)
{
	write_file(*state, "sys/devices/pci0000:00/" BDF "1/nvme/nvme7/transport", "pcie\n");
	make_link(*state, "sys/devices/virtual/nvme-subsystem/nvme-subsys7/nvme7",
		  "sys/devices/pci0000:00/" BDF "1/nvme/nvme7");
	add_disk(*state, "sys/devices/virtual/nvme-subsystem/nvme-subsys7/nvme7n1", "259:7\n");
	make_link(*state, "sys/class/nvme-subsystem/nvme-subsys7",
		  "sys/devices/virtual/nvme-subsystem/nvme-subsys7");
	write_file(*state, "proc/self/mountinfo",
		   "30 27 259:7 / /fast rw - ext4 /dev/nvme7n1 rw\n");
	expect(*state, 0, "");
}

static void test_network(void **state)
{
	make_link(*state, DEVICE "/virtio1/net/eth0/subsystem", "sys/class/net");
	write_file(*state, DEVICE "/virtio1/net/eth0/flags", "0x1002\n");
	expect(*state, 0, "");
	write_file(*state, DEVICE "/virtio1/net/eth0/flags", "0x1003\n");
	expect(*state, 1, "network interface eth0 is up | ip link set eth0 down\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unused),
		TEST(test_no_function),
		TEST(test_mounted_partition),
		TEST(test_mounted_twice),
		TEST(test_number_not_confused),
		TEST(test_escaped_mount_point),
		TEST(test_quote_in_mount_point),
		TEST(test_btrfs_mount),
		TEST(test_btrfs_second_disk),
		TEST(test_swap),
		TEST(test_dm_holder),
		TEST(test_md_holder),
		TEST(test_other_holder),
		TEST(test_mounted_holder),
		TEST(test_nvme_multipath),
		TEST(test_nvme_of_another_function),
		TEST(test_network),
	};

	return cmocka_run_group_tests_name("inuse", tests, NULL, NULL);
}
