// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* VFIO's books of mapped memory, with a peer that says yes, or no at some point. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vfio/vfio.h"

#define PAGE	4096U

/**
 * struct peer - A device, and what its peer has.
 * @dev: the device
 * @nr_mapped: pieces of memory
 * @refuse: the map that is refused, counted from 1 on; 0: none
 * @err: what an unmap says
 * @guess: somebody unmaps what is about to be mapped, whose handle nobody was told yet
 * @guessed: what came of that
 */
struct peer {
	struct usrpci_vfio_device dev;
	unsigned int nr_mapped;
	unsigned int refuse;
	int err;
	bool guess;
	int guessed;
};

static char memory[64 * PAGE] __attribute__((aligned(PAGE)));

static struct peer *peer_of(struct usrpci_vfio_device *dev)
{
	return usrpci_container_of(dev, struct peer, dev);
}

static int map(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma, uint64_t *missing)
{
	struct peer *peer = peer_of(dev);

	if (peer->refuse && !--peer->refuse)
		return -EIO;
	if (peer->guess)
		peer->guessed = usrpci_vfio_unmap(&dev->base, &dma->handle, 1);
	peer->nr_mapped++;
	return 0;
}

static int unmap(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma)
{
	peer_of(dev)->nr_mapped--;
	return peer_of(dev)->err;
}

static int set_irqs(struct usrpci_vfio_device *dev, const struct vfio_irq_set *set,
		    const int *eventfds, unsigned int nr)
{
	return 0;
}

static const struct usrpci_vfio_ops ops = { .map = map, .unmap = unmap, .set_irqs = set_irqs };

static int setup(void **state)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	usrpci_vfio_init(&peer->dev, &usrpci_backend_vfio_user, &ops);
	*state = peer;
	return 0;
}

static int teardown(void **state)
{
	struct peer *peer = *state;
	unsigned int left;

	usrpci_vfio_unmap_all(&peer->dev);
	left = peer->nr_mapped + peer->dev.dmas.nr_live;
	usrpci_vfio_destroy(&peer->dev);
	free(peer);
	return left ? -1 : 0;
}

static int map_some(struct peer *peer, unsigned int nr, uint32_t *handles)
{
	struct usrpci_mapping maps[64] = { 0 };
	unsigned int i;
	uint64_t missing = 0;
	int err;

	for (i = 0; i < nr; i++) {
		maps[i].addr = memory + i * PAGE;
		maps[i].len = PAGE;
	}
	err = usrpci_vfio_map(&peer->dev.base, maps, nr, &missing);
	for (i = 0; i < nr; i++)
		handles[i] = maps[i].handle;
	return err;
}

static int unmap_some(struct peer *peer, const uint32_t *handles, unsigned int nr)
{
	return usrpci_vfio_unmap(&peer->dev.base, handles, nr);
}

static void test_handles(void **state)
{
	struct peer *peer = *state;
	uint32_t handles[64], again;
	unsigned int i;

	assert_int_equal(map_some(peer, 64, handles), 0);
	for (i = 0; i < 64; i++) {
		assert_int_not_equal(handles[i], 0);
		assert_int_equal(unmap_some(peer, &handles[i], 1), 0);
		assert_int_equal(unmap_some(peer, &handles[i], 1), -EINVAL);
		/* In the same slot, and yet another. */
		assert_int_equal(map_some(peer, 1, &again), 0);
		assert_int_not_equal(again, handles[i]);
		assert_int_equal(unmap_some(peer, &handles[i], 1), -EINVAL);
		assert_int_equal(unmap_some(peer, &again, 1), 0);
	}
	for (i = 0; i < 32; i++)
		assert_int_equal(unmap_some(peer, &(uint32_t){ 1U << i }, 1), -EINVAL);
	assert_int_equal(unmap_some(peer, &(uint32_t){ 0 }, 1), -EINVAL);
	assert_int_equal(unmap_some(peer, &(uint32_t){ UINT32_MAX }, 1), -EINVAL);
}

/* All of them, or none. */
static void test_refused(void **state)
{
	struct peer *peer = *state;
	uint32_t handles[64];
	unsigned int i;

	for (i = 1; i <= 64; i++) {
		peer->refuse = i;
		assert_int_equal(map_some(peer, 64, handles), -EIO);
		assert_int_equal(peer->nr_mapped, 0);
		assert_int_equal(peer->dev.dmas.nr_live, 0);
	}
	assert_ptr_equal(usrpci_iovas_next(&peer->dev.dmas.iovas, PAGE), &peer->dev.dmas.iovas.top);
	assert_int_equal(map_some(peer, 64, handles), 0);
}

static void test_unmapped_twice(void **state)
{
	struct peer *peer = *state;
	uint32_t handles[3];

	assert_int_equal(map_some(peer, 3, handles), 0);
	handles[2] = handles[0];
	assert_int_equal(unmap_some(peer, handles, 3), -EINVAL);
	assert_int_equal(peer->nr_mapped, 3);
	assert_int_equal(unmap_some(peer, handles, 2), 0);
	assert_int_equal(peer->nr_mapped, 1);
}

static void test_guessed(void **state)
{
	struct peer *peer = *state;
	uint32_t handles[3];

	peer->guess = true;
	assert_int_equal(map_some(peer, 3, handles), 0);
	assert_int_equal(peer->guessed, -EINVAL);
	assert_int_equal(peer->nr_mapped, 3);
	assert_int_equal(unmap_some(peer, handles, 3), 0);
}

/* The memory is the program's in any case. */
static void test_unmap_fails(void **state)
{
	struct peer *peer = *state;
	uint32_t handles[2];

	assert_int_equal(map_some(peer, 2, handles), 0);
	peer->err = -EIO;
	assert_int_equal(unmap_some(peer, handles, 2), -EIO);
	assert_int_equal(peer->dev.dmas.nr_live, 0);
	assert_int_equal(unmap_some(peer, handles, 1), -EINVAL);
}

static void test_mask(void **state)
{
	struct peer *peer = *state;
	struct usrpci_device *dev = &peer->dev.base;
	uint32_t handle, more;

	assert_int_equal(usrpci_vfio_set_dma_mask(dev, 0, UINT32_MAX), -EIO);
	assert_int_equal(usrpci_vfio_set_dma_mask(dev, 0xff0, UINT32_MAX), -EIO);
	assert_int_equal(usrpci_vfio_set_dma_mask(dev, PAGE - 1, UINT32_MAX), -EIO);
	assert_int_equal(usrpci_vfio_set_dma_mask(dev, 2 * PAGE - 1, UINT64_MAX), 0);
	assert_int_equal(map_some(peer, 1, &handle), 0);
	assert_int_equal(map_some(peer, 1, &more), -ENOMEM);
	assert_int_equal(usrpci_vfio_set_dma_mask(dev, UINT32_MAX, UINT32_MAX), -EBUSY);
	assert_int_equal(unmap_some(peer, &handle, 1), 0);
	assert_int_equal(usrpci_vfio_set_dma_mask(dev, UINT32_MAX, UINT32_MAX), 0);
}

static void test_sync(void **state)
{
	struct usrpci_device *dev = &((struct peer *)*state)->dev.base;
	uint32_t handle;

	assert_int_equal(map_some(*state, 1, &handle), 0);
	assert_int_equal(usrpci_vfio_sync(dev, handle, 0, PAGE, true), 0);
	assert_int_equal(usrpci_vfio_sync(dev, handle, 1, PAGE, true), -EINVAL);
	assert_int_equal(usrpci_vfio_sync(dev, handle, 0, 0, true), -EINVAL);
	assert_int_equal(usrpci_vfio_sync(dev, handle, UINT64_MAX, 2, true), -EINVAL);
	assert_int_equal(usrpci_vfio_sync(dev, handle + 1, 0, 1, true), -EINVAL);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handles),
		TEST(test_refused),
		TEST(test_unmapped_twice),
		TEST(test_guessed),
		TEST(test_unmap_fails),
		TEST(test_mask),
		TEST(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
