/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* One life of a driver that makes mistakes, in a process of its own. */
#ifndef FAULTY_LIFE_H
#define FAULTY_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/usrpci.h>

#define LIFE_HANDLES	16
#define LIFE_PAGES	64

enum life_end {
	LIFE_EXIT,
	LIFE_CRASH,		/* SIGSEGV */
	LIFE_ABORT,
	LIFE_KILLED,		/* by others, sooner or later */
	LIFE_ENDS
};

/**
 * struct life - What the driver has, as far as it knows.
 * @random: of this life
 * @fd: the function's file
 * @is_nvme: it's an NVMe controller; an edu otherwise
 * @isolated: the device reaches only what it was handed
 * @bar: map of BAR 0, or NULL
 * @memory: LIFE_PAGES pages
 * @handles: of mappings; those that are freed stay
 * @buffer: a coherent one, its size 0 if there's none
 * @queue: map of it, or NULL
 * @event: an eventfd
 */
struct life {
	uint64_t random;
	int fd;
	bool is_nvme;
	bool isolated;
	volatile uint32_t *bar;
	unsigned char *memory;
	uint32_t handles[LIFE_HANDLES];
	struct usrpci_ioc_coherent buffer;
	unsigned char *queue;
	int event;
};

/* All of it; never returns. */
void life_run(const char *bdf, bool is_nvme, uint64_t seed, enum life_end end)
	__attribute__((noreturn));

/* A number below @n. */
uint64_t life_below(struct life *l, uint64_t n);

/* One mistake, of any driver's, or of those of this device's. */
void mistake_call(struct life *l);
void mistake_edu(struct life *l);
void mistake_nvme(struct life *l);

#endif /* FAULTY_LIFE_H */
