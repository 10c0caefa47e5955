// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/usrpci.h>

#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "irq.h"
#include "trace.h"
#include "tlb/server.h"

static unsigned int usrpci_storm_rate = 400000;
module_param_named(storm_rate, usrpci_storm_rate, uint, 0644);
MODULE_PARM_DESC(storm_rate, "Interrupts a second of one vector that get it masked; 0: none do");

/* Where a vector is masked. */
enum usrpci_mask {
	USRPCI_MASK_INTX,	/* INTx, by the function's command register */
	USRPCI_MASK_LINE,	/* by Linux: the vector's own mask, or the controller's */
	USRPCI_MASK_MSI,	/* by MSI's enable bit, with all vectors of the function */
};

/**
 * struct usrpci_vector - One interrupt vector.
 * @file: whose
 * @line: Linux's number of it
 * @index: the device's number of it
 * @lock: guards what follows; taken by the handler
 * @eventfd: what it signals, or NULL
 * @tlb: that it tells of misses, or NULL
 * @pending: fired with no eventfd
 * @masked: till the user unmasks it: INTx each time, others after a storm
 * @held: not masked in configuration space by the handler, since that is changed
 * @where: it is masked
 * @window: when its interrupts were last counted from 0, in jiffies
 * @in_window: since then
 * @count: times it fired
 * @name: in /proc/interrupts
 */
struct usrpci_vector {
	struct usrpci_file *file;
	int line;
	u32 index;
	spinlock_t lock; /* what follows */
	struct eventfd_ctx *eventfd;
	struct usrpci_tlb *tlb;
	bool pending;
	bool masked;
	bool held;
	enum usrpci_mask where;
	unsigned long window;
	u32 in_window;
	u64 count;
	char name[32];
};

void usrpci_irq_init(struct usrpci_irq *irq)
{
	mutex_init(&irq->mutex);
}

/* Under the vector's lock. */
static void usrpci_vector_signal(struct usrpci_vector *v)
{
	if (v->tlb)
		usrpci_server_wake(v->tlb);
	if (v->eventfd)
		usrpci_eventfd_signal(v->eventfd);
	else
		v->pending = true;
}

/* Under the vector's lock: more interrupts than a CPU can serve and do anything else. */
static bool usrpci_vector_storms(struct usrpci_vector *v)
{
	u32 rate = READ_ONCE(usrpci_storm_rate);

	if (time_after(jiffies, v->window + USRPCI_STORM_WINDOW)) {
		v->window = jiffies;
		v->in_window = 0;
	}
	return rate && ++v->in_window > rate / (HZ / USRPCI_STORM_WINDOW);
}

/* Under the vector's lock. With MSI off the function would raise INTx, which is masked. */
static void usrpci_msi_set_enable(struct usrpci_vector *v, bool enable)
{
	struct pci_dev *pdev = usrpci_pdev(v->file);
	u16 control;

	pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &control);
	control &= ~PCI_MSI_FLAGS_ENABLE;
	if (enable)
		control |= PCI_MSI_FLAGS_ENABLE;
	pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, control);
}

/*
 * Under the vector's lock. A masked vector may come here again: it ran on another
 * CPU, or MSI was enabled for another vector.
 */
static void usrpci_storm_mask(struct usrpci_vector *v)
{
	if (v->where == USRPCI_MASK_MSI && !v->held)
		usrpci_msi_set_enable(v, false);
	else if (v->where == USRPCI_MASK_LINE && !v->masked)
		disable_irq_nosync(v->line);
	v->masked = true;
}

static irqreturn_t usrpci_msi_handler(int line, void *data)
{
	struct usrpci_vector *v = data;
	bool storms;

	spin_lock(&v->lock);
	v->count++;
	storms = usrpci_vector_storms(v);
	if (storms)
		usrpci_storm_mask(v);
	/* Whoever looks for misses now sees the mask. */
	usrpci_vector_signal(v);
	spin_unlock(&v->lock);
	trace_usrpci_irq(v->file->function, v->index);
	if (storms)
		usrpci_event_add(v->file, USRPCI_EVENT_STORM, v->index);
	return IRQ_HANDLED;
}

/* Level-triggered: it fires for ever unless it's masked till it was handled. */
static bool usrpci_intx_mask(struct usrpci_vector *v)
{
	if (v->where == USRPCI_MASK_INTX)
		return pci_check_and_mask_intx(usrpci_pdev(v->file));
	disable_irq_nosync(v->line);
	return true;
}

static irqreturn_t usrpci_intx_handler(int line, void *data)
{
	struct usrpci_vector *v = data;
	irqreturn_t ret = IRQ_NONE;

	spin_lock(&v->lock);
	if (!v->masked && (!v->held || v->where == USRPCI_MASK_LINE) && usrpci_intx_mask(v)) {
		v->masked = true;
		v->count++;
		usrpci_vector_signal(v);
		ret = IRQ_HANDLED;
	}
	spin_unlock(&v->lock);
	if (ret == IRQ_HANDLED)
		trace_usrpci_irq(v->file->function, v->index);
	return ret;
}

static void usrpci_intx_unmask(struct usrpci_vector *v)
{
	spin_lock_irq(&v->lock);
	if (v->masked && v->where == USRPCI_MASK_LINE) {
		v->masked = false;
		enable_irq(v->line);
	} else if (v->masked && pci_check_and_unmask_intx(usrpci_pdev(v->file))) {
		v->masked = false;
	} else if (v->masked) {
		/* Still asserted: the function stays masked, and that is news. */
		v->count++;
		usrpci_vector_signal(v);
	}
	spin_unlock_irq(&v->lock);
}

static bool usrpci_storm_forget(struct usrpci_vector *v)
{
	bool masked;

	spin_lock_irq(&v->lock);
	masked = v->masked;
	v->masked = false;
	v->in_window = 0;
	spin_unlock_irq(&v->lock);
	return masked;
}

/* Once interrupts come again: until then some may have been lost. */
static void usrpci_storm_is_over(struct usrpci_vector *v)
{
	spin_lock_irq(&v->lock);
	usrpci_vector_signal(v);
	spin_unlock_irq(&v->lock);
}

/*
 * Vectors without masks of their own were masked together. The bit is written even if
 * none is: the kernel itself reads and writes it when it moves a vector to another CPU.
 */
static void usrpci_msi_unmask_all(struct usrpci_irq *irq)
{
	bool masked = false;
	u32 i;

	for (i = 0; i < irq->nr; i++)
		masked |= usrpci_storm_forget(&irq->vectors[i]);
	spin_lock_irq(&irq->vectors[0].lock);
	usrpci_msi_set_enable(&irq->vectors[0], true);
	spin_unlock_irq(&irq->vectors[0].lock);
	for (i = 0; i < irq->nr && masked; i++)
		usrpci_storm_is_over(&irq->vectors[i]);
}

/* Under irq->mutex. */
static void usrpci_msi_unmask(struct usrpci_irq *irq, struct usrpci_vector *v)
{
	if (v->where == USRPCI_MASK_MSI) {
		usrpci_msi_unmask_all(irq);
	} else if (usrpci_storm_forget(v)) {
		enable_irq(v->line);
		usrpci_storm_is_over(v);
	}
}

static void usrpci_vector_hold(struct usrpci_vector *v)
{
	spin_lock_irq(&v->lock);
	v->held = true;
	if (v->where == USRPCI_MASK_INTX)
		pci_intx(usrpci_pdev(v->file), 0);
	spin_unlock_irq(&v->lock);
}

/* The function's own mask is as @masked says, whatever happened to it meanwhile. */
static void usrpci_vector_release(struct usrpci_vector *v)
{
	spin_lock_irq(&v->lock);
	v->held = false;
	if (v->where == USRPCI_MASK_INTX)
		pci_intx(usrpci_pdev(v->file), !v->masked);
	else if (v->where == USRPCI_MASK_MSI && v->masked)
		usrpci_msi_set_enable(v, false);
	spin_unlock_irq(&v->lock);
}

static enum usrpci_mask usrpci_vector_where(struct pci_dev *pdev, u32 type)
{
	u16 control;

	if (type == USRPCI_IRQ_INTX)
		return pdev->broken_intx_masking ? USRPCI_MASK_LINE : USRPCI_MASK_INTX;
	if (type == USRPCI_IRQ_MSIX)
		return USRPCI_MASK_LINE;
	pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &control);
	return control & PCI_MSI_FLAGS_MASKBIT ? USRPCI_MASK_LINE : USRPCI_MASK_MSI;
}

static int usrpci_vector_request(struct usrpci_vector *v, u32 type)
{
	irq_handler_t handler = type == USRPCI_IRQ_INTX ? usrpci_intx_handler : usrpci_msi_handler;
	unsigned long flags = v->where == USRPCI_MASK_INTX ? IRQF_SHARED : 0;

	return request_irq(v->line, handler, flags, v->name, v);
}

/* Under irq->mutex; the first @nr have their handler. */
static void usrpci_vectors_free(struct usrpci_irq *irq, struct pci_dev *pdev, u32 nr)
{
	u32 i;

	if (irq->type == USRPCI_IRQ_INTX)
		pci_intx(pdev, 0);
	for (i = 0; i < nr; i++)
		free_irq(irq->vectors[i].line, &irq->vectors[i]);
	if (irq->type != USRPCI_IRQ_INTX) {
		pci_free_irq_vectors(pdev);
		/* Freed, MSI leaves INTx on, which nobody would handle. */
		pci_intx(pdev, 0);
	}
	for (i = 0; i < nr; i++)
		if (irq->vectors[i].eventfd)
			eventfd_ctx_put(irq->vectors[i].eventfd);
	kvfree(irq->vectors);
	irq->vectors = NULL;
	irq->nr = 0;
	irq->type = USRPCI_IRQ_NONE;
}

/* Under irq->mutex, the platform's vectors allocated. */
static int usrpci_vectors_request(struct usrpci_file *file, u32 nr)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	struct usrpci_irq *irq = &file->irq;
	u32 i;
	int err;

	for (i = 0; i < nr; i++) {
		struct usrpci_vector *v = &irq->vectors[i];

		v->file = file;
		v->index = i;
		v->line = irq->type == USRPCI_IRQ_INTX ? pdev->irq : pci_irq_vector(pdev, i);
		v->where = usrpci_vector_where(pdev, irq->type);
		v->window = jiffies;
		spin_lock_init(&v->lock);
		snprintf(v->name, sizeof(v->name), "usrpci-%s[%u]", pci_name(pdev), i);
		err = usrpci_vector_request(v, irq->type);
		if (err) {
			usrpci_vectors_free(irq, pdev, i);
			return err;
		}
	}
	irq->nr = nr;
	if (irq->type == USRPCI_IRQ_INTX)
		usrpci_vector_release(&irq->vectors[0]);
	return 0;
}

u32 usrpci_irq_offered(struct pci_dev *pdev, u32 type)
{
	u8 pin = 0;

	if (type == USRPCI_IRQ_MSI)
		return max(pci_msi_vec_count(pdev), 0);
	if (type == USRPCI_IRQ_MSIX)
		return max(pci_msix_vec_count(pdev), 0);
	pci_read_config_byte(pdev, PCI_INTERRUPT_PIN, &pin);
	return !!pin;
}

/* INTx needs nothing, and the PCI core would let it fire before it has a handler. */
static int usrpci_lines_allocate(struct pci_dev *pdev, u32 type, u32 nr)
{
	int got;

	if (type == USRPCI_IRQ_INTX)
		return 0;
	got = pci_alloc_irq_vectors(pdev, nr, nr,
				    type == USRPCI_IRQ_MSI ? PCI_IRQ_MSI : PCI_IRQ_MSIX);
	if (got >= 0)
		return 0;
	return got == -ENOMEM ? got : -ENOSPC;
}

static int usrpci_irq_allocate(struct usrpci_file *file, u32 type, u32 nr)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	struct usrpci_irq *irq = &file->irq;
	u32 offered = usrpci_irq_offered(pdev, type);
	int err;

	if (irq->nr)
		return -EBUSY;
	if (!offered)
		return -EOPNOTSUPP;
	if (type == USRPCI_IRQ_INTX && (!pdev->irq || pdev->irq == IRQ_NOTCONNECTED))
		return -EOPNOTSUPP;
	if (nr > offered)
		return -ENOSPC;
	/* The MSI-X table is in a BAR. */
	if (type == USRPCI_IRQ_MSIX && !(file->decode & IORESOURCE_MEM))
		return -EIO;
	irq->vectors = kvcalloc(nr, sizeof(*irq->vectors), GFP_KERNEL_ACCOUNT);
	if (!irq->vectors)
		return -ENOMEM;
	err = usrpci_lines_allocate(pdev, type, nr);
	if (err) {
		kvfree(irq->vectors);
		irq->vectors = NULL;
		return err;
	}
	irq->type = type;
	return usrpci_vectors_request(file, nr);
}

void usrpci_irq_free(struct usrpci_file *file)
{
	struct usrpci_irq *irq = &file->irq;

	mutex_lock(&irq->mutex);
	if (irq->nr)
		usrpci_vectors_free(irq, usrpci_pdev(file), irq->nr);
	mutex_unlock(&irq->mutex);
}

int usrpci_irq_serve(struct usrpci_file *file, u32 vector, struct usrpci_tlb *tlb)
{
	struct usrpci_irq *irq = &file->irq;
	struct usrpci_vector *v;
	int err = -EINVAL;

	mutex_lock(&irq->mutex);
	if (irq->type != USRPCI_IRQ_INTX && vector < irq->nr) {
		v = &irq->vectors[vector];
		spin_lock_irq(&v->lock);
		v->tlb = tlb;
		spin_unlock_irq(&v->lock);
		err = 0;
	}
	mutex_unlock(&irq->mutex);
	return err;
}

bool usrpci_irq_is_masked(struct usrpci_file *file, u32 vector)
{
	return READ_ONCE(file->irq.vectors[vector].masked);
}

void usrpci_irq_rearm(struct usrpci_file *file, u32 vector)
{
	mutex_lock(&file->irq.mutex);
	usrpci_msi_unmask(&file->irq, &file->irq.vectors[vector]);
	mutex_unlock(&file->irq.mutex);
}

void usrpci_irq_hold(struct usrpci_file *file)
{
	u32 i;

	for (i = 0; i < file->irq.nr; i++)
		usrpci_vector_hold(&file->irq.vectors[i]);
}

void usrpci_irq_release(struct usrpci_file *file)
{
	u32 i;

	for (i = 0; i < file->irq.nr; i++)
		usrpci_vector_release(&file->irq.vectors[i]);
}

u64 usrpci_irq_count(struct usrpci_file *file)
{
	struct usrpci_irq *irq = &file->irq;
	u64 count = 0;
	u32 i;

	mutex_lock(&irq->mutex);
	for (i = 0; i < irq->nr; i++)
		count += READ_ONCE(irq->vectors[i].count);
	mutex_unlock(&irq->mutex);
	return count;
}

static bool usrpci_irq_valid(const struct usrpci_ioc_irq_setup *arg)
{
	switch (arg->type) {
	case USRPCI_IRQ_NONE:
		return !arg->nr_vectors;
	case USRPCI_IRQ_INTX:
		return arg->nr_vectors == 1;
	case USRPCI_IRQ_MSI:
	case USRPCI_IRQ_MSIX:
		return arg->nr_vectors;
	default:
		return false;
	}
}

int usrpci_irq_setup(struct usrpci_command *cmd)
{
	struct usrpci_ioc_irq_setup *arg = cmd->arg;
	struct usrpci_file *file = cmd->file;
	int err;

	if (!usrpci_irq_valid(arg))
		return -EINVAL;
	err = usrpci_enter(file);
	if (err)
		return err;
	if (arg->type != USRPCI_IRQ_NONE) {
		mutex_lock(&file->irq.mutex);
		err = usrpci_irq_allocate(file, arg->type, arg->nr_vectors);
		mutex_unlock(&file->irq.mutex);
	} else if (file->tlb) {
		err = -EBUSY;
	} else {
		usrpci_irq_free(file);
	}
	usrpci_leave(file);
	return err;
}

/* Returns what it signalled before, to be put. */
static struct eventfd_ctx *usrpci_vector_wire(struct usrpci_vector *v, struct eventfd_ctx *eventfd)
{
	struct eventfd_ctx *old;

	spin_lock_irq(&v->lock);
	old = v->eventfd;
	v->eventfd = eventfd;
	if (eventfd && v->pending) {
		v->pending = false;
		usrpci_vector_signal(v);
	}
	spin_unlock_irq(&v->lock);
	return old;
}

/* Under irq->mutex: @eventfds go in, the old ones come out. */
static int usrpci_vectors_wire(struct usrpci_irq *irq, u32 first, u32 nr,
			       struct eventfd_ctx **eventfds)
{
	u32 i;

	if (first >= irq->nr || nr > irq->nr - first)
		return -EINVAL;
	for (i = 0; i < nr; i++)
		eventfds[i] = usrpci_vector_wire(&irq->vectors[first + i], eventfds[i]);
	return 0;
}

static void usrpci_eventfds_put(struct eventfd_ctx **eventfds, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (eventfds[i])
			eventfd_ctx_put(eventfds[i]);
}

static int usrpci_eventfds_get(const s32 *fds, struct eventfd_ctx **eventfds, u32 nr)
{
	struct eventfd_ctx *eventfd;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (fds[i] == -1)
			continue;
		eventfd = eventfd_ctx_fdget(fds[i]);
		if (IS_ERR(eventfd)) {
			usrpci_eventfds_put(eventfds, i);
			return PTR_ERR(eventfd);
		}
		eventfds[i] = eventfd;
	}
	return 0;
}

static int usrpci_wire_fds(struct usrpci_file *file, u32 first, u32 nr, const s32 *fds,
			   struct eventfd_ctx **eventfds)
{
	int err;

	err = usrpci_eventfds_get(fds, eventfds, nr);
	if (err)
		return err;
	err = usrpci_enter(file);
	if (!err) {
		mutex_lock(&file->irq.mutex);
		err = usrpci_vectors_wire(&file->irq, first, nr, eventfds);
		mutex_unlock(&file->irq.mutex);
		usrpci_leave(file);
	}
	usrpci_eventfds_put(eventfds, nr);
	return err;
}

int usrpci_irq_wire(struct usrpci_command *cmd)
{
	struct usrpci_ioc_irq_wire *arg = cmd->arg;
	struct eventfd_ctx **eventfds;
	s32 *fds;
	int err = -ENOMEM;

	if (!arg->nr || arg->nr > USRPCI_MAX_BATCH)
		return -EINVAL;
	fds = memdup_user(u64_to_user_ptr(arg->fds), arg->nr * sizeof(*fds));
	if (IS_ERR(fds))
		return PTR_ERR(fds);
	eventfds = kcalloc(arg->nr, sizeof(*eventfds), GFP_KERNEL_ACCOUNT);
	if (eventfds)
		err = usrpci_wire_fds(cmd->file, arg->first, arg->nr, fds, eventfds);
	kfree(eventfds);
	kfree(fds);
	return err;
}

int usrpci_irq_unmask(struct usrpci_command *cmd)
{
	struct usrpci_ioc_irq_unmask *arg = cmd->arg;
	struct usrpci_file *file = cmd->file;
	int err;

	if (arg->reserved)
		return -EINVAL;
	err = usrpci_enter(file);
	if (err)
		return err;
	mutex_lock(&file->irq.mutex);
	if (arg->vector >= file->irq.nr)
		err = -EINVAL;
	else if (file->irq.type == USRPCI_IRQ_INTX)
		usrpci_intx_unmask(&file->irq.vectors[0]);
	else
		usrpci_msi_unmask(&file->irq, &file->irq.vectors[arg->vector]);
	mutex_unlock(&file->irq.mutex);
	usrpci_leave(file);
	return err;
}
