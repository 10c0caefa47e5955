/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_IRQ_H
#define USRPCI_IRQ_H

#include <linux/mutex.h>
#include <linux/types.h>

struct pci_dev;
struct usrpci_command;
struct usrpci_file;
struct usrpci_tlb;
struct usrpci_vector;

/**
 * struct usrpci_irq - The interrupt vectors of a file.
 * @mutex: guards what follows; a vector has a lock of its own for its handler
 * @type: enum usrpci_irq_type
 * @nr: vectors set up
 * @vectors: they
 */
struct usrpci_irq {
	struct mutex mutex; /* all of this */
	u32 type;
	u32 nr;
	struct usrpci_vector *vectors;
};

/* Interrupts are counted for so long, in jiffies. */
#define USRPCI_STORM_WINDOW	(HZ / 10)

void usrpci_irq_init(struct usrpci_irq *irq);

/* Give all vectors back; when this returns no handler runs. */
void usrpci_irq_free(struct usrpci_file *file);

/*
 * Keep handlers from masking anything in configuration space while that is changed
 * or lost, and INTx from firing; then put the masks right. With nobody inside the
 * gate.
 */
void usrpci_irq_hold(struct usrpci_file *file);
void usrpci_irq_release(struct usrpci_file *file);

/* Interrupts since a vector was set up, for debugfs. Inside the gate. */
u64 usrpci_irq_count(struct usrpci_file *file);

/*
 * A vector of MSI or MSI-X tells @tlb of misses; all vectors stay till teardown then.
 * Inside the gate. -EINVAL: there's no such vector.
 */
int usrpci_irq_serve(struct usrpci_file *file, u32 vector, struct usrpci_tlb *tlb);

/* A vector that is served may be masked, by a storm, and is unmasked. Inside the gate. */
bool usrpci_irq_is_masked(struct usrpci_file *file, u32 vector);
void usrpci_irq_rearm(struct usrpci_file *file, u32 vector);

/* Vectors of a kind that the function has, whether or not they can be set up. */
u32 usrpci_irq_offered(struct pci_dev *pdev, u32 type);

int usrpci_irq_setup(struct usrpci_command *cmd);
int usrpci_irq_wire(struct usrpci_command *cmd);
int usrpci_irq_unmask(struct usrpci_command *cmd);

#endif /* USRPCI_IRQ_H */
