// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <linux/usrpci.h>

#include "caller.h"
#include "guard.h"
#include "handle.h"
#include "register.h"
#include "value.h"
#include "window.h"

/* Registers are never where writes may go to memory. */
#define BARS		0x400000000000UL
#define COHERENTS	0x500000000000UL
#define SLOT		(4UL << 20)
#define NR_SLOTS	12
#define PAGE		4096UL

#define COHERENT_BIT	(1ULL << 62)

static unsigned char *slot_of(struct caller *t, bool coherent)
{
	return (unsigned char *)((coherent ? COHERENTS : BARS) + pick(t, NR_SLOTS) * SLOT);
}

uint64_t window_address(struct caller *t)
{
	bool coherent = pick(t, 2);

	return (uint64_t)slot_of(t, coherent) + pick(t, 4) * PAGE;
}

static uint64_t map_offset(struct caller *t, size_t *len)
{
	struct live live;

	*len = PAGE * value_small(t, 256);
	if (seldom(t, 16))
		return value_edge(t, 8) & ~(PAGE - 1);
	if (!pick(t, 2) && handle_any(t, true, &live)) {
		*len = seldom(t, 8) ? PAGE * value_small(t, 16) : live.len;
		return live.offset + (seldom(t, 8) ? PAGE * pick(t, 8) : 0);
	}
	return register_bar_offset(t) + (seldom(t, 4) ? PAGE * pick(t, 258) : 0) +
	       (seldom(t, 16) ? USRPCI_MMAP_WC : 0);
}

static int protection(struct caller *t)
{
	static const int all[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_WRITE,
		PROT_READ | PROT_EXEC,
	};

	return all[pick(t, sizeof(all) / sizeof(all[0]))];
}

static int map_flags(struct caller *t)
{
	static const int rare[] = {
		MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_SHARED | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED, MAP_SHARED | MAP_HUGETLB, MAP_SHARED | MAP_NORESERVE,
	};

	return seldom(t, 16) ? rare[pick(t, sizeof(rare) / sizeof(rare[0]))] : MAP_SHARED;
}

static long result_of(const void *addr)
{
	return addr == MAP_FAILED ? -errno : 0;
}

void window_map(struct caller *t)
{
	size_t len;
	uint64_t offset = map_offset(t, &len);
	bool coherent = offset & COHERENT_BIT;
	unsigned char *slot = slot_of(t, coherent);
	int flags = map_flags(t);

	if (seldom(t, 32))
		len = 1 + (value_edge(t, 8) & (SLOT - 1));
	if (len > SLOT)
		len = SLOT;
	t->wrong = flags == MAP_PRIVATE;
	caller_done(t, result_of(mmap(slot, len, protection(t), flags | MAP_FIXED, t->e->fd,
				      (off_t)offset)));
}

void window_unmap(struct caller *t)
{
	unsigned char *slot = slot_of(t, pick(t, 2));

	if (seldom(t, 3))
		caller_done(t, munmap(slot + PAGE * pick(t, 4), PAGE * value_small(t, 16)));
	else
		caller_done(t, munmap(slot, SLOT));
}

/* Elsewhere, shorter, longer than it may be. */
void window_move(struct caller *t)
{
	bool coherent = pick(t, 2);
	unsigned char *from = slot_of(t, coherent), *to = slot_of(t, coherent);
	size_t old = PAGE * value_small(t, 16);
	size_t new = seldom(t, 2) ? old : PAGE * value_small(t, 64);
	int flags = seldom(t, 3) ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED;

	if (seldom(t, 32))
		flags |= MREMAP_DONTUNMAP;
	/* Length 0 makes a second map. */
	if (seldom(t, 16))
		old = 0;
	caller_done(t, result_of(mremap(from, old, new, flags, to)));
}

void window_protect(struct caller *t)
{
	caller_done(t, mprotect((void *)window_address(t), PAGE * value_small(t, 16),
				protection(t)));
}

void window_advise(struct caller *t)
{
	static const int advices[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE,
		MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DODUMP, MADV_WIPEONFORK, MADV_COLD,
		MADV_PAGEOUT, 22 /* POPULATE_READ */, 23 /* POPULATE_WRITE */,
	};
	void *addr = (void *)window_address(t);
	size_t len = PAGE * value_small(t, 16);

	switch (pick(t, 8)) {
	case 0:
		caller_done(t, msync(addr, len, MS_SYNC));
		break;
	case 1:
		caller_done(t, mlock(addr, len));
		break;
	case 2:
		caller_done(t, munlock(addr, len));
		break;
	default:
		caller_done(t, madvise(addr, len,
				       advices[pick(t, sizeof(advices) / sizeof(advices[0]))]));
	}
}

static void touch_registers(struct caller *t, unsigned char *slot)
{
	uint64_t offset = 4 * pick(t, (seldom(t, 8) ? 4 * PAGE : PAGE) / 4), writable;
	uint32_t value;

	if (!pick(t, 2) && register_harmless(t, &writable, &value))
		t->e->totals->signals += guard_write(slot + writable, value) != 0;
	else
		t->e->totals->signals += guard_read(slot + offset) != 0;
}

void window_touch(struct caller *t)
{
	bool coherent = pick(t, 2);
	unsigned char *slot = slot_of(t, coherent);
	unsigned char *addr = slot + PAGE * (value_small(t, 16) - 1) + 4 * pick(t, PAGE / 4);

	t->e->totals->touches++;
	if (!coherent)
		touch_registers(t, slot);
	else if (pick(t, 2))
		t->e->totals->signals += guard_write(addr, (uint32_t)t->random) != 0;
	else
		t->e->totals->signals += guard_read(addr) != 0;
}

void window_clear(void)
{
	munmap((void *)BARS, NR_SLOTS * SLOT);
	munmap((void *)COHERENTS, NR_SLOTS * SLOT);
}
