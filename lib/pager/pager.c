// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "describe.h"
#include "internal.h"
#include "tlb/check.h"
#include "vfio/eventfd.h"

bool usrpci_pager_is_ours(const struct usrpci_pager *pager)
{
	return pager->owner == getpid();
}

/* --- the vector --- */

unsigned int usrpci_pager_vector(const struct usrpci_pager *pager)
{
	return pager->desc.vector;
}

int usrpci_pager_eventfd(const struct usrpci_pager *pager)
{
	return pager->wire;
}

int usrpci_pager_copy(const struct usrpci_pager *pager, int eventfd, int *copy)
{
	int err;

	*copy = -1;
	if (!usrpci_pager_is_ours(pager))
		return -EOPNOTSUPP;
	if (eventfd == -1)
		return 0;
	err = usrpci_check_eventfd(eventfd);
	if (err)
		return err;
	*copy = fcntl(eventfd, F_DUPFD_CLOEXEC, 0);
	return *copy < 0 ? -errno : 0;
}

static void look(struct usrpci_pager *pager)
{
	eventfd_write(pager->look, 1);
}

void usrpci_pager_pass_on(struct usrpci_pager *pager, int copy)
{
	int old;

	pthread_mutex_lock(&pager->lock);
	old = pager->passed_on;
	pager->passed_on = copy;
	if (copy >= 0 && pager->fired) {
		eventfd_write(copy, 1);
		pager->fired = false;
	}
	pthread_mutex_unlock(&pager->lock);
	if (old >= 0)
		close(old);
	look(pager);
}

static int wire_vector(struct usrpci_pager *pager, int eventfd)
{
	return pager->dev->backend->irq_wire(pager->dev, pager->desc.vector, 1, &eventfd);
}

/* MSI or MSI-X; of a borrowed device only its opener may know. */
static bool has_vector(const struct usrpci_device *dev, uint32_t vector)
{
	const struct usrpci_wires *wires = &dev->wires;

	if (dev->borrowed && wires->type == USRPCI_NO_IRQ)
		return true;
	return (wires->type == USRPCI_MSI || wires->type == USRPCI_MSIX) && vector < wires->nr;
}

/* --- starting --- */

static int start_thread(struct usrpci_pager *pager)
{
	sigset_t all, before;
	int err;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&pager->thread, NULL, usrpci_pager_run, pager);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static int make_eventfds(struct usrpci_pager *pager)
{
	pager->wire = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pager->wire < 0)
		return -errno;
	pager->look = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pager->look < 0)
		return -errno;
	pager->stop = eventfd(0, EFD_CLOEXEC);
	return pager->stop < 0 ? -errno : 0;
}

static int connect_vector(struct usrpci_pager *pager, unsigned int *fault)
{
	const int before = usrpci_wires_get(&pager->dev->wires, pager->desc.vector);
	int err;

	*fault = USRPCI_TLB_FAULT_VECTOR;
	if (!has_vector(pager->dev, pager->desc.vector))
		return -EINVAL;
	err = usrpci_pager_copy(pager, before, &pager->passed_on);
	if (err)
		return err;
	/* The pager looks once in any case: what came before nobody was told of. */
	look(pager);
	return wire_vector(pager, pager->wire);
}

static int start(struct usrpci_pager *pager, unsigned int *fault)
{
	int err;

	*fault = usrpci_tlb_check(&pager->desc);
	if (*fault != USRPCI_TLB_FAULT_NONE)
		return -EINVAL;
	err = usrpci_pager_find(pager, fault);
	if (err)
		return err;
	pager->slots = calloc(pager->desc.entries.nr, sizeof(*pager->slots));
	if (!pager->slots)
		return -ENOMEM;
	err = make_eventfds(pager);
	if (err)
		return err;
	err = connect_vector(pager, fault);
	if (err)
		return err;
	err = start_thread(pager);
	if (err)
		wire_vector(pager, pager->passed_on);
	return err;
}

int usrpci_pager_start(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
		       unsigned int *fault, struct usrpci_pager **pagerp)
{
	struct usrpci_pager *pager = calloc(1, sizeof(*pager));
	int err;

	if (!pager)
		return -ENOMEM;
	pager->dev = dev;
	usrpci_tlb_to_ioc(&pager->desc, tlb);
	pager->owner = getpid();
	pager->wire = -1;
	pager->look = -1;
	pager->stop = -1;
	pager->passed_on = -1;
	pthread_mutex_init(&pager->lock, NULL);
	err = start(pager, fault);
	if (err)
		usrpci_pager_free(pager);
	else
		*pagerp = pager;
	return err;
}

/* --- stopping --- */

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void usrpci_pager_stop(struct usrpci_pager *pager)
{
	unsigned int tag;

	if (!usrpci_pager_is_ours(pager))
		return;
	pthread_mutex_lock(&pager->lock);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (pager->spaces[tag])
			usrpci_pager_space_unbind(pager->spaces[tag]);
	pthread_mutex_unlock(&pager->lock);
	eventfd_write(pager->stop, 1);
	pthread_join(pager->thread, NULL);
	wire_vector(pager, pager->passed_on);
}

void usrpci_pager_free(struct usrpci_pager *pager)
{
	close_fd(pager->wire);
	close_fd(pager->look);
	close_fd(pager->stop);
	close_fd(pager->passed_on);
	pthread_mutex_destroy(&pager->lock);
	free(pager->slots);
	free(pager);
}

/* --- what else the core asks for --- */

/* In a child the lock may be whoever's at the fork, who isn't there. */
void usrpci_pager_hold(struct usrpci_pager *pager)
{
	unsigned int tag;

	if (!usrpci_pager_is_ours(pager))
		return;
	pthread_mutex_lock(&pager->lock);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (pager->spaces[tag])
			usrpci_slots_take_back(pager->spaces[tag], 0, UINT64_MAX);
	pager->held++;
	pager->era++;
	pthread_mutex_unlock(&pager->lock);
}

void usrpci_pager_release(struct usrpci_pager *pager)
{
	if (!usrpci_pager_is_ours(pager))
		return;
	pthread_mutex_lock(&pager->lock);
	/* The device begins with the ring's first entry again, once the program has zeroed it. */
	pager->taken = 0;
	pager->held--;
	if (pager->ring)
		usrpci_irq_wait(pager->wire, 0);
	pthread_mutex_unlock(&pager->lock);
	if (!pager->ring)
		look(pager);
}

bool usrpci_pager_is_broken(struct usrpci_pager *pager)
{
	bool broken;

	if (!usrpci_pager_is_ours(pager))
		return false;
	pthread_mutex_lock(&pager->lock);
	broken = pager->broken;
	pthread_mutex_unlock(&pager->lock);
	return broken;
}

bool usrpci_pager_keeps(const struct usrpci_pager *pager, uint32_t handle)
{
	return pager->ring && pager->desc.misses.ring == handle;
}

int usrpci_pager_event(struct usrpci_pager *pager, struct usrpci_event *event)
{
	int err = -EAGAIN;

	if (!usrpci_pager_is_ours(pager))
		return err;
	pthread_mutex_lock(&pager->lock);
	if (pager->tell_broken) {
		*event = (struct usrpci_event){ .kind = USRPCI_TLB_DEAF, .count = 1 };
		pager->tell_broken = false;
		err = 0;
	} else if (pager->nobody) {
		*event = (struct usrpci_event){
			.kind = USRPCI_MISS_OF_NOBODY,
			.tag = pager->nobody_tag,
			.count = pager->nobody,
		};
		pager->nobody = 0;
		err = 0;
	}
	pthread_mutex_unlock(&pager->lock);
	return err;
}
