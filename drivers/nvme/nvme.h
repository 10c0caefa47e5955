/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a driver for NVMe disks
 *
 * One namespace of one controller, with one pair of I/O queues. Two ways in:
 * nvme_read() and nvme_write() take any memory, offset and length;
 * nvme_submit() takes whole blocks in memory that was mapped before, and many
 * commands at once.
 *
 * Errors are negative errnos. Not for several threads at once. After a command
 * timed out, or its completion made no sense, the controller is stopped and
 * each call fails the same way: close it.
 */
#ifndef NVME_NVME_H
#define NVME_NVME_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

struct nvme;

/** enum nvme_irq - How to learn that commands are done. */
enum nvme_irq {
	NVME_BEST_IRQ,	/* MSI-X, or else MSI, or else INTx, or else polled */
	NVME_POLLED,
	NVME_INTX,
	NVME_MSI,
	NVME_MSIX,
};

/**
 * struct nvme_options - How to open a disk; all 0 is a good choice.
 * @depth: most commands at once, 1 to 1023, less if the controller takes less; 0: 64
 * @irq: how to learn that they are done
 * @nsid: namespace; 0: the first one
 * @why: set to a sentence if nvme_open() fails; may be NULL
 * @why_len: bytes of @why; the sentence is cut to fit
 */
struct nvme_options {
	unsigned int depth;
	enum nvme_irq irq;
	uint32_t nsid;
	char *why;
	size_t why_len;
};

/**
 * struct nvme_info - What a disk is.
 * @serial: serial number
 * @model: model
 * @firmware: firmware revision
 * @version: of the specification: major << 16 | minor << 8 | tertiary
 * @nsid: namespace
 * @block_size: bytes
 * @blocks: how many
 * @mdts: most bytes that the controller takes in a command; 0: no limit
 * @max_transfer: most bytes in a command of nvme_submit()
 * @depth: most commands at once
 * @irq: how completions are learnt; not NVME_BEST_IRQ
 */
struct nvme_info {
	char serial[21];
	char model[41];
	char firmware[9];
	uint32_t version;
	uint32_t nsid;
	uint32_t block_size;
	uint64_t blocks;
	uint64_t mdts;
	uint64_t max_transfer;
	unsigned int depth;
	enum nvme_irq irq;
};

/**
 * nvme_open() - Open a disk: reset and enable its controller, make its queues.
 * @nvmep: set to it
 * @address: as for usrpci_open()
 * @options: how; NULL for the defaults
 *
 * Return: 0; -ENOTSUP no NVMe disk, or one with a format or of a kind that this
 * driver doesn't know, or without the interrupt asked for; -ENXIO no such
 * namespace; -ETIMEDOUT it doesn't become ready; -EIO it reports a fatal error;
 * -ENOMEM; as usrpci_open() otherwise. The options' @why tells more.
 */
int nvme_open(struct nvme **nvmep, const char *address, const struct nvme_options *options);

/**
 * nvme_close() - Shut a disk down in an orderly way and let go of it.
 * @nvme: the disk, or NULL
 *
 * Memory that is still mapped is unmapped, after the controller has stopped.
 */
void nvme_close(struct nvme *nvme);

/**
 * nvme_device() - The function behind a disk, to map memory for nvme_submit().
 * @nvme: the disk
 *
 * Return: what nvme_close() will close.
 */
struct usrpci_device *nvme_device(struct nvme *nvme);

/**
 * nvme_info() - Tell what a disk is.
 * @nvme: the disk
 *
 * Return: facts that last as long as @nvme.
 */
const struct nvme_info *nvme_info(const struct nvme *nvme);

/**
 * nvme_read() - Read from a disk.
 * @nvme: the disk
 * @offset: bytes from its start
 * @buf: memory, of any alignment
 * @len: bytes
 *
 * With -EBUSY nothing was done: there are commands of nvme_submit() under way.
 * After another error @buf may be written in part.
 *
 * Return: 0; -EINVAL past the end; -EBUSY; -EIO, -EILSEQ and others the disk's
 * error; -ETIMEDOUT; -ENODEV; as usrpci_map() otherwise.
 */
int nvme_read(struct nvme *nvme, uint64_t offset, void *buf, size_t len);

/**
 * nvme_write() - Write to a disk.
 * @nvme: the disk
 * @offset: bytes from its start
 * @buf: memory, of any alignment
 * @len: bytes
 *
 * A block that is covered in part is read, changed and written back.
 *
 * Return: as nvme_read(); -EROFS for a write-protected disk.
 */
int nvme_write(struct nvme *nvme, uint64_t offset, const void *buf, size_t len);

/**
 * nvme_flush() - Have all that was written kept on the medium.
 * @nvme: the disk
 *
 * Return: as nvme_read().
 */
int nvme_flush(struct nvme *nvme);

/** enum nvme_op - What nvme_submit() is to do. */
enum nvme_op {
	NVME_READ,
	NVME_WRITE,
};

/**
 * struct nvme_completion - A command that is done.
 * @cookie: as given to nvme_submit()
 * @error: 0, or the disk's error as a negative errno
 * @value: dword 0 of the completion
 */
struct nvme_completion {
	uint64_t cookie;
	int error;
	uint32_t value;
};

/**
 * nvme_submit() - Start a command.
 * @nvme: the disk
 * @op: read or write
 * @lba: first block
 * @blocks: how many
 * @map: memory mapped on nvme_device() in the right direction, with its
 *	scatterlist; the CPU's part of syncing it is the caller's
 * @offset: bytes from its start; its address there must be a multiple of 4
 * @cookie: for the completion
 *
 * Return: 0; -EAGAIN as many commands are under way as fit; -EINVAL past the
 * disk's or the mapping's end, more than max_transfer, or not aligned; -ERANGE
 * the bus addresses can't be described by pages of 4 KiB (bounced memory).
 */
int nvme_submit(struct nvme *nvme, enum nvme_op op, uint64_t lba, uint32_t blocks,
		const struct usrpci_mapping *map, uint64_t offset, uint64_t cookie);

/**
 * nvme_poll() - Take the completions that are there.
 * @nvme: the disk
 * @done: filled in
 * @max: entries of @done
 *
 * Return: how many, maybe 0; -EIO the controller makes no sense.
 */
int nvme_poll(struct nvme *nvme, struct nvme_completion *done, unsigned int max);

/**
 * nvme_wait() - Wait for a completion at least.
 * @nvme: the disk
 * @done: filled in
 * @max: entries of @done, at least 1
 * @timeout_ms: milliseconds
 *
 * On a timeout the commands are still under way: wait again, or close.
 *
 * Return: how many; -ETIMEDOUT; -ENODEV; -EIO the controller failed.
 */
int nvme_wait(struct nvme *nvme, struct nvme_completion *done, unsigned int max,
	      int timeout_ms);

/**
 * struct nvme_bench - What to measure.
 * @size: bytes of a command, whole blocks
 * @depth: commands at once; 0: as many as the disk was opened with
 * @seconds: how long
 * @op: NVME_WRITE destroys data
 * @random: at random offsets instead of one after the other
 */
struct nvme_bench {
	uint64_t size;
	unsigned int depth;
	unsigned int seconds;
	enum nvme_op op;
	bool random;
};

/**
 * struct nvme_figures - What was measured.
 * @commands: how many were done
 * @bytes: how many were moved
 * @ns: time that it took
 * @latency_avg: nanoseconds from submission to completion, and so are these:
 * @latency_min: the shortest
 * @latency_p50: half took no longer, within 3 %
 * @latency_p99: 99 in 100 took no longer, within 3 %
 * @latency_max: the longest
 */
struct nvme_figures {
	uint64_t commands;
	uint64_t bytes;
	uint64_t ns;
	uint64_t latency_avg;
	uint64_t latency_min;
	uint64_t latency_p50;
	uint64_t latency_p99;
	uint64_t latency_max;
};

/**
 * nvme_bench() - Measure a disk.
 * @nvme: the disk
 * @bench: what
 * @figures: filled in
 *
 * Return: 0; -EINVAL for a size that isn't whole blocks, exceeds max_transfer or
 * the disk, or a depth that exceeds the disk's; as nvme_read() otherwise.
 */
int nvme_bench(struct nvme *nvme, const struct nvme_bench *bench, struct nvme_figures *figures);

#endif /* NVME_NVME_H */
