// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * An NVMe disk, by usrpci's driver and by the kernel's. In a VM, where one is whose data nobody
 * wants.
 *
 *    nvme RESULTS.json all
 */
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <nvme/nvme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../finding.h"
#include "../meter.h"
#include "../rival/function.h"
#include "../rival/vfio.h"
#include "../rounds.h"
#include "nvme/load.h"

#define WAIT_MS	10000U

static const char *address;

/** struct job - A load, its name, and whether there's a goal. */
struct job {
	const char *name;
	struct load load;
	bool goal;
};

static const struct job jobs[] = {
	{ "random read of 4 KiB, depth 1", { false, true, 4096, 1, 1000 }, true },
	{ "random read of 4 KiB, depth 32", { false, true, 4096, 32, 2000 }, true },
	{ "random read of 4 KiB, depth 256", { false, true, 4096, 256, 2000 }, false },
	{ "random write of 4 KiB, depth 1", { true, true, 4096, 1, 1000 }, true },
	{ "random write of 4 KiB, depth 32", { true, true, 4096, 32, 2000 }, true },
	{ "random write of 4 KiB, depth 256", { true, true, 4096, 256, 2000 }, false },
	{ "read of 128 KiB in order, depth 32", { false, false, 128 << 10, 32, 300 }, false },
	{ "write of 128 KiB in order, depth 32", { true, false, 128 << 10, 32, 300 }, false },
};

#define NR_JOBS	(sizeof(jobs) / sizeof(jobs[0]))

/* Instructions of a command, or commands in a second. */
static double figure_of_run(const struct load *load, double took)
{
	return meter_counts() ? took / load->nr : load->nr * 1e9 / took;
}

static struct load load_of(size_t i)
{
	struct load load = jobs[i].load;

	if (meter_counts())
		load.nr = load.nr / 5 + load.depth;
	return load;
}

static void take_driver(void *arg, double *values)
{
	const struct nvme_options options = { .depth = MAX_DEPTH, .irq = NVME_POLLED };
	struct nvme *nvme;
	size_t i;
	int ret;

	function_give(address, arg);
	ret = nvme_open(&nvme, address, &options);
	if (ret)
		errx(1, "%s: %s", address, strerror(-ret));
	for (i = 0; i < NR_JOBS; i++) {
		const struct load load = load_of(i);

		values[i] = figure_of_run(&load, load_usrpci(nvme, &load));
	}
	nvme_close(nvme);
}

/* The kernel finds a disk some time after it has the function. */
static int open_disk(void)
{
	char path[PATH_MAX];
	unsigned int ms;
	glob_t found;
	int fd = -1;

	function_give(address, "nvme");
	for (ms = 0; ms < WAIT_MS && fd < 0; ms += 10) {
		usleep(10000);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/nvme/nvme*/nvme*n1", address);
		if (glob(path, 0, NULL, &found))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", strrchr(found.gl_pathv[0], '/') + 1);
		globfree(&found);
		fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	}
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void take_uring(void *arg, double *values)
{
	int fd = open_disk();
	size_t i;

	for (i = 0; i < NR_JOBS; i++) {
		const struct load load = load_of(i);

		values[i] = figure_of_run(&load, load_uring(fd, &load));
	}
	close(fd);
}

/* One at a time is all that they do. */
static void take_calls(void *arg, double *values)
{
	int fd = open_disk();
	size_t i;

	for (i = 0; i < NR_JOBS; i++) {
		const struct load load = load_of(i);

		values[i] = load.depth > 1 ? 0 : figure_of_run(&load, load_calls(fd, &load));
	}
	close(fd);
}

static void add(size_t i, const char *rival, const struct figure *ours,
		const struct figure *theirs, bool goal)
{
	finding_add(&(struct finding){
		jobs[i].name, "usrpci", rival, meter_counts() ? NULL : "IOPS", ours, theirs,
		!goal ? NO_GOAL : meter_counts() ? AT_MOST : AT_LEAST, meter_counts() ? 0.3 : 1.3,
	});
}

int main(int argc, char **argv)
{
	const struct gatherer sides[] = {
		{ "usrpci", take_driver, "usrpci" },
		{ "io_uring", take_uring, NULL },
		{ "read(2), write(2)", take_calls, NULL },
		{ "the driver on VFIO", take_driver, "vfio-pci" },
	};
	struct figure figures[4][NR_JOBS];
	const char *lacks;
	size_t i;

	address = getenv("BENCH_NVME");
	if (argc != 3 || !address)
		errx(2, "usage: BENCH_NVME=BDF nvme RESULTS all");
	findings_begin("nvme");
	lacks = vfio_lacks(address);
	rounds_gather("nvme", sides, lacks ? 3 : 4, NR_JOBS, meter_counts() ? 2 : 5, figures[0]);
	for (i = 0; i < NR_JOBS; i++) {
		/* Of instructions there's a goal at any depth. */
		add(i, "io_uring", &figures[0][i], &figures[1][i],
		    jobs[i].goal || meter_counts());
		if (jobs[i].load.depth == 1)
			add(i, sides[2].name, &figures[0][i], &figures[2][i], false);
		if (!lacks)
			add(i, sides[3].name, &figures[0][i], &figures[3][i], false);
	}
	if (lacks)
		finding_absent("nvme", sides[3].name, lacks);
	findings_save(argv[1]);
	return 0;
}
