/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_FILE_H
#define USRPCI_FILE_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/usrpci.h>

#include "event.h"
#include "function.h"
#include "irq.h"
#include "table.h"

struct usrpci_config;
struct usrpci_quiesce;
struct usrpci_tlb;

/* What a device's driver left set, put back when the file is closed. */
struct usrpci_dma_limits {
	u64 mask;
	u64 coherent_mask;
	unsigned int max_segment;
	unsigned long boundary;
	unsigned int min_align_mask;
};

/**
 * struct usrpci_file - The open file of a function. There is at most one.
 * @function: holds a reference to its device
 * @mapping: where the file's maps are found, to take them away
 * @dead: the function is no longer this file's; written under the gate
 * @decode: IORESOURCE_MEM and IORESOURCE_IO, as far as the function decodes
 *	them; under the gate
 * @objects: handle to struct usrpci_object
 * @coherent_lock: guards @coherents and what they point to
 * @coherents: all coherent buffers, with a handle or only mmapped
 * @irq: interrupt vectors
 * @config: which bits of configuration space may be written
 * @msix_bar: BAR that holds the MSI-X table, or -1
 * @msix_start: where in it the table starts
 * @msix_end: and ends
 * @io_lock: guards @io
 * @io: BARs as the kernel sees them, mapped when first read or written by call
 * @max_segment: longest scatterlist entry that can be mapped with the mask as it is;
 *	whole pages
 * @limits: of the DMA API, as they were at open
 * @saved: configuration space as it was at open
 * @quiesce: how the device is stopped, or NULL; under the gate
 * @tlb: the device's own, or NULL; made under the gate, undone in teardown
 * @needs_strict: was let in only since the function was isolated strictly
 * @resetting: its user asked for a reset, which hasn't been done yet; under device_lock
 * @events: what happened and was not told yet
 * @wait: woken when something happened, or the function goes
 * @torn_down: done when teardown is
 * @pid: who opened it
 * @comm: its name
 */
struct usrpci_file {
	struct usrpci_function *function;
	struct address_space *mapping;
	bool dead;
	unsigned long decode;
	struct usrpci_table objects;
	struct mutex coherent_lock; /* coherents and what they point to */
	struct list_head coherents;
	struct usrpci_irq irq;
	struct usrpci_config *config;
	int msix_bar;
	u64 msix_start;
	u64 msix_end;
	struct mutex io_lock; /* io */
	void __iomem *io[USRPCI_NR_BARS];
	unsigned int max_segment;
	struct usrpci_dma_limits limits;
	struct pci_saved_state *saved;
	struct usrpci_quiesce *quiesce;
	struct usrpci_tlb *tlb;
	bool needs_strict;
	bool resetting;
	struct usrpci_events events;
	wait_queue_head_t wait;
	struct completion torn_down;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
};

extern const struct file_operations usrpci_fops;

#ifndef CONFIG_64BIT
#error usrpci needs a 64-bit kernel: the offsets of its file do
#endif

/* Where in the file things lie. */
#define USRPCI_BAR_SHIFT	44
#define USRPCI_CONFIG_INDEX	(USRPCI_NR_BARS + 1)
#define USRPCI_COHERENT_BIT	BIT_ULL(62)
#define USRPCI_COHERENT_SHIFT	36

static inline u64 usrpci_bar_offset(unsigned int bar)
{
	return (u64)(bar + 1) << USRPCI_BAR_SHIFT;
}

static inline u64 usrpci_config_offset(void)
{
	return (u64)USRPCI_CONFIG_INDEX << USRPCI_BAR_SHIFT;
}

static inline struct device *usrpci_dma_device(struct usrpci_file *file)
{
	return &file->function->pdev->dev;
}

static inline struct pci_dev *usrpci_pdev(struct usrpci_file *file)
{
	return file->function->pdev;
}

#endif /* USRPCI_FILE_H */
