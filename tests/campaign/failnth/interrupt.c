// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "edu.h"
#include "memory.h"
#include "scene.h"

int act_irq(struct scene *s)
{
	return function_irq_setup(s->fd, s->q->kind, vectors(s));
}

int act_irq_none(struct scene *s)
{
	return function_irq_setup(s->fd, USRPCI_IRQ_NONE, 0);
}

static void undo_irq(struct scene *s)
{
	must(s, "no interrupts", act_irq_none(s));
}

static int setup_irq(struct scene *s)
{
	return setup_open(s) ?: act_irq(s);
}

int act_wire(struct scene *s)
{
	return function_irq_wire(s->fd, 0, vectors(s), s->events);
}

static int act_unwire(struct scene *s)
{
	int none[MAX_VECTORS];

	memset(none, -1, sizeof(none));
	return function_irq_wire(s->fd, 0, vectors(s), none);
}

static void undo_wire(struct scene *s)
{
	must(s, "unwire", act_unwire(s));
}

static int setup_wired(struct scene *s)
{
	return setup_irq(s) ?: act_wire(s);
}

int act_unmask(struct scene *s)
{
	return function_irq_unmask(s->fd, 0);
}

int setup_regs(struct scene *s)
{
	return setup_open(s) ?: map_bar(s) ?: touch_all(s->map, PAGE) ?: function_master(s->fd, 1);
}

static int wait_for_interrupt(struct scene *s)
{
	uint64_t count, until = now_ms() + 1000;

	while (read(s->events[0], &count, sizeof(count)) < 0)
		if (errno != EAGAIN || now_ms() > until)
			return -errno;
	return 0;
}

/* One interrupt, from nothing and back. */
static int act_interrupt(struct scene *s)
{
	struct edu_hw edu = { .fd = s->fd, .regs = (volatile uint32_t *)s->map };
	int err = act_irq(s);

	if (err)
		return err;
	err = act_wire(s);
	if (!err) {
		edu_hw_raise(&edu, 1);
		err = wait_for_interrupt(s);
		edu_hw_ack(&edu, 1);
		/* A read that failed has left it there for the next one. */
		if (err && err != -EAGAIN)
			wait_for_interrupt(s);
	}
	if (act_irq_none(s))
		undo_irq(s);
	return err;
}

static const struct sequence sequences[] = {
	{ "intx", EDU, .n = 1, .kind = INTX, OPENED, .act = act_irq, .undo = undo_irq },
	{ "msi", EDU, .n = 1, .kind = MSI, OPENED, .act = act_irq, .undo = undo_irq },
	{ "msi-x", NVME, .n = 1, .kind = MSIX, OPENED, .act = act_irq, .undo = undo_irq },
	{ "msi-x, many", NVME, .n = MAX_VECTORS, .kind = MSIX, OPENED, .act = act_irq,
	  .undo = undo_irq },
	{ "no interrupts", NVME, .n = 4, .kind = MSIX, .setup = setup_wired, .act = act_irq_none,
	  .end = close_it },
	{ "wire", EDU, .n = 1, .kind = MSI, .setup = setup_irq, .act = act_wire,
	  .undo = undo_wire, .end = close_it },
	{ "wire many", NVME, .n = MAX_VECTORS, .kind = MSIX, .setup = setup_irq, .act = act_wire,
	  .undo = undo_wire, .end = close_it },
	{ "unwire", NVME, .n = 3, .kind = MSIX, .setup = setup_wired, .act = act_unwire,
	  .end = close_it },
	{ "wire again", NVME, .n = 5, .kind = MSIX, .setup = setup_wired, .act = act_wire,
	  .end = close_it },
	{ "unmask", EDU, .n = 1, .kind = INTX, .setup = setup_irq, .act = act_unmask,
	  .end = close_it },
	{ "interrupt", EDU, .n = 1, .kind = MSI, .setup = setup_regs, .act = act_interrupt,
	  .end = end_unmap_close },
	{ "interrupt, intx", EDU, .n = 1, .kind = INTX, .setup = setup_regs, .act = act_interrupt,
	  .end = end_unmap_close },
};

const struct group interrupt_group = GROUP(sequences);
