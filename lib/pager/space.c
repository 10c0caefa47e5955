// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"
#include "tlb/record.h"

static struct usrpci_pager_space *to_space(struct usrpci_space *base)
{
	return usrpci_container_of(base, struct usrpci_pager_space, base);
}

static void free_space(struct usrpci_pager_space *space)
{
	close(space->base.fd);
	if (space->hangup >= 0)
		close(space->hangup);
	free(space);
}

void usrpci_pager_space_put(struct usrpci_pager_space *space)
{
	if (!--space->refs)
		free_space(space);
}

void usrpci_pager_space_hang_up(struct usrpci_pager_space *space)
{
	if (space->hangup >= 0)
		close(space->hangup);
	space->hangup = -1;
}

void usrpci_pager_space_unbind(struct usrpci_pager_space *space)
{
	if (!space->bound)
		return;
	space->bound = false;
	usrpci_slots_take_back(space, 0, UINT64_MAX);
	space->pager->spaces[space->base.tag] = NULL;
	usrpci_pager_space_hang_up(space);
}

/* --- refusals; there's a byte in the pipe while there are any --- */

static void make_readable(struct usrpci_pager_space *space)
{
	/* Once it has hung up nobody waits for it. */
	if (space->hangup >= 0 && write(space->hangup, "", 1) != 1)
		usrpci_pager_space_hang_up(space);
}

static void make_unreadable(struct usrpci_pager_space *space)
{
	char byte;

	while (read(space->base.fd, &byte, 1) < 0 && errno == EINTR)
		;
}

void usrpci_pager_space_refuse(struct usrpci_pager_space *space, const struct usrpci_miss *miss,
			       enum usrpci_refusal_reason reason)
{
	space->stats.refusals++;
	if (space->nr_refusals == USRPCI_PAGER_REFUSALS) {
		space->lost++;
		return;
	}
	if (!space->nr_refusals)
		make_readable(space);
	space->refusals[space->nr_refusals++] = (struct usrpci_refusal){
		.addr = miss->addr,
		.reason = reason,
		.write = miss->write,
	};
}

static int take_refusal(struct usrpci_pager_space *space, struct usrpci_refusal *refusal)
{
	if (!space->nr_refusals)
		return -EAGAIN;
	*refusal = space->refusals[0];
	refusal->lost = space->lost;
	space->lost = 0;
	memmove(space->refusals, space->refusals + 1,
		--space->nr_refusals * sizeof(space->refusals[0]));
	if (!space->nr_refusals)
		make_unreadable(space);
	return 0;
}

/* --- what the core asks for --- */

static int space_refusal(struct usrpci_space *base, struct usrpci_refusal *refusal)
{
	struct usrpci_pager_space *space = to_space(base);
	int err;

	if (!usrpci_pager_is_ours(space->pager))
		return -EOPNOTSUPP;
	pthread_mutex_lock(&space->pager->lock);
	err = take_refusal(space, refusal);
	pthread_mutex_unlock(&space->pager->lock);
	return err;
}

static int space_stats(struct usrpci_space *base, struct usrpci_space_stats *stats)
{
	struct usrpci_pager_space *space = to_space(base);

	if (!usrpci_pager_is_ours(space->pager))
		return -EOPNOTSUPP;
	pthread_mutex_lock(&space->pager->lock);
	*stats = space->stats;
	pthread_mutex_unlock(&space->pager->lock);
	return 0;
}

static int forget(struct usrpci_pager_space *space, uint64_t first, uint64_t last)
{
	struct usrpci_pager *pager = space->pager;

	if (atomic_load(&pager->gone))
		return -ENODEV;
	if (pager->broken)
		return -EIO;
	if (first <= space->wanted_last && last >= space->wanted)
		space->outdated = true;
	return usrpci_slots_take_back(space, first, last);
}

static int space_forget(struct usrpci_space *base, uint64_t first, uint64_t last)
{
	struct usrpci_pager_space *space = to_space(base);
	int err;

	if (!usrpci_pager_is_ours(space->pager))
		return -EOPNOTSUPP;
	pthread_mutex_lock(&space->pager->lock);
	err = forget(space, first, last);
	pthread_mutex_unlock(&space->pager->lock);
	return err;
}

/* The pager has been stopped: nobody else knows of it. */
static void space_detach(struct usrpci_space *base)
{
	usrpci_pager_space_hang_up(to_space(base));
}

static void space_free(struct usrpci_space *base)
{
	struct usrpci_pager_space *space = to_space(base);
	struct usrpci_pager *pager = space->pager;

	if (!base->dev || !usrpci_pager_is_ours(pager)) {
		free_space(space);
		return;
	}
	pthread_mutex_lock(&pager->lock);
	usrpci_pager_space_unbind(space);
	usrpci_pager_space_put(space);
	pthread_mutex_unlock(&pager->lock);
}

static const struct usrpci_space_ops ops = {
	.forget = space_forget,
	.refusal = space_refusal,
	.stats = space_stats,
	.detach = space_detach,
	.free = space_free,
};

/* --- binding --- */

/* NULL: errno says why. */
static struct usrpci_pager_space *make(struct usrpci_pager *pager)
{
	struct usrpci_pager_space *space = calloc(1, sizeof(*space));
	int fds[2];

	if (!space)
		return NULL;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		free(space);
		return NULL;
	}
	space->base.ops = &ops;
	space->base.fd = fds[0];
	space->hangup = fds[1];
	space->pager = pager;
	space->refs = 1;
	usrpci_iovas_init(&space->resident);
	return space;
}

static int enter(struct usrpci_pager *pager, struct usrpci_pager_space *space)
{
	unsigned int tag;

	if (atomic_load(&pager->gone))
		return -ENODEV;
	if (pager->broken)
		return -EIO;
	for (tag = 0; tag < pager->desc.tags && pager->spaces[tag]; tag++)
		;
	if (tag == pager->desc.tags)
		return -ENOSPC;
	space->base.tag = tag;
	space->bound = true;
	pager->spaces[tag] = space;
	return 0;
}

int usrpci_pager_bind(struct usrpci_pager *pager, const struct usrpci_space_options *options,
		      struct usrpci_space **spacep)
{
	struct usrpci_pager_space *space;
	int err;

	if (options->flags & USRPCI_SPACE_MIRRORED || !usrpci_pager_is_ours(pager))
		return -EOPNOTSUPP;
	if (options->around && usrpci_field_exists(&pager->desc.misses.entry))
		return -EINVAL;
	space = make(pager);
	if (!space)
		return -errno;
	/* Or the page that was missed would make room for its neighbours. */
	space->around = options->around < pager->desc.entries.nr / 2 ?
		options->around : pager->desc.entries.nr / 2;
	pthread_mutex_lock(&pager->lock);
	err = enter(pager, space);
	pthread_mutex_unlock(&pager->lock);
	if (err)
		free_space(space);
	else
		*spacep = &space->base;
	return err;
}
