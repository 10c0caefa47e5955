// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "scene.h"

void must(struct scene *s, const char *what, int err)
{
	if (err)
		campaign_fault(s->c, "%s: %s, with nothing failed: %s", s->q->name, what,
			       strerror(-err));
}

int open_it(struct scene *s)
{
	int fd = function_open(s->bdf);

	s->fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

void close_it(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int setup_open(struct scene *s)
{
	uint32_t id;
	int err = open_it(s);

	if (err)
		return err;
	s->info = function_info(s->fd);
	s->bar = function_bar(s->fd, 0);
	/* It asks once where configuration space lies, and not while calls fail. */
	return config_read(s->fd, 0, 4, &id);
}

/* Also where a call that was to fail is what takes the map away. */
void unmap_memory(void *addr, size_t len)
{
	while (munmap(addr, len) && errno == ENOMEM)
		;
}

static int map_file(struct scene *s, size_t len, uint64_t offset, unsigned char **map)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, offset);

	*map = addr == MAP_FAILED ? NULL : addr;
	return addr == MAP_FAILED ? -errno : 0;
}

int map_bar(struct scene *s)
{
	s->map_len = s->bar.windows[0].len;
	return map_file(s, s->map_len, s->bar.offset + s->bar.windows[0].offset, &s->map);
}

void unmap_bar(struct scene *s)
{
	if (s->map)
		unmap_memory(s->map, s->map_len);
	s->map = NULL;
}

int map_coherent(struct scene *s)
{
	return map_file(s, s->buffer.len, s->buffer.mmap_offset, &s->coherent);
}

void unmap_coherent(struct scene *s)
{
	if (s->coherent)
		unmap_memory(s->coherent, s->buffer.len);
	s->coherent = NULL;
}

int touch_all(volatile unsigned char *addr, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += PAGE)
		if (touch(addr + at))
			return -EFAULT;
	return 0;
}

/* @nr regions of @pages each, one after the other in the pool, that begin inside a page. */
void choose_regions(struct scene *s, unsigned int nr, size_t pages, unsigned int direction)
{
	size_t skew = pages * nr < POOL_PAGES ? s->skew : 0;
	unsigned int i;

	s->nr = nr;
	for (i = 0; i < nr; i++)
		s->regions[i] = function_region(s->pool + skew + i * pages * PAGE, pages * PAGE,
						direction);
}

static bool regions_are_mapped(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		s->handles[i] = s->regions[i].handle;
		if (!s->handles[i] || function_sync(s->fd, s->handles[i], USRPCI_SYNC_FOR_CPU, 0,
						    s->regions[i].len))
			return false;
	}
	return true;
}

int map_regions(struct scene *s)
{
	return function_map_regions(s->fd, s->regions, s->nr, NULL);
}

int map_and_note(struct scene *s, unsigned int nr, size_t pages)
{
	int err;

	choose_regions(s, nr, pages, USRPCI_BIDIRECTIONAL);
	err = map_regions(s);
	return err ?: regions_are_mapped(s) ? 0 : -EBADMSG;
}

void undo_map(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		s->handles[i] = s->regions[i].handle;
	must(s, "unmap", function_unmap(s->fd, s->handles, s->nr));
}

unsigned int vectors(struct scene *s)
{
	if (s->q->kind != USRPCI_IRQ_MSIX)
		return 1;
	return s->q->n < MAX_VECTORS ? s->q->n : MAX_VECTORS;
}

void end_unmap_close(struct scene *s)
{
	unmap_bar(s);
	unmap_coherent(s);
	close_it(s);
}

int reap(pid_t pid, int wanted)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status == wanted ? 0 : -ECHILD;
}
