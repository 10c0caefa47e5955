// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What is done with an edu when the kill comes. Its DMA takes 100 ms. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "edu.h"
#include "function.h"
#include "life.h"
#include "memory.h"

#define OWN_PAGES	4
#define CHURN_PAGES	16
#define TRANSFER	1024

static struct edu_hw open_registers(struct life *l)
{
	struct edu_hw edu = { .fd = l->fd };

	if (edu.fd < 0)
		edu.fd = function_open(l->bdf);
	if (edu.fd < 0)
		life_fails("open", edu.fd);
	edu.regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
			function_bar(edu.fd, 0).offset);
	return edu;
}

/* The parent has set the mask of what it opened. */
static struct edu_hw start_edu(struct life *l)
{
	struct edu_hw edu = open_registers(l);

	if (l->fd < 0)
		edu_hw_start(&edu);
	else
		function_master(edu.fd, 1);
	return edu;
}

static struct usrpci_ioc_region map_own(struct life *l, int fd, unsigned char *own,
					struct usrpci_ioc_sg *runs)
{
	struct usrpci_ioc_region region =
		function_region(own, OWN_PAGES * PAGE, USRPCI_BIDIRECTIONAL);
	int err;

	region.sg = (uintptr_t)runs;
	region.nr_sg = OWN_PAGES;
	err = function_map(fd, &region);
	if (err)
		life_fails("map", err);
	life_note(l, 0, own, OWN_PAGES);
	return region;
}

static void wait_for_transfer(struct life *l, struct edu_hw *edu)
{
	life_moves(l);
	edu_hw_wait(edu);
	l->box->landed++;
	life_turns(l);
}

/* Into its own memory and its parent's, and out of it. */
void edu_both_ways(struct life *l)
{
	struct edu_hw edu = start_edu(l);
	unsigned char *own = pages_new(OWN_PAGES, 1);
	struct usrpci_ioc_sg runs[OWN_PAGES];
	struct usrpci_ioc_region region = map_own(l, edu.fd, own, runs);
	uint64_t bus;

	for (;;) {
		bus = runs[0].bus_addr;
		if (l->lent_bus && random_below(&l->random, 2))
			bus = l->lent_bus;
		if (random_below(&l->random, 3))
			edu_hw_write_start(&edu, bus, TRANSFER);
		else
			edu_hw_read_start(&edu, bus, TRANSFER);
		function_sync(edu.fd, region.handle, USRPCI_SYNC_FOR_DEVICE, 0, PAGE);
		wait_for_transfer(l, &edu);
		function_sync(edu.fd, region.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE);
	}
}

struct churn {
	int fd;
	uint64_t random;
	unsigned char *memory;
};

static void churn_map(struct churn *c)
{
	size_t at = random_below(&c->random, CHURN_PAGES / 2 * PAGE);
	size_t len = 1 + random_below(&c->random, CHURN_PAGES / 2 * PAGE);
	struct usrpci_ioc_region region = function_region(c->memory + at, len,
							  random_below(&c->random, 3));
	int err = function_map(c->fd, &region);

	if (err)
		life_fails("map", err);
	function_sync(c->fd, region.handle, USRPCI_SYNC_FOR_CPU, 0, len);
	function_sync(c->fd, region.handle, USRPCI_SYNC_FOR_DEVICE, len / 2, len - len / 2);
	err = function_unmap_one(c->fd, region.handle);
	if (err)
		life_fails("unmap", err);
}

static void churn_coherent(struct churn *c)
{
	struct usrpci_ioc_coherent buffer;
	unsigned char *map;
	int err = function_coherent(c->fd, 2 * PAGE, &buffer);

	if (err)
		life_fails("coherent", err);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, buffer.mmap_offset);
	map[0] = 1;
	function_unmap_one(c->fd, buffer.handle);
	map[PAGE] = 1;
	munmap(map, 2 * PAGE);
}

static void *churn_forever(void *arg)
{
	struct churn *c = arg;

	for (;;) {
		churn_map(c);
		if (!random_below(&c->random, 4))
			churn_coherent(c);
	}
	return NULL;
}

/* Two threads map, sync and unmap, while a transfer into yet another page is under way. */
void edu_churns(struct life *l)
{
	struct edu_hw edu = start_edu(l);
	unsigned char *own = pages_new(OWN_PAGES, 1), *memory = pages_new(2 * CHURN_PAGES, 1);
	struct usrpci_ioc_sg runs[OWN_PAGES];
	struct churn mine = { .fd = edu.fd, .random = l->random, .memory = memory };
	/* Apart: the debug kernel takes syncs of overlapping maps for faults. */
	struct churn other = {
		.fd = edu.fd, .random = ~l->random, .memory = memory + CHURN_PAGES * PAGE,
	};
	pthread_t thread;

	map_own(l, edu.fd, own, runs);
	life_note(l, OWN_PAGES, memory, 2 * CHURN_PAGES);
	edu_hw_write_start(&edu, runs[0].bus_addr, TRANSFER);
	life_moves(l);
	pthread_create(&thread, NULL, churn_forever, &other);
	for (;;) {
		churn_map(&mine);
		churn_coherent(&mine);
		life_turns(l);
	}
}

/*
 * Everything that can be set up, again and again. No transfer: it would come while
 * the next one has the device.
 */
void edu_opens(struct life *l)
{
	int event = eventfd(0, EFD_NONBLOCK);
	unsigned char *own = pages_new(OWN_PAGES, 1);
	struct usrpci_ioc_sg runs[OWN_PAGES];
	struct usrpci_ioc_coherent buffer;
	unsigned int type = USRPCI_IRQ_INTX;
	struct edu_hw edu;
	int err;

	for (;; type = USRPCI_IRQ_INTX + USRPCI_IRQ_MSI - type) {
		edu = start_edu(l);
		err = function_irq_setup(edu.fd, type, 1);
		if (err)
			life_fails("irq", err);
		function_irq_wire(edu.fd, 0, 1, &event);
		map_own(l, edu.fd, own, runs);
		function_coherent(edu.fd, PAGE, &buffer);
		if (touch(edu.regs))
			life_fails("registers", -1);
		edu_hw_raise(&edu, 1);
		life_moves(l);
		edu_hw_ack(&edu, 1);
		munmap((void *)edu.regs, PAGE);
		close(edu.fd);
		life_turns(l);
	}
}

static pid_t fork_holder(unsigned char *map)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before this was asked for. */
	while (getppid() == parent) {
		map[1]++;
		usleep(200);
	}
	_exit(0);
}

/* Where bus addresses are physical they tell where the buffer lies. */
static void note_coherent(struct life *l, int fd, const struct usrpci_ioc_coherent *buffer)
{
	unsigned int i;

	if (function_info(fd).isolation >= USRPCI_ISOLATION_LAZY)
		return;
	for (i = 0; i < OWN_PAGES; i++)
		l->box->pages[i] = buffer->bus_addr + i * PAGE;
}

/* Children hold the coherent buffer that the device is writing to. */
void edu_forks(struct life *l)
{
	struct edu_hw edu = start_edu(l);
	struct usrpci_ioc_coherent buffer;
	unsigned char *map;
	pid_t pid;
	int err;

	err = function_coherent(edu.fd, OWN_PAGES * PAGE, &buffer);
	if (err)
		life_fails("coherent", err);
	map = mmap(NULL, OWN_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
		   buffer.mmap_offset);
	map[0] = 1;
	note_coherent(l, edu.fd, &buffer);
	fork_holder(map);
	edu_hw_write_start(&edu, buffer.bus_addr, TRANSFER);
	life_moves(l);
	for (;;) {
		pid = fork_holder(map);
		usleep(300);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		life_turns(l);
	}
}
