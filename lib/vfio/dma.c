// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "dma.h"
#include "vfio.h"

/* What needs no memory for a list of them. */
#define FEW	64

/* From this size on an IOMMU can use large pages, if both addresses lie alike in them. */
#define LARGE	(2ULL << 20)

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of all pages that @len bytes at @addr lie in. */
static uint64_t whole_pages(const void *addr, uint64_t len)
{
	const uint64_t page = page_size(), offset = (uintptr_t)addr & (page - 1);

	return (offset + len + page - 1) & ~(page - 1);
}

void usrpci_dmas_init(struct usrpci_dmas *dmas)
{
	pthread_mutex_init(&dmas->lock, NULL);
	usrpci_iovas_init(&dmas->iovas);
	usrpci_iovas_keep_ends(&dmas->iovas);
	dmas->mask = UINT32_MAX;
	dmas->coherent_mask = UINT32_MAX;
}

void usrpci_dmas_destroy(struct usrpci_dmas *dmas)
{
	free(dmas->slots);
	pthread_mutex_destroy(&dmas->lock);
}

static bool is_mask(uint64_t mask)
{
	return mask && !(mask & (mask + 1));
}

/* Whether a page is left below both masks. */
static bool is_served(struct usrpci_dmas *dmas, uint64_t streaming, uint64_t coherent)
{
	uint64_t last = streaming < coherent ? streaming : coherent;
	struct usrpci_iova page;

	if (usrpci_iovas_take(&dmas->iovas, &page, page_size(), last, 0, 0))
		return false;
	usrpci_iovas_give(&dmas->iovas, &page);
	return true;
}

int usrpci_vfio_set_dma_mask(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	struct usrpci_dmas *dmas = &vdev->dmas;
	int err = 0;

	pthread_mutex_lock(&dmas->lock);
	if (dmas->nr_live) {
		err = -EBUSY;
	} else if (!is_mask(streaming) || !is_mask(coherent) ||
		   !is_served(dmas, streaming, coherent)) {
		err = -EIO;
	} else {
		dmas->mask = streaming;
		dmas->coherent_mask = coherent;
	}
	pthread_mutex_unlock(&dmas->lock);
	return usrpci_vfio_answer(vdev, err);
}

static int take_iova(struct usrpci_dmas *dmas, struct usrpci_dma *dma)
{
	const uint64_t page = page_size(), start = (uintptr_t)dma->addr & ~(page - 1);
	const uint64_t len = whole_pages(dma->addr, dma->len);
	const uint64_t last = dma->coherent ? dmas->coherent_mask : dmas->mask;
	int err = -ENOSPC;

	if (len >= LARGE)
		err = usrpci_iovas_take(&dmas->iovas, &dma->iova, len, last, LARGE, start);
	if (err)
		err = usrpci_iovas_take(&dmas->iovas, &dma->iova, len, last, 0, 0);
	return err ? -ENOMEM : 0;
}

/* The handle comes first: what the device was given can always be found. */
static int enter(struct usrpci_dmas *dmas, struct usrpci_dma *dma)
{
	int err;

	pthread_mutex_lock(&dmas->lock);
	err = take_iova(dmas, dma);
	if (!err) {
		err = usrpci_dmas_add(dmas, dma);
		if (err)
			usrpci_iovas_give(&dmas->iovas, &dma->iova);
	}
	pthread_mutex_unlock(&dmas->lock);
	return err;
}

/* Of one that nobody finds any more, or whose handle nobody knows yet. */
static void forget(struct usrpci_dmas *dmas, struct usrpci_dma *dma)
{
	pthread_mutex_lock(&dmas->lock);
	usrpci_iovas_give(&dmas->iovas, &dma->iova);
	pthread_mutex_unlock(&dmas->lock);
	if (dma->coherent)
		close(dma->fd);
	free(dma);
}

/* From now on it's whoever's who knows the handle, or guesses it. */
static void publish(struct usrpci_dmas *dmas, struct usrpci_dma *dma, struct usrpci_dma *copy)
{
	pthread_mutex_lock(&dmas->lock);
	dma->leaving = false;
	*copy = *dma;
	pthread_mutex_unlock(&dmas->lock);
}

int usrpci_dma_map(struct usrpci_vfio_device *dev, struct usrpci_dma *copy, uint64_t *missing)
{
	struct usrpci_dma *dma = malloc(sizeof(*dma));
	int err;

	if (!dma)
		return -ENOMEM;
	*dma = *copy;
	dma->leaving = true;
	err = enter(&dev->dmas, dma);
	if (err) {
		free(dma);
		return err;
	}
	err = dev->ops->map(dev, dma, missing);
	if (err) {
		pthread_mutex_lock(&dev->dmas.lock);
		usrpci_dmas_remove(&dev->dmas, dma);
		pthread_mutex_unlock(&dev->dmas.lock);
		dma->coherent = false;	/* its descriptor stays the caller's */
		forget(&dev->dmas, dma);
		return err;
	}
	publish(&dev->dmas, dma, copy);
	return 0;
}

/* A device that has gone reaches nothing, so the memory is the program's in any case. */
static int unmap(struct usrpci_vfio_device *dev, struct usrpci_dma *dma)
{
	int err = dev->ops->unmap(dev, dma);

	forget(&dev->dmas, dma);
	return err;
}

/* Takes all of them off the table, or none. */
static int take(struct usrpci_dmas *dmas, const uint32_t *handles, unsigned int nr,
		struct usrpci_dma **taken)
{
	unsigned int i, n;
	int err = 0;

	pthread_mutex_lock(&dmas->lock);
	for (n = 0; n < nr; n++) {
		taken[n] = usrpci_dmas_get(dmas, handles[n]);
		if (!taken[n] || taken[n]->leaving) {
			err = -EINVAL;
			break;
		}
		taken[n]->leaving = true;
	}
	for (i = 0; i < n; i++) {
		taken[i]->leaving = false;
		if (!err)
			usrpci_dmas_remove(dmas, taken[i]);
	}
	pthread_mutex_unlock(&dmas->lock);
	return err;
}

/* Room for @nr, in @few if they fit there. */
static struct usrpci_dma **list(struct usrpci_dma **few, unsigned int nr)
{
	return nr <= FEW ? few : calloc(nr, sizeof(*few));
}

int usrpci_vfio_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	struct usrpci_dma *few[FEW], **taken = list(few, nr);
	int err = 0, ret;
	unsigned int i;

	if (!taken)
		return -ENOMEM;
	ret = take(&vdev->dmas, handles, nr, taken);
	for (i = 0; !ret && i < nr; i++)
		err = unmap(vdev, taken[i]) ?: err;
	if (taken != few)
		free(taken);
	return ret ? usrpci_vfio_answer(vdev, ret) : err;
}

void usrpci_vfio_unmap_all(struct usrpci_vfio_device *dev)
{
	uint32_t slot;

	for (slot = 1; dev->dmas.nr_live && slot <= dev->dmas.nr_slots; slot++) {
		struct usrpci_dma *dma = usrpci_dmas_in(&dev->dmas, slot);

		if (!dma)
			continue;
		usrpci_dmas_remove(&dev->dmas, dma);
		unmap(dev, dma);
	}
}

void usrpci_vfio_drop_all(struct usrpci_vfio_device *dev)
{
	uint32_t slot;

	for (slot = 1; slot <= dev->dmas.nr_slots; slot++) {
		struct usrpci_dma *dma = usrpci_dmas_in(&dev->dmas, slot);

		if (dma && dma->coherent)
			close(dma->fd);
		free(dma);
	}
}

/* It's one run of bus addresses each, for which any room suffices. */
static void tell(struct usrpci_mapping *map, const struct usrpci_dma *dma)
{
	map->handle = dma->handle;
	map->flags &= ~USRPCI_BOUNCED;
	if (map->sg && map->nr_sg)
		map->sg[0] = (struct usrpci_sg){ usrpci_dma_address(dma), dma->len };
	map->nr_sg = 1;
}

/* What would have been locked next, had there been room for what failed. */
static uint64_t rest_of(const struct usrpci_mapping *maps, unsigned int nr)
{
	uint64_t len = 0;

	while (nr--)
		len += whole_pages(maps[nr].addr, maps[nr].len);
	return len;
}

static int map_all(struct usrpci_vfio_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		   struct usrpci_dma *dmas, uint64_t *missing)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		dmas[i] = (struct usrpci_dma){
			.addr = maps[i].addr, .len = maps[i].len,
			.direction = maps[i].direction, .fd = -1,
		};
		err = usrpci_dma_map(dev, &dmas[i], missing);
	}
	if (err) {
		*missing += *missing ? rest_of(&maps[i], nr - i) : 0;
		for (i--; i--;)
			usrpci_vfio_unmap(&dev->base, &dmas[i].handle, 1);
		return err;
	}
	for (i = 0; i < nr; i++)
		tell(&maps[i], &dmas[i]);
	return 0;
}

int usrpci_vfio_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		    uint64_t *missing)
{
	struct usrpci_dma few[FEW], *dmas = nr <= FEW ? few : calloc(nr, sizeof(*few));
	int err;

	if (!dmas)
		return -ENOMEM;
	err = map_all(usrpci_vfio(dev), maps, nr, dmas, missing);
	if (dmas != few)
		free(dmas);
	return err;
}

/* CPU and device see the same memory here; what was said is checked all the same. */
int usrpci_vfio_sync(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		     uint64_t len, bool for_cpu)
{
	struct usrpci_vfio_device *vdev = usrpci_vfio(dev);
	struct usrpci_dmas *dmas = &vdev->dmas;
	struct usrpci_dma *dma;
	int err = 0;

	pthread_mutex_lock(&dmas->lock);
	dma = usrpci_dmas_get(dmas, handle);
	if (!dma || dma->coherent || !len || offset > dma->len || len > dma->len - offset)
		err = -EINVAL;
	pthread_mutex_unlock(&dmas->lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return usrpci_vfio_answer(vdev, err);
}
