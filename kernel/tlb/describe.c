// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/slab.h>
#include <linux/usrpci.h>

#include "bar.h"
#include "coherent.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "irq.h"
#include "register.h"
#include "check.h"
#include "device.h"
#include "server.h"
#include "slot.h"
#include "tlb.h"

/* --- finding what it names; inside the gate --- */

static int usrpci_find_reg(struct usrpci_file *file, const struct usrpci_ioc_reg *reg, bool write,
			   struct usrpci_tlb_reg *found)
{
	found->width = reg->width;
	if (!reg->width)
		return 0;
	if (usrpci_bar_kind(usrpci_pdev(file), reg->bar) != USRPCI_BAR_MEM)
		return -EINVAL;
	return usrpci_register_find(file, reg->bar, reg->offset, reg->width, write, &found->reg);
}

/* The last one has to be there as well, and none may be in an MSI-X table. */
static int usrpci_find_entries(struct usrpci_file *file, const struct usrpci_ioc_tlb_entries *e,
			       struct usrpci_tlb_reg *found)
{
	u64 len = (u64)(e->nr - 1) * e->stride + e->words * e->reg.width;
	struct usrpci_tlb_reg last;
	struct usrpci_ioc_reg reg = e->reg;
	u64 start, end;
	int err;

	reg.offset += len - reg.width;
	if (reg.offset < e->reg.offset)
		return -EINVAL;
	err = usrpci_find_reg(file, &reg, true, &last);
	if (err)
		return err;
	usrpci_bar_msix_table(file, reg.bar, &start, &end);
	if (e->reg.offset < end && e->reg.offset + len > start)
		return -EPERM;
	return usrpci_find_reg(file, &e->reg, true, found);
}

static int usrpci_find_misses(struct usrpci_file *file, struct usrpci_tlb *tlb,
			      enum usrpci_tlb_fault *fault)
{
	const struct usrpci_ioc_tlb_misses *m = &tlb->desc.misses;
	u64 len = (u64)m->ring_entries * m->words * m->word_width;
	struct usrpci_ioc_reg last = m->reg;
	struct usrpci_tlb_reg found;
	int err;

	*fault = USRPCI_TLB_FAULT_MISSES;
	if (!m->ring)
		last.offset += (m->words - 1) * m->word_width;
	err = usrpci_find_reg(file, &last, m->ring, &found);
	if (!err)
		err = usrpci_find_reg(file, &m->reg, m->ring, &tlb->miss);
	if (err || !m->ring)
		return err;
	*fault = USRPCI_TLB_FAULT_RING;
	tlb->ring = usrpci_coherent_get(file, m->ring, m->ring_offset, len, &tlb->ring_at);
	return tlb->ring ? 0 : -EINVAL;
}

static int usrpci_find_commands(struct usrpci_file *file, struct usrpci_tlb *tlb)
{
	const struct usrpci_ioc_tlb *d = &tlb->desc;

	return usrpci_find_reg(file, &d->ack.reg, true, &tlb->ack.to) ?:
	       usrpci_find_reg(file, &d->go_on.reg, true, &tlb->go_on.to) ?:
	       usrpci_find_reg(file, &d->refuse.reg, true, &tlb->refuse.to) ?:
	       usrpci_find_reg(file, &d->invalidate.reg, true, &tlb->invalidate.to) ?:
	       usrpci_find_reg(file, &d->invalidate_tag.reg, true, &tlb->invalidate_tag.to);
}

static int usrpci_tlb_find(struct usrpci_file *file, struct usrpci_tlb *tlb,
			   enum usrpci_tlb_fault *fault)
{
	int err;

	err = usrpci_find_misses(file, tlb, fault);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_ENTRIES;
	err = usrpci_find_entries(file, &tlb->desc.entries, &tlb->entries);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_COMMAND;
	err = usrpci_find_commands(file, tlb);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_DONE;
	err = usrpci_find_reg(file, &tlb->desc.done, false, &tlb->done);
	if (err)
		return err;
	*fault = USRPCI_TLB_FAULT_VECTOR;
	return 0;
}

/* --- making it --- */

static struct usrpci_tlb *usrpci_tlb_new(struct usrpci_file *file,
					 const struct usrpci_ioc_tlb *desc)
{
	struct usrpci_tlb *tlb = kzalloc(sizeof(*tlb), GFP_KERNEL_ACCOUNT);

	if (!tlb)
		return NULL;
	kref_init(&tlb->ref);
	tlb->file = file;
	tlb->desc = *desc;
	usrpci_tlb_make_ready(tlb);
	mutex_init(&tlb->lock);
	spin_lock_init(&tlb->queue_lock);
	INIT_LIST_HEAD(&tlb->waits);
	INIT_LIST_HEAD(&tlb->ready);
	INIT_LIST_HEAD(&tlb->unpin);
	tlb->scratch = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (tlb->scratch && !usrpci_slots_init(tlb))
		return tlb;
	usrpci_tlb_put(tlb);
	return NULL;
}

/* Inside the gate, alone. */
static int usrpci_tlb_attach(struct usrpci_file *file, struct usrpci_tlb *tlb,
			     enum usrpci_tlb_fault *fault)
{
	int err;

	if (file->tlb)
		return -EBUSY;
	err = usrpci_tlb_find(file, tlb, fault);
	if (!err)
		err = usrpci_server_start(tlb);
	if (!err)
		err = usrpci_irq_serve(file, tlb->desc.vector, tlb);
	if (err) {
		usrpci_tlb_detach(tlb);
		return err;
	}
	if (!(file->decode & IORESOURCE_MEM))
		tlb->holds = BIT(USRPCI_HOLD_DECODE);
	WRITE_ONCE(file->tlb, tlb);
	return 0;
}

static int usrpci_tlb_make(struct usrpci_file *file, const struct usrpci_ioc_tlb *desc,
			   enum usrpci_tlb_fault *fault)
{
	struct usrpci_tlb *tlb;
	int err;

	tlb = usrpci_tlb_new(file, desc);
	if (!tlb)
		return -ENOMEM;
	err = usrpci_enter_alone(file);
	if (!err) {
		err = usrpci_tlb_attach(file, tlb, fault);
		usrpci_leave_alone(file);
	}
	if (err)
		usrpci_tlb_put(tlb);
	return err;
}

int usrpci_tlb_describe(struct usrpci_command *cmd)
{
	struct usrpci_ioc_tlb *arg = cmd->arg;
	enum usrpci_tlb_fault fault;
	int err = -EINVAL;

	if (arg->reserved)
		return -EINVAL;
	/* Nobody would sync what a device and a program use at the same time. */
	if (!usrpci_is_coherent(usrpci_dma_device(cmd->file)))
		return -EOPNOTSUPP;
	fault = usrpci_tlb_check(arg);
	if (fault == USRPCI_TLB_FAULT_NONE)
		err = usrpci_tlb_make(cmd->file, arg, &fault);
	if (err == -EINVAL) {
		arg->fault = fault;
		usrpci_respond(cmd, sizeof(*arg));
	}
	return err;
}
