// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define DMA_SRC		0x80
#define DMA_DST		0x88
#define DMA_LEN		0x90
#define DMA_CMD		0x98
#define DMA_START	1U
#define DMA_TO_RAM	2U
#define BUFFER		0x40000
#define BUFFER_LEN	4095

static long pinned_before, charged_before;

int nothing_held_setup(void **state)
{
	pinned_before = pages_pinned();
	charged_before = pages_charged();
	return 0;
}

int nothing_held_teardown(void **state)
{
	long pinned = pages_pinned() - pinned_before, charged = pages_charged() - charged_before;

	if (!pinned && !charged)
		return 0;
	print_error("%ld pages stay pinned, %ld charged\n", pinned, charged);
	return -1;
}

int edu_hw_setup(void **state)
{
	struct edu_hw *edu = calloc(1, sizeof(*edu));
	struct usrpci_ioc_bar bar;

	nothing_held_setup(state);
	edu->fd = function_open(function_edu());
	if (edu->fd < 0)
		print_error("open: %d\n", edu->fd);
	if (edu->fd < 0)
		return -1;
	bar = function_bar(edu->fd, 0);
	edu->regs = mmap(NULL, bar.len, PROT_READ | PROT_WRITE, MAP_SHARED, edu->fd, bar.offset);
	if (edu->regs == MAP_FAILED)
		return -1;
	*state = edu;
	return 0;
}

int edu_hw_teardown(void **state)
{
	struct edu_hw *edu = *state;

	munmap((void *)edu->regs, function_bar(edu->fd, 0).len);
	close(edu->fd);
	free(edu);
	return nothing_held_teardown(state);
}

unsigned int edu_hw_bits(void)
{
	const char *bits = getenv("USRPCI_EDU_BITS");

	return bits ? atoi(bits) : 28;
}

void edu_hw_start(struct edu_hw *edu)
{
	assert_int_equal(function_mask(edu->fd, edu_hw_bits()), 0);
	assert_int_equal(function_master(edu->fd, 1), 0);
}

static void set(struct edu_hw *edu, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)((volatile char *)edu->regs + reg) = value;
}

static void start(struct edu_hw *edu, uint64_t src, uint64_t dst, size_t len, uint32_t command)
{
	/* What QEMU does to a longer one isn't wanted. */
	assert_true(len > 0 && len <= BUFFER_LEN);
	set(edu, DMA_SRC, src);
	set(edu, DMA_DST, dst);
	set(edu, DMA_LEN, len);
	set(edu, DMA_CMD, command);
}

bool edu_hw_is_busy(struct edu_hw *edu)
{
	return *(volatile uint64_t *)((volatile char *)edu->regs + DMA_CMD) & DMA_START;
}

void edu_hw_wait(struct edu_hw *edu)
{
	uint64_t until = now_ms() + 5000;

	while (edu_hw_is_busy(edu)) {
		assert_true(now_ms() < until);
		usleep(2000);
	}
}

void edu_hw_write_start(struct edu_hw *edu, uint64_t bus, size_t len)
{
	start(edu, BUFFER, bus, len, DMA_START | DMA_TO_RAM);
}

void edu_hw_read_start(struct edu_hw *edu, uint64_t bus, size_t len)
{
	start(edu, bus, BUFFER, len, DMA_START);
}

void edu_hw_read(struct edu_hw *edu, uint64_t bus, size_t len)
{
	edu_hw_read_start(edu, bus, len);
	edu_hw_wait(edu);
}

void edu_hw_write(struct edu_hw *edu, uint64_t bus, size_t len)
{
	edu_hw_write_start(edu, bus, len);
	edu_hw_wait(edu);
}

void edu_hw_raise(struct edu_hw *edu, uint32_t bits)
{
	edu->regs[EDU_RAISE / 4] = bits;
}

void edu_hw_ack(struct edu_hw *edu, uint32_t bits)
{
	edu->regs[EDU_ACK / 4] = bits;
}
