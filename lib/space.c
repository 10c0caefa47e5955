// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <unistd.h>
#include "backend.h"
#include "pager/pager.h"
#include "public.h"

void usrpci_spaces_init(struct usrpci_spaces *spaces)
{
	pthread_mutex_init(&spaces->lock, NULL);
}

void usrpci_spaces_destroy(struct usrpci_spaces *spaces)
{
	pthread_mutex_destroy(&spaces->lock);
}

void usrpci_spaces_detach(struct usrpci_spaces *spaces)
{
	struct usrpci_space *space;

	for (space = spaces->first; space; space = space->next) {
		space->ops->detach(space);
		space->dev = NULL;
	}
	spaces->first = NULL;
}

static int fail(struct usrpci_device *dev, enum usrpci_call call, unsigned int what,
		uint64_t where, uint64_t len, int err)
{
	return usrpci_fail(dev, &(struct usrpci_failure){
		.call = call,
		.err = err,
		.what = what,
		.where = where,
		.len = len,
	});
}

static bool are_options(const struct usrpci_space_options *options)
{
	return !(options->flags & ~USRPCI_SPACE_MIRRORED) &&
	       options->around <= USRPCI_SPACE_AROUND;
}

static int bind_space(struct usrpci_device *dev, const struct usrpci_space_options *options,
		      struct usrpci_space **spacep)
{
	struct usrpci_pager *pager = usrpci_spaces_pager(&dev->spaces);
	struct usrpci_space *space;
	int err;

	if (!are_options(options) || !spacep)
		return -EINVAL;
	if (pager)
		err = usrpci_pager_bind(pager, options, &space);
	else
		err = dev->backend->space_bind ?
			dev->backend->space_bind(dev, options, &space) : -EINVAL;
	if (err)
		return err;
	pthread_mutex_lock(&dev->spaces.lock);
	space->dev = dev;
	space->next = dev->spaces.first;
	dev->spaces.first = space;
	pthread_mutex_unlock(&dev->spaces.lock);
	*spacep = space;
	return 0;
}

USRPCI_PUBLIC int usrpci_space_bind(struct usrpci_device *dev,
				    const struct usrpci_space_options *options,
				    struct usrpci_space **spacep)
{
	static const struct usrpci_space_options none;
	int err;

	if (!options)
		options = &none;
	err = bind_space(dev, options, spacep);
	return err ? fail(dev, USRPCI_CALL_BIND, options->flags, 0, options->around, err) : 0;
}

USRPCI_PUBLIC unsigned int usrpci_space_tag(const struct usrpci_space *space)
{
	return space->tag;
}

USRPCI_PUBLIC int usrpci_space_forget(struct usrpci_space *space, const void *addr, uint64_t len)
{
	const uint64_t first = (uintptr_t)addr;
	int err = -EINVAL;

	if (!space->dev)
		return -ENODEV;
	if (len && len - 1 <= UINT64_MAX - first)
		err = space->ops->forget(space, first, first + (len - 1));
	return err ? fail(space->dev, USRPCI_CALL_FORGET, space->tag, first, len, err) : 0;
}

USRPCI_PUBLIC int usrpci_space_refusal(struct usrpci_space *space,
				       struct usrpci_refusal *refusal)
{
	int err;

	if (!space->dev)
		return -ENODEV;
	err = refusal ? space->ops->refusal(space, refusal) : -EINVAL;
	/* That there's none is no failure that somebody asks about. */
	if (!err || err == -EAGAIN)
		return err;
	return fail(space->dev, USRPCI_CALL_SPACE, space->tag, 0, 0, err);
}

USRPCI_PUBLIC int usrpci_space_stats(struct usrpci_space *space,
				     struct usrpci_space_stats *stats)
{
	struct usrpci_space_stats filled = { 0 };
	int err;

	if (!space->dev)
		return -ENODEV;
	err = stats ? space->ops->stats(space, &filled) : -EINVAL;
	if (err)
		return fail(space->dev, USRPCI_CALL_SPACE, space->tag, 0, 0, err);
	*stats = filled;
	return 0;
}

USRPCI_PUBLIC int usrpci_space_fd(const struct usrpci_space *space)
{
	return space->fd;
}

static void remove_space(struct usrpci_spaces *spaces, struct usrpci_space *space)
{
	struct usrpci_space **link = &spaces->first;

	pthread_mutex_lock(&spaces->lock);
	while (*link != space)
		link = &(*link)->next;
	*link = space->next;
	pthread_mutex_unlock(&spaces->lock);
}

USRPCI_PUBLIC void usrpci_space_close(struct usrpci_space *space)
{
	if (!space)
		return;
	if (space->dev)
		remove_space(&space->dev->spaces, space);
	space->ops->free(space);
}

USRPCI_PUBLIC const char *usrpci_refusal_name(enum usrpci_refusal_reason reason)
{
	switch (reason) {
	case USRPCI_REFUSED_UNMAPPED:
		return "nothing is mapped there";
	case USRPCI_REFUSED_PROTECTED:
		return "the process mayn't do that there, either";
	case USRPCI_REFUSED_SPECIAL:
		return "memory that no device may have";
	case USRPCI_REFUSED_BEYOND:
		return "beyond the DMA mask, or too large for the TLB's fields";
	case USRPCI_REFUSED_LIMIT:
		return "too little locked memory is allowed";
	case USRPCI_REFUSED_ENDED:
		return "the process or the space has ended";
	case USRPCI_REFUSED_NO_MEMORY:
		return "no memory or bus address was left";
	case USRPCI_REFUSED_SMALL:
		return "no page of a size that the TLB has";
	}
	return "unknown reason";
}
