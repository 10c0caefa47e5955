// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define COMMAND		0x04
#define MASTER		0x04
#define INTX_DISABLE	0x400
#define BARS		0x10
#define HEADER_END	0x40
#define CAP_MSI		0x05
#define CAP_MSIX	0x11
#define CAP_PM		0x01

static int fd = -1;

static int edu_setup(void **state)
{
	nothing_held_setup(state);
	fd = function_open(function_edu());
	return fd < 0;
}

static int nvme_setup(void **state)
{
	nothing_held_setup(state);
	fd = function_nvme() ? function_open(function_nvme()) : -1;
	return 0;
}

static int close_it(void **state)
{
	if (fd >= 0)
		close(fd);
	return nothing_held_teardown(state);
}

static void needs_function(void)
{
	if (fd < 0)
		skip();
}

static unsigned int config_size(void)
{
	return function_info(fd).config_size;
}

static const char *bdf(void)
{
	return function_info(fd).vendor == 0x1234 ? function_edu() : function_nvme();
}

static void reads_equal_sysfs(void **state)
{
	unsigned char want[4096];
	uint32_t value, expected;
	unsigned int width, at;
	int sysfs;

	needs_function();
	sysfs = function_config_open(bdf());
	assert_int_equal(read(sysfs, want, sizeof(want)), config_size());
	close(sysfs);
	for (width = 1; width <= 4; width *= 2)
		for (at = 0; at < config_size(); at += width) {
			expected = 0;
			memcpy(&expected, want + at, width);
			assert_int_equal(config_read(fd, at, width, &value), 0);
			assert_int_equal(value, expected);
		}
}

static void other_widths_are_invalid(void **state)
{
	static const unsigned int odd[] = { 3, 5, 6, 7, 8, 16, 256 };
	off_t offset;
	char bytes[256];
	unsigned int i;

	needs_function();
	offset = function_info(fd).config_offset;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		assert_int_equal(pread(fd, bytes, odd[i], offset), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(pwrite(fd, bytes, odd[i], offset), -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void straddling_is_invalid(void **state)
{
	uint32_t value;
	unsigned int width, at;

	needs_function();
	for (width = 2; width <= 4; width *= 2)
		for (at = 0; at < config_size(); at++) {
			if (!(at % width))
				continue;
			assert_int_equal(config_read(fd, at, width, &value), -EINVAL);
			assert_int_equal(config_write(fd, at, width, 0), -EINVAL);
		}
}

static void past_the_end_is_invalid(void **state)
{
	static const uint64_t past[] = { 0, 4, 4096, 1U << 31, 1ULL << 32, 1ULL << 43 };
	off_t offset;
	uint32_t value = 0;
	unsigned int i, width;

	needs_function();
	offset = function_info(fd).config_offset + config_size();
	for (i = 0; i < ARRAY_SIZE(past); i++)
		for (width = 1; width <= 4; width *= 2) {
			assert_int_equal(pread(fd, &value, width, offset + past[i]), -1);
			assert_int_equal(errno, EINVAL);
			assert_int_equal(pwrite(fd, &value, width, offset + past[i]), -1);
			assert_int_equal(errno, EINVAL);
		}
}

static void snapshot(uint32_t *words)
{
	unsigned int at;

	for (at = 0; at < config_size(); at += 4)
		assert_int_equal(config_read(fd, at, 4, &words[at / 4]), 0);
}

static void writing_back_changes_nothing(void **state)
{
	uint32_t before[1024], after[1024], value;
	unsigned int width, at;

	needs_function();
	snapshot(before);
	for (width = 1; width <= 4; width *= 2)
		for (at = 0; at < config_size(); at += width) {
			assert_int_equal(config_read(fd, at, width, &value), 0);
			assert_int_equal(config_write(fd, at, width, value), 0);
		}
	snapshot(after);
	assert_memory_equal(before, after, config_size());
}

/* Bits whose change would move a BAR, start DMA, forge an interrupt or reset. */
static uint32_t forbidden(unsigned int at)
{
	unsigned int msi = config_capability(fd, CAP_MSI), msix = config_capability(fd, CAP_MSIX);

	if (at == COMMAND)
		return MASTER | 0xf8a8;
	if (at < HEADER_END && at != COMMAND && at != 0x0c)
		return ~0U;
	if (at == 0x0c)
		return 0xffff0000;
	if (msi && at >= msi && at < msi + 24)
		return ~0U;
	if (msix && at >= msix && at < msix + 12)
		return ~0U;
	return 0;
}

static void flip(unsigned int at, unsigned int width, unsigned int bit)
{
	uint32_t value, now, mask = 1U << bit;
	bool must_fail = forbidden(at & ~3U) >> (at & 3) * 8 & mask;
	int err;

	assert_int_equal(config_read(fd, at, width, &value), 0);
	err = config_write(fd, at, width, value ^ mask);
	if (must_fail ? err != -EPERM : err && err != -EPERM && err != -EIO)
		print_error("offset %#x width %u bit %u gave %d\n", at, width, bit, err);
	assert_true(must_fail ? err == -EPERM : !err || err == -EPERM || err == -EIO);
	if (err)
		return;
	/* The mask of INTx is the kernel's, and a write of COMMAND passes over it. */
	assert_int_equal(config_read(fd, at, width, &now), 0);
	if ((at & ~3U) == COMMAND && INTX_DISABLE >> (at & 3) * 8 & mask)
		assert_int_equal(now, value);
	assert_int_equal(config_write(fd, at, width, value), 0);
}

static void flipped_bits_do_no_harm(void **state)
{
	uint32_t before[1024], after[1024];
	unsigned int width, at, bit;

	needs_function();
	snapshot(before);
	for (width = 1; width <= 4; width *= 2)
		for (at = 0; at < config_size(); at += width)
			for (bit = 0; bit < 8 * width; bit++)
				flip(at, width, bit);
	snapshot(after);
	assert_memory_equal(before, after, config_size());
}

static void all_ones_and_zeroes_do_no_harm(void **state)
{
	uint32_t before[1024], after[1024];
	unsigned int at;

	needs_function();
	snapshot(before);
	for (at = 0; at < config_size(); at += 4) {
		uint32_t all = forbidden(at);

		if (~before[at / 4] & all)
			assert_int_equal(config_write(fd, at, 4, ~0U), -EPERM);
		if (before[at / 4] & all)
			assert_int_equal(config_write(fd, at, 4, 0), -EPERM);
	}
	snapshot(after);
	assert_memory_equal(before, after, config_size());
}

/* With the vectors in use, too: their registers are the kernel's. */
static void vectors_in_use_are_not_writable(void **state)
{
	unsigned int cap, at, bit, type;

	needs_function();
	type = function_info(fd).nr_msix ? USRPCI_IRQ_MSIX : USRPCI_IRQ_MSI;
	assert_int_equal(function_irq_setup(fd, type, 1), 0);
	cap = config_capability(fd, type == USRPCI_IRQ_MSIX ? CAP_MSIX : CAP_MSI);
	for (at = cap; at < cap + 12; at += 2)
		for (bit = 0; bit < 16; bit++) {
			uint32_t value;

			assert_int_equal(config_read(fd, at, 2, &value), 0);
			assert_int_equal(config_write(fd, at, 2, value ^ 1U << bit), -EPERM);
		}
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
}

static void allowed_bits_change(void **state)
{
	uint32_t command, line, value;

	needs_function();
	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	assert_int_equal(config_write(fd, COMMAND, 2, command ^ 2), 0);
	assert_int_equal(config_read(fd, COMMAND, 2, &value), 0);
	assert_int_equal(value, command ^ 2);
	assert_int_equal(config_write(fd, COMMAND, 1, command & 0xff), 0);
	assert_int_equal(config_read(fd, 0x0c, 1, &line), 0);
	assert_int_equal(config_write(fd, 0x0c, 1, line ^ 0x10), 0);
	assert_int_equal(config_write(fd, 0x0c, 1, line), 0);
}

static void command_keeps_master(void **state)
{
	uint32_t command;

	needs_function();
	assert_int_equal(function_master(fd, 1), 0);
	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	assert_int_equal(command & MASTER, MASTER);
	assert_int_equal(config_write(fd, COMMAND, 2, command & ~2U), 0);
	assert_int_equal(config_write(fd, COMMAND, 2, command & ~MASTER), -EPERM);
	assert_int_equal(config_write(fd, COMMAND, 2, command), 0);
	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	assert_int_equal(command & MASTER, MASTER);
	assert_int_equal(function_master(fd, 0), 0);
}

/* What was written is undone for who opens next. */
static void close_restores_it(void **state)
{
	uint32_t before[16], after[16], value;

	needs_function();
	for (value = 0; value < 16; value++)
		assert_int_equal(config_read(fd, value * 4, 4, &before[value]), 0);
	assert_int_equal(config_write(fd, COMMAND, 1, before[1] & 0xfd), 0);
	assert_int_equal(config_write(fd, 0x0c, 1, 0x40), 0);
	close(fd);
	fd = function_open(before[0] == 0x11e81234 ? function_edu() : function_nvme());
	assert_true(fd >= 0);
	for (value = 0; value < 16; value++)
		assert_int_equal(config_read(fd, value * 4, 4, &after[value]), 0);
	assert_memory_equal(before, after, sizeof(before));
}

/* An INTx that fired meanwhile has set a bit that isn't the writer's business. */
static void command_is_written_while_intx_is_masked(void **state)
{
	struct usrpci_ioc_bar bar = function_bar(fd, 0);
	uint32_t command, bit = 1;
	int event = eventfd(0, 0);
	uint64_t count;

	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), 0);
	assert_int_equal(function_irq_wire(fd, 0, 1, &event), 0);
	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	assert_int_equal(pwrite(fd, &bit, 4, bar.offset + EDU_RAISE), 4);
	assert_int_equal(read(event, &count, 8), 8);
	assert_int_equal(config_write(fd, COMMAND, 2, command), 0);
	assert_int_equal(pwrite(fd, &bit, 4, bar.offset + EDU_ACK), 4);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	close(event);
}

#define TEST(_f) \
	{ "edu: " #_f, _f, edu_setup, close_it, NULL },			\
	{ "nvme: " #_f, _f, nvme_setup, close_it, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_equal_sysfs),
		TEST(other_widths_are_invalid),
		TEST(straddling_is_invalid),
		TEST(past_the_end_is_invalid),
		TEST(writing_back_changes_nothing),
		TEST(flipped_bits_do_no_harm),
		TEST(all_ones_and_zeroes_do_no_harm),
		TEST(vectors_in_use_are_not_writable),
		TEST(allowed_bits_change),
		TEST(command_keeps_master),
		TEST(close_restores_it),
		cmocka_unit_test_setup_teardown(command_is_written_while_intx_is_masked, edu_setup,
						close_it),
	};

	function_require();
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
