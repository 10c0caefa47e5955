/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The simulator's htex (docs/htex.md), its TLB served by the kernel: raw, for the
 * module's tests. What gives nothing asserts.
 */
#ifndef HARNESS_HTEX_H
#define HARNESS_HTEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <htex/registers.h>
#include <linux/usrpci.h>

/**
 * struct htex_hw - An open htex.
 * @fd: its file
 * @regs: BAR 0
 * @len: bytes of it
 * @done: eventfd of the ends of jobs
 * @spaces: descriptors of those bound here, closed by the teardown
 * @nr_spaces: of them
 * @ring: coherent buffer of the ring; no handle without
 */
struct htex_hw {
	int fd;
	volatile char *regs;
	size_t len;
	int done;
	int spaces[HTEX_TAGS];
	unsigned int nr_spaces;
	struct usrpci_ioc_coherent ring;
};

/** struct htex_hw_job - What an engine is told, and what it says. */
struct htex_hw_job {
	uint32_t job;
	uint32_t tag;
	uint64_t source;
	uint64_t second;
	uint64_t target;
	uint64_t length;
};

/* How misses come: by FIFO or ring; who chooses entries; by MSI, which has one vector. */
#define HTEX_HW_RING	(1U << 0)
#define HTEX_HW_CHOOSE	(1U << 1)
#define HTEX_HW_MSI	(1U << 2)

/* Its BDF, as the runner bound it, or NULL. */
const char *function_htex(void);

/* cmocka's; *state is a struct htex_hw, open and not described. */
int htex_hw_setup(void **state);
int htex_hw_teardown(void **state);

/* What its TLB is. */
struct usrpci_ioc_tlb htex_hw_tlb(const struct htex_hw *htex, unsigned int how);

/* Translating, but not described yet; described, or -errno; both. */
void htex_hw_prepare(struct htex_hw *htex, unsigned int how);
int htex_hw_describe(struct htex_hw *htex, unsigned int how);
void htex_hw_start(struct htex_hw *htex, unsigned int how);

/* A space, or -errno; its tag in @tag. */
int htex_hw_bind(struct htex_hw *htex, unsigned int flags, unsigned int around, uint32_t *tag);

void htex_hw_unbind(struct htex_hw *htex, int space);

void htex_hw_run(struct htex_hw *htex, unsigned int engine, const struct htex_hw_job *job);
/*
 * Of each engine a job, from the first one on, which begins with a miss: no interrupt tells of any
 * but the last.
 */
void htex_hw_run_together(struct htex_hw *htex, const struct htex_hw_job *jobs, unsigned int nr);

uint32_t htex_hw_state(struct htex_hw *htex, unsigned int engine);
uint64_t htex_hw_engine(struct htex_hw *htex, unsigned int engine, unsigned int reg);

/* Till it has ended: its state. */
uint32_t htex_hw_wait(struct htex_hw *htex, unsigned int engine);

struct usrpci_ioc_space_info space_info(int space);
int space_refusal(int space, struct usrpci_ioc_space_refusal *refusal);
int space_forget(int space, const void *addr, uint64_t len);

#endif /* HARNESS_HTEX_H */
