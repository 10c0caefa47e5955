// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arena.h"
#include "caller.h"
#include "value.h"
#include "window.h"

#define ZONE		0x300000000000UL
#define SLOT		(4UL << 20)
#define PAGE		4096UL
#define FILE_PAGES	64
#define HUGE		(2UL << 20)
#define OFTEN		(16 * PAGE)
#define MEMFD_SECRET	447
#define RW		(PROT_READ | PROT_WRITE)

/* A file on a disk: the filesystem wants to know of writes. */
#define DISK		"/tmp/disk/file"
#define MAKE_DISK								\
	"{ modprobe -qa loop ext4; cd /tmp && mkdir -p disk && truncate -s 4M disk.img && "	\
	"mke2fs -F disk.img && mount -t ext4 -o loop disk.img disk; } >/dev/null 2>&1"

static int shm = -1, sealed = -1, disk = -1, secret = -1;

static void *fixed(unsigned int slot, size_t len, int prot, int flags, int fd)
{
	return mmap((void *)(ZONE + slot * SLOT), len, prot, flags | MAP_FIXED, fd, 0);
}

static void anonymous(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void read_only(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void with_holes(unsigned int slot)
{
	unsigned int i;

	anonymous(slot);
	for (i = 2; i < FILE_PAGES; i += 5)
		munmap((void *)(ZONE + slot * SLOT + i * PAGE), PAGE);
}

static void transparent(unsigned int slot)
{
	madvise(fixed(slot, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1), HUGE, MADV_HUGEPAGE);
}

/* Where the system has no huge page left, plain ones will do. */
static void huge(unsigned int slot)
{
	if (fixed(slot, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1) == MAP_FAILED)
		anonymous(slot);
}

static void shared(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void file_shared(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_SHARED, shm);
}

static void file_private(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, PROT_READ, MAP_PRIVATE, shm);
}

static void file_sealed(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, PROT_READ, MAP_SHARED, sealed);
}

/* Its second half lies past the file's end. */
static void file_short(unsigned int slot)
{
	fixed(slot, 2 * FILE_PAGES * PAGE, RW, MAP_PRIVATE, shm);
}

static void file_disk(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_SHARED, disk);
}

/* The first half is a disk's file, the other isn't. */
static void file_half(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fixed(slot, FILE_PAGES * PAGE / 2, RW, MAP_SHARED, disk);
}

static void secret_memory(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, RW, MAP_SHARED, secret);
}

static void forbidden(unsigned int slot)
{
	fixed(slot, FILE_PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static const struct {
	void (*make)(unsigned int slot);
	size_t len;
} arenas[] = {
	/* these first, since they are the plain ones */
	{ anonymous, FILE_PAGES * PAGE },
	{ anonymous, FILE_PAGES * PAGE },
	{ shared, FILE_PAGES * PAGE },
	{ transparent, HUGE },
	{ read_only, FILE_PAGES * PAGE },
	{ with_holes, FILE_PAGES * PAGE },
	{ huge, HUGE },
	{ file_shared, FILE_PAGES * PAGE },
	{ file_private, FILE_PAGES * PAGE },
	{ file_sealed, FILE_PAGES * PAGE },
	{ file_short, 2 * FILE_PAGES * PAGE },
	{ file_disk, FILE_PAGES * PAGE },
	{ file_half, FILE_PAGES * PAGE },
	{ secret_memory, FILE_PAGES * PAGE },
	{ forbidden, FILE_PAGES * PAGE },
};

#define NR_ARENAS	(sizeof(arenas) / sizeof(arenas[0]))
#define NR_PLAIN	4

static int sized(int fd)
{
	return fd >= 0 && !ftruncate(fd, FILE_PAGES * PAGE) ? fd : -1;
}

void arena_files_open(void)
{
	/* Without one there are a few kinds less. */
	if (system(MAKE_DISK))
		disk = -1;
	shm = sized(memfd_create("fuzz", MFD_CLOEXEC));
	sealed = sized(memfd_create("fuzz-sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
	disk = sized(open(DISK, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	secret = sized(syscall(MEMFD_SECRET, 0));
}

/* The first plain ones are there at once, the others when first touched. */
void arena_make(void)
{
	unsigned int i;

	for (i = 0; i < NR_ARENAS; i++)
		arenas[i].make(i);
}

/* Where no user's memory can be, or none is. */
static uint64_t nowhere(struct caller *t)
{
	static const uint64_t places[] = {
		0, 4096, ZONE + NR_ARENAS * SLOT, 0x7ffffffff000 - 4096, 0x7ffffffff000,
		0x800000000000, 0xffff888000000000, 0xffffffff81000000, 0xffffffffff600000,
		~0ULL, ~0ULL - 4095,
	};

	return places[pick(t, sizeof(places) / sizeof(places[0]))];
}

uint64_t arena_pick(struct caller *t, uint64_t *room)
{
	unsigned int i = pick(t, seldom(t, 3) ? NR_ARENAS : NR_PLAIN);
	uint64_t offset = pick(t, arenas[i].len);

	*room = 4 * PAGE;
	if (seldom(t, 40))
		return nowhere(t);
	if (seldom(t, 60))
		return window_address(t);
	if (!seldom(t, 4))
		offset &= ~(PAGE - 1);
	*room = arenas[i].len - offset;
	/* Large ones take long. */
	if (*room > OFTEN && !seldom(t, 32))
		*room = OFTEN;
	return ZONE + i * SLOT + offset;
}

void arena_change(struct caller *t)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_REMOVE, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
	};
	static const int protections[] = { RW, RW, PROT_READ, PROT_NONE };
	unsigned int i = pick(t, NR_ARENAS);
	unsigned char *start = (unsigned char *)(ZONE + i * SLOT);
	uint64_t first = pick(t, FILE_PAGES), nr = 1 + pick(t, FILE_PAGES - first);

	switch (pick(t, 4)) {
	case 0:
		madvise(start + first * PAGE, nr * PAGE,
			advices[pick(t, sizeof(advices) / sizeof(advices[0]))]);
		break;
	case 1:
		mprotect(start + first * PAGE, nr * PAGE, protections[pick(t, 4)]);
		break;
	case 2:
		munmap(start, SLOT);
		arenas[i].make(i);
		break;
	default:
		arenas[i].make(i);
	}
}
