/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a driver for htex, a device that computes on virtual addresses
 *
 * docs/htex.md says what the device is. A job is given the program's own pointers, and runs while
 * the program goes on. Start reading at htex_open() in htex.c.
 *
 * The driver starts jobs and waits for them. The device's misses are served by whoever htex_tlb()
 * describes its TLB to; a job whose misses nobody serves waits for ever.
 *
 * Errors are negative errnos. Any number of threads may start jobs and wait for them; only one
 * for the same job. htex_close() is the last call.
 */
#ifndef HTEX_HTEX_H
#define HTEX_HTEX_H

#include <stdint.h>
#include <usrpci.h>
#include <usrpci/tlb.h>

struct htex;

/* htex_options.flags */
/** Misses are reported in memory, else by a register. */
#define HTEX_USE_RING		(1U << 0)
/** The driver says which entry of the TLB a translation goes into, else the device does. */
#define HTEX_CHOOSE_ENTRIES	(1U << 1)

/**
 * struct htex_options - How a device is used.
 * @flags: HTEX_*
 */
struct htex_options {
	unsigned int flags;
};

/**
 * htex_open() - Open an htex device.
 * @htexp: set to it
 * @address: as for usrpci_open()
 * @options: NULL: none
 *
 * Return: 0; -ENOTSUP it's another device; -EOPNOTSUPP it can have neither MSI-X nor MSI here;
 * -EINVAL for a flag that isn't one; as usrpci_open() otherwise.
 */
int htex_open(struct htex **htexp, const char *address, const struct htex_options *options);

/**
 * htex_close() - Stop the device and let go of it.
 * @htex: the device, or NULL
 */
void htex_close(struct htex *htex);

/**
 * htex_device() - The function behind the device.
 * @htex: the device
 *
 * Return: what htex_close() will close.
 */
struct usrpci_device *htex_device(const struct htex *htex);

/**
 * htex_engines() - How many jobs there can be at once.
 * @htex: the device
 *
 * Return: 1 to 64.
 */
unsigned int htex_engines(const struct htex *htex);

/**
 * htex_tlb() - Describe the device's TLB.
 * @htex: the device
 * @tlb: filled in
 */
void htex_tlb(const struct htex *htex, struct usrpci_tlb *tlb);

/** enum htex_kind - What can be computed. */
enum htex_kind {
	HTEX_LIST = 1,
	HTEX_COPY,
	HTEX_HISTOGRAM,
	HTEX_MATRIX,
};

/**
 * struct htex_job - Something to compute. What the pointers mean, docs/htex.md says.
 * @kind: enum htex_kind
 * @tag: whose pointers they are, 0 to 15
 * @source: what is read
 * @second: of a matrix product, the other factor
 * @target: what is written
 * @length: nodes at most (0: all of them), bytes, or rows
 */
struct htex_job {
	enum htex_kind kind;
	unsigned int tag;
	const void *source;
	const void *second;
	void *target;
	uint64_t length;
};

/** enum htex_end - How a job ended. */
enum htex_end {
	HTEX_DONE_WELL = 3,
	HTEX_NO_TRANSLATION = 4,
	HTEX_BUS_ERROR = 5,
};

/**
 * struct htex_result - What came of a job.
 * @end: enum htex_end
 * @result: what was computed
 * @progress: nodes, bytes or rows
 * @address: where it failed, else 0
 * @misses: of its TLB
 */
struct htex_result {
	enum htex_end end;
	uint64_t result;
	uint64_t progress;
	uint64_t address;
	uint64_t misses;
};

/**
 * htex_start() - Start a job.
 * @htex: the device
 * @job: the job
 *
 * Returns at once. The memory must stay till the job has ended.
 *
 * Return: the engine that does it; -EBUSY none is free; -EINVAL no such kind or tag; -ENODEV;
 * other negative errno.
 */
int htex_start(struct htex *htex, const struct htex_job *job);

/**
 * htex_poll() - See whether a job has ended.
 * @htex: the device
 * @engine: from htex_start(), which is free again when this returns 0
 * @result: filled in then
 *
 * Return: 0; -EAGAIN it hasn't; -EINVAL there's no job of that engine; -EIO the device was reset
 * meanwhile: stop it; -ENODEV; other negative errno.
 */
int htex_poll(struct htex *htex, unsigned int engine, struct htex_result *result);

/**
 * htex_wait() - Sleep till a job has ended.
 * @htex: the device
 * @engine: as for htex_poll()
 * @timeout_ms: milliseconds; -1: for ever
 * @result: filled in
 *
 * Return: 0; -ETIMEDOUT, and the job goes on; -EINTR; as htex_poll() otherwise.
 */
int htex_wait(struct htex *htex, unsigned int engine, int timeout_ms,
	      struct htex_result *result);

/**
 * htex_fd() - Get a descriptor to poll.
 * @htex: the device
 *
 * POLLIN when some job may have ended: then ask htex_poll() for each. It is no use while
 * other threads are in htex_wait().
 *
 * Return: a descriptor, the driver's own.
 */
int htex_fd(const struct htex *htex);

/**
 * htex_stop() - Give a job up.
 * @htex: the device
 * @engine: from htex_start(), for which nobody waits; free again when this returns 0
 *
 * Return: 0; -EINVAL there's no job of that engine; -ENODEV; other negative errno.
 */
int htex_stop(struct htex *htex, unsigned int engine);

#endif /* HTEX_HTEX_H */
