// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Misses that the module serves. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kernel.h"
#include "pager/describe.h"

static_assert(USRPCI_SPACE_AROUND == USRPCI_BIND_MAX_AROUND, "the module takes as many");
static_assert(USRPCI_SPACE_BINS == USRPCI_SPACE_NR_BINS, "the module has as many");

/* The module's own numbers. */
static_assert((int)USRPCI_REFUSED_UNMAPPED == (int)USRPCI_REFUSAL_UNMAPPED, "same reasons");
static_assert((int)USRPCI_REFUSED_PROTECTED == (int)USRPCI_REFUSAL_PROTECTED, "same reasons");
static_assert((int)USRPCI_REFUSED_SPECIAL == (int)USRPCI_REFUSAL_SPECIAL, "same reasons");
static_assert((int)USRPCI_REFUSED_BEYOND == (int)USRPCI_REFUSAL_BEYOND, "same reasons");
static_assert((int)USRPCI_REFUSED_LIMIT == (int)USRPCI_REFUSAL_LIMIT, "same reasons");
static_assert((int)USRPCI_REFUSED_ENDED == (int)USRPCI_REFUSAL_ENDED, "same reasons");
static_assert((int)USRPCI_REFUSED_NO_MEMORY == (int)USRPCI_REFUSAL_NO_MEMORY, "same reasons");
static_assert((int)USRPCI_REFUSED_SMALL == (int)USRPCI_REFUSAL_SMALL, "same reasons");

/* A module from before this has no such command, and a library that does it. */
static int or_not_there(int err)
{
	return err == -ENOTTY ? -EOPNOTSUPP : err;
}

int usrpci_kernel_tlb_describe(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			       unsigned int *fault)
{
	struct usrpci_ioc_tlb arg;
	int err;

	usrpci_tlb_to_ioc(&arg, tlb);
	err = usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_TLB, &arg);
	*fault = arg.fault;
	return or_not_there(err);
}

bool usrpci_kernel_can_mirror(int fd)
{
	struct usrpci_ioc_bind arg = { .size = 0 };

	/* Of no size it's bound to fail, but not as a command that isn't there. */
	return usrpci_kernel_ioctl(fd, USRPCI_BIND, &arg) == -EINVAL;
}

static int space_forget(struct usrpci_space *space, uint64_t first, uint64_t last)
{
	struct usrpci_ioc_space_forget arg = {
		.size = sizeof(arg),
		.addr = first,
		.len = last - first + 1,
	};

	/* What has 2^64 bytes is said in halves. */
	if (!arg.len)
		return space_forget(space, 0, UINT64_MAX / 2) ?:
		       space_forget(space, UINT64_MAX / 2 + 1, UINT64_MAX);
	return usrpci_kernel_ioctl(space->fd, USRPCI_SPACE_FORGET, &arg);
}

static int space_refusal(struct usrpci_space *space, struct usrpci_refusal *refusal)
{
	struct usrpci_ioc_space_refusal arg = { .size = sizeof(arg) };
	int err = usrpci_kernel_ioctl(space->fd, USRPCI_SPACE_REFUSAL, &arg);

	if (err)
		return err;
	*refusal = (struct usrpci_refusal){
		.addr = arg.addr,
		.reason = (enum usrpci_refusal_reason)arg.reason,
		.write = arg.write,
		.lost = arg.lost,
	};
	return 0;
}

static int space_stats(struct usrpci_space *space, struct usrpci_space_stats *stats)
{
	struct usrpci_ioc_space_info arg = { .size = sizeof(arg) };
	int err = usrpci_kernel_ioctl(space->fd, USRPCI_SPACE_INFO, &arg);
	unsigned int i;

	if (err)
		return err;
	*stats = (struct usrpci_space_stats){
		.misses = arg.misses,
		.fills = arg.fills,
		.evictions = arg.evictions,
		.invalidations = arg.invalidations,
		.refusals = arg.refusals,
		.retries = arg.retries,
		.faults = arg.faults,
		.entries = arg.entries,
		.pages = arg.pages,
	};
	for (i = 0; i < USRPCI_SPACE_BINS; i++)
		stats->latency[i] = arg.latency[i];
	return 0;
}

/*
 * The space ends with its descriptor, which keeps the function claimed. The number stays the
 * program's to poll: of a pipe that nobody writes to, which hangs up.
 */
static void space_detach(struct usrpci_space *space)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC)) {
		close(space->fd);
		space->fd = -1;
		return;
	}
	close(fds[1]);
	dup3(fds[0], space->fd, O_CLOEXEC);
	close(fds[0]);
}

static void space_free(struct usrpci_space *space)
{
	if (space->fd >= 0)
		close(space->fd);
	free(space);
}

static const struct usrpci_space_ops ops = {
	.forget = space_forget,
	.refusal = space_refusal,
	.stats = space_stats,
	.detach = space_detach,
	.free = space_free,
};

int usrpci_kernel_space_bind(struct usrpci_device *dev,
			     const struct usrpci_space_options *options,
			     struct usrpci_space **spacep)
{
	struct usrpci_ioc_bind arg = {
		.size = sizeof(arg),
		.flags = options->flags & USRPCI_SPACE_MIRRORED ? USRPCI_BIND_MIRRORED : 0,
		.around = options->around,
	};
	struct usrpci_space *space = calloc(1, sizeof(*space));
	int err;

	if (!space)
		return -ENOMEM;
	err = usrpci_kernel_ioctl(usrpci_kernel(dev)->fd, USRPCI_BIND, &arg);
	if (err) {
		free(space);
		return err == -ENOTTY ? -EINVAL : err;
	}
	space->ops = &ops;
	space->tag = arg.tag;
	space->fd = arg.fd;
	*spacep = space;
	return 0;
}
