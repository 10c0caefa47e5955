// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "htex.h"
#include "stall.h"

#define RING_ENTRIES	256U
#define PATIENCE_MS	(kernel_is_slow() ? 120000 : 20000)

const char *function_htex(void)
{
	const char *bdf = getenv("USRPCI_HTEX");

	return bdf && *bdf ? bdf : NULL;
}

static void write32(struct htex_hw *htex, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(htex->regs + reg) = value;
}

static uint32_t read32(struct htex_hw *htex, unsigned int reg)
{
	return *(volatile uint32_t *)(htex->regs + reg);
}

static void write64(struct htex_hw *htex, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(htex->regs + reg) = value;
}

int htex_hw_setup(void **state)
{
	struct htex_hw *htex = calloc(1, sizeof(*htex));
	struct usrpci_ioc_bar bar;

	nothing_held_setup(state);
	htex->fd = function_open(function_htex());
	if (htex->fd < 0) {
		print_error("open: %d\n", htex->fd);
		return -1;
	}
	bar = function_bar(htex->fd, 0);
	htex->len = bar.len;
	htex->regs = mmap(NULL, bar.len, PROT_READ | PROT_WRITE, MAP_SHARED, htex->fd, bar.offset);
	htex->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*state = htex;
	return htex->regs == MAP_FAILED ? -1 : 0;
}

int htex_hw_teardown(void **state)
{
	struct htex_hw *htex = *state;

	while (htex->nr_spaces)
		close(htex->spaces[--htex->nr_spaces]);
	munmap((void *)htex->regs, htex->len);
	close(htex->fd);
	close(htex->done);
	free(htex);
	return nothing_held_teardown(state);
}

static struct usrpci_ioc_field field(unsigned int bit, unsigned int width, unsigned int shift)
{
	return (struct usrpci_ioc_field){
		.bit = (uint8_t)bit, .width = (uint8_t)width, .shift = (uint8_t)shift,
	};
}

static struct usrpci_ioc_tlb_command command(unsigned int reg)
{
	return (struct usrpci_ioc_tlb_command){
		.reg = { .width = 4, .offset = reg },
		.arg = field(0, 32, 0),
	};
}

static struct usrpci_ioc_tlb_misses misses(const struct htex_hw *htex, unsigned int how)
{
	struct usrpci_ioc_tlb_misses m = {
		.reg = { .width = 8, .offset = HTEX_MISS },
		.words = HTEX_MISS_WORDS,
		.word_width = 8,
		.valid = field(0, 1, 0),
		.write = field(1, 1, 0),
		.tag = field(HTEX_MISS_TAG_SHIFT, 4, 0),
		.id = field(HTEX_MISS_ENGINE_SHIFT, 8, 0),
		.addr = field(64, 64, 0),
	};

	if (!(how & HTEX_HW_CHOOSE))
		m.entry = field(HTEX_MISS_ENTRY_SHIFT, 32, 0);
	if (how & HTEX_HW_RING) {
		m.reg = (struct usrpci_ioc_reg){ .width = 4, .offset = HTEX_RING_TAKEN };
		m.ring = htex->ring.handle;
		m.ring_entries = RING_ENTRIES;
	}
	return m;
}

struct usrpci_ioc_tlb htex_hw_tlb(const struct htex_hw *htex, unsigned int how)
{
	return (struct usrpci_ioc_tlb){
		.size = sizeof(struct usrpci_ioc_tlb),
		.vector = HTEX_VECTOR_MISS,
		.tags = HTEX_TAGS,
		.page_sizes = USRPCI_TLB_4K | USRPCI_TLB_2M,
		.timeout_us = USRPCI_TLB_MAX_US,
		.misses = misses(htex, how),
		.entries = {
			.reg = { .bar = HTEX_TLB_BAR, .width = 8 },
			.nr = *(volatile uint32_t *)(htex->regs + HTEX_ENTRIES),
			.stride = HTEX_ENTRY_LEN,
			.words = 2,
			.valid = field(0, 1, 0),
			.write = field(1, 1, 0),
			.large = field(2, 1, 0),
			.tag = field(HTEX_ENTRY_TAG_SHIFT, 4, 0),
			.bus = field(12, 52, 12),
			.addr = field(64 + 12, 52, 12),
		},
		.go_on = command(HTEX_GO_ON),
		.refuse = command(HTEX_REFUSE),
		.invalidate = command(HTEX_INVALIDATE),
		.invalidate_tag = command(HTEX_INVALIDATE_TAG),
		.done = { .width = 4, .offset = HTEX_BUSY },
		.done_mask = 1,
	};
}

static void set_up_ring(struct htex_hw *htex)
{
	assert_int_equal(function_coherent(htex->fd, RING_ENTRIES * 16, &htex->ring), 0);
	write64(htex, HTEX_RING, htex->ring.bus_addr);
	write32(htex, HTEX_RING_SIZE, RING_ENTRIES);
}

void htex_hw_prepare(struct htex_hw *htex, unsigned int how)
{
	const int fds[] = { -1, htex->done };
	uint32_t control = HTEX_TRANSLATE | HTEX_IRQ_AT_MISS | HTEX_IRQ_AT_END;

	assert_int_equal(function_mask(htex->fd, 64), 0);
	assert_int_equal(function_master(htex->fd, 1), 0);
	if (how & HTEX_HW_MSI) {
		assert_int_equal(function_irq_setup(htex->fd, USRPCI_IRQ_MSI, 1), 0);
	} else {
		assert_int_equal(function_irq_setup(htex->fd, USRPCI_IRQ_MSIX, 2), 0);
		assert_int_equal(function_irq_wire(htex->fd, 0, 2, fds), 0);
	}
	if (how & HTEX_HW_RING) {
		set_up_ring(htex);
		control |= HTEX_TO_RING;
	}
	if (how & HTEX_HW_CHOOSE)
		control |= HTEX_DRIVER_CHOOSES;
	write32(htex, HTEX_CONTROL, control);
}

int htex_hw_describe(struct htex_hw *htex, unsigned int how)
{
	struct usrpci_ioc_tlb tlb = htex_hw_tlb(htex, how);

	return function_call(htex->fd, USRPCI_TLB, &tlb);
}

void htex_hw_start(struct htex_hw *htex, unsigned int how)
{
	htex_hw_prepare(htex, how);
	assert_int_equal(htex_hw_describe(htex, how), 0);
}

int htex_hw_bind(struct htex_hw *htex, unsigned int flags, unsigned int around, uint32_t *tag)
{
	struct usrpci_ioc_bind bind = {
		.size = sizeof(bind),
		.flags = flags,
		.around = around,
	};
	int err = function_call(htex->fd, USRPCI_BIND, &bind);

	if (tag)
		*tag = bind.tag;
	if (err)
		return err;
	if (htex->nr_spaces < HTEX_TAGS)
		htex->spaces[htex->nr_spaces++] = bind.fd;
	return bind.fd;
}

void htex_hw_unbind(struct htex_hw *htex, int space)
{
	unsigned int i;

	for (i = 0; htex->spaces[i] != space; i++)
		assert_true(i < htex->nr_spaces);
	htex->spaces[i] = htex->spaces[--htex->nr_spaces];
	close(space);
}

void htex_hw_run(struct htex_hw *htex, unsigned int engine, const struct htex_hw_job *job)
{
	unsigned int at = HTEX_ENGINE(engine);

	write32(htex, at + HTEX_TAG, job->tag);
	write64(htex, at + HTEX_SOURCE, job->source);
	write64(htex, at + HTEX_SECOND, job->second);
	write64(htex, at + HTEX_TARGET, job->target);
	write64(htex, at + HTEX_LENGTH, job->length);
	write32(htex, at + HTEX_JOB, job->job);
}

uint32_t htex_hw_state(struct htex_hw *htex, unsigned int engine)
{
	return read32(htex, HTEX_ENGINE(engine) + HTEX_STATE);
}

static void await_miss(struct htex_hw *htex, unsigned int engine)
{
	int waited;

	for (waited = 0; waited < PATIENCE_MS; waited++) {
		if (htex_hw_state(htex, engine) == HTEX_STATE_WAITING)
			return;
		usleep(1000);
	}
	fail_msg("engine %u misses nothing", engine);
}

void htex_hw_run_together(struct htex_hw *htex, const struct htex_hw_job *jobs, unsigned int nr)
{
	uint32_t control = read32(htex, HTEX_CONTROL);
	unsigned int i;

	write32(htex, HTEX_CONTROL, control & ~HTEX_IRQ_AT_MISS);
	for (i = 0; i + 1 < nr; i++) {
		htex_hw_run(htex, i, &jobs[i]);
		await_miss(htex, i);
	}
	write32(htex, HTEX_CONTROL, control);
	htex_hw_run(htex, i, &jobs[i]);
}

uint64_t htex_hw_engine(struct htex_hw *htex, unsigned int engine, unsigned int reg)
{
	return *(volatile uint64_t *)(htex->regs + HTEX_ENGINE(engine) + reg);
}

uint32_t htex_hw_wait(struct htex_hw *htex, unsigned int engine)
{
	uint32_t state;
	int waited;

	for (waited = 0; waited < PATIENCE_MS; waited++) {
		state = htex_hw_state(htex, engine);
		if (state != HTEX_STATE_RUNNING && state != HTEX_STATE_WAITING)
			return state;
		usleep(1000);
	}
	fail_msg("engine %u is still in state %u", engine, state);
	return state;
}

struct usrpci_ioc_space_info space_info(int space)
{
	struct usrpci_ioc_space_info info = { .size = sizeof(info) };

	assert_int_equal(function_call(space, USRPCI_SPACE_INFO, &info), 0);
	return info;
}

int space_refusal(int space, struct usrpci_ioc_space_refusal *refusal)
{
	*refusal = (struct usrpci_ioc_space_refusal){ .size = sizeof(*refusal) };
	return function_call(space, USRPCI_SPACE_REFUSAL, refusal);
}

int space_forget(int space, const void *addr, uint64_t len)
{
	struct usrpci_ioc_space_forget forget = {
		.size = sizeof(forget),
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return function_call(space, USRPCI_SPACE_FORGET, &forget);
}
