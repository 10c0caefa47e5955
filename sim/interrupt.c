// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "interrupt.h"
#include "vfio/eventfd.h"

/* Has as many vectors as it has room for. */
static int init_kind(struct sim_irq_kind *kind, unsigned int count)
{
	unsigned int i;

	kind->fds = calloc(count + 1, sizeof(*kind->fds));
	if (!kind->fds)
		return -ENOMEM;
	kind->count = count;
	for (i = 0; i < count; i++)
		kind->fds[i] = -1;
	return 0;
}

int sim_irqs_init(struct sim_irqs *irqs, const struct sim_device *device)
{
	const unsigned int counts[VFIO_PCI_NUM_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = device->intx,
		[VFIO_PCI_MSI_IRQ_INDEX] = device->nr_msi,
		[VFIO_PCI_MSIX_IRQ_INDEX] = device->nr_msix,
	};
	unsigned int k;
	int err = 0;

	*irqs = (struct sim_irqs){ 0 };
	for (k = 0; k < VFIO_PCI_NUM_IRQS && !err; k++)
		err = init_kind(&irqs->kinds[k], counts[k]);
	return err;
}

static void unwire(struct sim_irq_kind *kind, unsigned int vector)
{
	if (kind->fds[vector] < 0)
		return;
	close(kind->fds[vector]);
	kind->fds[vector] = -1;
	kind->nr_wired--;
}

void sim_irqs_drop(struct sim_irqs *irqs)
{
	unsigned int i, k;

	for (k = 0; k < VFIO_PCI_NUM_IRQS; k++)
		for (i = 0; irqs->kinds[k].nr_wired && i < irqs->kinds[k].count; i++)
			unwire(&irqs->kinds[k], i);
	irqs->masked = false;
}

void sim_irqs_destroy(struct sim_irqs *irqs)
{
	unsigned int k;

	sim_irqs_drop(irqs);
	for (k = 0; k < VFIO_PCI_NUM_IRQS; k++)
		free(irqs->kinds[k].fds);
}

/* One at its maximum is readable as it is, and isn't worth waiting for. */
static void signal_fd(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd >= 0 && poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
		eventfd_write(fd, 1);
}

/* A pin stays masked from each time that it's told till somebody has seen to it. */
static void tell_pin(struct sim_irqs *irqs)
{
	if (!irqs->level || irqs->masked || irqs->kinds[VFIO_PCI_INTX_IRQ_INDEX].fds[0] < 0)
		return;
	irqs->masked = true;
	signal_fd(irqs->kinds[VFIO_PCI_INTX_IRQ_INDEX].fds[0]);
}

void sim_irqs_pin(struct sim_irqs *irqs, bool level)
{
	irqs->level = level;
	if (irqs->kinds[VFIO_PCI_INTX_IRQ_INDEX].count)
		tell_pin(irqs);
}

bool sim_irqs_has_messages(const struct sim_irqs *irqs)
{
	return irqs->kinds[VFIO_PCI_MSI_IRQ_INDEX].nr_wired ||
	       irqs->kinds[VFIO_PCI_MSIX_IRQ_INDEX].nr_wired;
}

/* MSI with fewer vectors than the device has folds them. */
void sim_irqs_message(struct sim_irqs *irqs, unsigned int vector)
{
	struct sim_irq_kind *msi = &irqs->kinds[VFIO_PCI_MSI_IRQ_INDEX];
	struct sim_irq_kind *msix = &irqs->kinds[VFIO_PCI_MSIX_IRQ_INDEX];

	if (msix->nr_wired && vector < msix->count)
		signal_fd(msix->fds[vector]);
	else if (msi->nr_wired)
		signal_fd(msi->fds[vector & (msi->nr_wired - 1)]);
}

static int keep(struct sim_irq_kind *kind, unsigned int vector, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return -errno;
	unwire(kind, vector);
	kind->fds[vector] = copy;
	kind->nr_wired++;
	return 0;
}

static int wire(struct sim_irqs *irqs, const struct vfio_irq_set *set, const int *fds,
		unsigned int nr_fds)
{
	struct sim_irq_kind *kind = &irqs->kinds[set->index];
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr_fds && !err; i++)
		err = usrpci_check_eventfd(fds[i]);
	for (i = 0; i < set->count && !err; i++) {
		if (nr_fds)
			err = keep(kind, set->start + i, fds[i]);
		else
			unwire(kind, set->start + i);
	}
	/* Who wires the pin hasn't seen what came before. */
	if (set->index == VFIO_PCI_INTX_IRQ_INDEX) {
		irqs->masked = false;
		tell_pin(irqs);
	}
	return err;
}

static void act(struct sim_irqs *irqs, const struct vfio_irq_set *set, unsigned int vector)
{
	struct sim_irq_kind *kind = &irqs->kinds[set->index];

	if (set->flags & VFIO_IRQ_SET_ACTION_TRIGGER) {
		signal_fd(kind->fds[vector]);
		return;
	}
	if (set->index != VFIO_PCI_INTX_IRQ_INDEX)
		return;
	irqs->masked = set->flags & VFIO_IRQ_SET_ACTION_MASK;
	tell_pin(irqs);
}

int sim_irqs_set(struct sim_irqs *irqs, const struct vfio_irq_set *set, const uint8_t *bools,
		 const int *fds, unsigned int nr_fds)
{
	struct sim_irq_kind *kind;
	unsigned int i;

	if (set->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	kind = &irqs->kinds[set->index];
	if (!set->count && !set->start && set->flags & VFIO_IRQ_SET_DATA_NONE &&
	    set->flags & VFIO_IRQ_SET_ACTION_TRIGGER) {
		for (i = 0; i < kind->count; i++)
			unwire(kind, i);
		return 0;
	}
	if (set->start >= kind->count || set->count > kind->count - set->start || !set->count)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		/*
		 * An eventfd that masks or unmasks isn't listened to: a QEMU that would have KVM
		 * signal it then unmasks by messages.
		 */
		if (!(set->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
			return nr_fds ? -ENOTSUP : 0;
		return wire(irqs, set, fds, nr_fds);
	}
	for (i = 0; i < set->count; i++)
		if (!(set->flags & VFIO_IRQ_SET_DATA_BOOL) || bools[i])
			act(irqs, set, set->start + i);
	return 0;
}
