// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

#define REPEATED	8	/* times in a region */

int act_map(struct scene *s)
{
	choose_regions(s, 1, s->q->n, s->q->kind);
	return map_regions(s);
}

static int act_map_many(struct scene *s)
{
	choose_regions(s, s->q->n, 2, s->q->kind);
	return map_regions(s);
}

/* A few bytes, some of them in the next page. */
static int act_map_bytes(struct scene *s)
{
	s->nr = 1;
	s->regions[0] = function_region(s->pool + PAGE - 3, s->q->n, s->q->kind);
	return map_regions(s);
}

static int act_map_runs(struct scene *s)
{
	uint64_t total = 0;
	unsigned int i;
	int err;

	choose_regions(s, 1, s->q->n, s->q->kind);
	memset(s->runs, 0, sizeof(s->runs));
	s->regions[0].sg = (uintptr_t)s->runs;
	s->regions[0].nr_sg = ARRAY_SIZE(s->runs);
	err = map_regions(s);
	if (err)
		return err;
	for (i = 0; i < s->regions[0].nr_sg; i++)
		total += s->runs[i].len;
	return total == s->regions[0].len ? 0 : -EBADMSG;
}

/* Too little room is what it should say; enough, where an IOMMU makes one run of all. */
static int act_map_short(struct scene *s)
{
	unsigned int i;
	int err;

	choose_regions(s, s->q->n, 8, s->q->kind);
	for (i = 0; i < s->nr; i++) {
		s->regions[i].sg = (uintptr_t)s->runs;
		s->regions[i].nr_sg = 1;
	}
	err = map_regions(s);
	if (err == -ENOSPC)
		s->nr = 0;
	return err == -ENOSPC ? 0 : err;
}

static void undo_map_short(struct scene *s)
{
	if (s->nr)
		undo_map(s);
}

/* Neighbours that don't lie side by side in memory, since all are the same page. */
static int setup_repeated(struct scene *s)
{
	int fd = memfd_create("page", MFD_CLOEXEC);
	size_t at;

	s->map_len = REPEATED * s->q->n * PAGE;
	s->map = mmap(NULL, s->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->map == MAP_FAILED || ftruncate(fd, PAGE))
		return -errno;
	for (at = 0; at < s->map_len; at += PAGE)
		if (mmap(s->map + at, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			return -errno;
	close(fd);
	return setup_open(s);
}

/* Room for real neighbours: that's enough where an IOMMU makes them some. */
static int act_map_repeated(struct scene *s)
{
	bool merged = s->info.isolation >= USRPCI_ISOLATION_LAZY;
	unsigned int i;
	int err;

	s->nr = s->q->n;
	for (i = 0; i < s->nr; i++) {
		s->regions[i] = function_region(s->map + i * REPEATED * PAGE, REPEATED * PAGE,
						s->q->kind);
		s->regions[i].sg = (uintptr_t)s->runs;
		s->regions[i].nr_sg = 1;
	}
	err = map_regions(s);
	if (merged || err != -ENOSPC)
		return err ?: merged ? 0 : -EBADMSG;
	for (i = 0; i < s->q->n; i++)
		err = s->regions[i].nr_sg > 1 ? err : -EBADMSG;
	s->nr = 0;
	return err == -ENOSPC ? 0 : err;
}

static int act_map_no_bounce(struct scene *s)
{
	int err;

	choose_regions(s, 1, s->q->n, s->q->kind);
	s->regions[0].flags = USRPCI_MAP_NO_BOUNCE;
	err = map_regions(s);
	if (err == -ERANGE)
		s->nr = 0;
	return err == -ERANGE ? 0 : err;
}

/* Where a page lies that the process may read and not write. */
static int setup_read_only(struct scene *s)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	s->map_len = s->q->n * PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return s->map == MAP_FAILED ? -EIO : setup_open(s) ?: touch_all(s->map, s->map_len);
}

static int act_map_there(struct scene *s)
{
	s->nr = 1;
	s->regions[0] = function_region(s->map, s->map_len, USRPCI_TO_DEVICE);
	return map_regions(s);
}

/* A shared map whose owner wants to know of each write: a ring of the kernel's. */
static int setup_noted(struct scene *s)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	s->map_len = 2 * PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return s->map == MAP_FAILED ? -EIO : setup_open(s) ?: touch_all(s->map, s->map_len);
}

static int setup_mapped(struct scene *s)
{
	return setup_open(s) ?: map_and_note(s, s->q->n, 2);
}

int act_unmap(struct scene *s)
{
	return function_unmap(s->fd, s->handles, s->nr);
}

static int setup_mapped_both(struct scene *s)
{
	int err = setup_open(s) ?: map_and_note(s, s->q->n, 2) ?:
		  function_coherent(s->fd, PAGE, &s->buffer);

	s->handles[s->nr++] = s->buffer.handle;
	return err;
}

static int act_sync(struct scene *s)
{
	return function_sync(s->fd, s->handles[0], s->q->kind, 0, s->regions[0].len);
}

static int act_sync_part(struct scene *s)
{
	return function_sync(s->fd, s->handles[0], s->q->kind, 100, PAGE);
}

static const struct sequence sequences[] = {
	{ "map to device", EDU, .n = 1, .kind = TO, OPENED, .act = act_map, .undo = undo_map },
	{ "map from device", EDU, .n = 1, .kind = FROM, OPENED, .act = act_map, .undo = undo_map },
	{ "map both ways", EDU, .n = 3, .kind = BOTH, OPENED, .act = act_map, .undo = undo_map },
	{ "map some", EDU, .n = 40, .kind = TO, OPENED, .act = act_map, .undo = undo_map },
	{ "map many", EDU, .n = 600, .kind = FROM, OPENED, .act = act_map, .undo = undo_map },
	{ "map bytes", EDU, .n = 7, .kind = BOTH, OPENED, .act = act_map_bytes, .undo = undo_map },
	{ "map read-only", EDU, .n = 3, .setup = setup_read_only, .act = act_map_there,
	  .undo = undo_map, .end = end_unmap_close },
	{ "map a noted file", EDU, .setup = setup_noted, .act = act_map_there, .undo = undo_map,
	  .end = end_unmap_close },
	{ "map regions", EDU, .n = 8, .kind = TO, OPENED, .act = act_map_many, .undo = undo_map },
	{ "map many regions", EDU, .n = MAX_REGIONS, .kind = FROM, OPENED, .act = act_map_many,
	  .undo = undo_map },
	{ "map for runs", EDU, .n = 70, .kind = BOTH, OPENED, .act = act_map_runs,
	  .undo = undo_map },
	{ "map with too little room", EDU, .n = 5, .kind = TO, OPENED, .act = act_map_short,
	  .undo = undo_map_short },
	{ "map a repeated page", EDU, .n = 4, .kind = TO, .setup = setup_repeated,
	  .act = act_map_repeated, .undo = undo_map_short, .end = end_unmap_close },
	{ "map with no bounce", EDU, .n = 9, .kind = FROM, OPENED, .act = act_map_no_bounce,
	  .undo = undo_map_short },
	{ "unmap", EDU, .n = 1, .setup = setup_mapped, .act = act_unmap,
	  .end = close_it },
	{ "unmap many", EDU, .n = 30, .setup = setup_mapped, .act = act_unmap,
	  .end = close_it },
	{ "unmap both kinds", EDU, .n = 3, .setup = setup_mapped_both,
	  .act = act_unmap, .end = close_it },
	{ "sync for the CPU", EDU, .n = 1, .kind = CPU, .setup = setup_mapped, .act = act_sync,
	  .end = close_it },
	{ "sync for the device", EDU, .n = 1, .kind = DEVICE, .setup = setup_mapped,
	  .act = act_sync_part, .end = close_it },
};

const struct group mapping_group = GROUP(sequences);
