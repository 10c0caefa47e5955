/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What the benchmarks' module does for their programs. It's a rival and a clock, and no part
 * of usrpci: nothing here stays the same.
 */
#ifndef BENCH_ABI_H
#define BENCH_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * /dev/usrpci-floor: an htex device, bound to the driver "usrpci-floor", whose misses are served
 * with nothing but what can't be left out. BAR 0 can be mapped, from offset 0.
 */

/* BENCH_FLOOR_START: the caller's memory, by tag 0. The argument: pages are pinned. */
#define BENCH_FLOOR_START	_IO('b', 1)
/* The device forgets all of it. */
#define BENCH_FLOOR_FORGET	_IO('b', 2)

/*
 * /dev/usrpci-watch: how long from a hard interrupt to a function. read() gives what was measured
 * since it was last read, ticks of the TSC in 8 bytes each.
 */

#define BENCH_WATCH_NAME	64
/* Any call of the function will do. */
#define BENCH_WATCH_ANY		(~0U)

/**
 * struct bench_watch - What to measure.
 * @line: Linux's number of the interrupt
 * @arg: the function's argument that has to be @value, from 0; or BENCH_WATCH_ANY
 * @value: see there
 * @until: name of the function
 */
struct bench_watch {
	__u32 line;
	__u32 arg;
	__u64 value;
	char until[BENCH_WATCH_NAME];
};

#define BENCH_WATCH_START	_IOW('b', 3, struct bench_watch)
#define BENCH_WATCH_STOP	_IO('b', 4)
/* The TSC's ticks a ms. */
#define BENCH_WATCH_KHZ		_IO('b', 5)

/*
 * /dev/usrpci-map-floor: a device that is bound to the driver "usrpci-map-floor", to which memory
 * is mapped with nothing but what can't be left out.
 */

/**
 * struct bench_map - Whole pages to map and unmap.
 * @addr: of the first region
 * @len: bytes of each, whole pages
 * @stride: from one to the next
 * @nr: regions, up to 64: all are mapped, then all unmapped
 * @times: how often
 * @hold: they stay mapped till the file is closed; @times is 1
 */
struct bench_map {
	__u64 addr;
	__u64 len;
	__u64 stride;
	__u32 nr;
	__u32 times;
	__u32 hold;
	__u32 reserved;
};

#define BENCH_MAP_RUN		_IOW('b', 6, struct bench_map)

#endif /* BENCH_ABI_H */
