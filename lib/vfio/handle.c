// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "vfio.h"

/* A handle is the slot, counted from 1, and above it how often the slot was used. */
#define SLOT_BITS	20
#define MAX_SLOTS	((1U << SLOT_BITS) - 1)
#define FIRST_SLOTS	16U

/**
 * struct usrpci_dma_slot - What a handle leads to.
 * @dma: the memory; NULL in an empty slot
 * @next: the next empty slot, counted from 1; 0: none
 * @uses: times that it was filled
 */
struct usrpci_dma_slot {
	struct usrpci_dma *dma;
	uint32_t next;
	uint32_t uses;
};

static int grow(struct usrpci_dmas *dmas)
{
	uint32_t nr = dmas->nr_slots ? 2 * dmas->nr_slots : FIRST_SLOTS;
	struct usrpci_dma_slot *slots;
	uint32_t i;

	if (nr > MAX_SLOTS)
		nr = MAX_SLOTS;
	if (nr == dmas->nr_slots)
		return -ENOMEM;
	slots = reallocarray(dmas->slots, nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = dmas->nr_slots; i < nr; i++)
		slots[i] = (struct usrpci_dma_slot){ .next = i + 1 < nr ? i + 2 : 0 };
	dmas->free = dmas->nr_slots + 1;
	dmas->slots = slots;
	dmas->nr_slots = nr;
	return 0;
}

int usrpci_dmas_add(struct usrpci_dmas *dmas, struct usrpci_dma *dma)
{
	struct usrpci_dma_slot *slot;
	int err = dmas->free ? 0 : grow(dmas);

	if (err)
		return err;
	slot = &dmas->slots[dmas->free - 1];
	dma->handle = slot->uses++ << SLOT_BITS | dmas->free;
	dmas->free = slot->next;
	dmas->nr_live++;
	slot->dma = dma;
	return 0;
}

struct usrpci_dma *usrpci_dmas_get(const struct usrpci_dmas *dmas, uint32_t handle)
{
	uint32_t slot = handle & MAX_SLOTS;
	struct usrpci_dma *dma;

	if (!slot || slot > dmas->nr_slots)
		return NULL;
	dma = dmas->slots[slot - 1].dma;
	return dma && dma->handle == handle ? dma : NULL;
}

struct usrpci_dma *usrpci_dmas_in(const struct usrpci_dmas *dmas, uint32_t slot)
{
	return dmas->slots[slot - 1].dma;
}

void usrpci_dmas_remove(struct usrpci_dmas *dmas, struct usrpci_dma *dma)
{
	uint32_t at = dma->handle & MAX_SLOTS;
	struct usrpci_dma_slot *slot = &dmas->slots[at - 1];

	slot->dma = NULL;
	slot->next = dmas->free;
	dmas->free = at;
	dmas->nr_live--;
}
