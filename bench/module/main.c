// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/module.h>

#include "floor.h"
#include "map.h"
#include "watch.h"

static int __init bench_init(void)
{
	int err;

	err = bench_watch_init();
	if (err)
		return err;
	err = bench_floor_init();
	if (err)
		goto out_watch;
	err = bench_map_init();
	if (err)
		goto out_floor;
	return 0;

out_floor:
	bench_floor_exit();
out_watch:
	bench_watch_exit();
	return err;
}

static void __exit bench_exit(void)
{
	bench_map_exit();
	bench_floor_exit();
	bench_watch_exit();
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("What usrpci's benchmarks compare it to, and measure by");
MODULE_LICENSE("GPL");
