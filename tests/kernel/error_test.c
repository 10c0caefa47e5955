// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Errors that PCI Express reports (AER), injected by QEMU's monitor into virtio-net-pci
 * functions named victim1 to victim3, in slots of these numbers. The second one's port
 * never sees its link come back; the third one has a neighbour.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "monitor.h"
#include "slot.h"

#define PATIENCE_MS	(kernel_is_slow() ? 60000 : 10000)
/* Of virtio 1.0 over PCI: what is mapped is the BAR with the device's registers. */
#define BAR		4

struct victim {
	struct slot slot;
	int fd;
	volatile uint32_t *regs;
	struct usrpci_ioc_coherent buffer;
	uint32_t *memory;
};

static void set_bits(const char *bdf, unsigned int offset, uint16_t bits)
{
	int fd = function_config_open(bdf);
	uint16_t word;

	assert_int_equal(pread(fd, &word, sizeof(word), offset), sizeof(word));
	word |= bits;
	assert_int_equal(pwrite(fd, &word, sizeof(word), offset), sizeof(word));
	close(fd);
}

static uint32_t get32(int fd, unsigned int offset)
{
	uint32_t value = 0;

	assert_int_equal(pread(fd, &value, sizeof(value), offset), sizeof(value));
	return value;
}

static unsigned int extended_capability(int fd, unsigned int id)
{
	unsigned int cap = PCI_CFG_SPACE_SIZE;

	while (cap && PCI_EXT_CAP_ID(get32(fd, cap)) != id)
		cap = PCI_EXT_CAP_NEXT(get32(fd, cap));
	assert_true(cap);
	return cap;
}

/* Another error that is told before recovery from this one has ended is lost. */
static void wait_recovered(const char *bdf)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	int fd = function_config_open(bdf);
	unsigned int status;

	status = extended_capability(fd, PCI_EXT_CAP_ID_ERR) + PCI_ERR_UNCOR_STATUS;
	while (get32(fd, status) && now_ms() < until)
		usleep(1000);
	assert_int_equal(get32(fd, status), 0);
	close(fd);
}

static void victim_open(struct victim *v, unsigned int number)
{
	assert_true(slot_find(&v->slot, number));
	assert_int_equal(slot_wait_usrpci(&v->slot), 0);
	v->fd = function_open(v->slot.function);
	assert_true(v->fd >= 0);
	/* QEMU sends its messages where the function and the bridge say SERR. */
	set_bits(v->slot.port, PCI_COMMAND, PCI_COMMAND_SERR);
	set_bits(v->slot.port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
	set_bits(v->slot.function, PCI_COMMAND, PCI_COMMAND_SERR);
	v->regs = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, v->fd, function_bar(v->fd, BAR).offset);
	assert_ptr_not_equal(v->regs, MAP_FAILED);
	assert_int_equal(touch(v->regs), 0);
	assert_int_equal(function_coherent(v->fd, PAGE, &v->buffer), 0);
	v->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
			 v->buffer.mmap_offset);
	assert_ptr_not_equal(v->memory, MAP_FAILED);
	v->memory[5] = 0x6b657074;
	assert_int_equal(function_master(v->fd, 1), 0);
}

static void victim_close(struct victim *v)
{
	assert_int_equal(munmap((void *)v->regs, PAGE), 0);
	assert_int_equal(munmap(v->memory, PAGE), 0);
	assert_int_equal(close(v->fd), 0);
}

static void told(struct victim *v, uint32_t type, uint32_t detail)
{
	struct pollfd p = { .fd = v->fd, .events = POLLPRI };
	struct usrpci_ioc_event event;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(function_event(v->fd, &event), 0);
	assert_int_equal(event.type, type);
	assert_int_equal(event.detail, detail);
}

static void errors_that_are_not_fatal_are_told(void **state)
{
	struct victim v;
	int i;

	victim_open(&v, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(monitor_command("pcie_aer_inject_error victim1 COMP_ABORT"), 0);
		told(&v, USRPCI_EVENT_ERROR, USRPCI_ERROR_NONFATAL);
		wait_recovered(v.slot.function);
	}
	/* All goes on. */
	assert_int_equal(touch(v.regs), 0);
	assert_int_equal(function_reset(v.fd), 0);
	victim_close(&v);
}

/*
 * The other function of the slot is the kernel's, and its driver asks for a reset of the
 * slot at any error: for our user it's one by others.
 */
static void resets_after_errors_are_told(void **state)
{
	struct usrpci_ioc_bar before;
	struct victim v;
	char path[96];
	uint32_t command;

	assert_true(slot_find(&v.slot, 3));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.10s.1/driver", v.slot.function);
	if (access(path, F_OK))
		skip();
	victim_open(&v, 3);
	before = function_bar(v.fd, BAR);
	assert_int_equal(monitor_command("pcie_aer_inject_error victim3 COMP_ABORT"), 0);
	told(&v, USRPCI_EVENT_ERROR, USRPCI_ERROR_NONFATAL);
	told(&v, USRPCI_EVENT_RESET, 0);
	wait_recovered(v.slot.function);
	/* As it was opened, but for what is the module's own to put back. */
	assert_int_equal(config_read(v.fd, PCI_COMMAND, 2, &command), 0);
	assert_int_equal(command & (PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY),
			 PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(touch(v.regs), 0);
	assert_int_equal(v.memory[5], 0x6b657074);
	assert_int_equal(function_bar(v.fd, BAR).size, before.size);
	victim_close(&v);
}

static void is_revoked(struct victim *v)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	struct pollfd p = { .fd = v->fd, .events = POLLPRI };

	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents & (POLLERR | POLLHUP), POLLERR | POLLHUP);
	assert_int_equal(function_call(v->fd, USRPCI_INFO, &info), -ENODEV);
	assert_int_equal(touch(v->regs), SIGBUS);
	assert_int_equal(touch(v->memory), 0);
	assert_int_equal(v->memory[5], 0x6b657074);
}

static void fatal_error(struct victim *v, const char *id)
{
	assert_int_equal(monitor_command("pcie_aer_inject_error %s MALF_TLP", id), 0);
	told(v, USRPCI_EVENT_ERROR, USRPCI_ERROR_FATAL);
	told(v, USRPCI_EVENT_REMOVED, USRPCI_REMOVED_ERROR);
	is_revoked(v);
}

/* Recovery takes its time; till it's over the function can't be had. */
static int open_again(const char *bdf)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	int fd;

	do {
		fd = function_open(bdf);
		usleep(10000);
	} while (fd == -EIO && now_ms() < until);
	return fd;
}

static void fatal_errors_revoke_and_it_opens_again(void **state)
{
	struct usrpci_ioc_bar before, after;
	struct victim v, next;

	victim_open(&v, 1);
	before = function_bar(v.fd, BAR);
	fatal_error(&v, "victim1");
	next.fd = open_again(v.slot.function);
	assert_true(next.fd >= 0);
	/* The old one is still open, and still revoked. */
	is_revoked(&v);
	victim_close(&v);
	after = function_bar(next.fd, BAR);
	assert_memory_equal(&before, &after, sizeof(before));
	close(next.fd);
	victim_open(&next, 1);
	victim_close(&next);
}

/* Its registers are as after power-on and nobody has put them right. */
static void what_does_not_recover_does_not_open(void **state)
{
	struct victim v;

	victim_open(&v, 2);
	fatal_error(&v, "victim2");
	usleep(3000000);
	assert_int_equal(function_open(v.slot.function), -EIO);
	victim_close(&v);
	assert_int_equal(function_open(v.slot.function), -EIO);
	assert_int_equal(function_unbind(v.slot.function), 0);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, nothing_held_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(errors_that_are_not_fatal_are_told),
		TEST(resets_after_errors_are_told),
		TEST(fatal_errors_revoke_and_it_opens_again),
		TEST(what_does_not_recover_does_not_open),
	};

	slots_require(3);
	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
