// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * From opening a function to the first thing that it does. In a VM, where an edu and an NVMe disk
 * are.
 *
 *    start RESULTS.json edu|nvme...
 */
#include <edu/registers.h>
#include <err.h>
#include <nvme/nvme.h>
#include <stdlib.h>
#include <string.h>
#include <usrpci.h>
#include "../finding.h"
#include "../meter.h"
#include "../rival/function.h"
#include "../rival/vfio.h"
#include "../rounds.h"

#define BAR_LEN	(1U << 20)
#define BLOCK	4096U

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

/* --- a register --- */

static double edu_usrpci(void *arg)
{
	struct usrpci_device *dev;
	volatile void *regs;
	double start, took;

	function_give(arg, "usrpci");
	start = meter_now();
	must(usrpci_open(&dev, arg), arg);
	must(usrpci_bar_map(dev, 0, 0, 0, 0, &regs), "BAR 0");
	(void)usrpci_read32((volatile char *)regs + EDU_ID);
	took = meter_now() - start;
	usrpci_close(dev);
	return took;
}

static double edu_vfio(void *arg)
{
	volatile uint32_t *regs;
	double start, took;
	struct vfio vfio;

	function_give(arg, "vfio-pci");
	start = meter_now();
	vfio_open(&vfio, arg);
	regs = vfio_map_bar(&vfio, BAR_LEN);
	(void)regs[EDU_ID / 4];
	took = meter_now() - start;
	vfio_close(&vfio);
	return took;
}

/* --- a block of a disk, by the same driver --- */

static double nvme_by(const char *address, const char *driver)
{
	static char block[BLOCK];
	double start, took;
	struct nvme *nvme;

	function_give(address, driver);
	start = meter_now();
	must(nvme_open(&nvme, address, NULL), address);
	must(nvme_read(nvme_queue(nvme, 0), 0, block, BLOCK), "read");
	took = meter_now() - start;
	nvme_close(nvme);
	return took;
}

static double nvme_usrpci(void *arg)
{
	return nvme_by(arg, "usrpci");
}

static double nvme_vfio(void *arg)
{
	return nvme_by(arg, "vfio-pci");
}

static void compare(const char *name, const char *rival, char *address,
		    double (*ours)(void *arg), double (*theirs)(void *arg))
{
	const char *lacks = vfio_lacks(address);
	const struct side sides[] = {
		{ "usrpci", ours, address },
		{ rival, theirs, address },
	};
	struct figure figures[2];

	if (lacks) {
		finding_absent(name, rival, lacks);
		return;
	}
	/* The first open of all finds out what need not be found out again. */
	ours(address);
	theirs(address);
	rounds_take(name, meter_unit(), sides, 2, meter_counts() ? 3 : 7, figures);
	finding_add(&(struct finding){
		name, "usrpci", rival, NULL, &figures[0], &figures[1], AT_MOST, 1.0,
	});
}

int main(int argc, char **argv)
{
	char *edu = getenv("BENCH_EDU"), *disk = getenv("BENCH_NVME");
	int i;

	if (argc < 3 || !edu || !disk)
		errx(2, "usage: BENCH_EDU=BDF BENCH_NVME=BDF start RESULTS edu|nvme...");
	findings_begin("start");
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "edu"))
			compare("open to a register's value", "VFIO", edu, edu_usrpci, edu_vfio);
		else
			compare("open to a block of an NVMe disk", "the driver on VFIO", disk,
				nvme_usrpci, nvme_vfio);
	}
	findings_save(argv[1]);
	return 0;
}
