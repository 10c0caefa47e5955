/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Serves a device's misses by hand, in a thread of the test's, till the library does it: by
 * nothing but the description of its TLB. What was mapped stays mapped till the end.
 */
#ifndef HARNESS_TLB_SERVER_H
#define HARNESS_TLB_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>
#include <usrpci/tlb.h>

/* Pages of this process that a device has. */
#define TLB_SERVER_PAGES	16384U

/** struct tlb_page - One of them. */
struct tlb_page {
	uint64_t addr;
	uint64_t bus;
	uint32_t handle;
	bool write;
};

/**
 * struct tlb_server - The thread.
 * @dev: the device
 * @tlb: its TLB
 * @ring: where its ring lies, if it has one
 * @taken: misses from it
 * @next_entry: if the driver chooses
 * @pages: that were mapped
 * @nr_pages: how many
 * @served: misses that got a translation
 * @refused: that got none
 * @tags: a bit for each that was in a miss
 * @end: no more are served
 * @thread: it
 */
struct tlb_server {
	struct usrpci_device *dev;
	struct usrpci_tlb tlb;
	const volatile uint64_t *ring;
	uint32_t taken;
	uint32_t next_entry;
	struct tlb_page *pages;
	unsigned int nr_pages;
	unsigned int served;
	unsigned int refused;
	unsigned int tags;
	atomic_bool end;
	pthread_t thread;
};

/* Both assert; the device has no job when it ends. */
void tlb_server_start(struct tlb_server *server, struct usrpci_device *dev,
		      const struct usrpci_tlb *tlb, const void *ring);
void tlb_server_stop(struct tlb_server *server);

#endif /* HARNESS_TLB_SERVER_H */
