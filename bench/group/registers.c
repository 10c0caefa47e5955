// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A register read and written through a map of its BAR. In a VM, where an edu device is.
 *
 *    registers RESULTS.json all
 */
#include <edu/registers.h>
#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <usrpci.h>
#include "../finding.h"
#include "../meter.h"
#include "../rival/function.h"
#include "../rival/vfio.h"
#include "../rounds.h"

#define BAR_LEN		(1U << 20)
#define ACCESSES	2000U

static const char *address;

enum {
	READ,
	WRITE,
	NR_CASES,
};

/* Of the instructions around the loop nothing is left. */
static double each(double start)
{
	const double one = (meter_now() - start) / ACCESSES;

	return meter_counts() ? round(one) : one;
}

static void bare(volatile char *regs, double *values)
{
	volatile uint32_t *reg = (volatile uint32_t *)(regs + EDU_LIVENESS);
	unsigned int i;
	double start;

	/* A page comes with its first touch, or has come before. */
	(void)*reg;
	start = meter_now();
	for (i = 0; i < ACCESSES; i++)
		(void)*reg;
	values[READ] = each(start);
	start = meter_now();
	for (i = 0; i < ACCESSES; i++)
		*reg = i;
	values[WRITE] = each(start);
}

static void take_pointer(void *arg, double *values)
{
	function_give(address, "usrpci-map-floor");
	function_set_master(address);
	bare(function_map_bar(address, BAR_LEN), values);
}

static void take_vfio(void *arg, double *values)
{
	struct vfio vfio;

	vfio_open(&vfio, address);
	bare(vfio_map_bar(&vfio, BAR_LEN), values);
	vfio_close(&vfio);
}

static void take_accessors(volatile char *regs, double *values)
{
	unsigned int i;
	double start;

	(void)usrpci_read32(regs + EDU_LIVENESS);
	start = meter_now();
	for (i = 0; i < ACCESSES; i++)
		(void)usrpci_read32(regs + EDU_LIVENESS);
	values[READ] = each(start);
	start = meter_now();
	for (i = 0; i < ACCESSES; i++)
		usrpci_write32(regs + EDU_LIVENESS, i);
	values[WRITE] = each(start);
}

static void take_usrpci(void *arg, double *values)
{
	struct usrpci_device *dev;
	volatile void *regs;
	int ret;

	function_give(address, "usrpci");
	ret = usrpci_open(&dev, address);
	if (!ret)
		ret = usrpci_bar_map(dev, 0, 0, 0, 0, &regs);
	if (ret)
		errx(1, "%s: %s", address, strerror(-ret));
	take_accessors(regs, values);
	usrpci_close(dev);
}

/* Of times nobody can tell whether one that is the same is no longer. */
static enum bound at_most(void)
{
	return meter_counts() ? AT_MOST : NO_GOAL;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "register read", "register write" };
	const struct gatherer sides[] = {
		{ "usrpci", take_usrpci, NULL },
		{ "a bare pointer", take_pointer, NULL },
		{ "VFIO's map", take_vfio, NULL },
	};
	struct figure figures[3][NR_CASES];
	const char *lacks;
	size_t i, side, nr;

	address = getenv("BENCH_EDU");
	if (argc != 3 || !address)
		errx(2, "usage: BENCH_EDU=BDF registers RESULTS all");
	findings_begin("registers");
	lacks = vfio_lacks(address);
	nr = lacks ? 2 : 3;
	rounds_gather("registers", sides, nr, NR_CASES, meter_counts() ? 2 : 7, figures[0]);
	for (i = 0; i < NR_CASES; i++)
		for (side = 1; side < nr; side++)
			finding_add(&(struct finding){
				names[i], "usrpci", sides[side].name, NULL, &figures[0][i],
				&figures[side][i], at_most(), 1.0,
			});
	if (lacks)
		finding_absent("registers", "VFIO's map", lacks);
	findings_save(argv[1]);
	return 0;
}
