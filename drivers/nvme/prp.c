// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <errno.h>
#include "prp.h"
#include "registers.h"

#define ENTRY		sizeof(uint64_t)
#define PAGE_ENTRIES	(NVME_PAGE / ENTRY)

/**
 * struct cursor - A place in a scatterlist.
 * @sg: the run
 * @nr: runs from there on
 * @offset: bytes from the run's start
 */
struct cursor {
	const struct usrpci_sg *sg;
	unsigned int nr;
	uint64_t offset;
};

/**
 * struct writer - Pages written so far.
 * @list: where those after the first go
 * @pos: next entry
 * @pages: how many there are
 * @prp: the first, and the second if there are two
 */
struct writer {
	const struct nvme_prp_list *list;
	size_t pos;
	unsigned int pages;
	uint64_t *prp;
};

uint64_t nvme_prp_reach(size_t len)
{
	size_t entries = len / ENTRY;

	/* Each page but the last gives an entry to lead on. */
	if (entries > PAGE_ENTRIES)
		entries -= (entries - 1) / PAGE_ENTRIES;
	return (uint64_t)entries * NVME_PAGE;
}

size_t nvme_prp_room(uint64_t len)
{
	size_t entries = (size_t)((len + NVME_PAGE - 1) / NVME_PAGE);
	size_t room = ENTRY;

	if (entries > PAGE_ENTRIES)
		return (entries + PAGE_ENTRIES - 3) / (PAGE_ENTRIES - 1) * NVME_PAGE;
	while (room < entries * ENTRY)
		room *= 2;
	return room;
}

static int seek(struct cursor *at, uint64_t offset)
{
	for (; at->nr; at->sg++, at->nr--) {
		if (offset < at->sg->len) {
			at->offset = offset;
			return 0;
		}
		offset -= at->sg->len;
	}
	return -EINVAL;
}

/* Takes bytes up to the page's end, from one run or several that join. */
static int take_page(struct cursor *at, uint64_t left, uint64_t *page, uint64_t *taken)
{
	uint64_t room, part;

	*page = at->sg->bus_addr + at->offset;
	*taken = 0;
	room = NVME_PAGE - *page % NVME_PAGE;
	if (room > left)
		room = left;
	while (*taken < room) {
		if (!at->nr)
			return -EINVAL;
		if (at->sg->bus_addr + at->offset != *page + *taken)
			return -ERANGE;
		part = at->sg->len - at->offset;
		if (part > room - *taken)
			part = room - *taken;
		*taken += part;
		at->offset += part;
		if (at->offset == at->sg->len) {
			at->sg++;
			at->nr--;
			at->offset = 0;
		}
	}
	return 0;
}

static int put(struct writer *to, uint64_t entry)
{
	if ((to->pos + 1) * ENTRY > to->list->len)
		return -ENOSPC;
	to->list->entries[to->pos++] = htole64(entry);
	return 0;
}

/* Appends to the list. The last entry of a page of it leads on if more than one is to come. */
static int append(struct writer *to, uint64_t page, bool last)
{
	uint64_t next = to->list->bus_addr + (to->pos + 1) * ENTRY;
	int err = 0;

	if (!last && next % NVME_PAGE == 0)
		err = put(to, next);
	return err ? err : put(to, page);
}

static int add_page(struct writer *to, uint64_t page, bool last)
{
	int err = 0;

	if (!to->pages && page % 4)
		return -ERANGE;
	if (to->pages && page % NVME_PAGE)
		return -ERANGE;
	if (!to->pages) {
		to->prp[0] = page;
		to->prp[1] = 0;
	} else if (to->pages == 1 && last) {
		to->prp[1] = page;
	} else {
		to->prp[1] = to->list->bus_addr;
		err = append(to, page, last);
	}
	to->pages++;
	return err;
}

int nvme_prp_fill(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t len,
		  const struct nvme_prp_list *list, uint64_t prp[2])
{
	struct writer to = { .list = list, .prp = prp };
	struct cursor at = { .sg = sg, .nr = nr };
	uint64_t page, taken;
	int err;

	if (!len || seek(&at, offset))
		return -EINVAL;
	while (len) {
		if (!at.nr)
			return -EINVAL;
		err = take_page(&at, len, &page, &taken);
		if (err)
			return err;
		len -= taken;
		err = add_page(&to, page, !len);
		if (err)
			return err;
	}
	return 0;
}
