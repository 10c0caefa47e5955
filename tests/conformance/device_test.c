// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/device.h> promises. */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "memory.h"
#include "rig.h"

/* --- opening --- */

static void addresses_are_checked(void **state)
{
	static const char *const wrong[] = {
		"", "nonsense", "0000:00:00.8", "0000:00:20.0", "00:04", "0000:00:04.0 ", "sim:",
		"vfio-user:",
	};
	struct usrpci_device *none = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_open(&none, wrong[i]), -EINVAL);
	assert_int_equal(usrpci_open(&none, NULL), -EINVAL);
	assert_int_equal(usrpci_open(NULL, rig_address()), -EINVAL);
	assert_null(none);
}

static void missing_function_is_enoent(void **state)
{
	struct usrpci_device *none = NULL;

	assert_int_equal(usrpci_open(&none, "0000:ff:1f.7"), -ENOENT);
	assert_int_equal(usrpci_open(&none, "vfio-user:/nowhere/at/all"), -ENOENT);
	assert_null(none);
}

static void second_open_is_ebusy(void **state)
{
	struct usrpci_device *second = NULL;

	if (rig_is_private())
		rig_skip("each open of sim:NAME makes a device of its own");
	assert_int_equal(usrpci_open(&second, rig_address()), -EBUSY);
	assert_null(second);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
}

static void opens_leave_no_descriptor(void **state)
{
	unsigned int before = rig_descriptors();
	int i;

	for (i = 0; i < 20; i++) {
		assert_int_equal(rig_open(state), 0);
		rig_close(state);
	}
	assert_int_equal(rig_descriptors(), before);
}

static void killed_program_frees_it(void **state)
{
	pid_t child = fork();
	int err;

	if (!child) {
		if (usrpci_open(&dev, rig_address()))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(WTERMSIG(rig_reap(child)), SIGKILL);
	/* A server sees it a moment later. */
	for (err = -EBUSY; err == -EBUSY;)
		err = usrpci_open(&dev, rig_address());
	assert_int_equal(err, 0);
	rig_close(state);
}

static void close_of_null_is_nothing(void **state)
{
	usrpci_close(NULL);
}

static void need_trace_of_reset(void)
{
	rig_need(USRPCI_CAN_RESET, "the function can't be reset alone");
	if (rig_keeps_registers())
		rig_skip("QEMU's edu keeps its registers");
}

static void open_resets(void **state)
{
	need_trace_of_reset();
	usrpci_regs_write32(&regs, EDU_LIVENESS, 0x12345678);
	rig_close(state);
	assert_int_equal(rig_open(state), 0);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), UINT32_MAX);
}

/* --- descriptors --- */

static void quiet_descriptor_polls_quiet(void **state)
{
	struct pollfd p = { .fd = usrpci_fd(dev), .events = POLLIN | POLLPRI };

	if (p.fd == -EOPNOTSUPP)
		rig_skip("the backend has no descriptor");
	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 0) == 1 && p.revents & (POLLPRI | POLLHUP | POLLERR), 0);
}

static void foreign_descriptors_are_refused(void **state)
{
	struct usrpci_device *none = NULL;
	int pipes[2], event = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(usrpci_open_fd(&none, pipes[0]), -EINVAL);
	assert_int_equal(usrpci_open_fd(&none, event), -EINVAL);
	assert_int_equal(usrpci_open_fd(NULL, event), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	close(event);
	assert_int_equal(usrpci_open_fd(&none, event), -EBADF);
	assert_int_equal(usrpci_open_fd(&none, -1), -EBADF);
	assert_null(none);
}

static void borrowed_descriptor_leaves_the_first(void **state)
{
	struct usrpci_device *second = NULL;
	int fd = dup(usrpci_fd(dev)), err;
	uint64_t id;

	err = usrpci_open_fd(&second, fd);
	if (err == -EINVAL) {
		close(fd);
		rig_skip("the backend's descriptor doesn't stand for the device");
	}
	assert_int_equal(err, 0);
	assert_int_equal(usrpci_bar_read(second, 0, EDU_ID, 4, &id), 0);
	usrpci_close(second);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_ID), id);
}

/* --- what it is --- */

static void ids_are_those_of_configuration(void **state)
{
	struct usrpci_info info = rig_info();

	assert_int_equal(info.vendor, EDU_VENDOR);
	assert_int_equal(info.device, EDU_DEVICE);
	assert_int_equal(info.vendor, rig_config(PCI_VENDOR_ID, 2));
	assert_int_equal(info.device, rig_config(PCI_DEVICE_ID, 2));
	assert_int_equal(info.subvendor, rig_config(PCI_SUBSYSTEM_VENDOR_ID, 2));
	assert_int_equal(info.subdevice, rig_config(PCI_SUBSYSTEM_ID, 2));
	assert_int_equal(info.revision, rig_config(PCI_REVISION_ID, 1));
	assert_int_equal(info.class_code, rig_config(PCI_CLASS_REVISION, 4) >> 8);
	assert_int_equal(info.nr_intx, !!rig_config(PCI_INTERRUPT_PIN, 1));
	assert_int_equal(info.nr_msi, 1);
	assert_int_equal(info.nr_msix, 0);
	assert_true(info.config_size == 256 || info.config_size == 4096);
	assert_non_null(info.backend);
	assert_true(info.iommu_group >= -1 && info.numa_node >= -1);
}

static void name_is_the_address(void **state)
{
	char full[USRPCI_ADDRESS_LEN];

	if (usrpci_parse_bdf(rig_address(), full))
		snprintf(full, sizeof(full), "%s", rig_address());
	assert_string_equal(rig_info().bdf, full);
}

static void isolation_has_a_name(void **state)
{
	static const char *const names[] = { "none", "passthrough", "lazy", "strict" };
	struct usrpci_info info = rig_info();

	assert_true(info.isolation <= USRPCI_STRICT);
	assert_string_equal(usrpci_isolation_name(info.isolation), names[info.isolation]);
}

static void null_is_einval(void **state)
{
	assert_int_equal(usrpci_info(dev, NULL), -EINVAL);
	assert_int_equal(usrpci_config_read(dev, 0, 4, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_info(dev, 0, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_map(dev, 0, 0, 0, 0, NULL), -EINVAL);
	assert_int_equal(usrpci_bar_read(dev, 0, 0, 4, NULL), -EINVAL);
	assert_int_equal(usrpci_regs_open(dev, 0, 0, 0, NULL), -EINVAL);
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, NULL), -EINVAL);
	assert_int_equal(usrpci_coherent_free(dev, NULL), -EINVAL);
	assert_int_equal(usrpci_map(dev, NULL, 1), -EINVAL);
	assert_int_equal(usrpci_unmap(dev, NULL, 1), -EINVAL);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, NULL), -EINVAL);
	assert_int_equal(usrpci_quiesce(dev, NULL, 1), -EINVAL);
	assert_int_equal(usrpci_event(dev, NULL), -EINVAL);
}

/* --- configuration space --- */

static void config_widths_are_checked(void **state)
{
	static const unsigned int wrong[] = { 0, 3, 5, 8, 16, 1U << 31, UINT32_MAX };
	uint32_t value = 7;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_config_read(dev, 0, wrong[i], &value), -EINVAL);
		assert_int_equal(usrpci_config_write(dev, 0, wrong[i], 0), -EINVAL);
	}
	assert_int_equal(value, 7);
}

static void config_offsets_are_checked(void **state)
{
	const unsigned int size = rig_info().config_size;
	const struct {
		unsigned int offset;
		unsigned int width;
	} wrong[] = {
		{ 1, 2 }, { 1, 4 }, { 2, 4 }, { 3, 2 }, { 3, 4 }, { size - 1, 2 }, { size - 2, 4 },
		{ size, 1 }, { size, 2 }, { size, 4 }, { size + 0x1000, 4 }, { 1U << 31, 4 },
		{ UINT32_MAX, 1 }, { UINT32_MAX - 1, 2 }, { UINT32_MAX - 3, 4 },
	};
	uint32_t value = 7;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(usrpci_config_read(dev, wrong[i].offset, wrong[i].width, &value),
				 -EINVAL);
		assert_int_equal(usrpci_config_write(dev, wrong[i].offset, wrong[i].width, 0),
				 -EINVAL);
	}
	assert_int_equal(value, 7);
}

static void config_widths_agree(void **state)
{
	const unsigned int size = rig_info().config_size;
	unsigned int at;

	for (at = 0; at < size; at += 4) {
		uint32_t whole = rig_config(at, 4);

		assert_int_equal(rig_config(at, 2) | rig_config(at + 2, 2) << 16, whole);
		assert_int_equal(rig_config(at, 1) | rig_config(at + 1, 1) << 8 |
				 rig_config(at + 2, 1) << 16 | rig_config(at + 3, 1) << 24, whole);
	}
}

/* Flips each bit of @len bytes by itself; none may change. */
static void assert_kept(unsigned int offset, unsigned int len)
{
	unsigned int at, bit;

	for (at = offset; at < offset + len; at += 2) {
		uint32_t before = rig_config(at, 2);

		for (bit = 0; bit < 16; bit++) {
			assert_int_equal(usrpci_config_write(dev, at, 2, before ^ 1U << bit),
					 -EPERM);
			assert_int_equal(rig_config(at, 2), before);
		}
	}
}

static void bars_are_not_writable(void **state)
{
	assert_kept(PCI_BASE_ADDRESS_0, 24);
	assert_kept(PCI_ROM_ADDRESS, 4);
	assert_int_equal(usrpci_config_write(dev, PCI_BASE_ADDRESS_0, 4, UINT32_MAX), -EPERM);
}

static void ids_are_not_writable(void **state)
{
	assert_kept(PCI_VENDOR_ID, 4);
	assert_kept(PCI_CLASS_REVISION, 4);
	assert_kept(PCI_SUBSYSTEM_VENDOR_ID, 4);
}

static void bus_master_is_not_writable(void **state)
{
	uint32_t command = rig_config(PCI_COMMAND, 2);

	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 2, command | PCI_COMMAND_MASTER),
			 -EPERM);
	assert_int_equal(usrpci_config_write(dev, PCI_COMMAND, 1,
					     (command | PCI_COMMAND_MASTER) & 0xff), -EPERM);
	assert_int_equal(rig_config(PCI_COMMAND, 2), command);
}

static void msi_is_not_writable(void **state)
{
	unsigned int cap = rig_capability(PCI_CAP_ID_MSI);

	assert_int_not_equal(cap, 0);
	assert_kept(cap, 12);
}

static void writing_back_changes_nothing(void **state)
{
	const unsigned int size = rig_info().config_size;
	unsigned int at;

	for (at = 0; at < size; at += 4) {
		uint32_t before = rig_config(at, 4);

		/* All bits of the status can be cleared by writing 1. */
		if (at == PCI_COMMAND)
			before &= 0xffff;
		assert_int_equal(usrpci_config_write(dev, at, 4, before), 0);
		assert_int_equal(at == PCI_COMMAND ? rig_config(at, 2) : rig_config(at, 4), before);
	}
}

/* --- bus mastering and reset --- */

static void it_is_enabled_at_open(void **state)
{
	assert_true(rig_config(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
}

static void master_is_off_at_open(void **state)
{
	assert_int_equal(rig_config(PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	rig_start();
	rig_close(state);
	assert_int_equal(rig_open(state), 0);
	assert_int_equal(rig_config(PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
}

static void master_is_switched(void **state)
{
	uint32_t before = rig_config(PCI_COMMAND, 2);

	assert_int_equal(usrpci_set_master(dev, true), 0);
	assert_int_equal(usrpci_set_master(dev, true), 0);
	assert_int_equal(rig_config(PCI_COMMAND, 2), before | PCI_COMMAND_MASTER);
	assert_int_equal(usrpci_set_master(dev, false), 0);
	assert_int_equal(usrpci_set_master(dev, false), 0);
	assert_int_equal(rig_config(PCI_COMMAND, 2), before);
}

static void master_off_stops_dma(void **state)
{
	unsigned char *mem;
	struct usrpci_sg sg[3];
	struct usrpci_mapping map;

	rig_start();
	mem = rig_pages(1);
	rig_fill(mem, 100, 1);
	map = rig_map(mem, 100, USRPCI_DMA_BOTH, sg);
	rig_take_all(&map);
	memset(mem, 0x55, 100);
	assert_int_equal(usrpci_set_master(dev, false), 0);
	rig_give_all(&map);
	assert_int_equal(mem[0], 0x55);
	assert_memory_equal(mem, mem + 1, 99);
	assert_int_equal(usrpci_set_master(dev, true), 0);
	rig_give_all(&map);
	assert_int_equal(mem[0], 1);
	rig_unmap(map.handle);
}

static void reset_is_as_info_says(void **state)
{
	int err = usrpci_reset(dev);

	assert_int_equal(err, rig_info().caps & USRPCI_CAN_RESET ? 0 : -EOPNOTSUPP);
}

static void reset_clears_registers(void **state)
{
	need_trace_of_reset();
	usrpci_regs_write32(&regs, EDU_LIVENESS, 0x12345678);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), ~0x12345678U);
	assert_int_equal(usrpci_reset(dev), 0);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), UINT32_MAX);
}

static void reset_keeps_configuration(void **state)
{
	uint32_t command, line;

	rig_need(USRPCI_CAN_RESET, "the function can't be reset alone");
	assert_int_equal(usrpci_set_master(dev, true), 0);
	command = rig_config(PCI_COMMAND, 2);
	assert_int_equal(usrpci_config_write(dev, PCI_CACHE_LINE_SIZE, 1, 0x10), 0);
	line = rig_config(PCI_CACHE_LINE_SIZE, 1);
	assert_int_equal(usrpci_reset(dev), 0);
	assert_int_equal(rig_config(PCI_COMMAND, 2), command);
	assert_int_equal(rig_config(PCI_CACHE_LINE_SIZE, 1), line);
	assert_int_equal(rig_config(PCI_BASE_ADDRESS_0, 4) & ~15U, (uint32_t)rig_bar().addr);
}

static void reset_keeps_mappings(void **state)
{
	struct usrpci_mapping map;
	struct usrpci_sg sg[3];
	unsigned char *mem;

	rig_need(USRPCI_CAN_RESET, "the function can't be reset alone");
	rig_start();
	mem = rig_pages(1);
	map = rig_map(mem, 64, USRPCI_DMA_BOTH, sg);
	assert_int_equal(usrpci_reset(dev), 0);
	assert_int_equal(usrpci_set_dma_mask(dev, EDU_DMA_MASK, EDU_DMA_MASK), -EBUSY);
	rig_fill(mem, 64, 3);
	rig_take_all(&map);
	memset(mem, 0, 64);
	rig_give_all(&map);
	assert_int_equal(mem[0], 3);
	rig_unmap(map.handle);
}

static void reset_keeps_vectors(void **state)
{
	int fd;

	rig_need(USRPCI_CAN_RESET, "the function can't be reset alone");
	fd = rig_irq(USRPCI_MSI);
	assert_int_equal(usrpci_reset(dev), 0);
	rig_raise(1);
	assert_int_equal(usrpci_irq_wait(fd, SOON_MS), 1);
	close(fd);
}

/* --- sentences --- */

static void failure_is_explained(void **state)
{
	char whole[400], cut[10];
	int len;

	assert_int_equal(usrpci_config_write(dev, PCI_BASE_ADDRESS_0, 4, UINT32_MAX), -EPERM);
	len = usrpci_explain(dev, -EPERM, whole, sizeof(whole));
	assert_in_range(len, 20, sizeof(whole) - 1);
	assert_int_equal(strlen(whole), len);
	memset(cut, 'x', sizeof(cut));
	assert_int_equal(usrpci_explain(dev, -EPERM, cut, sizeof(cut) - 1), len);
	assert_int_equal(strlen(cut), sizeof(cut) - 2);
	assert_memory_equal(cut, whole, sizeof(cut) - 2);
	assert_int_equal(cut[sizeof(cut) - 1], 'x');
	assert_int_equal(usrpci_explain(dev, -EPERM, NULL, 0), len);
}

static void failed_open_is_explained(void **state)
{
	char whole[400];
	int len = usrpci_explain_open(rig_address(), -EBUSY, whole, sizeof(whole));

	assert_in_range(len, 20, sizeof(whole) - 1);
	assert_int_equal(strlen(whole), len);
	assert_int_equal(usrpci_explain_open(rig_address(), -EBUSY, NULL, 0), len);
}

/* --- threads --- */

static void *read_much(void *arg)
{
	unsigned int *wrong = arg;
	uint32_t config;
	uint64_t id;
	int i;

	for (i = 0; i < 300; i++) {
		if (usrpci_config_read(dev, PCI_VENDOR_ID, 2, &config) || config != EDU_VENDOR)
			__atomic_fetch_add(wrong, 1, __ATOMIC_RELAXED);
		if (usrpci_bar_read(dev, 0, EDU_ID, 4, &id) || (id & EDU_ID_MASK) != EDU_ID_VALUE)
			__atomic_fetch_add(wrong, 1, __ATOMIC_RELAXED);
		if (usrpci_config_write(dev, PCI_BASE_ADDRESS_0, 4, UINT32_MAX) != -EPERM)
			__atomic_fetch_add(wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void threads_read_at_once(void **state)
{
	pthread_t threads[4];
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_much, &wrong), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE_CLOSED("an address that isn't one is EINVAL", addresses_are_checked),
		PROMISE_CLOSED("no such function is ENOENT", missing_function_is_enoent),
		PROMISE("a second open is EBUSY", second_open_is_ebusy),
		PROMISE_CLOSED("open and close leave no descriptor open",
			       opens_leave_no_descriptor),
		PROMISE_CLOSED("a program that is killed lets go of it", killed_program_frees_it),
		PROMISE_CLOSED("closing NULL does nothing", close_of_null_is_nothing),
		PROMISE("open resets what can be reset", open_resets),
		PROMISE("usrpci_fd polls quiet while nothing happens",
			quiet_descriptor_polls_quiet),
		PROMISE("usrpci_open_fd refuses foreign descriptors",
			foreign_descriptors_are_refused),
		PROMISE("closing a device by usrpci_open_fd leaves the first one",
			borrowed_descriptor_leaves_the_first),
		PROMISE("info has the ids of configuration space", ids_are_those_of_configuration),
		PROMISE("info has the address in its full form", name_is_the_address),
		PROMISE("isolation is one of four levels, and named", isolation_has_a_name),
		PROMISE("NULL where something is filled in is EINVAL", null_is_einval),
		PROMISE("config widths but 1, 2 and 4 are EINVAL", config_widths_are_checked),
		PROMISE("config offsets unaligned, past the end or wrapping are EINVAL",
			config_offsets_are_checked),
		PROMISE("config reads the same by bytes, words and long words",
			config_widths_agree),
		PROMISE("config writes to BARs are EPERM", bars_are_not_writable),
		PROMISE("config writes to ids are EPERM", ids_are_not_writable),
		PROMISE("config writes of bus mastering are EPERM", bus_master_is_not_writable),
		PROMISE("config writes to the MSI capability are EPERM", msi_is_not_writable),
		PROMISE("config written back as it was read changes nothing",
			writing_back_changes_nothing),
		PROMISE("the function is enabled at open", it_is_enabled_at_open),
		PROMISE("bus mastering is off at open", master_is_off_at_open),
		PROMISE("bus mastering goes on and off", master_is_switched),
		PROMISE("bus mastering off stops DMA", master_off_stops_dma),
		PROMISE("reset is EOPNOTSUPP without USRPCI_CAN_RESET", reset_is_as_info_says),
		PROMISE("reset leaves registers as after power-on", reset_clears_registers),
		PROMISE("reset leaves configuration", reset_keeps_configuration),
		PROMISE("reset leaves mappings", reset_keeps_mappings),
		PROMISE("reset leaves vectors", reset_keeps_vectors),
		PROMISE("a failure is explained, cut to the room there is", failure_is_explained),
		PROMISE_CLOSED("a failed open is explained", failed_open_is_explained),
		PROMISE("threads read and write at the same time", threads_read_at_once),
	};

	return RIG_RUN("device", promises);
}
