// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * From the write that has a device raise its interrupt to the reader in user space. In a VM,
 * where an edu device is.
 *
 *    interrupt RESULTS.json all
 */
#include <edu/registers.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <usrpci.h>
#include "../finding.h"
#include "../meter.h"
#include "../rival/function.h"
#include "../rival/uio.h"
#include "../rival/vfio.h"
#include "../rounds.h"

#define BAR_LEN		(1U << 20)
#define SAMPLES		25U
#define WARM_UP		3U

static const char *address;

enum way_kind {
	BY_USRPCI,
	BY_VFIO,
	BY_UIO,
};

/**
 * struct way - Who takes the interrupt, and how.
 * @kind: who
 * @msi: or else INTx
 * @blocked: the reader sleeps; or else it tries again and again
 * @fd: what it reads, @width bytes of it
 * @width: see there
 * @regs: BAR 0
 * @dev: usrpci's
 * @vfio: VFIO's
 */
struct way {
	enum way_kind kind;
	bool msi;
	bool blocked;
	int fd;
	size_t width;
	volatile char *regs;
	struct usrpci_device *dev;
	struct vfio vfio;
};

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

static void open_usrpci(struct way *way)
{
	volatile void *regs;

	function_give(address, "usrpci");
	must(usrpci_open(&way->dev, address), address);
	must(usrpci_bar_map(way->dev, 0, 0, 0, 0, &regs), "BAR 0");
	must(usrpci_irq_setup(way->dev, way->msi ? USRPCI_MSI : USRPCI_INTX, 1), "interrupt");
	must(usrpci_irq_wire(way->dev, 0, 1, &way->fd), "interrupt");
	must(usrpci_set_master(way->dev, true), "bus mastering");
	way->regs = regs;
}

static void open_vfio(struct way *way)
{
	vfio_open(&way->vfio, address);
	way->regs = vfio_map_bar(&way->vfio, BAR_LEN);
	vfio_wire(&way->vfio, way->msi ? VFIO_PCI_MSI_IRQ_INDEX : VFIO_PCI_INTX_IRQ_INDEX,
		  way->fd);
	vfio_set_master(&way->vfio);
}

static void open_way(struct way *way)
{
	way->width = sizeof(uint64_t);
	if (way->kind == BY_UIO) {
		way->width = sizeof(uint32_t);
		way->fd = uio_open(address, way->blocked ? 0 : O_NONBLOCK);
		function_set_master(address);
		way->regs = function_map_bar(address, BAR_LEN);
		return;
	}
	way->fd = eventfd(0, EFD_CLOEXEC | (way->blocked ? 0 : EFD_NONBLOCK));
	if (way->fd < 0)
		err(1, "eventfd");
	if (way->kind == BY_USRPCI)
		open_usrpci(way);
	else
		open_vfio(way);
}

static void close_way(struct way *way)
{
	if (way->kind == BY_USRPCI)
		usrpci_close(way->dev);
	if (way->kind == BY_VFIO)
		vfio_close(&way->vfio);
	close(way->fd);
}

static void write_reg(struct way *way, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(way->regs + reg) = value;
}

static void rearm(struct way *way)
{
	write_reg(way, EDU_IRQ_ACK, 1);
	if (way->msi)
		return;
	if (way->kind == BY_USRPCI)
		must(usrpci_irq_unmask(way->dev, 0), "unmask");
	else if (way->kind == BY_VFIO)
		vfio_unmask(&way->vfio, VFIO_PCI_INTX_IRQ_INDEX);
	else
		uio_unmask(address);
}

/* Ends the program if the other end has gone. */
static bool take_count(struct way *way)
{
	uint64_t count;
	ssize_t got = read(way->fd, &count, way->width);

	if (got < 0 && errno != EAGAIN)
		err(1, "read");
	return got > 0;
}

static double spin(struct way *way)
{
	double start = meter_now(), took;

	write_reg(way, EDU_IRQ_RAISE, 1);
	while (!take_count(way))
		;
	took = meter_now() - start;
	rearm(way);
	return took;
}

/** struct reader - Who sleeps: when it was woken, and that it was. */
struct reader {
	struct way *way;
	double woken;
	sem_t done;
};

static void *be_reader(void *arg)
{
	struct reader *reader = arg;
	unsigned int i;

	for (i = 0; i < WARM_UP + SAMPLES; i++) {
		take_count(reader->way);
		reader->woken = meter_now();
		rearm(reader->way);
		sem_post(&reader->done);
	}
	return NULL;
}

/* It goes before whoever else wants the processor. */
static pthread_t start_reader(struct reader *reader)
{
	const struct sched_param param = { .sched_priority = 50 };
	pthread_attr_t attr;
	pthread_t thread;

	sem_init(&reader->done, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	if (pthread_create(&thread, &attr, be_reader, reader))
		errx(1, "thread");
	pthread_attr_destroy(&attr);
	return thread;
}

static void take_blocked(struct way *way, double *values)
{
	struct reader reader = { .way = way };
	pthread_t thread = start_reader(&reader);
	unsigned int i;
	double start;

	for (i = 0; i < WARM_UP + SAMPLES; i++) {
		/* It has had the processor since it was woken, and sleeps by now. */
		sched_yield();
		start = meter_now();
		write_reg(way, EDU_IRQ_RAISE, 1);
		sem_wait(&reader.done);
		values[i] = reader.woken - start;
	}
	pthread_join(thread, NULL);
	sem_destroy(&reader.done);
}

static double take(void *arg)
{
	double values[WARM_UP + SAMPLES];
	struct way way = *(struct way *)arg;
	unsigned int i;

	open_way(&way);
	if (way.blocked)
		take_blocked(&way, values);
	for (i = 0; i < WARM_UP + SAMPLES && !way.blocked; i++)
		values[i] = spin(&way);
	close_way(&way);
	return median_of(&values[WARM_UP], SAMPLES);
}

static void compare(const char *name, bool msi, bool blocked)
{
	const char *lacks = vfio_lacks(address);
	struct way ways[] = {
		{ .kind = BY_USRPCI, .msi = msi, .blocked = blocked },
		{ .kind = msi ? BY_VFIO : BY_UIO, .msi = msi, .blocked = blocked },
		{ .kind = BY_VFIO, .msi = msi, .blocked = blocked },
	};
	struct side sides[] = {
		{ "usrpci", take, &ways[0] },
		{ msi ? "VFIO" : "uio_pci_generic", take, &ways[1] },
		{ "VFIO", take, &ways[2] },
	};
	const size_t nr = (msi ? 2 : 3) - !!lacks;
	struct figure figures[3];
	size_t i;

	rounds_take(name, meter_unit(), sides, nr, meter_counts() ? 3 : 7, figures);
	for (i = 1; i < nr; i++)
		finding_add(&(struct finding){
			name, "usrpci", sides[i].name, NULL, &figures[0], &figures[i],
			AT_MOST, 1.0,
		});
	if (lacks)
		finding_absent(name, "VFIO", lacks);
	if (msi)
		finding_absent(name, "uio_pci_generic", "it has no MSI");
}

int main(int argc, char **argv)
{
	address = getenv("BENCH_EDU");
	if (argc != 3 || !address)
		errx(2, "usage: BENCH_EDU=BDF interrupt RESULTS all");
	findings_begin("interrupt");
	compare("MSI to a reader that sleeps", true, true);
	compare("MSI to a reader that spins", true, false);
	compare("INTx to a reader that sleeps", false, true);
	compare("INTx to a reader that spins", false, false);
	findings_save(argv[1]);
	return 0;
}
