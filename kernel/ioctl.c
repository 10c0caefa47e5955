// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/fs.h>
#include <linux/uaccess.h>
#include <linux/usrpci.h>

#include "bar.h"
#include "coherent.h"
#include "control.h"
#include "event.h"
#include "file.h"
#include "info.h"
#include "ioctl.h"
#include "irq.h"
#include "map.h"
#include "object.h"
#include "quiesce.h"
#include "reset.h"
#include "sync.h"
#include "tlb/space.h"
#include "tlb/tlb.h"

union usrpci_arg {
	struct {
		__u32 size;
		__u32 flags;
	} head;
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar bar;
	struct usrpci_ioc_dma_mask dma_mask;
	struct usrpci_ioc_master master;
	struct usrpci_ioc_coherent coherent;
	struct usrpci_ioc_map map;
	struct usrpci_ioc_unmap unmap;
	struct usrpci_ioc_sync sync;
	struct usrpci_ioc_irq_setup irq_setup;
	struct usrpci_ioc_irq_wire irq_wire;
	struct usrpci_ioc_irq_unmask irq_unmask;
	struct usrpci_ioc_reset reset;
	struct usrpci_ioc_quiesce quiesce;
	struct usrpci_ioc_event event;
	struct usrpci_ioc_tlb tlb;
	struct usrpci_ioc_bind bind;
	struct usrpci_ioc_space_info space_info;
	struct usrpci_ioc_space_refusal space_refusal;
	struct usrpci_ioc_space_forget space_forget;
};

/**
 * struct usrpci_op - A row of the table of commands.
 * @size: of the command's struct
 * @min_size: of its first version
 * @flags: that are known
 * @outlives: works after the function has gone, too
 * @run: serves it; 0 or -errno
 */
struct usrpci_op {
	u16 size;
	u16 min_size;
	u32 flags;
	bool outlives;
	int (*run)(struct usrpci_command *cmd);
};

#define USRPCI_OP(_cmd, _struct, _last, _flags, _run, ...)		\
	[_IOC_NR(_cmd)] = {						\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.flags = _flags,					\
		.run = _run,						\
		__VA_ARGS__						\
	}

static const struct usrpci_op usrpci_ops[] = {
	USRPCI_OP(USRPCI_INFO, usrpci_ioc_info, max_mapping, 0, usrpci_info),
	USRPCI_OP(USRPCI_BAR, usrpci_ioc_bar, windows, 0, usrpci_bar_describe),
	USRPCI_OP(USRPCI_DMA_MASK, usrpci_ioc_dma_mask, coherent, 0, usrpci_set_dma_mask),
	USRPCI_OP(USRPCI_MASTER, usrpci_ioc_master, reserved, 0, usrpci_set_master),
	USRPCI_OP(USRPCI_COHERENT, usrpci_ioc_coherent, missing, 0, usrpci_coherent_alloc),
	USRPCI_OP(USRPCI_MAP, usrpci_ioc_map, missing, 0, usrpci_map),
	USRPCI_OP(USRPCI_UNMAP, usrpci_ioc_unmap, handles, 0, usrpci_unmap),
	USRPCI_OP(USRPCI_SYNC, usrpci_ioc_sync, len,
		  USRPCI_SYNC_FOR_CPU | USRPCI_SYNC_FOR_DEVICE, usrpci_sync),
	USRPCI_OP(USRPCI_IRQ_SETUP, usrpci_ioc_irq_setup, nr_vectors, 0, usrpci_irq_setup),
	USRPCI_OP(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, fds, 0, usrpci_irq_wire),
	USRPCI_OP(USRPCI_IRQ_UNMASK, usrpci_ioc_irq_unmask, reserved, 0, usrpci_irq_unmask),
	USRPCI_OP(USRPCI_RESET, usrpci_ioc_reset, flags, 0, usrpci_reset),
	USRPCI_OP(USRPCI_QUIESCE, usrpci_ioc_quiesce, steps, 0, usrpci_quiesce),
	USRPCI_OP(USRPCI_EVENT, usrpci_ioc_event, lost, 0, usrpci_event, .outlives = true),
	USRPCI_OP(USRPCI_TLB, usrpci_ioc_tlb, reserved, 0, usrpci_tlb_describe),
	USRPCI_OP(USRPCI_BIND, usrpci_ioc_bind, reserved, USRPCI_BIND_MIRRORED, usrpci_bind),
};

#define USRPCI_SPACE_FIRST	_IOC_NR(USRPCI_SPACE_INFO)
#define USRPCI_SPACE_OP(_cmd, ...)	USRPCI_OP((_cmd) - USRPCI_SPACE_FIRST, __VA_ARGS__)

/* Counted from the first. */
static const struct usrpci_op usrpci_space_ops[] = {
	USRPCI_SPACE_OP(USRPCI_SPACE_INFO, usrpci_ioc_space_info, latency, 0, usrpci_space_info,
			.outlives = true),
	USRPCI_SPACE_OP(USRPCI_SPACE_REFUSAL, usrpci_ioc_space_refusal, lost, 0,
			usrpci_space_refusal, .outlives = true),
	USRPCI_SPACE_OP(USRPCI_SPACE_FORGET, usrpci_ioc_space_forget, len, 0,
			usrpci_space_forget),
};

int usrpci_respond(struct usrpci_command *cmd, size_t len)
{
	return copy_to_user(cmd->user, cmd->arg, min_t(size_t, cmd->size, len)) ? -EFAULT : 0;
}

static long usrpci_run(const struct usrpci_op *op, struct usrpci_command *cmd)
{
	union usrpci_arg buf __uninitialized;
	int err;

	if (READ_ONCE(cmd->file->dead) && !op->outlives)
		return -ENODEV;
	if (get_user(cmd->size, (u32 __user *)cmd->user))
		return -EFAULT;
	if (cmd->size < op->min_size)
		return -EINVAL;
	if (cmd->size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&buf, op->size, cmd->user, cmd->size);
	if (err)
		return err;
	if (buf.head.flags & ~op->flags)
		return -EINVAL;
	cmd->arg = &buf;
	return op->run(cmd);
}

/* The command's number in a table, of @nr that begins with @first; or @nr. */
static unsigned int usrpci_number(unsigned int cmd, unsigned int first, unsigned int nr)
{
	unsigned int number = _IOC_NR(cmd) - first;

	if (cmd != _IO(USRPCI_IOC_TYPE, _IOC_NR(cmd)) || number >= nr)
		return nr;
	return number;
}

long usrpci_ioctl(struct file *filp, unsigned int nr, unsigned long arg)
{
	struct usrpci_command cmd = {
		.filp = filp,
		.file = filp->private_data,
		.user = (void __user *)arg,
	};
	unsigned int number = usrpci_number(nr, 0, ARRAY_SIZE(usrpci_ops));

	if (number == ARRAY_SIZE(usrpci_ops))
		return -ENOTTY;
	return usrpci_run(&usrpci_ops[number], &cmd);
}

long usrpci_space_ioctl(struct file *filp, unsigned int nr, unsigned long arg)
{
	struct usrpci_space *space = filp->private_data;
	struct usrpci_command cmd = {
		.filp = filp,
		.file = space->filp->private_data,
		.space = space,
		.user = (void __user *)arg,
	};
	unsigned int number = usrpci_number(nr, USRPCI_SPACE_FIRST, ARRAY_SIZE(usrpci_space_ops));

	if (number == ARRAY_SIZE(usrpci_space_ops))
		return -ENOTTY;
	return usrpci_run(&usrpci_space_ops[number], &cmd);
}
