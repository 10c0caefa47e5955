/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What the sequences of calls work with, what they say of themselves, and what they're made of. */
#ifndef FAILNTH_SCENE_H
#define FAILNTH_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/usrpci.h>

#include "campaign.h"
#include "function.h"
#include "injector.h"

#define POOL_PAGES	640
#define MAX_REGIONS	64
#define MAX_VECTORS	16

enum on { EDU, NVME, HTEX };

/**
 * struct scene - What a sequence works with.
 * @c: the campaign
 * @injector: what makes calls fail
 * @q: the sequence
 * @bdf: the function
 * @nth: the call that fails, for a sequence that arms the injector itself
 * @failed: it did; for such a one to say
 * @limit: failures after which a sweep isn't carried on, or 0
 * @skew: a random offset, the same for the whole sweep
 * @fd: the function's file, or -1
 * @info: what it said when it was opened
 * @bar: its first BAR
 * @pool: memory to map, as in @pristine but for what a device writes
 * @pristine: see @pool
 * @regions: of it
 * @nr: how many
 * @handles: theirs
 * @runs: room for bus addresses
 * @buffer: a coherent buffer
 * @map: a map of the file
 * @map_len: bytes
 * @coherent: a map of the buffer
 * @events: eventfds
 */
struct scene {
	struct campaign *c;
	const struct injector *injector;
	const struct sequence *q;
	const char *bdf;
	unsigned int nth;
	bool failed;
	uint64_t limit;
	size_t skew;
	int fd;
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar bar;
	unsigned char *pool;
	unsigned char *pristine;
	struct usrpci_ioc_region regions[MAX_REGIONS];
	unsigned int nr;
	uint32_t handles[MAX_REGIONS];
	struct usrpci_ioc_sg runs[POOL_PAGES + 2];
	struct usrpci_ioc_coherent buffer;
	unsigned char *map;
	size_t map_len;
	unsigned char *coherent;
	int events[MAX_VECTORS];
};

/**
 * struct sequence - What is swept.
 * @name: its name
 * @on: the function
 * @n: how much of it: pages, regions, vectors
 * @kind: of what
 * @setup: nothing fails in it; 0 or -errno
 * @act: what is to fail; 0 or -errno, and then all is as after @setup
 * @undo: after @act got through
 * @kept: false if it isn't as after @setup, in a way that only this sequence knows
 * @end: undoes @setup
 * @arms: @act arms the injector itself, at @scene->nth
 * @hook_only: too much of the kernel's own isn't up to failures there
 * @kernel_only: the module's hook isn't there then
 * @once: not in each round
 */
struct sequence {
	const char *name;
	enum on on;
	unsigned int n;
	unsigned int kind;
	int (*setup)(struct scene *s);
	int (*act)(struct scene *s);
	void (*undo)(struct scene *s);
	bool (*kept)(struct scene *s);
	void (*end)(struct scene *s);
	bool arms;
	bool hook_only;
	bool kernel_only;
	bool once;
};

/* The sequences of a file. */
struct group {
	const struct sequence *sequences;
	size_t nr;
};

#define GROUP(_sequences)	{ _sequences, ARRAY_SIZE(_sequences) }

/* For the rows of a group. */
#define OPENED	.setup = setup_open, .end = close_it
#define BOTH	USRPCI_BIDIRECTIONAL
#define TO	USRPCI_TO_DEVICE
#define FROM	USRPCI_FROM_DEVICE
#define INTX	USRPCI_IRQ_INTX
#define MSI	USRPCI_IRQ_MSI
#define MSIX	USRPCI_IRQ_MSIX
#define CPU	USRPCI_SYNC_FOR_CPU
#define DEVICE	USRPCI_SYNC_FOR_DEVICE

/* Nothing fails here, so this should not have. */
void must(struct scene *s, const char *what, int err);

/* The function's file; setup_open() also asks what is to be known of the function. */
int open_it(struct scene *s);
void close_it(struct scene *s);
int setup_open(struct scene *s);

/* Maps of it. */
void unmap_memory(void *addr, size_t len);
int map_bar(struct scene *s);
void unmap_bar(struct scene *s);
int map_coherent(struct scene *s);
void unmap_coherent(struct scene *s);
void end_unmap_close(struct scene *s);
int touch_all(volatile unsigned char *addr, size_t len);

/* Regions of the pool. */
void choose_regions(struct scene *s, unsigned int nr, size_t pages, unsigned int direction);
int map_regions(struct scene *s);
int map_and_note(struct scene *s, unsigned int nr, size_t pages);
void undo_map(struct scene *s);

/* Of the sequence's kind, as many as it wants. */
unsigned int vectors(struct scene *s);

/* A child has ended as @wanted. */
int reap(pid_t pid, int wanted);

#endif /* FAILNTH_SCENE_H */
