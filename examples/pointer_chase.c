// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
// A device follows the program's own pointers while the program goes on: pointer_chase sim:htex
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <usrpci.h>

#define NODES		1000000
#define CONTROL		0x08		/* registers, as of docs/htex.md */
#define ENTRIES		0x0c
#define ENGINE		0x1000
#define TAG		(ENGINE + 0x04)
#define SOURCE		(ENGINE + 0x10)
#define RESULT		(ENGINE + 0x30)
#define MISSES		(ENGINE + 0x48)

struct node {
	struct node *next;
	uint64_t value;
};

/* What an htex's registers mean, so that its misses can be answered. */
static struct usrpci_tlb tlb = {
	.tags = 16,
	.page_sizes = USRPCI_PAGE_4K,
	.misses = {
		.reg = { .width = 8, .offset = 0x20 }, .words = 2, .word_width = 8,
		.valid = { 0, 1 }, .write = { 1, 1 }, .tag = { 4, 4 }, .id = { 8, 8 },
		.entry = { 32, 32 }, .addr = { 64, 64 },
	},
	.entries = {
		.reg = { .bar = 2, .width = 8 }, .stride = 16, .words = 2,
		.valid = { 0, 1 }, .write = { 1, 1 }, .large = { 2, 1 }, .tag = { 4, 4 },
		.bus = { 12, 52, 12 }, .addr = { 76, 52, 12 },
	},
	.ack = { .reg = { .width = 4, .offset = 0x14 }, .value = 1 },
	.go_on = { .reg = { .width = 4, .offset = 0x60 }, .arg = { 0, 8 } },
	.refuse = { .reg = { .width = 4, .offset = 0x64 }, .arg = { 0, 8 } },
	.invalidate = { .reg = { .width = 4, .offset = 0x68 }, .arg = { 0, 32 } },
	.invalidate_tag = { .reg = { .width = 4, .offset = 0x6c }, .arg = { 0, 4 } },
	.done = { .width = 4, .offset = 0x70 }, .done_mask = 1,
	.timeout_us = USRPCI_TLB_US,
};

static struct usrpci_device *dev;

static void check(const char *what, int err)
{
	char why[512] = "it can't be opened, or memory is short";

	if (!err)
		return;
	if (dev)
		usrpci_explain(dev, err, why, sizeof(why));
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static uint64_t get(uint64_t offset, unsigned int width)
{
	uint64_t value = 0;

	check("a register", usrpci_bar_read(dev, 0, offset, width, &value));
	return value;
}

static void set(uint64_t offset, unsigned int width, uint64_t value)
{
	check("a register", usrpci_bar_write(dev, 0, offset, width, value));
}

/* In front of a list. */
static struct node *add(struct node *list, uint64_t value)
{
	struct node *node = malloc(sizeof(*node));

	check("memory", node ? 0 : -ENOMEM);
	*node = (struct node){ .next = list, .value = value };
	return node;
}

int main(int argc, char **argv)
{
	struct node *list = NULL, *other = NULL;
	uint64_t i, sum = 0, counted = 0;
	int done = eventfd(0, EFD_CLOEXEC);
	struct usrpci_space *space;

	for (i = 0; i < NODES; i++) {
		list = add(list, i * i);
		sum += i * i;
	}
	check("open", usrpci_open(&dev, argc > 1 ? argv[1] : "sim:htex"));
	check("DMA mask", usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX));
	check("bus master", usrpci_set_master(dev, true));
	check("vectors", usrpci_irq_setup(dev, USRPCI_MSIX, 2));
	check("eventfd", usrpci_irq_wire(dev, 1, 1, &done));
	tlb.entries.nr = (uint32_t)get(ENTRIES, 4);
	check("TLB", usrpci_tlb_describe(dev, &tlb, 0));
	check("bind", usrpci_space_bind(dev, NULL, &space));

	set(CONTROL, 4, 1 | 8 | 16);	/* translate; interrupt at a miss, and at the job's end */
	set(TAG, 4, usrpci_space_tag(space));
	set(SOURCE, 8, (uintptr_t)list);
	set(ENGINE, 4, 1);		/* walk a list */
	do
		other = add(other, ++counted);
	while (usrpci_irq_wait(done, 1) == -ETIMEDOUT);

	printf("%u nodes, %ju misses; meanwhile another list got %ju\n", NODES,
	       (uintmax_t)get(MISSES, 8), (uintmax_t)other->value);
	i = get(RESULT, 8);
	printf("the device's sum is %ju, the program's %ju\n", (uintmax_t)i, (uintmax_t)sum);
	usrpci_space_close(space);
	usrpci_close(dev);
	return i != sum;
}
