/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a driver for NVMe disks
 *
 * One namespace of one controller, with one pair of I/O queues or several. Each queue has two ways
 * in: nvme_read(), nvme_write() and their like take any memory and do all of it; nvme_submit() and
 * nvme_stage() take whole blocks in memory that was mapped before, and many commands at once.
 *
 * A queue is for one thread at a time. Calls on different queues of one disk may be made at once:
 * queues share no lock. Where the registers can be mapped, neither nvme_submit() nor nvme_poll()
 * makes a system call, but for a look at the controller a few times a second while commands are
 * under way.
 *
 * Errors are negative errnos. A command that takes longer than it may is aborted. If it doesn't end
 * then either, the controller is reset, with which every command that is under way ends, on all
 * queues: those that took too long with -ETIMEDOUT, the others with -ECANCELED, and all of them may
 * or may not have been done. The queues go on to be used. Only when the controller can't be
 * brought back are it and its DMA stopped for good: then each call gives the same error, nothing
 * reaches memory any more, and nvme_close() is all that is left to do.
 */
#ifndef NVME_NVME_H
#define NVME_NVME_H

#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>

struct nvme;
struct nvme_queue;

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
 * @queues: pairs of I/O queues; fewer if the controller has fewer, or as few interrupts: with
 *	INTx one; 0: 1
 * @depth: most commands at once in a queue, 1 to 1024, less if the controller takes less; 0: 64
 * @irq: how to learn that they are done
 * @timeout_ms: how long a command may take, before it's aborted; at least 100; 0: 30000
 * @nsid: namespace; 0: the first one
 * @copy: most bytes that nvme_read() and nvme_write() copy through memory that is mapped already,
 *	which is quicker than to map so little; up to 128 KiB, and one command's worth. A bad @buf
 *	is the program's death then, as of memcpy(), and not -EFAULT; 0: none
 * @why: set to a sentence if nvme_open() fails; may be NULL
 * @why_len: bytes of @why; the sentence is cut to fit
 */
struct nvme_options {
	unsigned int queues;
	unsigned int depth;
	enum nvme_irq irq;
	unsigned int timeout_ms;
	uint32_t nsid;
	size_t copy;
	char *why;
	size_t why_len;
};

/* What a controller may lack: the @caps of struct nvme_info. */
#define NVME_CAN_ZERO		(1U << 0)
#define NVME_CAN_DISCARD	(1U << 1)
/* It has a cache that forgets when the power goes: nvme_flush() does something. */
#define NVME_HAS_CACHE		(1U << 2)

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
 * @max_transfer: most bytes that a command of nvme_submit() moves
 * @max_zero: most bytes that one sets to zero
 * @caps: what the controller can do
 * @queues: how many pairs of I/O queues
 * @depth: most commands at once in each
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
	uint64_t max_zero;
	uint32_t caps;
	unsigned int queues;
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
 * nvme_queue() - One of a disk's queues.
 * @nvme: the disk
 * @index: from 0 to below the queues of nvme_info()
 *
 * Return: the queue, which lasts as long as @nvme; NULL if there is none.
 */
struct nvme_queue *nvme_queue(struct nvme *nvme, unsigned int index);

/**
 * nvme_queue_eventfd() - What becomes readable when commands of a queue are done.
 * @queue: the queue
 *
 * For those who wait for other things too. Read it, then call nvme_poll() till nothing is left. It
 * also says so when the controller was reset. Timeouts are found by nvme_poll() and nvme_wait():
 * call one of them a few times in a command's time.
 *
 * Return: a descriptor, which stays the driver's; -1 when polled, and with INTx, where only
 * nvme_wait() knows when to unmask.
 */
int nvme_queue_eventfd(const struct nvme_queue *queue);

/* With writes: kept on the medium, and not in a cache, when the command ends. */
#define NVME_FUA		(1U << 0)
/* With zeroes: the blocks may be given back, where they read as zero then. */
#define NVME_MAY_DISCARD	(1U << 1)

/**
 * nvme_read() - Read from a disk.
 * @queue: the queue
 * @offset: bytes from the disk's start
 * @buf: memory, of any alignment
 * @len: bytes
 *
 * With -EBUSY nothing was done: there are commands of nvme_submit() under way.
 * After another error @buf may be written in part.
 *
 * Return: 0; -EINVAL past the end; -EBUSY; -EIO, -EILSEQ and others the disk's
 * error; -ETIMEDOUT; -ECANCELED; -ENODEV; as usrpci_map() otherwise.
 */
int nvme_read(struct nvme_queue *queue, uint64_t offset, void *buf, size_t len);

/**
 * nvme_write() - Write to a disk.
 * @queue: the queue
 * @offset: bytes from the disk's start
 * @buf: memory, of any alignment
 * @len: bytes
 * @flags: NVME_FUA, or 0
 *
 * A block that is covered in part is read, changed and written back: what another queue writes to
 * it meanwhile is lost.
 *
 * Return: as nvme_read(); -EINVAL unknown flags; -EROFS for a write-protected disk.
 */
int nvme_write(struct nvme_queue *queue, uint64_t offset, const void *buf, size_t len,
	       unsigned int flags);

/**
 * nvme_flush() - Have all that was written kept on the medium, by whatever queue.
 * @queue: the queue
 *
 * Return: as nvme_read().
 */
int nvme_flush(struct nvme_queue *queue);

/**
 * nvme_zero() - Set blocks to zero.
 * @queue: the queue
 * @offset: bytes from the disk's start, whole blocks
 * @len: bytes, whole blocks
 * @flags: NVME_FUA and NVME_MAY_DISCARD, or 0
 *
 * Return: as nvme_write(); -EINVAL parts of blocks; -EOPNOTSUPP without NVME_CAN_ZERO.
 */
int nvme_zero(struct nvme_queue *queue, uint64_t offset, uint64_t len, unsigned int flags);

/**
 * nvme_discard() - Tell the disk that nobody needs what is in some blocks.
 * @queue: the queue
 * @offset: bytes from the disk's start, whole blocks
 * @len: bytes, whole blocks
 *
 * What is read from them afterwards isn't said.
 *
 * Return: as nvme_write(); -EINVAL parts of blocks; -EOPNOTSUPP without NVME_CAN_DISCARD.
 */
int nvme_discard(struct nvme_queue *queue, uint64_t offset, uint64_t len);

/** enum nvme_op - What nvme_submit() is to do. */
enum nvme_op {
	NVME_READ,
	NVME_WRITE,
	NVME_ZERO,
	NVME_DISCARD,
	NVME_FLUSH,
};

/**
 * struct nvme_command - What nvme_submit() is given.
 * @op: what to do
 * @flags: NVME_FUA with writes and zeroes, NVME_MAY_DISCARD with zeroes
 * @lba: first block; without meaning for a flush, and so is what follows
 * @blocks: how many
 * @map: for reads and writes, memory mapped on nvme_device() in the right direction, with its
 *	scatterlist; the CPU's part of syncing it is the caller's
 * @offset: bytes from its start; its address there must be a multiple of 4
 * @cookie: for the completion
 */
struct nvme_command {
	enum nvme_op op;
	unsigned int flags;
	uint64_t lba;
	uint32_t blocks;
	const struct usrpci_mapping *map;
	uint64_t offset;
	uint64_t cookie;
};

/**
 * struct nvme_completion - A command that is done.
 * @cookie: as given to nvme_submit()
 * @error: 0, or the disk's error as a negative errno: -EIO the medium failed, or the controller
 *	did, or it's none of these: -EOPNOTSUPP unknown command; -EINVAL a field of it, or its
 *	blocks; -EFAULT its data couldn't be moved; -ENXIO the namespace has gone; -EROFS
 *	write-protected; -EACCES denied; -EBADE another host reserved it; -ENOSPC no capacity is
 *	left; -EBUSY being formatted or sanitized, or not ready; -EAGAIN interrupted: try again;
 *	-EILSEQ protection information or a comparison; -ENODATA a block that was never written;
 *	-ECANCELED, -ETIMEDOUT as said above
 * @value: dword 0 of the completion
 */
struct nvme_completion {
	uint64_t cookie;
	int error;
	uint32_t value;
};

/**
 * nvme_submit() - Start a command.
 * @queue: the queue
 * @command: what; it's needed no longer than this call
 *
 * Return: 0; -EAGAIN as many commands are under way as fit, or a reset has ended some that
 * weren't taken yet; -EINVAL past the disk's or the mapping's end, more than max_transfer or
 * max_zero, not aligned, or a flag that doesn't go with @op; -EOPNOTSUPP the controller lacks @op;
 * -ERANGE the bus addresses can't be described by pages of 4 KiB (bounced memory); why the
 * controller was stopped.
 */
int nvme_submit(struct nvme_queue *queue, const struct nvme_command *command);

/**
 * nvme_stage() - Get a command ready, of which the disk is told later, with others.
 * @queue: the queue
 * @command: what; it's needed no longer than this call
 *
 * As nvme_submit(), but that the doorbell isn't rung, which costs more than all else that the
 * driver does for a command. It's rung by whichever of these comes first: nvme_ring(),
 * nvme_submit(), nvme_poll() or nvme_wait() on this queue. So whoever starts a command for each
 * that is done stages it, and goes on to poll or to wait. Who sleeps elsewhere, as on
 * nvme_queue_eventfd(), calls nvme_ring() first. The command's time begins here.
 *
 * Return: as nvme_submit().
 */
int nvme_stage(struct nvme_queue *queue, const struct nvme_command *command);

/**
 * nvme_ring() - Tell the disk of all commands that are staged.
 * @queue: the queue
 *
 * If the controller was stopped or reset nvme_poll() and nvme_wait() say so.
 */
void nvme_ring(struct nvme_queue *queue);

/**
 * nvme_poll() - Take the completions that are there.
 * @queue: the queue
 * @done: filled in
 * @max: entries of @done
 *
 * Return: how many, maybe 0; why the controller was stopped.
 */
int nvme_poll(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max);

/**
 * nvme_wait() - Wait for a completion at least.
 * @queue: the queue
 * @done: filled in
 * @max: entries of @done, at least 1
 * @timeout_ms: milliseconds; -1: as long as it takes
 *
 * On a timeout of this call the commands are still under way: wait again, or close. Polled, it
 * looks for a while, and then lets other threads run between its looks.
 *
 * Return: how many; -ETIMEDOUT; -ENODEV; why the controller was stopped.
 */
int nvme_wait(struct nvme_queue *queue, struct nvme_completion *done, unsigned int max,
	      int timeout_ms);

/**
 * struct nvme_bench - What to measure.
 * @size: bytes of a command, whole blocks
 * @queues: how many, each with a thread of its own; 0: all of the disk's
 * @depth: commands at once in each; 0: as many as it takes
 * @seconds: how long
 * @op: NVME_WRITE destroys data
 * @random: at random offsets instead of one after the other
 */
struct nvme_bench {
	uint64_t size;
	unsigned int queues;
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
 * @latency_p90: 90 in 100 took no longer, within 3 %
 * @latency_p99: 99 in 100
 * @latency_p999: 999 in 1000
 * @latency_max: the longest
 */
struct nvme_figures {
	uint64_t commands;
	uint64_t bytes;
	uint64_t ns;
	uint64_t latency_avg;
	uint64_t latency_min;
	uint64_t latency_p50;
	uint64_t latency_p90;
	uint64_t latency_p99;
	uint64_t latency_p999;
	uint64_t latency_max;
};

/**
 * nvme_bench() - Measure a disk.
 * @nvme: the disk, whose queues nobody else uses meanwhile
 * @bench: what
 * @figures: filled in, of all queues together
 *
 * Return: 0; -EINVAL for a size that isn't whole blocks, exceeds max_transfer or
 * the disk, or a depth or number of queues that exceeds the disk's; -EAGAIN no thread can be made;
 * as nvme_read() otherwise.
 */
int nvme_bench(struct nvme *nvme, const struct nvme_bench *bench, struct nvme_figures *figures);

#endif /* NVME_NVME_H */
