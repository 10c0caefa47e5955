// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

/* Misses that the ring has room for, an engine: what was taken from it needn't be told at once. */
#define RING_ROOM	4U

int htex_read(const struct htex *htex, unsigned int reg, unsigned int width, uint64_t *value)
{
	int err = usrpci_bar_read(htex->dev, 0, reg, width, value);

	/* No register of 4 bytes ever has all bits set. */
	if (!err && width == 4 && *value == UINT32_MAX)
		return -ENODEV;
	return err;
}

int htex_write(const struct htex *htex, unsigned int reg, unsigned int width, uint64_t value)
{
	return usrpci_bar_write(htex->dev, 0, reg, width, value);
}

/* --- opening --- */

static int check_identity(struct htex *htex)
{
	struct usrpci_info info;
	uint64_t id, version;
	int err;

	err = usrpci_info(htex->dev, &info);
	if (err)
		return err;
	if (info.vendor != HTEX_VENDOR || info.device != HTEX_DEVICE)
		return -ENOTSUP;
	err = htex_read(htex, HTEX_ID, 4, &id);
	if (!err)
		err = htex_read(htex, HTEX_VERSION, 4, &version);
	if (err)
		return err;
	return id == HTEX_ID_VALUE && version == 1 ? 0 : -ENOTSUP;
}

static int read_sizes(struct htex *htex)
{
	uint64_t entries, engines;
	int err;

	err = htex_read(htex, HTEX_ENTRIES, 4, &entries);
	if (!err)
		err = htex_read(htex, HTEX_ENGINES, 4, &engines);
	if (err)
		return err;
	if (!engines || engines > HTEX_ENGINES_MOST)
		return -ENOTSUP;
	htex->entries = (uint32_t)entries;
	htex->engines = (uint32_t)engines;
	return 0;
}

/* Misses are for whoever serves them: their vector is left alone if there are two. */
static int setup_irqs(struct htex *htex)
{
	int err;

	htex->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (htex->eventfd < 0)
		return -errno;
	htex->nr_vectors = 2;
	err = usrpci_irq_setup(htex->dev, USRPCI_MSIX, 2);
	if (err == -EOPNOTSUPP || err == -ENOSPC) {
		htex->nr_vectors = 1;
		err = usrpci_irq_setup(htex->dev, USRPCI_MSI, 1);
	}
	if (err)
		return err;
	return usrpci_irq_wire(htex->dev, htex->nr_vectors - 1, 1, &htex->eventfd);
}

static int setup_ring(struct htex *htex)
{
	int err;

	if (!(htex->flags & HTEX_USE_RING))
		return 0;
	htex->ring_size = 1;
	while (htex->ring_size < RING_ROOM * htex->engines)
		htex->ring_size *= 2;
	err = usrpci_coherent_alloc(htex->dev, htex->ring_size * HTEX_MISS_WORDS * 8UL,
				    &htex->ring);
	if (!err)
		err = htex_write(htex, HTEX_RING, 8, htex->ring.bus_addr);
	if (!err)
		err = htex_write(htex, HTEX_RING_SIZE, 4, htex->ring_size);
	return err;
}

/* Whoever dies leaves no job that goes on, where there is somebody to see to it. */
static int leave_orders(struct htex *htex)
{
	const struct usrpci_step stop = {
		.width = 4, .offset = HTEX_CONTROL, .value = 0, .mask = UINT32_MAX,
	};
	int err = usrpci_quiesce(htex->dev, &stop, 1);

	return err == -EOPNOTSUPP ? 0 : err;
}

static int start_translating(struct htex *htex)
{
	uint32_t control = HTEX_TRANSLATE | HTEX_IRQ_AT_MISS | HTEX_IRQ_AT_END;

	if (htex->flags & HTEX_USE_RING)
		control |= HTEX_TO_RING;
	if (htex->flags & HTEX_CHOOSE_ENTRIES)
		control |= HTEX_DRIVER_CHOOSES;
	return htex_write(htex, HTEX_CONTROL, 4, control);
}

static int setup_memory(struct htex *htex)
{
	int err;

	err = usrpci_set_dma_mask(htex->dev, UINT64_MAX, UINT64_MAX);
	if (!err)
		err = setup_ring(htex);
	if (!err)
		err = usrpci_set_master(htex->dev, true);
	return err;
}

static int setup(struct htex *htex)
{
	int err;

	err = check_identity(htex);
	if (!err)
		err = read_sizes(htex);
	if (!err)
		err = leave_orders(htex);
	if (!err)
		err = setup_irqs(htex);
	if (!err)
		err = setup_memory(htex);
	return err ? err : start_translating(htex);
}

/* Timeouts are of the clock that can't be set. */
static int init_locks(struct htex *htex)
{
	pthread_condattr_t attr;
	int err;

	err = pthread_condattr_init(&attr);
	if (err)
		return -err;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&htex->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (!err)
		err = pthread_mutex_init(&htex->lock, NULL);
	return -err;
}

int htex_open(struct htex **htexp, const char *address, const struct htex_options *options)
{
	const unsigned int flags = options ? options->flags : 0;
	struct htex *htex;
	int err;

	if (flags & ~(HTEX_USE_RING | HTEX_CHOOSE_ENTRIES))
		return -EINVAL;
	htex = calloc(1, sizeof(*htex));
	if (!htex)
		return -ENOMEM;
	htex->flags = flags;
	htex->eventfd = -1;
	err = init_locks(htex);
	if (!err)
		err = usrpci_open(&htex->dev, address);
	if (!err)
		err = setup(htex);
	if (err) {
		htex_close(htex);
		return err;
	}
	*htexp = htex;
	return 0;
}

void htex_close(struct htex *htex)
{
	if (!htex)
		return;
	if (htex->dev)
		htex_write(htex, HTEX_CONTROL, 4, 0);
	usrpci_close(htex->dev);
	if (htex->eventfd >= 0)
		close(htex->eventfd);
	pthread_cond_destroy(&htex->changed);
	pthread_mutex_destroy(&htex->lock);
	free(htex);
}

struct usrpci_device *htex_device(const struct htex *htex)
{
	return htex->dev;
}

unsigned int htex_engines(const struct htex *htex)
{
	return htex->engines;
}

int htex_fd(const struct htex *htex)
{
	return htex->eventfd;
}
