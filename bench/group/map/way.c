// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../../module/abi.h"
#include "../../rival/function.h"
#include "way.h"

/* Bus addresses of VFIO's are the program's choice. */
#define IOVA	(1ULL << 28)
#define LARGEST	(64UL << 20)

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

void way_open(struct way *way, const char *address, enum way_kind kind)
{
	*way = (struct way){ .kind = kind };
	switch (kind) {
	case BY_USRPCI:
		function_give(address, "usrpci");
		must(usrpci_open(&way->dev, address), address);
		way->sg = calloc(usrpci_sg_room(LARGEST), sizeof(*way->sg));
		if (!way->sg)
			err(1, "memory");
		break;
	case BY_VFIO:
		vfio_open(&way->vfio, address);
		break;
	case BY_FLOOR:
		function_give(address, "usrpci-map-floor");
		way->floor = open("/dev/usrpci-map-floor", O_RDWR | O_CLOEXEC);
		if (way->floor < 0)
			err(1, "/dev/usrpci-map-floor");
		break;
	}
}

void way_close(struct way *way)
{
	switch (way->kind) {
	case BY_USRPCI:
		usrpci_close(way->dev);
		free(way->sg);
		break;
	case BY_VFIO:
		vfio_close(&way->vfio);
		break;
	case BY_FLOOR:
		close(way->floor);
		break;
	}
}

static void map_usrpci(struct way *way, const struct work *work, uint32_t *handles)
{
	const unsigned int room = usrpci_sg_room(work->len);
	struct usrpci_mapping maps[REGIONS];
	unsigned int i;

	for (i = 0; i < work->nr; i++)
		maps[i] = (struct usrpci_mapping){
			.addr = work->memory + i * work->stride,
			.len = work->len,
			.sg = way->sg + i * room,
			.nr_sg = room,
		};
	must(usrpci_map(way->dev, maps, work->nr), "map");
	for (i = 0; i < work->nr; i++)
		handles[i] = maps[i].handle;
}

/* It has no call for several; one takes back what lies in a row. */
static void map_vfio(struct way *way, const struct work *work)
{
	unsigned int i;

	for (i = 0; i < work->nr; i++)
		vfio_map(&way->vfio, work->memory + i * work->stride, work->len,
			 IOVA + i * work->len);
}

static void run_floor(struct way *way, const struct work *work, unsigned int times, bool hold)
{
	const struct bench_map map = {
		.addr = (uintptr_t)work->memory, .len = work->len, .stride = work->stride,
		.nr = work->nr, .times = times, .hold = hold,
	};

	if (ioctl(way->floor, BENCH_MAP_RUN, &map))
		err(1, "floor");
}

void way_run(struct way *way, const struct work *work, unsigned int times)
{
	uint32_t handles[REGIONS];

	if (way->kind == BY_FLOOR) {
		run_floor(way, work, times, false);
		return;
	}
	while (times--) {
		if (way->kind == BY_USRPCI) {
			map_usrpci(way, work, handles);
			must(usrpci_unmap(way->dev, handles, work->nr), "unmap");
		} else {
			map_vfio(way, work);
			vfio_unmap(&way->vfio, work->nr * work->len, IOVA);
		}
	}
}

void way_hold(struct way *way, const struct work *work)
{
	struct usrpci_mapping map = { .addr = work->memory, .len = work->len };
	unsigned int i;

	if (way->kind == BY_FLOOR)
		run_floor(way, work, 1, true);
	for (i = 0; i < work->nr && way->kind == BY_USRPCI; i++)
		must(usrpci_map(way->dev, &map, 1), "map");
}
