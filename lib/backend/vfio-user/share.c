// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Which descriptor a piece of memory is a map of, so that the server can map it too. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "vfio-user.h"

/** struct area - A line of /proc/self/maps. */
struct area {
	uintptr_t start;
	uintptr_t end;
	char prot[8];
	uint64_t offset;
	dev_t dev;
	ino_t inode;
};

static bool parse_area(const char *line, struct area *area)
{
	unsigned int major, minor;
	uint64_t inode;

	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %" SCNx64 " %x:%x %" SCNu64,
		   &area->start, &area->end, area->prot, &area->offset, &major, &minor,
		   &inode) != 7)
		return false;
	area->dev = makedev(major, minor);
	area->inode = inode;
	return true;
}

/* The area that holds all of @start to @end, if one does. */
static bool find_area(uintptr_t start, uintptr_t end, struct area *area)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	if (!maps)
		return false;
	while (!found && getline(&line, &room, maps) > 0)
		found = parse_area(line, area) && area->start <= start && area->end >= end;
	free(line);
	fclose(maps);
	return found;
}

/* Whether @fd is the area's file, open for as much. */
static bool is_file_of(int fd, const struct area *area)
{
	const int access = area->prot[1] == 'w' ? O_RDWR : O_RDONLY;
	struct stat st;
	int flags;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_dev != area->dev ||
	    st.st_ino != area->inode)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && !(flags & O_PATH) &&
	       ((flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == access);
}

bool usrpci_socket_stays(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;

	return seals >= 0 && seals & F_SEAL_SHRINK && !fstatfs(fd, &fs) &&
	       fs.f_type != HUGETLBFS_MAGIC;
}

/* A copy, since another thread may close @fd and open something else in its place; or -1. */
static int copy_if(int fd, const struct area *area, bool trusted)
{
	int copy;

	if (!is_file_of(fd, area))
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0 || (is_file_of(copy, area) && (trusted || usrpci_socket_stays(copy))))
		return copy;
	close(copy);
	return -1;
}

static int find_descriptor(const struct area *area, bool trusted)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	if (!dir)
		return -1;
	while (found < 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			found = copy_if(atoi(entry->d_name), area, trusted);
	closedir(dir);
	return found;
}

/*
 * Whether a page that is there could be shared: else the list of areas, which may be long, needn't
 * be read. Source: Linux, Documentation/admin-guide/mm/pagemap.rst.
 */
static bool may_be_shared(uintptr_t start, uintptr_t page)
{
	const uint64_t file_or_shared = 1ULL << 61;
	uint64_t entry = file_or_shared;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	if (pread(fd, &entry, sizeof(entry), (off_t)(start / page * sizeof(entry))) < 0)
		entry = file_or_shared;
	close(fd);
	return entry & file_or_shared;
}

/* Linux 5.14 and later. */
static bool can_populate(uintptr_t page)
{
	int here = 0;

	return !madvise((void *)((uintptr_t)&here & ~(page - 1)), page, MADV_POPULATE_READ);
}

/* Memory has to be there, and allow what the device does to it. */
static int populate(const struct usrpci_dma *dma)
{
	const int how = dma->direction == USRPCI_DMA_TO_DEVICE ? MADV_POPULATE_READ :
							       MADV_POPULATE_WRITE;
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t start = (uintptr_t)dma->addr & ~(page - 1);
	const uintptr_t end = (uintptr_t)dma->addr + dma->len;

	if (!madvise((void *)start, end - start, how))
		return 0;
	/* Else it's found out when the device comes. */
	return errno != EINVAL || can_populate(page) ? -EFAULT : 0;
}

/* -1 if there's none: the server then asks for the bytes. */
int usrpci_socket_find_fd(const struct usrpci_dma *dma, bool trusted, uint64_t *offset)
{
	const uintptr_t start = (uintptr_t)dma->addr, end = start + dma->len;
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct area area;
	int fd, err = populate(dma);

	if (err)
		return err;
	if (!may_be_shared(start, page) || !find_area(start, end, &area) ||
	    area.prot[3] != 's' || !area.inode)
		return -1;
	fd = find_descriptor(&area, trusted);
	if (fd >= 0)
		*offset = area.offset + ((start - area.start) & ~(page - 1));
	return fd;
}
