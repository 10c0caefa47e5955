// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A disk counts as used when it, one of its partitions or something stacked on
 * them is mounted or swapped to. What this can't name (ZFS, a mount in another
 * namespace) still has claimed the block device, so opening that with O_EXCL
 * fails: the last resort.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "inuse.h"
#include "sysfs.h"

struct search {
	const char *root;
	void (*found)(const struct use *use, void *data);
	void *data;
	int nr;
};

/* A block device: its folder in sysfs, its name there, its number. */
struct disk {
	const char *dir;
	const char *name;
	unsigned int major;
	unsigned int minor;
};

static void __attribute__((format(printf, 3, 4)))
report(struct search *search, const char *command, const char *format, ...)
{
	struct use use = { .command = command };
	va_list args;
	char *what;

	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = NULL;
	va_end(args);
	use.what = what ? what : "a disk or network interface is in use";
	search->found(&use, search->data);
	search->nr++;
	free(what);
}

static void __attribute__((format(printf, 3, 4)))
make_text(char *text, size_t len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, len, format, args);
	va_end(args);
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			const char octal[] = { text[1], text[2], text[3], '\0' };

			*to++ = (char)strtol(octal, NULL, 8);
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* A command that can be pasted: a path with odd characters is quoted. */
static void make_command(char *command, size_t len, const char *verb, const char *path)
{
	const char *plain = "/-_.,:@%+="
			    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool odd = path[strspn(path, plain)];
	FILE *out = fmemopen(command, len, "w");

	*command = '\0';
	if (!out)
		return;
	fprintf(out, odd ? "%s '" : "%s ", verb);
	for (; *path; path++) {
		/* In single quotes only these can't stand. */
		if (*path == '\'')
			fputs("'\\''", out);
		else
			fputc(*path, out);
	}
	if (odd)
		fputc('\'', out);
	fclose(out);
}

/* Whether a path that a user gave to mount or swapon is the disk. */
static bool is_disk(const struct search *search, const struct disk *disk, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	if (!strncmp(path, "/dev/", 5) && !strcmp(path + 5, disk->name))
		return true;
	make_text(full, sizeof(full), "%s%s", search->root, path);
	return path[0] == '/' && !stat(full, &st) && S_ISBLK(st.st_mode) &&
	       st.st_rdev == makedev(disk->major, disk->minor);
}

static void report_mount(struct search *search, const struct disk *disk, const char *where)
{
	char command[PATH_MAX + 16];

	make_command(command, sizeof(command), "umount", where);
	report(search, command, "/dev/%s is mounted on %s", disk->name, where);
}

/* proc(5): "36 35 98:0 /root /mnt options... - ext4 /dev/sda1 options" */
static void check_mount_line(struct search *search, const struct disk *disk, char *line)
{
	char where[PATH_MAX], source[PATH_MAX], *rest;
	unsigned int major, minor;

	if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &major, &minor, where) != 3)
		return;
	rest = strstr(line, " - ");
	if (!rest || sscanf(rest, " - %*s %4095s", source) != 1)
		*source = '\0';
	unescape(where);
	unescape(source);
	/* btrfs and others have a number of their own: go by the source. */
	if ((major == disk->major && minor == disk->minor) ||
	    (!major && is_disk(search, disk, source)))
		report_mount(search, disk, where);
}

static void check_swap_line(struct search *search, const struct disk *disk, char *line)
{
	char path[PATH_MAX], command[PATH_MAX + 16];

	if (sscanf(line, "%4095s", path) != 1)
		return;
	unescape(path);
	if (!is_disk(search, disk, path))
		return;
	make_command(command, sizeof(command), "swapoff", path);
	report(search, command, "/dev/%s is used as swap", disk->name);
}

static void check_lines(struct search *search, const struct disk *disk, const char *path,
			void (*check)(struct search *search, const struct disk *disk, char *line))
{
	char full[PATH_MAX], *line = NULL;
	size_t len = 0;
	FILE *file;

	make_text(full, sizeof(full), "%s%s", search->root, path);
	file = fopen(full, "re");
	if (!file)
		return;
	while (getline(&line, &len, file) > 0)
		check(search, disk, line);
	free(line);
	fclose(file);
}

static void report_holder(struct search *search, const struct disk *disk,
			  const char *holder, const char *dir)
{
	char command[PATH_MAX], name[NAME_MAX + 1];

	if (!sysfs_text(name, sizeof(name), "%s/dm/name", dir))
		make_command(command, sizeof(command), "dmsetup remove", name);
	else if (!strncmp(holder, "md", 2))
		make_text(command, sizeof(command), "mdadm --stop /dev/%s", holder);
	else
		make_text(command, sizeof(command), "lsblk /dev/%s", disk->name);
	report(search, command, "/dev/%s is held by %s", disk->name, holder);
}

static void check_disk(struct search *search, const char *dir);

/* What is mounted from a holder has to go before the holder can. */
static void check_holders(struct search *search, const struct disk *disk)
{
	char pattern[PATH_MAX], dir[PATH_MAX];
	glob_t holders;
	size_t i;
	int before;

	make_text(pattern, sizeof(pattern), "%s/holders/*", disk->dir);
	if (glob(pattern, 0, NULL, &holders))
		return;
	for (i = 0; i < holders.gl_pathc; i++) {
		if (!realpath(holders.gl_pathv[i], dir))
			continue;
		before = search->nr;
		check_disk(search, dir);
		if (search->nr == before)
			report_holder(search, disk, strrchr(dir, '/') + 1, dir);
	}
	globfree(&holders);
}

/* Each disk of a mounted btrfs is listed there, the mount names but one. */
static void check_btrfs(struct search *search, const struct disk *disk)
{
	char pattern[PATH_MAX], command[64];
	glob_t found;

	make_text(pattern, sizeof(pattern), "%s/sys/fs/btrfs/*/devices/%s",
		  search->root, disk->name);
	if (glob(pattern, 0, NULL, &found))
		return;
	make_text(command, sizeof(command), "btrfs filesystem show /dev/%.31s", disk->name);
	report(search, command, "/dev/%s is part of a mounted btrfs", disk->name);
	globfree(&found);
}

static bool claimed(const struct search *search, const struct disk *disk)
{
	char path[PATH_MAX];
	int fd;

	make_text(path, sizeof(path), "%s/dev/%s", search->root, disk->name);
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

static void check_disk(struct search *search, const char *dir)
{
	struct disk disk = { .dir = dir, .name = strrchr(dir, '/') + 1 };
	char number[32], command[PATH_MAX];
	int before = search->nr;

	if (sysfs_text(number, sizeof(number), "%s/dev", dir) ||
	    sscanf(number, "%u:%u", &disk.major, &disk.minor) != 2)
		return;
	check_lines(search, &disk, "/proc/self/mountinfo", check_mount_line);
	check_lines(search, &disk, "/proc/swaps", check_swap_line);
	check_holders(search, &disk);
	if (search->nr == before)
		check_btrfs(search, &disk);
	/* A partition that was reported claims its disk too. */
	if (!search->nr && claimed(search, &disk)) {
		make_text(command, sizeof(command), "lsblk /dev/%s", disk.name);
		report(search, command, "/dev/%s is claimed by a filesystem or another program",
		       disk.name);
	}
}

static void check_network(struct search *search, const char *dir)
{
	const char *name = strrchr(dir, '/') + 1;
	char flags[32], command[IFNAMSIZ + 32];

	if (sysfs_text(flags, sizeof(flags), "%s/flags", dir) ||
	    !(strtoul(flags, NULL, 0) & IFF_UP))
		return;
	make_text(command, sizeof(command), "ip link set %.*s down", IFNAMSIZ, name);
	report(search, command, "network interface %s is up", name);
}

/* Looks at each folder at or below @dir that is a block device or a network. */
static int check_tree(struct search *search, const char *dir)
{
	char class[NAME_MAX + 1];
	FTSENT *entry;
	FTS *tree;

	tree = fts_open((char *const []){ (char *)dir, NULL },
			FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (!tree)
		return -errno;
	/* In post-order, partitions come before the disk that they claim. */
	while ((entry = fts_read(tree))) {
		if (entry->fts_info != FTS_DP ||
		    sysfs_link(class, sizeof(class), "%s/subsystem", entry->fts_path))
			continue;
		if (!strcmp(class, "block"))
			check_disk(search, entry->fts_path);
		else if (!strcmp(class, "net"))
			check_network(search, entry->fts_path);
	}
	fts_close(tree);
	return 0;
}

/* Disks of NVMe multipath hang below the subsystem, not below a controller. */
static int check_nvme(struct search *search, const char *dir)
{
	char pattern[PATH_MAX], path[PATH_MAX];
	size_t len = strlen(dir), i;
	glob_t controllers;
	int ret = 0;

	make_text(pattern, sizeof(pattern), "%s/sys/class/nvme-subsystem/*/nvme*", search->root);
	if (glob(pattern, 0, NULL, &controllers))
		return 0;
	for (i = 0; i < controllers.gl_pathc && !ret; i++) {
		if (!realpath(controllers.gl_pathv[i], path) ||
		    strncmp(path, dir, len) || path[len] != '/')
			continue;
		*strrchr(controllers.gl_pathv[i], '/') = '\0';
		if (realpath(controllers.gl_pathv[i], path))
			ret = check_tree(search, path);
	}
	globfree(&controllers);
	return ret;
}

int inuse_find(const char *root, const char *bdf,
	       void (*found)(const struct use *use, void *data), void *data)
{
	struct search search = { .root = root, .found = found, .data = data };
	char link[PATH_MAX], dir[PATH_MAX];
	int ret;

	make_text(link, sizeof(link), "%s/sys/bus/pci/devices/%s", root, bdf);
	if (!realpath(link, dir))
		return -errno;
	ret = check_tree(&search, dir);
	if (!ret)
		ret = check_nvme(&search, dir);
	return ret ? ret : search.nr;
}
