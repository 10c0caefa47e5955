/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: physical region pages
 *
 * How a command tells the controller where its data lies: NVMe base 2.0 §4.1.1.
 * Pure functions.
 */
#ifndef NVME_PRP_H
#define NVME_PRP_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

/**
 * struct nvme_prp_list - Room for the pages after the first.
 * @entries: in memory, little-endian
 * @bus_addr: where the device sees them; none may cross a page but where the
 *	last entry of the page leads to the next
 * @len: bytes, a power of two or whole pages
 */
struct nvme_prp_list {
	uint64_t *entries;
	uint64_t bus_addr;
	size_t len;
};

/**
 * nvme_prp_reach() - Bytes that a list can describe, whatever their alignment.
 * @len: bytes of the list
 *
 * Return: bytes, whole pages.
 */
uint64_t nvme_prp_reach(size_t len);

/**
 * nvme_prp_room() - Bytes of list that a transfer needs, whatever its alignment.
 * @len: bytes of the transfer
 *
 * Return: bytes, such that nvme_prp_reach() of them is at least @len.
 */
size_t nvme_prp_room(uint64_t len);

/**
 * nvme_prp_fill() - Describe a part of a scatterlist.
 * @sg: runs of bus addresses
 * @nr: how many
 * @offset: bytes from the first one's start
 * @len: bytes, at least 1
 * @list: room, written only if there are more than two pages
 * @prp: set to the command's PRP1 and PRP2, in the host's byte order
 *
 * Return: 0; -EINVAL if @offset + @len passes the scatterlist's end, or @len is
 * 0; -ENOSPC if @list is too short; -ERANGE if pages can't describe it: the
 * first byte isn't at a multiple of 4, or a run begins or ends within a page.
 */
int nvme_prp_fill(const struct usrpci_sg *sg, unsigned int nr, uint64_t offset, uint64_t len,
		  const struct nvme_prp_list *list, uint64_t prp[2]);

#endif /* NVME_PRP_H */
