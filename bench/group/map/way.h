/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The ways in which memory is mapped for a device: by usrpci, by VFIO's own calls, by the floor,
 * bench/module/map.c. Functions end the program when they fail.
 */
#ifndef BENCH_MAP_WAY_H
#define BENCH_MAP_WAY_H

#include <usrpci.h>
#include "../../rival/vfio.h"

#define REGIONS	64U

enum way_kind {
	BY_USRPCI,
	BY_VFIO,
	BY_FLOOR,
};

/**
 * struct way - A device that memory can be mapped for.
 * @kind: the way
 * @dev: usrpci's
 * @vfio: VFIO's
 * @floor: descriptor of the floor's file
 * @sg: room for bus addresses, which a program of usrpci's asks for
 */
struct way {
	enum way_kind kind;
	struct usrpci_device *dev;
	struct vfio vfio;
	int floor;
	struct usrpci_sg *sg;
};

/** struct work - @nr regions of @len bytes, so far from each other. */
struct work {
	char *memory;
	size_t len;
	size_t stride;
	unsigned int nr;
};

void way_open(struct way *way, const char *address, enum way_kind kind);
void way_close(struct way *way);

/* All are mapped, then unmapped, so many times. */
void way_run(struct way *way, const struct work *work, unsigned int times);

/* By usrpci or the floor: all are the first region, and stay mapped till way_close(). */
void way_hold(struct way *way, const struct work *work);

#endif /* BENCH_MAP_WAY_H */
