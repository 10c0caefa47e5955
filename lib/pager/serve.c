// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include "internal.h"

/* Times that memory may be taken back under a miss. */
#define TRIES	32U

/* --- one miss --- */

/* Under the lock. An entry that the device has given up is empty at once: it says so only here. */
static struct usrpci_pager_space *begin(struct usrpci_pager *pager, const struct usrpci_miss *miss)
{
	struct usrpci_pager_space *space;

	if (miss->entry != USRPCI_ANY_ENTRY)
		usrpci_slot_given_up(pager, miss->entry);
	space = miss->tag < USRPCI_TLB_MAX_TAGS ? pager->spaces[miss->tag] : NULL;
	if (space) {
		space->refs++;
		return space;
	}
	pager->nobody++;
	pager->nobody_tag = miss->tag;
	usrpci_pager_answer(pager, miss, false);
	return NULL;
}

static bool is_served(const struct usrpci_pager_space *space, const struct usrpci_miss *miss)
{
	const struct usrpci_pager *pager = space->pager;

	return space->bound && usrpci_pager_reaches(pager) && miss->era == pager->era;
}

static bool is_resident(struct usrpci_pager_space *space, const struct usrpci_miss *miss)
{
	const struct usrpci_slot *slot = usrpci_slot_find(space, miss->addr);

	return slot && (slot->write || !miss->write);
}

/* Under the lock; the page is as it was when it was mapped. 0 or a refusal. */
static int put_page(struct usrpci_pager_space *space, const struct usrpci_miss *miss,
		    const struct usrpci_page *page)
{
	const uint64_t last = page->addr + (page->len - 1);
	struct usrpci_slot *slot;

	if (usrpci_slots_take_back(space, page->addr, last) ||
	    usrpci_slot_choose(space->pager, miss->entry, &slot))
		return USRPCI_REFUSED_ENDED;
	slot->node.first = page->addr;
	slot->node.last = last;
	slot->bus = page->bus;
	slot->handle = page->handle;
	slot->write = page->write;
	usrpci_slot_occupy(space, slot);
	return 0;
}

/* 0, -EAGAIN memory was taken back meanwhile, or a refusal. */
static int enter_page(struct usrpci_pager_space *space, const struct usrpci_miss *miss,
		      const struct usrpci_page *page)
{
	struct usrpci_pager *pager = space->pager;
	int refusal;

	pthread_mutex_lock(&pager->lock);
	if (!is_served(space, miss))
		refusal = USRPCI_REFUSED_ENDED;
	else if (space->outdated)
		refusal = -EAGAIN;
	else
		refusal = put_page(space, miss, page);
	pthread_mutex_unlock(&pager->lock);
	if (refusal)
		usrpci_page_unmap(pager, page);
	return refusal;
}

/* From now on it's seen if any page is taken back that may be mapped. Under the lock. */
static void want(struct usrpci_pager_space *space, const struct usrpci_miss *miss)
{
	const uint64_t most = space->pager->desc.page_sizes & USRPCI_TLB_2M ?
		USRPCI_LARGE_PAGE : USRPCI_SMALL_PAGE;

	space->wanted = miss->addr & ~(most - 1);
	space->wanted_last = space->wanted + (most - 1);
	space->outdated = false;
}

static int try_fill(struct usrpci_pager_space *space, const struct usrpci_miss *miss)
{
	struct usrpci_pager *pager = space->pager;
	struct usrpci_page page;
	bool served, resident;
	int refusal;

	pthread_mutex_lock(&pager->lock);
	served = is_served(space, miss);
	resident = served && is_resident(space, miss);
	want(space, miss);
	pthread_mutex_unlock(&pager->lock);
	if (!served)
		return USRPCI_REFUSED_ENDED;
	if (resident)
		return 0;
	refusal = usrpci_page_map(space, miss->addr, miss->write, &page);
	return refusal ? refusal : enter_page(space, miss, &page);
}

static int fill(struct usrpci_pager_space *space, const struct usrpci_miss *miss,
		unsigned int *retries)
{
	int refusal;

	for (*retries = 0; *retries < TRIES; ++*retries) {
		refusal = try_fill(space, miss);
		if (refusal != -EAGAIN)
			return refusal;
	}
	return USRPCI_REFUSED_NO_MEMORY;
}

static unsigned int bin_of(uint64_t ns)
{
	const unsigned int bin = ns ? 64 - (unsigned int)__builtin_clzll(ns) : 0;

	return bin < USRPCI_SPACE_BINS ? bin : USRPCI_SPACE_BINS - 1;
}

/* Neighbours that are there already, each in an entry of its own. */
static void look_around(struct usrpci_pager_space *space, const struct usrpci_miss *miss)
{
	const uint64_t page = miss->addr & ~(USRPCI_SMALL_PAGE - 1);
	const uint64_t half = space->around / 2 * USRPCI_SMALL_PAGE;
	const uint64_t first = page > half ? page - half : 0;
	struct usrpci_miss other = *miss;
	unsigned int i;

	for (i = 0; i <= space->around; i++) {
		other.addr = first + i * USRPCI_SMALL_PAGE;
		if (other.addr == page || other.addr < first || !usrpci_page_is_there(other.addr))
			continue;
		if (try_fill(space, &other))
			break;
	}
}

static void serve(struct usrpci_pager_space *space, const struct usrpci_miss *miss, uint64_t at)
{
	const bool was_there = usrpci_page_is_there(miss->addr);
	struct usrpci_pager *pager = space->pager;
	unsigned int retries;
	int refusal = fill(space, miss, &retries);

	pthread_mutex_lock(&pager->lock);
	/* Who sees that a job has ended finds out why. */
	if (refusal)
		usrpci_pager_space_refuse(space, miss, (enum usrpci_refusal_reason)refusal);
	usrpci_pager_answer(pager, miss, !refusal);
	space->stats.latency[bin_of(usrpci_pager_now_ns() - at)]++;
	space->stats.misses++;
	space->stats.faults += !refusal && !was_there;
	space->stats.retries += retries;
	pthread_mutex_unlock(&pager->lock);
	if (!refusal && space->around)
		look_around(space, miss);
	pthread_mutex_lock(&pager->lock);
	usrpci_pager_space_put(space);
	pthread_mutex_unlock(&pager->lock);
}

/* --- all of them --- */

/* False: there's none. @spacep: whose, or NULL: it's been answered. */
static bool next_miss(struct usrpci_pager *pager, struct usrpci_miss *miss,
		      struct usrpci_pager_space **spacep)
{
	bool taken;

	pthread_mutex_lock(&pager->lock);
	taken = usrpci_pager_reaches(pager) && usrpci_pager_take_miss(pager, miss);
	if (taken)
		*spacep = begin(pager, miss);
	pthread_mutex_unlock(&pager->lock);
	return taken;
}

static bool is_stopped(const struct usrpci_pager *pager)
{
	struct pollfd p = { .fd = pager->stop, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* A full ring takes more misses from the device only when it's told of each. */
static void serve_all(struct usrpci_pager *pager, uint64_t at)
{
	struct usrpci_pager_space *space;
	struct usrpci_miss miss;

	pthread_mutex_lock(&pager->lock);
	if (usrpci_pager_reaches(pager))
		usrpci_pager_acknowledge(pager);
	pthread_mutex_unlock(&pager->lock);
	while (!is_stopped(pager) && next_miss(pager, &miss, &space)) {
		if (space)
			serve(space, &miss, at);
		pthread_mutex_lock(&pager->lock);
		if (usrpci_pager_reaches(pager))
			usrpci_pager_taken(pager);
		pthread_mutex_unlock(&pager->lock);
	}
}

/* What the program has wired to the vector; one at its maximum is readable as it is. */
static void pass_on(struct usrpci_pager *pager)
{
	struct pollfd p = { .events = POLLOUT };

	pthread_mutex_lock(&pager->lock);
	p.fd = pager->passed_on;
	pager->fired = p.fd < 0;
	if (p.fd >= 0 && poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
		eventfd_write(p.fd, 1);
	pthread_mutex_unlock(&pager->lock);
}

/* Whoever polls a space sees that it has ended. */
static void lose(struct usrpci_pager *pager)
{
	unsigned int tag;

	pthread_mutex_lock(&pager->lock);
	atomic_store(&pager->gone, true);
	usrpci_slots_drop_all(pager);
	for (tag = 0; tag < USRPCI_TLB_MAX_TAGS; tag++)
		if (pager->spaces[tag])
			usrpci_pager_space_hang_up(pager->spaces[tag]);
	pthread_mutex_unlock(&pager->lock);
}

static void look(struct usrpci_pager *pager)
{
	eventfd_t count;

	eventfd_read(pager->look, &count);
	serve_all(pager, usrpci_pager_now_ns());
}

static void take_interrupt(struct usrpci_pager *pager)
{
	/* Whoever is at the other end may have taken the count, and have made reading wait. */
	if (usrpci_irq_wait(pager->wire, 0) < 0)
		return;
	serve_all(pager, usrpci_pager_now_ns());
	pass_on(pager);
}

void *usrpci_pager_run(void *arg)
{
	struct usrpci_pager *pager = arg;
	const struct usrpci_backend *backend = pager->dev->backend;
	struct pollfd p[] = {
		{ .fd = pager->stop, .events = POLLIN },
		{ .fd = pager->wire, .events = POLLIN },
		{ .fd = pager->look, .events = POLLIN },
		{ .fd = backend->fd ? backend->fd(pager->dev) : -1 },
	};

	for (;;) {
		if (poll(p, 4, -1) < 0)
			continue;
		if (p[0].revents)
			return NULL;
		if (p[1].revents)
			take_interrupt(pager);
		if (p[2].revents)
			look(pager);
		if (p[3].revents & POLLHUP || atomic_load(&pager->gone))
			break;
		/* It can't be seen that way, and would be looked at for ever. */
		if (p[3].revents)
			p[3].fd = -1;
	}
	lose(pager);
	return NULL;
}
