// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The allocator of bus addresses, against a list: in whole pages, as the library uses it, or by
 * address alone, to the byte, as the simulator does.
 */
#include <string.h>
#include "fuzz.h"
#include "vfio/iova.h"

#define MOST	48
#define PAGE	4096ULL

struct model {
	struct usrpci_iovas iovas;
	struct usrpci_iova nodes[MOST];
	bool live[MOST];
	bool pages;
};

static bool overlaps(const struct usrpci_iova *a, uint64_t first, uint64_t last)
{
	return a->first <= last && first <= a->last;
}

static bool is_free(const struct model *m, uint64_t first, uint64_t last, unsigned int but)
{
	unsigned int i;

	for (i = 0; i < MOST; i++)
		if (i != but && m->live[i] && overlaps(&m->nodes[i], first, last))
			return false;
	return !m->pages || (!overlaps(&m->iovas.bottom, first, last) &&
			     !overlaps(&m->iovas.top, first, last));
}

static void take(struct model *m, struct input *in, unsigned int i)
{
	const uint64_t len = (input_u8(in) + 1ULL) << (12 + input_u8(in) % 44);
	const uint64_t last = UINT64_MAX >> (input_u8(in) % 64);
	const uint64_t align = 1ULL << (input_u8(in) % 40), phase = input_u64(in) & ~(PAGE - 1);
	struct usrpci_iova *node = &m->nodes[i];

	if (m->live[i] || usrpci_iovas_take(&m->iovas, node, len, last, align, phase))
		return;
	must(node->last - node->first == len - 1 && node->last <= last, "what was taken");
	must(is_free(m, node->first, node->last, i), "what was taken was free");
	if (align > 4096)
		must(!((node->first ^ phase) & (align - 1)), "alignment");
	m->live[i] = true;
}

static void take_fixed(struct model *m, struct input *in, unsigned int i)
{
	const uint64_t grain = m->pages ? PAGE - 1 : 0, first = input_u64(in) & ~grain;
	const uint64_t last = (first + (input_u64(in) >> (input_u8(in) % 64))) | grain;

	if (m->live[i] || last < first || !is_free(m, first, last, i))
		return;
	m->nodes[i].first = first;
	m->nodes[i].last = last;
	usrpci_iovas_take_fixed(&m->iovas, &m->nodes[i]);
	m->live[i] = true;
}

static void give(struct model *m, unsigned int i)
{
	if (!m->live[i])
		return;
	usrpci_iovas_give(&m->iovas, &m->nodes[i]);
	m->live[i] = false;
	must(!usrpci_iovas_find(&m->iovas, m->nodes[i].first), "what was given back");
	memset(&m->nodes[i], 0xff, sizeof(m->nodes[i]));
}

static void find(struct model *m, uint64_t addr)
{
	struct usrpci_iova *found = usrpci_iovas_find(&m->iovas, addr);

	must(!found == is_free(m, addr, addr, MOST), "what is found");
	must(!found || (found->first <= addr && addr <= found->last), "where it is");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct model m = { .pages = !(input_u8(&in) & 1) };

	usrpci_iovas_init(&m.iovas);
	if (m.pages)
		usrpci_iovas_keep_ends(&m.iovas);
	while (in.len) {
		unsigned int what = input_u8(&in) % 4, i = input_u8(&in) % MOST;

		if (what == 0 && m.pages)
			take(&m, &in, i);
		else if (what < 2)
			take_fixed(&m, &in, i);
		else if (what == 2)
			give(&m, i);
		else
			find(&m, m.live[i] ? m.nodes[i].last : input_u64(&in));
	}
	return 0;
}
