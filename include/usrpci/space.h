/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: address spaces
 *
 * A process binds its memory to a device's TLB; from then on the device may be
 * given any of the program's pointers. Misses are served as they come, while the
 * program goes on.
 */
#ifndef USRPCI_SPACE_H
#define USRPCI_SPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <usrpci/tlb.h>

#ifdef __cplusplus
extern "C" {
#endif

struct usrpci_space;

/* usrpci_space_options.flags */
/**
 * The device's pages aren't pinned: they may be moved, swapped and reclaimed, and the
 * device's entry is taken back first. Needs USRPCI_CAN_MIRROR.
 */
#define USRPCI_SPACE_MIRRORED	(1U << 0)

/** Most pages around a miss that are translated with it. */
#define USRPCI_SPACE_AROUND	64U

/**
 * struct usrpci_space_options - How a space is bound.
 * @flags: USRPCI_SPACE_*
 * @around: pages to translate with the one that was missed, its neighbours that are
 *	there already; up to USRPCI_SPACE_AROUND, and only if the driver chooses entries
 */
struct usrpci_space_options {
	unsigned int flags;
	unsigned int around;
};

/* usrpci_tlb_describe() */
/** Misses are served by a thread of the library even where the kernel could. */
#define USRPCI_TLB_BY_LIBRARY	(1U << 0)

/**
 * usrpci_tlb_describe() - Say what the device's TLB is like.
 * @dev: the device, its vectors set up
 * @tlb: the TLB
 * @flags: USRPCI_TLB_*
 *
 * Once, before the first space; from then on misses are served, and vectors stay set
 * up. usrpci_explain() says what is wrong with it.
 *
 * An eventfd that is wired to the vector, before or afterwards, is signalled as well.
 * Where the library serves, that is when it has looked at the device; it reads registers
 * and the ring till the device is closed, and serves one miss after the other.
 *
 * Return: 0; -EINVAL it can't be so; -EBUSY it was said before; -EPERM a register that
 * the program may not write; other negative errno.
 */
int usrpci_tlb_describe(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			unsigned int flags);

/**
 * usrpci_space_bind() - Let the device follow this process's pointers.
 * @dev: the device, its TLB described. A child that has it from fork may bind itself
 * @options: NULL: none
 * @spacep: set to the space
 *
 * What the device may reach is what the process may: all its memory, but for that of
 * devices and what is secret, and with its protection.
 *
 * Where the kernel serves, what is unmapped, protected or moved is taken back from the
 * device first. The library can't see that: what the device was given stays what it was
 * till usrpci_space_forget().
 *
 * Return: 0; -EOPNOTSUPP the flags ask for what this backend can't, or the library serves,
 * and another process; -ENOSPC no tag is free; -EPERM not isolated enough for the caller;
 * -EIO the device was stopped; -EINVAL; other negative errno.
 */
int usrpci_space_bind(struct usrpci_device *dev, const struct usrpci_space_options *options,
		      struct usrpci_space **spacep);

/**
 * usrpci_space_tag() - What the device is to call this process.
 * @space: the space
 *
 * Return: 0 to 15.
 */
unsigned int usrpci_space_tag(const struct usrpci_space *space);

/**
 * usrpci_space_forget() - Take memory back from the device.
 * @space: the space
 * @addr: first byte
 * @len: bytes
 *
 * When it returns the device uses no translation of these pages any more. If it needs
 * one again it misses again.
 *
 * Return: 0; -EIO the device didn't acknowledge, and was stopped, which
 * USRPCI_TLB_DEAF tells of; -EINVAL; -ENODEV.
 */
int usrpci_space_forget(struct usrpci_space *space, const void *addr, uint64_t len);

/**
 * enum usrpci_refusal_reason - Why a miss got no translation.
 * @USRPCI_REFUSED_UNMAPPED: nothing is mapped there
 * @USRPCI_REFUSED_PROTECTED: the process itself mayn't write, or read, there
 * @USRPCI_REFUSED_SPECIAL: memory of a device, secret memory, or a file's that the
 *	device can't write to safely
 * @USRPCI_REFUSED_BEYOND: the page lies where the DMA mask doesn't reach, or the TLB's
 *	fields for addresses have too few bits
 * @USRPCI_REFUSED_LIMIT: RLIMIT_MEMLOCK is too low
 * @USRPCI_REFUSED_ENDED: the process has ended, or the space is being closed
 * @USRPCI_REFUSED_NO_MEMORY: the kernel had none, or no bus address
 * @USRPCI_REFUSED_SMALL: it isn't a page of a size that the TLB has
 */
enum usrpci_refusal_reason {
	USRPCI_REFUSED_UNMAPPED = 1,
	USRPCI_REFUSED_PROTECTED,
	USRPCI_REFUSED_SPECIAL,
	USRPCI_REFUSED_BEYOND,
	USRPCI_REFUSED_LIMIT,
	USRPCI_REFUSED_ENDED,
	USRPCI_REFUSED_NO_MEMORY,
	USRPCI_REFUSED_SMALL,
};

/**
 * struct usrpci_refusal - A miss that got no translation.
 * @addr: virtual address
 * @reason: enum usrpci_refusal_reason
 * @write: the device wanted to write
 * @lost: others that there was no room for, before this one
 */
struct usrpci_refusal {
	uint64_t addr;
	enum usrpci_refusal_reason reason;
	bool write;
	uint64_t lost;
};

/**
 * usrpci_space_refusal() - Take the oldest refusal that wasn't told yet.
 * @space: the space
 * @refusal: filled in
 *
 * Return: 0; -EAGAIN there's none; other negative errno.
 */
int usrpci_space_refusal(struct usrpci_space *space, struct usrpci_refusal *refusal);

/**
 * usrpci_refusal_name() - Say why, in a few words.
 * @reason: the reason
 *
 * Return: such as "nothing is mapped there".
 */
const char *usrpci_refusal_name(enum usrpci_refusal_reason reason);

/** Bins of a histogram: bin n counts what took less than 2^n ns, and not less than half. */
#define USRPCI_SPACE_BINS	32U

/**
 * struct usrpci_space_stats - What happened in a space so far.
 * @misses: that were served
 * @fills: entries written
 * @evictions: entries whose place another took
 * @invalidations: entries that were taken back
 * @refusals: misses that got no translation
 * @retries: times that a translation changed while it was looked up
 * @faults: misses for which memory had to be brought in first
 * @entries: that the device has now
 * @pages: of 4 KiB, that are pinned now
 * @latency: nanoseconds from interrupt to answer, by powers of two
 */
struct usrpci_space_stats {
	uint64_t misses;
	uint64_t fills;
	uint64_t evictions;
	uint64_t invalidations;
	uint64_t refusals;
	uint64_t retries;
	uint64_t faults;
	uint64_t entries;
	uint64_t pages;
	uint64_t latency[USRPCI_SPACE_BINS];
};

/**
 * usrpci_space_stats() - Read the figures.
 * @space: the space
 * @stats: filled in
 *
 * Return: 0 or a negative errno.
 */
int usrpci_space_stats(struct usrpci_space *space, struct usrpci_space_stats *stats);

/**
 * usrpci_space_fd() - Get a descriptor to poll.
 * @space: the space
 *
 * POLLIN while usrpci_space_refusal() has something to tell; POLLHUP once the space
 * doesn't translate any more.
 *
 * Return: a descriptor, the space's own.
 */
int usrpci_space_fd(const struct usrpci_space *space);

/**
 * usrpci_space_close() - Unbind the process.
 * @space: the space, or NULL
 *
 * Jobs that need it end with "no translation". When this returns the device can't
 * reach the process's memory by it any more. Spaces are closed before their device: of
 * one whose device was closed nothing is left but that calls give -ENODEV.
 */
void usrpci_space_close(struct usrpci_space *space);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_SPACE_H */
