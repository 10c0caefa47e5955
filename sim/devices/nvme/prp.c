// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Physical region pages: NVMe base 2.0 §4.1.1. */
#include <errno.h>
#include "controller.h"

#define ENTRIES	(NVME_PAGE / 8)

/**
 * struct walk - Through the pages of a command.
 * @nvme: the controller
 * @give: to the program's memory
 * @stored: what is given is the disk's own, from there on; else @nvme->data
 * @from: bytes from its start
 * @at: of either, what comes next
 * @left: bytes for which no page was named yet
 * @address: of pages in a row that weren't moved yet
 * @len: bytes of those
 */
struct walk {
	struct nvme_controller *nvme;
	bool give;
	bool stored;
	uint64_t from;
	size_t at;
	size_t left;
	uint64_t address;
	size_t len;
};

static int move_bytes(const struct walk *walk)
{
	unsigned char *data = walk->nvme->data + walk->at;
	struct sim *sim = walk->nvme->sim;

	if (walk->stored)
		return sim_dma_write_file(sim, walk->address, walk->nvme->store.fd,
					  walk->from + walk->at, walk->len);
	return walk->give ? sim_dma_write(sim, walk->address, data, walk->len) :
			    sim_dma_read(sim, walk->address, data, walk->len);
}

static uint16_t move(struct walk *walk)
{
	int err;

	if (!walk->len)
		return 0;
	err = move_bytes(walk);
	walk->at += walk->len;
	walk->len = 0;
	if (err == -EIO)
		return MEDIA(READ_ERROR);
	return err ? GENERIC(DATA_XFER_ERROR) : 0;
}

/* Pages in a row are moved at once. */
static uint16_t add(struct walk *walk, uint64_t address)
{
	size_t len = NVME_PAGE - (address & (NVME_PAGE - 1));
	uint16_t status = 0;

	if (len > walk->left)
		len = walk->left;
	walk->left -= len;
	if (walk->address + walk->len != address)
		status = move(walk);
	if (!walk->len)
		walk->address = address;
	walk->len += len;
	return status;
}

/* All but the first page have no offset. */
static uint16_t add_page(struct walk *walk, uint64_t address)
{
	return address & (NVME_PAGE - 1) ? GENERIC(PRP_INVALID_OFFSET) : add(walk, address);
}

/* The part of a list that lies in one page. @next: where it goes on, if it does. */
static uint16_t add_list(struct walk *walk, uint64_t list, uint64_t *next)
{
	const size_t room = (NVME_PAGE - (list & (NVME_PAGE - 1))) / 8;
	const size_t want = (walk->left + NVME_PAGE - 1) / NVME_PAGE;
	const size_t nr = want < room ? want : room;
	uint64_t entries[ENTRIES];
	uint16_t status = 0;
	size_t i;

	if (sim_dma_read(walk->nvme->sim, list, entries, nr * 8))
		return GENERIC(DATA_XFER_ERROR);
	for (i = 0; i < nr - (want > room) && !status; i++)
		status = add_page(walk, le64toh(entries[i]));
	*next = le64toh(entries[nr - 1]);
	return status;
}

/*
 * The first list may begin anywhere in a page, and then even hold nothing but where it goes on.
 * Those after it fill theirs, so there are few of them.
 */
static uint16_t add_lists(struct walk *walk, uint64_t list)
{
	uint64_t next = list;
	uint16_t status;

	if (list & 7)
		return GENERIC(PRP_INVALID_OFFSET);
	do {
		status = add_list(walk, next, &next);
		if (!status && walk->left && next & (NVME_PAGE - 1))
			status = GENERIC(PRP_INVALID_OFFSET);
	} while (!status && walk->left);
	return status;
}

static uint16_t transfer(struct walk walk, const struct nvme_sqe *sqe)
{
	const uint64_t first = le64toh(sqe->prp1), second = le64toh(sqe->prp2);
	uint16_t status;

	if (first & 3)
		return GENERIC(PRP_INVALID_OFFSET);
	status = add(&walk, first);
	if (!status && walk.left)
		status = walk.left <= NVME_PAGE ? add_page(&walk, second) :
						  add_lists(&walk, second);
	return status ? status : move(&walk);
}

uint16_t sim_nvme_fetch(struct nvme_controller *nvme, const struct nvme_sqe *sqe, size_t len)
{
	return transfer((struct walk){ .nvme = nvme, .left = len }, sqe);
}

uint16_t sim_nvme_give(struct nvme_controller *nvme, const struct nvme_sqe *sqe, size_t len)
{
	return transfer((struct walk){ .nvme = nvme, .give = true, .left = len }, sqe);
}

uint16_t sim_nvme_give_stored(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint64_t block, size_t len)
{
	return transfer((struct walk){
		.nvme = nvme, .give = true, .stored = true,
		.from = block << nvme->store.shift, .left = len,
	}, sqe);
}
