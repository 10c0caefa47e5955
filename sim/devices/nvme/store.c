// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The blocks lie in a file, or in memory that looks like one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#include "controller.h"

#define DEFAULT_SIZE	"64M"
#define MAX_SIZE	(1ULL << 50)

uint64_t sim_nvme_parse_size(const char *text)
{
	static const char units[] = "KMG";
	unsigned long long value;
	unsigned int shift = 0;
	const char *unit;
	char *end;

	value = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	return *end || value > MAX_SIZE >> shift ? 0 : value << shift;
}

static const char *open_file(struct nvme_store *store, const char *path, uint64_t *size)
{
	off_t end;

	store->fd = open(path, O_RDWR | O_CLOEXEC);
	if (store->fd < 0)
		return errno == ENOENT ? "there is no such file" : "the file can't be written to";
	if (flock(store->fd, LOCK_EX | LOCK_NB))
		return "another simulator has the file";
	end = lseek(store->fd, 0, SEEK_END);
	*size = end > 0 ? (uint64_t)end : 0;
	return NULL;
}

static const char *open_memory(struct nvme_store *store, const char *text, uint64_t *size)
{
	*size = sim_nvme_parse_size(text ? text : DEFAULT_SIZE);
	if (!*size)
		return "size takes bytes, with K, M or G if you like";
	store->fd = memfd_create("usrpci-sim-nvme", MFD_CLOEXEC);
	if (store->fd < 0 || ftruncate(store->fd, (off_t)*size))
		return "there isn't that much memory";
	return NULL;
}

static const char *open_store(struct nvme_store *store, const struct sim *sim)
{
	const char *file = sim_option(sim, "file"), *size = sim_option(sim, "size");
	const char *block = sim_option(sim, "block"), *why;
	uint64_t len = 0;

	if (block && strcmp(block, "512") && strcmp(block, "4096"))
		return "block takes 512 or 4096";
	if (file && size)
		return "file and size exclude each other";
	store->shift = block && !strcmp(block, "4096") ? 12 : 9;
	why = file ? open_file(store, file, &len) : open_memory(store, size, &len);
	if (why)
		return why;
	store->blocks = len >> store->shift;
	if (!store->blocks)
		return "it would have no block";
	/* Past the end nothing is lost by it. */
	store->punches = !fallocate(store->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    (off_t)len, 4096);
	return NULL;
}

int sim_nvme_store_open(struct nvme_store *store, const struct sim *sim, const char **why)
{
	const char *wrong;

	store->fd = -1;
	wrong = open_store(store, sim);
	if (!wrong)
		return 0;
	sim_nvme_store_close(store);
	*why = wrong;
	return -EINVAL;
}

void sim_nvme_store_close(struct nvme_store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
}

int sim_nvme_store_read(const struct nvme_store *store, uint64_t block, void *buf, size_t len)
{
	off_t at = (off_t)(block << store->shift);
	size_t done = 0;
	ssize_t some;

	while (done < len) {
		some = pread(store->fd, (char *)buf + done, len - done, at + (off_t)done);
		/* A file may have become shorter. */
		if (some <= 0)
			return some ? -errno : -EIO;
		done += (size_t)some;
	}
	return 0;
}

int sim_nvme_store_write(const struct nvme_store *store, uint64_t block, const void *buf,
			 size_t len)
{
	off_t at = (off_t)(block << store->shift);
	size_t done = 0;
	ssize_t some;

	while (done < len) {
		some = pwrite(store->fd, (const char *)buf + done, len - done, at + (off_t)done);
		if (some <= 0)
			return some ? -errno : -EIO;
		done += (size_t)some;
	}
	return 0;
}

int sim_nvme_store_clear(const struct nvme_store *store, uint64_t block, uint64_t nr)
{
	if (!nr)
		return 0;
	if (fallocate(store->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(block << store->shift), (off_t)(nr << store->shift)))
		return -errno;
	return 0;
}

int sim_nvme_store_flush(const struct nvme_store *store)
{
	return fdatasync(store->fd) ? -errno : 0;
}
