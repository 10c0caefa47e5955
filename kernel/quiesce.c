// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usrpci.h>

#include "bar.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "quiesce.h"
#include "register.h"
#include "trace.h"

/**
 * struct usrpci_quiesce - A list of register accesses.
 * @nr: steps
 * @steps: as the user gave them, checked
 * @regs: where the register of each step is
 */
struct usrpci_quiesce {
	u32 nr;
	struct usrpci_ioc_quiesce_step *steps;
	void __iomem *regs[USRPCI_QUIESCE_MAX_STEPS];
};

static u64 usrpci_width_mask(u32 width)
{
	return GENMASK_ULL(width * 8 - 1, 0);
}

static bool usrpci_quiesce_step_valid(const struct usrpci_ioc_quiesce_step *step)
{
	if (step->kind > USRPCI_QUIESCE_UNTIL || step->bar >= USRPCI_NR_BARS)
		return false;
	if (!is_power_of_2(step->width) || step->width > 8 || step->offset & (step->width - 1))
		return false;
	if (!step->mask || step->mask & ~usrpci_width_mask(step->width) ||
	    step->value & ~step->mask)
		return false;
	return step->kind == USRPCI_QUIESCE_UNTIL || !step->timeout_us;
}

static int usrpci_quiesce_check(const struct usrpci_quiesce *q)
{
	u64 wait_us = 0;
	u32 i;

	for (i = 0; i < q->nr; i++) {
		if (!usrpci_quiesce_step_valid(&q->steps[i]))
			return -EINVAL;
		wait_us += q->steps[i].timeout_us;
	}
	return wait_us > USRPCI_QUIESCE_MAX_US ? -EINVAL : 0;
}

/* Now, since teardown can't fail. Inside the gate. */
static int usrpci_quiesce_find(struct usrpci_file *file, struct usrpci_quiesce *q)
{
	const struct usrpci_ioc_quiesce_step *step;
	int err;
	u32 i;

	for (i = 0; i < q->nr; i++) {
		step = &q->steps[i];
		err = usrpci_register_find(file, step->bar, step->offset, step->width,
					   step->kind == USRPCI_QUIESCE_WRITE, &q->regs[i]);
		if (err)
			return err;
	}
	return 0;
}

static void usrpci_quiesce_free(struct usrpci_quiesce *q)
{
	if (q)
		kfree(q->steps);
	kfree(q);
}

static struct usrpci_quiesce *usrpci_quiesce_new(const struct usrpci_ioc_quiesce *arg)
{
	struct usrpci_quiesce *q;
	void *steps;
	int err;

	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return ERR_PTR(-ENOMEM);
	steps = memdup_user(u64_to_user_ptr(arg->steps), arg->nr_steps * sizeof(*q->steps));
	if (IS_ERR(steps)) {
		kfree(q);
		return steps;
	}
	q->nr = arg->nr_steps;
	q->steps = steps;
	err = usrpci_quiesce_check(q);
	if (err) {
		usrpci_quiesce_free(q);
		return ERR_PTR(err);
	}
	return q;
}

int usrpci_quiesce(struct usrpci_command *cmd)
{
	struct usrpci_ioc_quiesce *arg = cmd->arg;
	struct usrpci_quiesce *q = NULL;
	int err;

	if (arg->step_size != sizeof(*q->steps) || arg->nr_steps > USRPCI_QUIESCE_MAX_STEPS)
		return -EINVAL;
	if (arg->nr_steps)
		q = usrpci_quiesce_new(arg);
	if (IS_ERR(q))
		return PTR_ERR(q);
	err = usrpci_enter_alone(cmd->file);
	if (!err) {
		if (q)
			err = usrpci_quiesce_find(cmd->file, q);
		if (!err)
			swap(cmd->file->quiesce, q);
		usrpci_leave_alone(cmd->file);
	}
	usrpci_quiesce_free(q);
	return err;
}

static void usrpci_quiesce_write(struct pci_dev *pdev, const struct usrpci_ioc_quiesce_step *step,
				 void __iomem *reg)
{
	u64 all = usrpci_width_mask(step->width);
	u64 old = 0;

	if (step->mask != all)
		old = usrpci_register_read(reg, step->width);
	/* Not what was there, if the function has gone meanwhile. */
	if (old == all && !pci_device_is_present(pdev))
		return;
	usrpci_register_write(reg, step->width, (old & ~step->mask) | step->value);
}

static bool usrpci_quiesce_until(const struct usrpci_ioc_quiesce_step *step, void __iomem *reg)
{
	ktime_t end = ktime_add_us(ktime_get(), step->timeout_us);
	bool late;

	for (;;) {
		late = ktime_after(ktime_get(), end);
		if ((usrpci_register_read(reg, step->width) & step->mask) == step->value)
			return true;
		if (late)
			return false;
		usleep_range(20, 100);
	}
}

/* The user may have switched off what the accesses need. */
static void usrpci_quiesce_decode(struct pci_dev *pdev, const struct usrpci_quiesce *q)
{
	u16 command;
	u32 i;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	for (i = 0; i < q->nr; i++)
		command |= usrpci_bar_kind(pdev, q->steps[i].bar) == USRPCI_BAR_IO ?
			   PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	pci_write_config_word(pdev, PCI_COMMAND, command);
}

void usrpci_quiesce_run(struct usrpci_file *file)
{
	struct usrpci_quiesce *q = file->quiesce;
	bool ok = true;
	u32 i;

	if (!q)
		return;
	usrpci_quiesce_decode(usrpci_pdev(file), q);
	for (i = 0; i < q->nr; i++) {
		if (q->steps[i].kind == USRPCI_QUIESCE_WRITE)
			usrpci_quiesce_write(usrpci_pdev(file), &q->steps[i], q->regs[i]);
		else if (!usrpci_quiesce_until(&q->steps[i], q->regs[i]))
			ok = false;
	}
	trace_usrpci_quiesce(file->function, q->nr, ok);
}

void usrpci_quiesce_destroy(struct usrpci_file *file)
{
	usrpci_quiesce_free(file->quiesce);
	file->quiesce = NULL;
}
