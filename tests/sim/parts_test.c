// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The simulator's parts, each alone: knobs, configuration space, interrupts, memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "sim.h"

static const struct sim_device everything = {
	.name = "everything", .vendor = 0x1234, .device = 0x5678, .class_code = 0xff0000,
	.bars = { { .len = 0x4000, .wide = true }, { 0 }, { .len = 16 } },
	.intx = true, .nr_msi = 4, .nr_msix = 8, .msix_bar = 0, .msix_offset = 0x2000,
	.express = true,
};

/* --- what a model has to have --- */

static void *no_create(struct sim *sim, const char **why)
{
	return NULL;
}

static void no_reset(void *self)
{
}

static uint64_t no_read(void *self, unsigned int bar, uint64_t offset, unsigned int width)
{
	return UINT64_MAX;
}

static void no_write(void *self, unsigned int bar, uint64_t offset, unsigned int width,
		     uint64_t value)
{
}

static void test_models(void **state)
{
	struct sim_device device = everything;
	unsigned int i;

	for (i = 0; sim_devices[i]; i++)
		assert_null(sim_device_check(sim_devices[i]));
	assert_non_null(sim_device_check(&device));
	device.create = no_create;
	device.reset = no_reset;
	device.read = no_read;
	assert_non_null(sim_device_check(&device));
	device.write = no_write;
	assert_null(sim_device_check(&device));
	device.reset = NULL;
	assert_non_null(sim_device_check(&device));
}

static void test_tables(void **state)
{
	static const struct sim_bar bars[] = {
		{ .len = 8 }, { .len = 24 }, { .len = 0x3001 }, { .len = 1ULL << 32 },
		{ .len = 1ULL << 32, .wide = true },
	};
	struct sim_device good = everything, bad;
	unsigned int i;

	good.create = no_create;
	good.reset = no_reset;
	good.read = no_read;
	good.write = no_write;
	for (i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		bad = good;
		bad.bars[5] = bars[i];
		assert_non_null(sim_device_check(&bad));
	}
	bad = good;
	bad.bars[1].len = 16;
	assert_non_null(sim_device_check(&bad));
	bad = good;
	bad.nr_msi = 3;
	assert_non_null(sim_device_check(&bad));
	bad = good;
	/* The last table that has room for its pending bits is 0x88 bytes from the end. */
	bad.msix_offset = 0x4000 - 0x88;
	assert_null(sim_device_check(&bad));
	bad.msix_offset += 8;
	assert_non_null(sim_device_check(&bad));
	bad.msix_offset = 0;
	bad.msix_bar = 1;
	assert_non_null(sim_device_check(&bad));
}

/* --- knobs --- */

static void test_knobs(void **state)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "hang=1", 0 }, { "hang=0x1", 0 }, { "hang=2", -EINVAL }, { "hang=", -EINVAL },
		{ "hang", -EINVAL }, { "hang=1x", -EINVAL }, { "hang=-1", -EINVAL },
		{ "han=1", -ENOENT }, { "hangs=1", -ENOENT }, { "", -ENOENT }, { "=1", -ENOENT },
		{ "irq-lost=4294967295", 0 }, { "irq-lost=4294967296", -EINVAL },
		{ "seed=18446744073709551615", 0 }, { "seed=18446744073709551616", -EINVAL },
	};
	struct sim_faults faults;
	const char *name, *help;
	uint64_t value;
	size_t i;

	sim_faults_init(&faults);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].text);
		assert_int_equal(sim_faults_set(&faults, rows[i].text), rows[i].err);
	}
	assert_int_equal(faults.hang, 1);
	for (i = 0; sim_faults_get(&faults, (unsigned int)i, &name, &help, &value); i++)
		assert_true(*name && *help);
	assert_true(i > 5);
	/* The generator never leaves 0. */
	assert_int_equal(sim_faults_set(&faults, "seed=0"), 0);
	assert_int_not_equal(sim_faults_random(&faults), 0);
	assert_false(sim_faults_draw(&faults, 0));
	assert_true(sim_faults_draw(&faults, 1));
}

/* --- configuration space --- */

static void test_capability_list(void **state)
{
	struct sim_config config;
	unsigned int cap, nr = 0, seen = 0;

	sim_config_init(&config, &everything);
	assert_int_equal(config.len, 4096);
	for (cap = config.data[PCI_CAPABILITY_LIST]; cap; cap = config.data[cap + 1]) {
		assert_true(cap >= 0x40 && !(cap % 4) && nr++ < 8);
		seen |= 1U << config.data[cap];
	}
	assert_int_equal(seen, 1 << PCI_CAP_ID_PM | 1 << PCI_CAP_ID_MSI | 1 << PCI_CAP_ID_MSIX |
			 1 << PCI_CAP_ID_EXP);
}

static uint32_t read32(const struct sim_config *config, unsigned int offset)
{
	uint32_t value;

	sim_config_read(config, offset, &value, sizeof(value));
	return value;
}

static void test_config_writes(void **state)
{
	const uint32_t ones = UINT32_MAX;
	static uint8_t all[4096];
	struct sim_config config;

	sim_config_init(&config, &everything);
	memset(all, 0xff, sizeof(all));
	assert_true(sim_config_write(&config, 0, all, sizeof(all)));
	assert_int_equal(read32(&config, 0), 0x56781234);
	assert_int_equal(read32(&config, PCI_BASE_ADDRESS_0), 0xffffc004);
	assert_int_equal(read32(&config, PCI_BASE_ADDRESS_1), ones);
	assert_int_equal(read32(&config, PCI_BASE_ADDRESS_2), 0xfffffff0);
	assert_int_equal(read32(&config, PCI_BASE_ADDRESS_3), 0);
	assert_true(sim_config_is_master(&config));
	sim_config_reset(&config);
	assert_false(sim_config_is_master(&config));
	assert_false(sim_config_write(&config, config.express + PCI_EXP_DEVCTL, &ones, 1));
	assert_true(sim_config_write(&config, config.express + PCI_EXP_DEVCTL, &ones, 2));
}

/* --- interrupts --- */

#define WIRE	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define NONE	(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)

static int set(struct sim_irqs *irqs, uint32_t flags, uint32_t index, uint32_t start,
	       uint32_t count, const int *fds, unsigned int nr_fds)
{
	const struct vfio_irq_set what = {
		.flags = flags, .index = index, .start = start, .count = count,
	};

	return sim_irqs_set(irqs, &what, NULL, fds, nr_fds);
}

static uint64_t count_of(int event)
{
	uint64_t count = 0;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void test_irq_ranges(void **state)
{
	struct sim_irqs irqs;

	assert_int_equal(sim_irqs_init(&irqs, &everything), 0);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_NUM_IRQS, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, UINT32_MAX, 0, 0, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSI_IRQ_INDEX, 0, 4, NULL, 0), 0);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSI_IRQ_INDEX, 0, 5, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSI_IRQ_INDEX, 4, 0, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSI_IRQ_INDEX, 1, UINT32_MAX, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSI_IRQ_INDEX, UINT32_MAX, 1, NULL, 0), -EINVAL);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, NULL, 0), -EINVAL);
	sim_irqs_destroy(&irqs);
}

static void test_irq_wires(void **state)
{
	int event = eventfd(0, EFD_NONBLOCK), next = dup(event);
	struct sim_irqs irqs;

	close(next);
	assert_int_equal(sim_irqs_init(&irqs, &everything), 0);
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_MSIX_IRQ_INDEX, 7, 1, &event, 1), 0);
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_MSIX_IRQ_INDEX, 7, 1, &event, 1), 0);
	assert_true(sim_irqs_has_messages(&irqs));
	sim_irqs_message(&irqs, 7);
	sim_irqs_message(&irqs, 6);
	sim_irqs_message(&irqs, UINT32_MAX);
	assert_int_equal(count_of(event), 1);
	/* One at its maximum isn't waited for. */
	assert_int_equal(eventfd_write(event, UINT64_MAX - 1), 0);
	fcntl(event, F_SETFL, 0);
	sim_irqs_message(&irqs, 7);
	assert_int_equal(count_of(event), UINT64_MAX - 1);
	assert_int_equal(set(&irqs, NONE, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL, 0), 0);
	assert_false(sim_irqs_has_messages(&irqs));
	sim_irqs_destroy(&irqs);
	assert_int_equal(dup(event), next);
	close(next);
	close(event);
}

/* Else writing to it would end the simulator. */
static void test_irq_is_no_eventfd(void **state)
{
	struct sim_irqs irqs;
	int ends[2], two[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(sim_irqs_init(&irqs, &everything), 0);
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &ends[1], 1), -EINVAL);
	sim_irqs_message(&irqs, 0);
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &(int){ 999 }, 1), -EBADF);
	/* All or none of them. */
	two[0] = eventfd(0, EFD_NONBLOCK);
	two[1] = ends[1];
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_MSI_IRQ_INDEX, 0, 2, two, 2), -EINVAL);
	assert_false(sim_irqs_has_messages(&irqs));
	close(two[0]);
	sim_irqs_destroy(&irqs);
	close(ends[1]);
}

static void test_pin(void **state)
{
	int event = eventfd(0, EFD_NONBLOCK);
	const uint32_t unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
	struct sim_irqs irqs;

	assert_int_equal(sim_irqs_init(&irqs, &everything), 0);
	assert_int_equal(set(&irqs, WIRE, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event, 1), 0);
	sim_irqs_pin(&irqs, true);
	sim_irqs_pin(&irqs, true);
	assert_int_equal(count_of(event), 1);
	assert_int_equal(set(&irqs, unmask, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0), 0);
	assert_int_equal(count_of(event), 1);
	sim_irqs_pin(&irqs, false);
	assert_int_equal(set(&irqs, unmask, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0), 0);
	assert_int_equal(count_of(event), 0);
	/* It isn't listened to, so it's refused. */
	assert_int_equal(set(&irqs, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
			     VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event, 1), -ENOTSUP);
	assert_int_equal(set(&irqs, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
			     VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0), 0);
	sim_irqs_destroy(&irqs);
	close(event);
}

/* --- memory --- */

static int map(struct sim_memory *memory, uint64_t address, uint64_t size, int fd)
{
	const struct vfio_user_dma_map what = {
		.flags = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE,
		.address = address, .size = size,
	};

	return sim_memory_map(memory, &what, fd);
}

static void test_memory(void **state)
{
	struct sim_memory memory;

	sim_memory_init(&memory);
	assert_int_equal(map(&memory, 0x1000, 0x1000, -1), 0);
	assert_int_equal(map(&memory, 0x1fff, 1, -1), -EEXIST);
	assert_int_equal(map(&memory, 0, 0x1001, -1), -EEXIST);
	assert_int_equal(map(&memory, 0, UINT64_MAX, -1), -EEXIST);
	assert_int_equal(map(&memory, UINT64_MAX, 1, -1), 0);
	assert_int_equal(map(&memory, 0x5000, 0x1000, STDIN_FILENO + 1000), -EBADF);
	assert_int_equal(sim_memory_unmap(&memory, 0x1000, 0xfff), -EINVAL);
	assert_int_equal(sim_memory_unmap(&memory, 0x1001, 0xfff), -EINVAL);
	/* QEMU names more than is there. */
	assert_int_equal(sim_memory_unmap(&memory, 0x3000, 0x1000), 0);
	assert_int_equal(sim_memory_unmap(&memory, UINT64_MAX, 1), 0);
	assert_null(sim_memory_find(&memory, UINT64_MAX, ~0U));
	assert_non_null(sim_memory_find(&memory, 0x1fff, VFIO_USER_DMA_READABLE));
	sim_memory_unmap_all(&memory);
	assert_int_equal(memory.nr, 0);
	assert_null(memory.areas.root);
}

static void test_file_that_got_short(void **state)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	struct sim_memory memory;
	struct sim_area *area;
	char byte = 1;
	sigset_t set;

	/* As of a program that takes its signals by sigwait(). */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sim_memory_init(&memory);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(map(&memory, 0x1000, 4096, fd), 0);
	area = sim_memory_find(&memory, 0x1000, VFIO_USER_DMA_READABLE);
	assert_int_equal(sim_memory_copy(&byte, area->map, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(sim_memory_copy(&byte, area->map, 1), -EFAULT);
	assert_int_equal(sim_memory_copy(area->map, &byte, 1), -EFAULT);
	sim_memory_unmap_all(&memory);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* The first that has memory: cmocka's handler of SIGBUS comes before the others. */
		cmocka_unit_test(test_file_that_got_short),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_knobs),
		cmocka_unit_test(test_capability_list),
		cmocka_unit_test(test_config_writes),
		cmocka_unit_test(test_irq_ranges),
		cmocka_unit_test(test_irq_wires),
		cmocka_unit_test(test_irq_is_no_eventfd),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
