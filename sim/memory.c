// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "memory.h"

#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))
/* No program needs more, and each takes some of ours. */
#define MOST_AREAS	65535

static __thread sigjmp_buf amid_copy;
static __thread volatile sig_atomic_t copying;

static void on_bus_error(int sig)
{
	if (copying)
		siglongjmp(amid_copy, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_bus_errors(void)
{
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };
	sigset_t set;

	sigaction(SIGBUS, &action, NULL);
	/* Who starts a simulator may have blocked all signals, and then this one kills. */
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void sim_memory_init(struct sim_memory *memory)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, catch_bus_errors);
	usrpci_iovas_init(&memory->areas);
	memory->nr = 0;
}

int sim_memory_copy(void *to, const void *from, size_t len)
{
	if (sigsetjmp(amid_copy, 0)) {
		copying = 0;
		return -EFAULT;
	}
	copying = 1;
	memcpy(to, from, len);
	copying = 0;
	return 0;
}

static int map_file(struct sim_area *area, const struct vfio_user_dma_map *map, int fd)
{
	int prot = 0;
	void *at;

	if (map->flags & VFIO_USER_DMA_READABLE)
		prot |= PROT_READ;
	/* Writing alone isn't something that memory can be mapped for everywhere. */
	if (map->flags & VFIO_USER_DMA_WRITEABLE)
		prot |= PROT_READ | PROT_WRITE;
	at = mmap(NULL, map->size, prot, MAP_SHARED, fd, (off_t)map->offset);
	if (at == MAP_FAILED)
		return -errno;
	area->map = at;
	return 0;
}

int sim_memory_map(struct sim_memory *memory, const struct vfio_user_dma_map *map, int fd)
{
	const uint64_t last = map->address + map->size - 1;
	struct usrpci_iova *next = usrpci_iovas_next(&memory->areas, map->address);
	struct sim_area *area;
	int err = 0;

	if (next && next->first <= last)
		return -EEXIST;
	if (memory->nr == MOST_AREAS)
		return -ENOSPC;
	area = calloc(1, sizeof(*area));
	if (!area)
		return -ENOMEM;
	area->flags = map->flags;
	area->iova.first = map->address;
	area->iova.last = last;
	if (fd >= 0)
		err = map_file(area, map, fd);
	if (err) {
		free(area);
		return err;
	}
	usrpci_iovas_take_fixed(&memory->areas, &area->iova);
	memory->nr++;
	return 0;
}

static void drop(struct sim_memory *memory, struct sim_area *area)
{
	usrpci_iovas_give(&memory->areas, &area->iova);
	memory->nr--;
	if (area->map)
		munmap(area->map, area->iova.last - area->iova.first + 1);
	free(area);
}

int sim_memory_unmap(struct sim_memory *memory, uint64_t address, uint64_t size)
{
	const uint64_t last = address + size - 1;
	struct usrpci_iova *iova = usrpci_iovas_next(&memory->areas, address);

	if (iova && iova->first < address)
		return -EINVAL;
	iova = usrpci_iovas_find(&memory->areas, last);
	if (iova && iova->last > last)
		return -EINVAL;
	while ((iova = usrpci_iovas_next(&memory->areas, address)) && iova->first <= last)
		drop(memory, container_of(iova, struct sim_area, iova));
	return 0;
}

void sim_memory_unmap_all(struct sim_memory *memory)
{
	struct usrpci_iova *iova;

	while ((iova = usrpci_iovas_next(&memory->areas, 0)))
		drop(memory, container_of(iova, struct sim_area, iova));
}

struct sim_area *sim_memory_find(const struct sim_memory *memory, uint64_t address,
				 uint32_t flags)
{
	struct usrpci_iova *iova = usrpci_iovas_find(&memory->areas, address);
	struct sim_area *area = iova ? container_of(iova, struct sim_area, iova) : NULL;

	return area && area->flags & flags ? area : NULL;
}
