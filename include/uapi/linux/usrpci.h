/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* Copyright (C) 2026 The usrpci authors */
/*
 * usrpci: the ABI of /dev/usrpci/DDDD:BB:DD.F, one file for each PCI function.
 *
 * The contract, for every command:
 *  - Each struct starts with its size in bytes, set by the caller. A struct
 *    shorter than the first version of a command gives EINVAL; one longer than
 *    the kernel's is accepted when its tail is zero, and gives E2BIG otherwise,
 *    as does one longer than a page.
 *    The kernel writes back no more than the caller's size.
 *  - Unknown flags and non-zero reserved fields give EINVAL.
 *  - All integers are of the host's byte order; lengths and offsets are bytes;
 *    pointers travel as __u64.
 *  - A call that fails changes nothing: nothing stays pinned, mapped or wired.
 *    Only the fields marked "on error" are then written.
 *
 * What an errno means, for every command:
 *    ENODEV      the function was removed or taken away from the module; only
 *                USRPCI_EVENT still works, and tells why
 *    ENOTTY      no such command
 *    EFAULT      a pointer of the caller can't be read or written
 *    EINVAL      an argument is out of range
 *    ENOMEM      no memory, or RLIMIT_MEMLOCK (then @missing says by how much)
 * Others stand at the command.
 *
 * open(2) itself gives EBUSY if the function is open already, EPERM if it isn't
 * isolated enough for the caller (below), ENODEV if it doesn't answer, and EIO if
 * it couldn't be reset, or its link failed and hasn't recovered.
 *
 * The file's offsets are taken from USRPCI_INFO and USRPCI_BAR:
 *    pread, pwrite  config space, I/O-port BARs and memory BARs, by naturally
 *                   aligned accesses of 1, 2, 4 or (memory BARs) 8 bytes
 *    mmap           memory BARs (MAP_SHARED) and coherent buffers
 * A write to configuration space that would change a bit which only the kernel
 * may change (a BAR, bus mastering, MSI, MSI-X, others) gives EPERM, and so does
 * one to an MSI-X table while interrupts aren't remapped. Memory decoding can't
 * be switched off while MSI-X is set up: EBUSY. An access to a BAR that isn't
 * decoded gives EIO, a touch of its map SIGBUS.
 *
 * poll(2) reports POLLPRI while USRPCI_EVENT has something to tell, and POLLERR |
 * POLLHUP once the function has gone. Then a touched BAR map gives SIGBUS; the
 * memory of coherent buffers that are mapped stays readable and writable, by the
 * process alone.
 *
 * However a file ends (closed, killed, removed) the function is stopped first: the
 * register accesses of USRPCI_QUIESCE are made, bus mastering is switched off, and
 * the function is reset where it can be.
 */
#ifndef _UAPI_LINUX_USRPCI_H
#define _UAPI_LINUX_USRPCI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define USRPCI_ABI_VERSION	1
#define USRPCI_IOC_TYPE		0xE7

#define USRPCI_NR_BARS		6
/* Most regions, handles or descriptors that one call takes. */
#define USRPCI_MAX_BATCH	4096

/*
 * What stops the device from reaching memory that it wasn't handed. To open a
 * function that isn't strictly isolated, or whose interrupts aren't remapped,
 * takes CAP_SYS_RAWIO: EPERM. Functions of one IOMMU group aren't isolated from
 * each other, so none of them is isolated. If a function that was opened without
 * the capability is no longer isolated strictly, USRPCI_MAP, USRPCI_COHERENT and
 * switching bus mastering on give EPERM. With the module's parameter require_strict
 * all this holds with the capability as well.
 */
enum usrpci_isolation_level {
	USRPCI_ISOLATION_NONE		= 0,	/* no IOMMU, or not alone in its group */
	USRPCI_ISOLATION_PASSTHROUGH	= 1,	/* IOMMU present, not translating */
	USRPCI_ISOLATION_LAZY		= 2,	/* translating, flushed later */
	USRPCI_ISOLATION_STRICT		= 3,	/* translating, flushed at unmap */
};

/* usrpci_ioc_info.caps */
#define USRPCI_CAP_RESET	(1U << 0)	/* the function can be reset alone */
#define USRPCI_CAP_IRQ_REMAP	(1U << 1)	/* interrupts are remapped */
#define USRPCI_CAP_BOUNCE	(1U << 2)	/* memory beyond the mask is bounced */

/**
 * struct usrpci_ioc_info - What the function is and what the platform offers.
 * @size: sizeof(struct usrpci_ioc_info)
 * @flags: must be 0
 * @abi: out: USRPCI_ABI_VERSION
 * @caps: out: USRPCI_CAP_*
 * @domain: out: PCI domain
 * @bus: out: bus number
 * @slot: out: device number on the bus, 0 to 31
 * @function: out: function number, 0 to 7
 * @revision: out: revision id
 * @vendor: out: vendor id
 * @device: out: device id
 * @subvendor: out: subsystem vendor id
 * @subdevice: out: subsystem id
 * @class_code: out: 24 bits: base class, subclass, programming interface
 * @nr_intx: out: 1 when the function has an INTx pin, else 0
 * @nr_msi: out: MSI vectors offered, 0 to 32
 * @nr_msix: out: MSI-X vectors offered, 0 to 2048
 * @isolation: out: enum usrpci_isolation_level
 * @iommu_group: out: number of the IOMMU group, -1 without
 * @numa_node: out: nearest NUMA node, -1 when unknown
 * @config_size: out: bytes of configuration space, 256 or 4096
 * @config_offset: out: file offset of configuration space
 * @dma_mask: out: mask of streaming mappings now in force
 * @coherent_mask: out: mask of coherent buffers now in force
 * @max_mapping: out: longest run of bytes that one scatterlist entry can hold,
 *	all ones when there is no limit
 */
struct usrpci_ioc_info {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 caps;
	__u32 domain;
	__u8 bus;
	__u8 slot;
	__u8 function;
	__u8 revision;
	__u16 vendor;
	__u16 device;
	__u16 subvendor;
	__u16 subdevice;
	__u32 class_code;
	__u32 nr_intx;
	__u32 nr_msi;
	__u32 nr_msix;
	__u32 isolation;
	__s32 iommu_group;
	__s32 numa_node;
	__u32 config_size;
	__u64 config_offset;
	__u64 dma_mask;
	__u64 coherent_mask;
	__u64 max_mapping;
};

enum usrpci_bar_kind {
	USRPCI_BAR_NONE	= 0,	/* not implemented, or the upper half of a 64-bit BAR */
	USRPCI_BAR_MEM	= 1,
	USRPCI_BAR_IO	= 2,
};

/* usrpci_ioc_bar.attrs */
#define USRPCI_BAR_PREFETCH	(1U << 0)	/* prefetchable: may be write-combining */
#define USRPCI_BAR_64BIT	(1U << 1)
#define USRPCI_BAR_MAPPABLE	(1U << 2)	/* mmap works on @windows */

/* Or'ed to the mmap offset of a prefetchable BAR: map it write-combining. */
#define USRPCI_MMAP_WC		(1ULL << 60)

/**
 * struct usrpci_ioc_window - A part of a BAR that may be mapped.
 * @offset: from the BAR's start, page aligned
 * @len: bytes, whole pages
 */
struct usrpci_ioc_window {
	__u64 offset;
	__u64 len;
};

/**
 * struct usrpci_ioc_bar - Where a BAR is and what may be done with it.
 * @size: sizeof(struct usrpci_ioc_bar)
 * @flags: must be 0
 * @index: in: 0 to 5
 * @kind: out: enum usrpci_bar_kind
 * @attrs: out: USRPCI_BAR_*
 * @nr_windows: out: entries of @windows in use
 * @addr: out: address as the CPU sees it
 * @len: out: bytes
 * @offset: out: file offset of the BAR's first byte, for pread, pwrite, mmap
 * @windows: out: what may be mapped: the BAR, less the pages of the MSI-X table
 *	where interrupts aren't remapped
 */
struct usrpci_ioc_bar {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 kind;
	__u32 attrs;
	__u32 nr_windows;
	__u64 addr;
	__u64 len;
	__u64 offset;
	struct usrpci_ioc_window windows[2];
};

/**
 * struct usrpci_ioc_dma_mask - Set what bus addresses the device can form.
 * @size: sizeof(struct usrpci_ioc_dma_mask)
 * @flags: must be 0
 * @streaming: mask for mappings, 2^n - 1
 * @coherent: mask for coherent buffers, 2^n - 1
 *
 * EIO: the platform can't serve such a mask, or it isn't of the form 2^n - 1.
 * EBUSY: something is mapped already.
 */
struct usrpci_ioc_dma_mask {
	__u32 size;
	__u32 flags;
	__u64 streaming;
	__u64 coherent;
};

/**
 * struct usrpci_ioc_master - Let the device start DMA and interrupts, or not.
 * @size: sizeof(struct usrpci_ioc_master)
 * @flags: must be 0
 * @enable: 1 or 0
 * @reserved: must be 0
 *
 * Bus mastering is off at open and after teardown.
 */
struct usrpci_ioc_master {
	__u32 size;
	__u32 flags;
	__u32 enable;
	__u32 reserved;
};

/**
 * struct usrpci_ioc_coherent - Get memory that CPU and device see with no sync.
 * @size: sizeof(struct usrpci_ioc_coherent)
 * @flags: must be 0
 * @len: in: bytes; out: rounded up to whole pages
 * @bus_addr: out: bus address of the first byte; the rest follows
 * @mmap_offset: out: file offset for mmap
 * @handle: out: for USRPCI_UNMAP
 * @reserved: must be 0
 * @missing: out, on error ENOMEM: bytes by which RLIMIT_MEMLOCK is too low, 0 if
 *	it isn't
 *
 * The memory is zeroed. It is freed when its handle has been unmapped (or the
 * file is closed) and its last mmap is gone.
 */
struct usrpci_ioc_coherent {
	__u32 size;
	__u32 flags;
	__u64 len;
	__u64 bus_addr;
	__u64 mmap_offset;
	__u32 handle;
	__u32 reserved;
	__u64 missing;
};

enum usrpci_direction {
	USRPCI_BIDIRECTIONAL	= 0,
	USRPCI_TO_DEVICE	= 1,	/* the device reads */
	USRPCI_FROM_DEVICE	= 2,	/* the device writes */
};

/**
 * struct usrpci_ioc_sg - A run of bus addresses.
 * @bus_addr: first bus address
 * @len: bytes
 */
struct usrpci_ioc_sg {
	__u64 bus_addr;
	__u64 len;
};

/* usrpci_ioc_region.flags */
#define USRPCI_MAP_NO_BOUNCE	(1U << 0)	/* fail with ERANGE rather than bounce */

/* usrpci_ioc_region.state */
#define USRPCI_MAP_BOUNCED	(1U << 0)	/* copied by each sync: sync it */

/**
 * struct usrpci_ioc_region - User memory to map.
 * @addr: virtual address, of any alignment
 * @len: bytes, of any length but 0
 * @direction: enum usrpci_direction
 * @flags: USRPCI_MAP_NO_BOUNCE
 * @sg: pointer to room for struct usrpci_ioc_sg entries; may be 0 with @nr_sg 0
 * @nr_sg: in: entries of room; out, also on error ENOSPC: entries that there are
 * @handle: out: for USRPCI_SYNC and USRPCI_UNMAP; never 0
 * @state: out: USRPCI_MAP_BOUNCED
 * @reserved: must be 0
 *
 * len / page size + 2 entries always suffice. With @nr_sg 0 no entry is written
 * and ENOSPC can't happen.
 */
struct usrpci_ioc_region {
	__u64 addr;
	__u64 len;
	__u32 direction;
	__u32 flags;
	__u64 sg;
	__u32 nr_sg;
	__u32 handle;
	__u32 state;
	__u32 reserved;
};

/**
 * struct usrpci_ioc_map - Pin user memory and map it for the device.
 * @size: sizeof(struct usrpci_ioc_map)
 * @flags: must be 0
 * @region_size: sizeof(struct usrpci_ioc_region)
 * @nr_regions: 1 to USRPCI_MAX_BATCH
 * @regions: pointer to struct usrpci_ioc_region entries, in and out
 * @missing: out, on error ENOMEM: bytes by which RLIMIT_MEMLOCK is too low, 0 if
 *	it isn't
 *
 * All regions are mapped or none.
 *
 * EFAULT: memory that isn't there, or not so for @direction, or can't be pinned:
 *	of a device, secret, or a shared map of a disk's file that the device would
 *	write to.
 * ENOSPC: @nr_sg of a region is too small.
 * ERANGE: memory beyond the mask, and bouncing is refused or impossible.
 * EIO: the platform can't map it (a full bounce buffer, no bus addresses left).
 */
struct usrpci_ioc_map {
	__u32 size;
	__u32 flags;
	__u32 region_size;
	__u32 nr_regions;
	__u64 regions;
	__u64 missing;
};

/**
 * struct usrpci_ioc_unmap - Give back mappings and coherent buffers.
 * @size: sizeof(struct usrpci_ioc_unmap)
 * @flags: must be 0
 * @nr_handles: 1 to USRPCI_MAX_BATCH
 * @reserved: must be 0
 * @handles: pointer to __u32 handles
 *
 * EINVAL: a handle is unknown or stands there twice; then none is unmapped.
 */
struct usrpci_ioc_unmap {
	__u32 size;
	__u32 flags;
	__u32 nr_handles;
	__u32 reserved;
	__u64 handles;
};

/* usrpci_ioc_sync.flags: exactly one */
#define USRPCI_SYNC_FOR_CPU	(1U << 0)	/* before the CPU reads or writes it */
#define USRPCI_SYNC_FOR_DEVICE	(1U << 1)	/* before the device does */

/**
 * struct usrpci_ioc_sync - Hand a streaming mapping, or a part, to CPU or device.
 * @size: sizeof(struct usrpci_ioc_sync)
 * @flags: USRPCI_SYNC_FOR_CPU or USRPCI_SYNC_FOR_DEVICE
 * @handle: from USRPCI_MAP
 * @reserved: must be 0
 * @offset: from the region's start
 * @len: bytes; offset + len may not pass the region's end
 */
struct usrpci_ioc_sync {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
	__u64 offset;
	__u64 len;
};

enum usrpci_irq_type {
	USRPCI_IRQ_NONE	= 0,
	USRPCI_IRQ_INTX	= 1,
	USRPCI_IRQ_MSI	= 2,
	USRPCI_IRQ_MSIX	= 3,
};

/**
 * struct usrpci_ioc_irq_setup - Choose the kind and number of interrupt vectors.
 * @size: sizeof(struct usrpci_ioc_irq_setup)
 * @flags: must be 0
 * @type: enum usrpci_irq_type; USRPCI_IRQ_NONE gives all vectors back
 * @nr_vectors: how many; 0 with USRPCI_IRQ_NONE, 1 with USRPCI_IRQ_INTX
 *
 * EBUSY: vectors are set up already; set up USRPCI_IRQ_NONE first.
 * EOPNOTSUPP: the function has no interrupt of this kind.
 * ENOSPC: the function or the platform hasn't that many.
 * EIO: MSI-X, and memory decoding is off.
 */
struct usrpci_ioc_irq_setup {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 nr_vectors;
};

/**
 * struct usrpci_ioc_irq_wire - Tell which eventfd each vector signals.
 * @size: sizeof(struct usrpci_ioc_irq_wire)
 * @flags: must be 0
 * @first: first vector
 * @nr: vectors, 1 to USRPCI_MAX_BATCH
 * @fds: pointer to __s32 eventfd descriptors, -1 to unwire
 *
 * An interrupt that came while a vector had no eventfd is signalled as soon as
 * it gets one. May be called at any time, also while interrupts fire.
 *
 * EINVAL: no such vector, or not an eventfd. EBADF: not a descriptor.
 */
struct usrpci_ioc_irq_wire {
	__u32 size;
	__u32 flags;
	__u32 first;
	__u32 nr;
	__u64 fds;
};

/**
 * struct usrpci_ioc_irq_unmask - Let a vector fire again.
 * @size: sizeof(struct usrpci_ioc_irq_unmask)
 * @flags: must be 0
 * @vector: which; 0 with INTx
 * @reserved: must be 0
 *
 * INTx is level-triggered: each one masks itself, and stays so till this call.
 * If the device still asserts it, it is signalled again at once.
 *
 * A vector of MSI or MSI-X is masked by a storm only, see USRPCI_EVENT_STORM. It
 * is signalled once when it's unmasked, since interrupts may have been lost. MSI
 * vectors that have no masks of their own are masked together, and unmasked together
 * by unmasking any: each is signalled. One that tells of a TLB's misses is unmasked by
 * the kernel once these are served.
 * Nothing happens to a vector that isn't masked.
 *
 * EINVAL: no such vector is set up.
 */
struct usrpci_ioc_irq_unmask {
	__u32 size;
	__u32 flags;
	__u32 vector;
	__u32 reserved;
};

/**
 * struct usrpci_ioc_reset - Reset the function.
 * @size: sizeof(struct usrpci_ioc_reset)
 * @flags: must be 0
 *
 * Config space, interrupt vectors and mappings are as before afterwards; the
 * device's own registers are as after power-on. BAR maps stay valid.
 *
 * EOPNOTSUPP: the function can't be reset without others.
 */
struct usrpci_ioc_reset {
	__u32 size;
	__u32 flags;
};

/* Most steps of a quiesce list, and most microseconds that it may wait in all. */
#define USRPCI_QUIESCE_MAX_STEPS	32
#define USRPCI_QUIESCE_MAX_US		400000

enum usrpci_quiesce_kind {
	USRPCI_QUIESCE_WRITE	= 0,	/* the bits of @mask become those of @value */
	USRPCI_QUIESCE_UNTIL	= 1,	/* read till the bits of @mask are @value */
};

/**
 * struct usrpci_ioc_quiesce_step - A register access that helps to stop the device.
 * @kind: enum usrpci_quiesce_kind
 * @bar: 0 to 5
 * @width: bytes: 1, 2, 4 or (memory BARs) 8
 * @timeout_us: USRPCI_QUIESCE_UNTIL: longest wait, in microseconds; else 0
 * @offset: from the BAR's start, a multiple of @width
 * @value: no bit outside of @mask
 * @mask: not 0, no bit that @width doesn't have. A write whose mask has all bits
 *	is made without reading first
 */
struct usrpci_ioc_quiesce_step {
	__u32 kind;
	__u32 bar;
	__u32 width;
	__u32 timeout_us;
	__u64 offset;
	__u64 value;
	__u64 mask;
};

/**
 * struct usrpci_ioc_quiesce - Say how the device is stopped when nobody else can.
 * @size: sizeof(struct usrpci_ioc_quiesce)
 * @flags: must be 0
 * @step_size: sizeof(struct usrpci_ioc_quiesce_step)
 * @nr_steps: 0 to USRPCI_QUIESCE_MAX_STEPS; 0 forgets the list
 * @steps: pointer to struct usrpci_ioc_quiesce_step entries
 *
 * The steps are done in order when the file loses its function, whatever the
 * cause, if the function still answers: before bus mastering is switched off. The
 * list takes the place of the one before. A wait that ends without success
 * doesn't keep the next steps from being done.
 *
 * EINVAL: also for waits of more than USRPCI_QUIESCE_MAX_US together.
 * EPERM: a write to an MSI-X table while interrupts aren't remapped.
 */
struct usrpci_ioc_quiesce {
	__u32 size;
	__u32 flags;
	__u32 step_size;
	__u32 nr_steps;
	__u64 steps;
};

enum usrpci_event_type {
	USRPCI_EVENT_REMOVED	= 1,	/* the function is gone for this file; @detail: why */
	USRPCI_EVENT_RESET	= 2,	/* somebody else reset it: its registers are lost */
	USRPCI_EVENT_ERROR	= 3,	/* PCI Express reported an error; @detail: how bad */
	USRPCI_EVENT_STORM	= 4,	/* vector @detail fired too often and is masked */
	USRPCI_EVENT_DEAF	= 5,	/* its TLB didn't acknowledge: stopped, no DMA any more */
	USRPCI_EVENT_NOBODY	= 6,	/* a miss of tag @detail (or more), bound to nobody */
};

/* usrpci_ioc_event.detail of USRPCI_EVENT_REMOVED */
enum usrpci_removal {
	USRPCI_REMOVED_ASKED	= 1,	/* unbound, or unplugged in good order */
	USRPCI_REMOVED_VANISHED	= 2,	/* it doesn't answer: pulled out, or dead */
	USRPCI_REMOVED_ERROR	= 3,	/* a fatal error; it may be opened again */
};

/* usrpci_ioc_event.detail of USRPCI_EVENT_ERROR */
enum usrpci_error_level {
	USRPCI_ERROR_NONFATAL	= 1,	/* a transaction was lost; the function goes on */
	USRPCI_ERROR_FATAL	= 2,	/* USRPCI_EVENT_REMOVED follows */
};

/**
 * struct usrpci_ioc_event - Take what happened to the function, oldest first.
 * @size: sizeof(struct usrpci_ioc_event)
 * @flags: must be 0
 * @type: out: enum usrpci_event_type
 * @detail: out: see there
 * @count: out: how often it happened since it was last told
 * @lost: out: events of other kinds that there was no room for, before this one
 *
 * USRPCI_EVENT_REMOVED is never lost, and always the last. The call doesn't wait:
 * poll(2) for POLLPRI.
 *
 * EAGAIN: nothing happened. ENODEV: the function has gone and that was told.
 */
struct usrpci_ioc_event {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 detail;
	__u64 count;
	__u64 lost;
};

/* Most processes that share a device, most entries of its TLB, most words of a record. */
#define USRPCI_TLB_MAX_TAGS	16
#define USRPCI_TLB_MAX_ENTRIES	(1U << 20)
#define USRPCI_TLB_MAX_WORDS	4
#define USRPCI_TLB_MAX_RING	65536
/* Longest that an invalidation may take, in microseconds. */
#define USRPCI_TLB_MAX_US	10000

/* usrpci_ioc_tlb.page_sizes */
#define USRPCI_TLB_4K		(1U << 0)
#define USRPCI_TLB_2M		(1U << 1)

/**
 * struct usrpci_ioc_field - Bits of a record or of a register.
 * @bit: the lowest; of a record counted from its first word's bit 0
 * @width: how many, up to 64; 0: there is no such field
 * @shift: the value is shifted right by so many bits to be stored, left to be read
 * @reserved: must be 0
 *
 * A field lies within one word, or within words that follow each other.
 */
struct usrpci_ioc_field {
	__u8 bit;
	__u8 width;
	__u8 shift;
	__u8 reserved;
};

/**
 * struct usrpci_ioc_reg - Where a register is.
 * @bar: 0 to 5
 * @width: bytes, 4 or 8; 0: there is no such register, and all else is 0
 * @offset: from the BAR's start, a multiple of @width
 */
struct usrpci_ioc_reg {
	__u32 bar;
	__u32 width;
	__u64 offset;
};

/**
 * struct usrpci_ioc_tlb_command - A register write that says something to the device.
 * @reg: what is written
 * @value: what to, but for @arg
 * @arg: where the number goes that the command is about; may be none
 * @reserved: must be 0
 */
struct usrpci_ioc_tlb_command {
	struct usrpci_ioc_reg reg;
	__u64 value;
	struct usrpci_ioc_field arg;
	__u32 reserved;
};

/**
 * struct usrpci_ioc_tlb_misses - How misses are reported.
 * @reg: FIFO: the first word of a miss, whose reading takes it; the others follow.
 *	Ring: written with how many were taken, counting on from 0; may be none
 * @words: of a miss, 1 to USRPCI_TLB_MAX_WORDS
 * @word_width: bytes of a word, 4 or 8; FIFO: @reg's
 * @ring: handle of the coherent buffer that the ring is in, 0: it's a FIFO
 * @ring_entries: a power of two up to USRPCI_TLB_MAX_RING; FIFO: 0
 * @ring_offset: bytes from the buffer's start, a multiple of @word_width; FIFO: 0
 * @valid: one bit. FIFO: 1 if there was a miss. Ring: the phase, 1 in the first round
 * @addr: virtual address
 * @tag: whose; none: it's tag 0
 * @write: one bit: the device wants to write; none: it may always want to
 * @entry: that the device has given up for this translation and uses no more; all
 *	ones or none: the kernel chooses
 * @id: what names the miss in an answer; none: @entry does
 */
struct usrpci_ioc_tlb_misses {
	struct usrpci_ioc_reg reg;
	__u32 words;
	__u32 word_width;
	__u32 ring;
	__u32 ring_entries;
	__u64 ring_offset;
	struct usrpci_ioc_field valid;
	struct usrpci_ioc_field addr;
	struct usrpci_ioc_field tag;
	struct usrpci_ioc_field write;
	struct usrpci_ioc_field entry;
	struct usrpci_ioc_field id;
};

/**
 * struct usrpci_ioc_tlb_entries - Where entries are, and what is in them.
 * @reg: first word of the first entry
 * @nr: how many, 1 to USRPCI_TLB_MAX_ENTRIES
 * @stride: bytes from one to the next, a multiple of @reg's width
 * @words: of an entry, 1 to USRPCI_TLB_MAX_WORDS; the word with @valid is written last
 * @reserved: must be 0
 * @valid: one bit
 * @addr: virtual address
 * @tag: whose; none: there's only tag 0
 * @bus: bus address
 * @write: one bit: the device may write; none: what isn't writable is refused
 * @large: one bit: it translates 2 MiB
 */
struct usrpci_ioc_tlb_entries {
	struct usrpci_ioc_reg reg;
	__u32 nr;
	__u32 stride;
	__u32 words;
	__u32 reserved;
	struct usrpci_ioc_field valid;
	struct usrpci_ioc_field addr;
	struct usrpci_ioc_field tag;
	struct usrpci_ioc_field bus;
	struct usrpci_ioc_field write;
	struct usrpci_ioc_field large;
};

/* usrpci_ioc_tlb.fault: what is wrong with a description. */
enum usrpci_tlb_fault {
	USRPCI_TLB_FAULT_NONE		= 0,
	USRPCI_TLB_FAULT_VECTOR		= 1,	/* no such vector of MSI or MSI-X is set up */
	USRPCI_TLB_FAULT_TAGS		= 2,	/* too many, or without fields for them */
	USRPCI_TLB_FAULT_PAGES		= 3,	/* unknown page sizes, or no field for 2 MiB */
	USRPCI_TLB_FAULT_MISSES		= 4,	/* where misses are: a register, words, a width */
	USRPCI_TLB_FAULT_RING		= 5,	/* no such buffer, or the ring isn't within it */
	USRPCI_TLB_FAULT_MISS_FIELD	= 6,	/* a field beyond the record, or one missing */
	USRPCI_TLB_FAULT_ENTRIES	= 7,	/* where entries are: a register, stride, words */
	USRPCI_TLB_FAULT_ENTRY_FIELD	= 8,	/* a field beyond the record, or one missing */
	USRPCI_TLB_FAULT_COMMAND	= 9,	/* go on, refuse or another: a register, a field */
	USRPCI_TLB_FAULT_DONE		= 10,	/* its register, mask, value or time */
};

/**
 * struct usrpci_ioc_tlb - Describe the TLB that the device has.
 * @size: sizeof(struct usrpci_ioc_tlb)
 * @flags: must be 0
 * @vector: that tells of misses; of MSI or MSI-X, which stay set up till the file closes
 * @tags: how many the device tells apart, 1 to USRPCI_TLB_MAX_TAGS
 * @page_sizes: USRPCI_TLB_4K, USRPCI_TLB_2M or both
 * @timeout_us: longest that an invalidation takes, 1 to USRPCI_TLB_MAX_US
 * @misses: how misses are reported
 * @entries: of the TLB
 * @ack: written before misses are looked for; may be none
 * @go_on: with a miss's id: the translation is there
 * @refuse: with a miss's id: there's none, and won't be
 * @invalidate: with an entry's number; none: clearing its valid bit does it
 * @invalidate_tag: with a tag: all its entries; may be none
 * @done: read after an invalidation till the bits of @done_mask are @done_value; none:
 *	reading the entry's last word waits for it
 * @done_mask: which bits; none: 0
 * @done_value: no bit outside of @done_mask
 * @fault: out, on error EINVAL: enum usrpci_tlb_fault
 * @reserved: must be 0
 *
 * From then on the vector's misses are served for the spaces of USRPCI_BIND. A miss
 * of a tag that nobody is bound to gets no translation.
 *
 * EBUSY: it was described before. EPERM: a register in an MSI-X table. EOPNOTSUPP: this
 * kernel tells nobody that memory changes (CONFIG_MMU_NOTIFIER), or the device's DMA isn't
 * coherent.
 */
struct usrpci_ioc_tlb {
	__u32 size;
	__u32 flags;
	__u32 vector;
	__u32 tags;
	__u32 page_sizes;
	__u32 timeout_us;
	struct usrpci_ioc_tlb_misses misses;
	struct usrpci_ioc_tlb_entries entries;
	struct usrpci_ioc_tlb_command ack;
	struct usrpci_ioc_tlb_command go_on;
	struct usrpci_ioc_tlb_command refuse;
	struct usrpci_ioc_tlb_command invalidate;
	struct usrpci_ioc_tlb_command invalidate_tag;
	struct usrpci_ioc_reg done;
	__u64 done_mask;
	__u64 done_value;
	__u32 fault;
	__u32 reserved;
};

/* usrpci_ioc_bind.flags */
#define USRPCI_BIND_MIRRORED	(1U << 0)	/* the device's pages aren't pinned */

/* Most pages around a miss that are translated with it. */
#define USRPCI_BIND_MAX_AROUND	64

/**
 * struct usrpci_ioc_bind - Bind the caller's memory to the device's TLB.
 * @size: sizeof(struct usrpci_ioc_bind)
 * @flags: USRPCI_BIND_MIRRORED
 * @around: neighbours of a missed page that are translated with it if they are there,
 *	up to USRPCI_BIND_MAX_AROUND; 0 if the device chooses entries
 * @tag: out: what the device is to call the caller
 * @fd: out: the space's descriptor, close-on-exec
 * @reserved: must be 0
 *
 * The space lives till its descriptor is closed or the process ends, and keeps the
 * device's file open. Memory that is pinned is charged to the process as of USRPCI_MAP.
 *
 * ENOSPC: no tag is free. EINVAL: no TLB was described. EPERM: as of USRPCI_MAP. EAGAIN:
 * other processes wait for too much memory.
 * Memory that would be bounced for this device isn't translated.
 */
struct usrpci_ioc_bind {
	__u32 size;
	__u32 flags;
	__u32 around;
	__u32 tag;
	__s32 fd;
	__u32 reserved;
};

/*
 * Commands of a space's descriptor. poll(2) of it reports POLLIN while
 * USRPCI_SPACE_REFUSAL has something to tell, and POLLHUP once nothing is translated any
 * more; then each command but that and USRPCI_SPACE_INFO gives ENODEV.
 */

#define USRPCI_SPACE_NR_BINS	32

/**
 * struct usrpci_ioc_space_info - What happened in a space so far.
 * @size: sizeof(struct usrpci_ioc_space_info)
 * @flags: must be 0
 * @tag: out: what the device calls it
 * @reserved: must be 0
 * @misses: out: that were served
 * @fills: out: entries written
 * @evictions: out: entries whose place another took
 * @invalidations: out: entries that were taken back
 * @refusals: out: misses that got no translation
 * @retries: out: times that memory changed while it was looked up
 * @faults: out: misses for which memory had to be brought in
 * @entries: out: that the device has now
 * @pages: out: of 4 KiB, pinned now
 * @latency: out: from interrupt to answer; bin n counts what took less than 2^n ns, and
 *	no less than half of that; the last all that took longer
 */
struct usrpci_ioc_space_info {
	__u32 size;
	__u32 flags;
	__u32 tag;
	__u32 reserved;
	__u64 misses;
	__u64 fills;
	__u64 evictions;
	__u64 invalidations;
	__u64 refusals;
	__u64 retries;
	__u64 faults;
	__u64 entries;
	__u64 pages;
	__u64 latency[USRPCI_SPACE_NR_BINS];
};

enum usrpci_refusal_code {
	USRPCI_REFUSAL_UNMAPPED		= 1,	/* nothing is mapped there */
	USRPCI_REFUSAL_PROTECTED	= 2,	/* nor may the process write, or read, there */
	USRPCI_REFUSAL_SPECIAL		= 3,	/* of a device, secret, or an unsafe file's */
	USRPCI_REFUSAL_BEYOND		= 4,	/* the DMA mask doesn't reach it */
	USRPCI_REFUSAL_LIMIT		= 5,	/* RLIMIT_MEMLOCK is too low */
	USRPCI_REFUSAL_ENDED		= 6,	/* the process has, or the space is closing */
	USRPCI_REFUSAL_NO_MEMORY	= 7,	/* none left, or no bus address */
	USRPCI_REFUSAL_SMALL		= 8,	/* not of a size that the TLB has */
};

/**
 * struct usrpci_ioc_space_refusal - Take the oldest miss that got no translation.
 * @size: sizeof(struct usrpci_ioc_space_refusal)
 * @flags: must be 0
 * @addr: out: virtual address
 * @reason: out: enum usrpci_refusal_code
 * @write: out: 1: the device wanted to write
 * @lost: out: others that there was no room for, before this one
 *
 * EAGAIN: there's none.
 */
struct usrpci_ioc_space_refusal {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u32 reason;
	__u32 write;
	__u64 lost;
};

/**
 * struct usrpci_ioc_space_forget - Take translations back from the device.
 * @size: sizeof(struct usrpci_ioc_space_forget)
 * @flags: must be 0
 * @addr: virtual address
 * @len: bytes
 *
 * EIO: the device didn't acknowledge in time; it was stopped.
 */
struct usrpci_ioc_space_forget {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 len;
};

#define USRPCI_INFO		_IO(USRPCI_IOC_TYPE, 0x00)
#define USRPCI_BAR		_IO(USRPCI_IOC_TYPE, 0x01)
#define USRPCI_DMA_MASK		_IO(USRPCI_IOC_TYPE, 0x02)
#define USRPCI_MASTER		_IO(USRPCI_IOC_TYPE, 0x03)
#define USRPCI_COHERENT		_IO(USRPCI_IOC_TYPE, 0x04)
#define USRPCI_MAP		_IO(USRPCI_IOC_TYPE, 0x05)
#define USRPCI_UNMAP		_IO(USRPCI_IOC_TYPE, 0x06)
#define USRPCI_SYNC		_IO(USRPCI_IOC_TYPE, 0x07)
#define USRPCI_IRQ_SETUP	_IO(USRPCI_IOC_TYPE, 0x08)
#define USRPCI_IRQ_WIRE		_IO(USRPCI_IOC_TYPE, 0x09)
#define USRPCI_IRQ_UNMASK	_IO(USRPCI_IOC_TYPE, 0x0a)
#define USRPCI_RESET		_IO(USRPCI_IOC_TYPE, 0x0b)
#define USRPCI_QUIESCE		_IO(USRPCI_IOC_TYPE, 0x0c)
#define USRPCI_EVENT		_IO(USRPCI_IOC_TYPE, 0x0d)
#define USRPCI_TLB		_IO(USRPCI_IOC_TYPE, 0x0e)
#define USRPCI_BIND		_IO(USRPCI_IOC_TYPE, 0x0f)

#define USRPCI_SPACE_INFO	_IO(USRPCI_IOC_TYPE, 0x40)
#define USRPCI_SPACE_REFUSAL	_IO(USRPCI_IOC_TYPE, 0x41)
#define USRPCI_SPACE_FORGET	_IO(USRPCI_IOC_TYPE, 0x42)

#endif /* _UAPI_LINUX_USRPCI_H */
