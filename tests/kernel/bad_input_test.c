// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What docs/bad-input.md lists and no other test shows. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define COMMAND		0x04
#define COMMAND_MEMORY	0x02
#define CAP_PM		0x01
#define PM_CTRL		4
#define D3HOT		3
#define MANY		10000
#define HUGE		(2UL << 20)

static int fd_of(void **state)
{
	return ((struct edu_hw *)*state)->fd;
}

static void *map_bar(int fd, size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  function_bar(fd, 0).offset);

	assert_ptr_not_equal(addr, MAP_FAILED);
	return addr;
}

static void nothing_is_held(void)
{
	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(pages_charged(), 0);
}

/* --- arithmetic --- */

/* Each array so that its last entry lies half in a page that isn't there. */
static void arrays_across_the_end_fault(void **state)
{
	unsigned char *page = pages_new(2, 0), *memory = pages_new(1, 1), *end = page + PAGE;
	struct usrpci_ioc_region one = function_region(memory, PAGE, 0), *two;
	uint32_t handles[2];
	int fd = fd_of(state);

	assert_int_equal(munmap(end, PAGE), 0);
	assert_int_equal(function_map(fd, &one), 0);
	handles[0] = one.handle;
	memcpy(end - 6, handles, 6);
	assert_int_equal(function_unmap(fd, (void *)(end - 6), 2), -EFAULT);
	assert_int_equal(function_nr_held(function_edu()), 1);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	assert_int_equal(function_irq_wire(fd, 0, 1, (void *)(end - 2)), -EFAULT);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	two = (void *)(end - sizeof(one) - sizeof(one) / 2);
	memcpy(two, &one, sizeof(one));
	memcpy(two + 1, &one, sizeof(one) / 2);
	assert_int_equal(function_map_regions(fd, two, 2, NULL), -EFAULT);
	one.sg = (uintptr_t)(end - 8);
	one.nr_sg = 1;
	assert_int_equal(function_map(fd, &one), -EFAULT);
	assert_int_equal(function_unmap(fd, handles, 1), 0);
	nothing_is_held();
	pages_free(page, 1);
	pages_free(memory, 1);
}

/* The last byte of an array is the last that there can be, or it wraps to the first. */
static void arrays_that_end_at_the_end_of_addresses_fault(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	struct usrpci_ioc_region one;
	int fd = fd_of(state), i;

	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
	for (i = 1; i <= 2; i++) {
		assert_int_equal(function_unmap(fd, (void *)-4L, i), -EFAULT);
		assert_int_equal(function_map_regions(fd, (void *)-48L, i, NULL), -EFAULT);
	}
	assert_int_equal(function_unmap(fd, (void *)-4L, 4096), -EFAULT);
	assert_int_equal(function_map_regions(fd, (void *)-48L, 4096, NULL), -EFAULT);
	assert_int_equal(function_irq_wire(fd, 0, 1, (void *)-4L), -EFAULT);
	assert_int_equal(function_irq_wire(fd, 0, 1, (void *)-2L), -EFAULT);
	for (i = 0; i < 32; i += 8) {
		one = function_region(memory, PAGE, 0);
		one.sg = -(uint64_t)i;
		one.nr_sg = i % 16 ? 1 : UINT32_MAX;
		assert_int_equal(function_map(fd, &one), -EFAULT);
	}
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_NONE, 0), 0);
	nothing_is_held();
	pages_free(memory, 1);
}

union arg {
	struct {
		uint32_t size;
		uint32_t flags;
	};
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
	unsigned char bytes[256];
};

/* A field, and the edges that are good values of it. */
#define GOOD_0		1
#define GOOD_1		2
#define GOOD_MAX	4
#define EITHER_1	8	/* a mask of one bit, which an IOMMU takes; the first handle */

struct field {
	const char *name;
	unsigned int nr;
	uint32_t size;
	size_t at;
	size_t width;
	unsigned int good;
};

#define FIELD(_nr, _struct, _field, _good) { \
	.name = #_struct "." #_field, .nr = _nr, .size = sizeof(struct _struct), \
	.at = offsetof(struct _struct, _field), \
	.width = sizeof(((struct _struct *)0)->_field), .good = _good }

static const struct field fields[] = {
	FIELD(USRPCI_BAR, usrpci_ioc_bar, index, GOOD_0 | GOOD_1),
	FIELD(USRPCI_DMA_MASK, usrpci_ioc_dma_mask, streaming, GOOD_MAX | EITHER_1),
	FIELD(USRPCI_DMA_MASK, usrpci_ioc_dma_mask, coherent, GOOD_MAX | EITHER_1),
	FIELD(USRPCI_MASTER, usrpci_ioc_master, enable, GOOD_0 | GOOD_1),
	FIELD(USRPCI_COHERENT, usrpci_ioc_coherent, len, GOOD_1),
	FIELD(USRPCI_MAP, usrpci_ioc_map, region_size, 0),
	FIELD(USRPCI_MAP, usrpci_ioc_map, nr_regions, GOOD_1),
	FIELD(USRPCI_MAP, usrpci_ioc_map, regions, 0),
	FIELD(USRPCI_UNMAP, usrpci_ioc_unmap, nr_handles, GOOD_1),
	FIELD(USRPCI_UNMAP, usrpci_ioc_unmap, handles, 0),
	FIELD(USRPCI_SYNC, usrpci_ioc_sync, handle, EITHER_1),
	FIELD(USRPCI_SYNC, usrpci_ioc_sync, offset, GOOD_0),
	FIELD(USRPCI_SYNC, usrpci_ioc_sync, len, GOOD_1),
	FIELD(USRPCI_IRQ_SETUP, usrpci_ioc_irq_setup, type, GOOD_1),
	FIELD(USRPCI_IRQ_SETUP, usrpci_ioc_irq_setup, nr_vectors, GOOD_1),
	FIELD(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, first, GOOD_0),
	FIELD(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, nr, GOOD_1),
	FIELD(USRPCI_IRQ_WIRE, usrpci_ioc_irq_wire, fds, 0),
	FIELD(USRPCI_IRQ_UNMASK, usrpci_ioc_irq_unmask, vector, GOOD_0),
};

static const struct field region_fields[] = {
	FIELD(USRPCI_MAP, usrpci_ioc_region, addr, 0),
	FIELD(USRPCI_MAP, usrpci_ioc_region, len, GOOD_1),
	FIELD(USRPCI_MAP, usrpci_ioc_region, direction, GOOD_0 | GOOD_1),
	FIELD(USRPCI_MAP, usrpci_ioc_region, sg, 0),
};

/* What good calls are made of. */
static struct {
	unsigned char *memory;
	struct usrpci_ioc_region region;
	struct usrpci_ioc_sg sg;
	uint32_t handle;
	int event;
} good;

static void good_region(void)
{
	good.region = function_region(good.memory, PAGE, USRPCI_BIDIRECTIONAL);
	good.region.sg = (uintptr_t)&good.sg;
	good.region.nr_sg = 1;
}

/* A call that works, after what it needs before it. */
static void good_call(int fd, const struct field *field, union arg *arg)
{
	struct usrpci_ioc_region mapped = function_region(good.memory, PAGE, 0);

	memset(arg, 0, sizeof(*arg));
	arg->size = field->size;
	good_region();
	assert_int_equal(function_map(fd, &mapped), 0);
	good.handle = mapped.handle;
	switch (field->nr) {
	case USRPCI_DMA_MASK:
		assert_int_equal(function_unmap_one(fd, good.handle), 0);
		arg->dma_mask.streaming = 0xffffffff;
		arg->dma_mask.coherent = 0xffffffff;
		break;
	case USRPCI_COHERENT:
		arg->coherent.len = PAGE;
		break;
	case USRPCI_MAP:
		arg->map.size = sizeof(arg->map);
		arg->map.region_size = sizeof(good.region);
		arg->map.nr_regions = 1;
		arg->map.regions = (uintptr_t)&good.region;
		break;
	case USRPCI_UNMAP:
		arg->unmap.nr_handles = 1;
		arg->unmap.handles = (uintptr_t)&good.handle;
		break;
	case USRPCI_SYNC:
		arg->sync.flags = USRPCI_SYNC_FOR_CPU;
		arg->sync.handle = good.handle;
		arg->sync.len = PAGE;
		break;
	case USRPCI_IRQ_SETUP:
		arg->irq_setup.type = USRPCI_IRQ_MSI;
		arg->irq_setup.nr_vectors = 1;
		break;
	case USRPCI_IRQ_WIRE:
		assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
		arg->irq_wire.nr = 1;
		arg->irq_wire.fds = (uintptr_t)&good.event;
		break;
	case USRPCI_IRQ_UNMASK:
		assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_INTX, 1), 0);
		break;
	}
}

static bool is_about_an_argument(int err)
{
	return err == -EINVAL || err == -EFAULT || err == -EIO || err == -ENOMEM ||
	       err == -ENOSPC || err == -EOPNOTSUPP;
}

/* A failed call leaves what it found. */
static int try_edge(const struct field *field, void *struct_of_field, uint64_t value)
{
	int err, fd = function_open(function_edu());
	unsigned int before, after;
	union arg arg;

	assert_true(fd >= 0);
	good_call(fd, field, &arg);
	before = function_nr_held(function_edu());
	memcpy((unsigned char *)(struct_of_field ?: &arg) + field->at, &value, field->width);
	err = function_call(fd, field->nr, &arg);
	after = function_nr_held(function_edu());
	close(fd);
	if (err && (!is_about_an_argument(err) || after != before)) {
		print_error("%s = %#lx gave %d, %u held\n", field->name, value, err, after);
		fail();
	}
	return err;
}

static void expect_edge(const struct field *field, void *struct_of_field, uint64_t value,
			bool works)
{
	int err = try_edge(field, struct_of_field, value);

	if (works == !err)
		return;
	print_error("%s = %#lx gave %d\n", field->name, value, err);
	fail();
}

static void try_edges(const struct field *field, void *struct_of_field)
{
	const uint64_t max = field->width == 8 ? UINT64_MAX : UINT32_MAX;
	unsigned int bit;

	expect_edge(field, struct_of_field, 0, field->good & GOOD_0);
	if (field->good & EITHER_1)
		try_edge(field, struct_of_field, 1);
	else
		expect_edge(field, struct_of_field, 1, field->good & GOOD_1);
	expect_edge(field, struct_of_field, max, field->good & GOOD_MAX);
	expect_edge(field, struct_of_field, max - 1, false);
	expect_edge(field, struct_of_field, max - PAGE, false);
	expect_edge(field, struct_of_field, max - PAGE + 1, false);
	expect_edge(field, struct_of_field, max / 2 + 1, false);
	for (bit = 33; bit < field->width * 8; bit += 10)
		expect_edge(field, struct_of_field, 1ULL << bit, false);
}

static void integers_at_their_edges(void **state)
{
	unsigned int i;

	good.memory = pages_new(1, 1);
	good.event = eventfd(0, 0);
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		try_edges(&fields[i], NULL);
	for (i = 0; i < ARRAY_SIZE(region_fields); i++)
		try_edges(&region_fields[i], &good.region);
	close(good.event);
	pages_free(good.memory, 1);
}

/* --- mmap --- */

/* Maps a BAR and a buffer, and stops to be looked at. */
static void be_traced(int fd, uint64_t buffer, void **maps)
{
	maps[0] = map_bar(fd, PAGE);
	maps[1] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, buffer);
	touch(maps[0]);
	touch(maps[1]);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	_exit(0);
}

static void is_out_of_reach(pid_t pid, void *addr)
{
	uint32_t value = 0;
	struct iovec mine = { &value, 4 }, its = { addr, 4 };
	char path[32];
	int mem;

	assert_int_equal(ptrace(PTRACE_PEEKDATA, pid, addr, NULL), -1);
	assert_int_equal(ptrace(PTRACE_POKEDATA, pid, addr, (void *)1), -1);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR);
	assert_true(mem >= 0);
	assert_int_equal(pread(mem, &value, 4, (uintptr_t)addr), -1);
	assert_int_equal(pwrite(mem, &value, 4, (uintptr_t)addr), -1);
	close(mem);
	assert_int_equal(process_vm_readv(pid, &mine, 1, &its, 1, 0), -1);
	assert_int_equal(process_vm_writev(pid, &mine, 1, &its, 1, 0), -1);
}

/* A debugger must not read registers by accident: that may change them. */
static void tracers_cannot_reach_a_map(void **state)
{
	void **maps = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct usrpci_ioc_coherent buffer;
	int status, fd = fd_of(state);
	pid_t pid;

	assert_int_equal(function_coherent(fd, PAGE, &buffer), 0);
	pid = fork();
	if (!pid)
		be_traced(fd, buffer.mmap_offset, maps);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_not_equal(ptrace(PTRACE_PEEKDATA, pid, maps, NULL), -1);
	is_out_of_reach(pid, maps[0]);
	is_out_of_reach(pid, maps[1]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(function_unmap_one(fd, buffer.handle), 0);
	pages_free(maps, 1);
}

static void mremap_makes_no_more_of_a_map(void **state)
{
	unsigned char *regs = map_bar(fd_of(state), 4 * PAGE);

	assert_ptr_equal(mremap(regs, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
			 MAP_FAILED);
	assert_ptr_equal(mremap(regs, 0, 4 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_ptr_equal(mremap(regs + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_ptr_equal(mremap(regs, 4 * PAGE, SIZE_MAX - PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_ptr_equal(mremap(regs, 4 * PAGE, PAGE, 0), regs);
	assert_ptr_equal(mremap(regs, PAGE, 4 * PAGE, 0), MAP_FAILED);
	assert_int_equal(touch(regs), 0);
	assert_int_equal(touch(regs + PAGE), SIGSEGV);
	assert_int_equal(munmap(regs, PAGE), 0);
}

/* Its page may hold another function's registers. */
static void bar_smaller_than_a_page_does_not_map(void **state)
{
	const char *bdf = getenv("USRPCI_SMALL");
	struct usrpci_ioc_bar bar;
	uint32_t value;
	void *addr;
	int fd;

	if (!bdf || !*bdf)
		skip();
	fd = function_open(bdf);
	assert_true(fd >= 0);
	bar = function_bar(fd, 0);
	assert_int_equal(bar.kind, USRPCI_BAR_MEM);
	assert_true(bar.len < PAGE);
	assert_int_equal(bar.nr_windows, 0);
	assert_int_equal(bar.attrs & USRPCI_BAR_MAPPABLE, 0);
	addr = mmap(NULL, bar.len, PROT_READ, MAP_SHARED, fd, bar.offset);
	assert_ptr_equal(addr, MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pread(fd, &value, 4, bar.offset + bar.len - 4), 4);
	assert_int_equal(pread(fd, &value, 4, bar.offset + bar.len), -1);
	assert_int_equal(errno, EINVAL);
	close(fd);
}

/* --- decode off --- */

static void decode(int fd, bool on)
{
	uint32_t command;

	assert_int_equal(config_read(fd, COMMAND, 2, &command), 0);
	command = on ? command | COMMAND_MEMORY : command & ~COMMAND_MEMORY;
	assert_int_equal(config_write(fd, COMMAND, 2, command), 0);
}

static void calls_in_d3hot_fail(void **state)
{
	int fd = function_nvme() ? function_open(function_nvme()) : -1;
	uint64_t offset, value = 0;
	unsigned int cap;
	uint32_t control;

	if (fd < 0)
		skip();
	cap = config_capability(fd, CAP_PM);
	offset = function_bar(fd, 0).offset;
	assert_int_not_equal(cap, 0);
	assert_int_equal(config_read(fd, cap + PM_CTRL, 2, &control), 0);
	assert_int_equal(config_write(fd, cap + PM_CTRL, 2, control | D3HOT), 0);
	assert_int_equal(pread(fd, &value, 4, offset), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(pwrite(fd, &value, 4, offset), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSIX, 1), -EIO);
	assert_int_equal(config_write(fd, cap + PM_CTRL, 2, control), 0);
	assert_int_equal(pread(fd, &value, 4, offset), 4);
	close(fd);
}

/* --- eventfd --- */

static volatile bool stop;

static void *intx_raiser(void *arg)
{
	struct edu_hw *edu = arg;

	while (!stop) {
		edu_hw_raise(edu, 1);
		/* Taken back at once it would be nobody's. */
		usleep(20);
		edu_hw_ack(edu, 1);
		function_irq_unmask(edu->fd, 0);
	}
	return NULL;
}

static unsigned int times_fired(void)
{
	char *text = function_holders(function_edu()), *at = strstr(text, " fired ");
	unsigned int nr = at ? strtoul(at + 7, NULL, 10) : 0;

	free(text);
	return nr;
}

static void intx_rewired_while_firing(void **state)
{
	struct edu_hw *edu = *state;
	int i, events[3] = { eventfd(0, EFD_NONBLOCK), eventfd(0, 0), -1 };
	struct pollfd p = { .fd = events[0], .events = POLLIN };
	uint64_t count;
	pthread_t thread;

	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_INTX, 1), 0);
	stop = false;
	pthread_create(&thread, NULL, intx_raiser, edu);
	for (i = 0; i < (int)times(MANY) || (i < 2 * MANY && times_fired() <= 100); i++) {
		assert_int_equal(function_irq_wire(edu->fd, 0, 1, &events[i % 3]), 0);
		if (i % 100)
			continue;
		close(events[1]);
		events[1] = eventfd(0, 0);
	}
	assert_int_equal(function_irq_wire(edu->fd, 0, 1, &events[0]), 0);
	/* Forget what it counted before. */
	assert_true(read(events[0], &count, 8) == 8 || errno == EAGAIN);
	poll(&p, 1, 2000);
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(p.revents, POLLIN);
	assert_in_range(times_fired(), 101, UINT32_MAX);
	assert_int_equal(function_irq_setup(edu->fd, USRPCI_IRQ_NONE, 0), 0);
	close(events[0]);
	close(events[1]);
}

/* --- log flood --- */

static void touches_without_decode_are_quiet(void **state)
{
	struct edu_hw *edu = *state;
	uint64_t offset = function_bar(edu->fd, 0).offset;
	int i, mark = log_mark();
	uint32_t value;

	decode(edu->fd, false);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(touch(edu->regs), SIGBUS);
		assert_int_equal(pread(edu->fd, &value, 4, offset), -1);
	}
	decode(edu->fd, true);
	assert_false(log_grew(mark));
}

static void calls_after_removal_are_quiet(void **state)
{
	int i, mark, fd = function_open(function_edu());
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	uint32_t *regs = map_bar(fd, PAGE), value;

	assert_int_equal(function_unbind(function_edu()), 0);
	mark = log_mark();
	for (i = 0; i < MANY; i++) {
		assert_int_equal(function_call(fd, USRPCI_INFO, &info), -ENODEV);
		assert_int_equal(pread(fd, &value, 4, 1ULL << 44), -1);
		assert_int_equal(touch(regs), SIGBUS);
	}
	assert_false(log_grew(mark));
	assert_int_equal(munmap(regs, PAGE), 0);
	close(fd);
	assert_int_equal(function_bind(function_edu()), 0);
}

/* MANY opens by a user; all fail alike. */
static void user_is_refused(int err)
{
	int i, status, mark = log_mark();
	pid_t pid = fork();

	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		for (i = 0; i < MANY; i++)
			if (function_open(function_edu()) != err)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(log_grew(mark));
}

/* By the file's mode, and for want of isolation. */
static void refused_opens_are_quiet(void **state)
{
	char path[64], name[64], level[64];

	user_is_refused(-EACCES);
	snprintf(name, sizeof(name), "usrpci/%s/isolation", function_edu());
	assert_non_null(function_attribute(function_edu(), name, level, sizeof(level)));
	if (!strcmp(level, "strict"))
		return;
	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	assert_int_equal(chmod(path, 0666), 0);
	user_is_refused(-EPERM);
	assert_int_equal(chmod(path, 0600), 0);
}

/* --- unplug --- */

#define ROUNDS		40
#define OPENERS		3

static bool expected_of_open(int fd)
{
	return fd >= 0 || fd == -EBUSY || fd == -ENOENT || fd == -ENODEV || fd == -ENXIO;
}

/* Opens, uses it a little, closes; what it finds must be an answer and no crash. */
static void *opener(void *arg)
{
	unsigned char *memory = pages_new(1, 1);
	struct usrpci_ioc_region region;
	intptr_t wrong = 0;
	void *regs;
	int fd;

	while (!stop) {
		fd = function_open(function_edu());
		wrong += !expected_of_open(fd);
		if (fd < 0)
			continue;
		region = function_region(memory, PAGE, 0);
		function_map(fd, &region);
		regs = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1ULL << 44);
		if (regs != MAP_FAILED) {
			touch(regs);
			munmap(regs, PAGE);
		}
		usleep(100);
		close(fd);
	}
	pages_free(memory, 1);
	return (void *)wrong;
}

static int remove_function(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", function_edu());
	return file_write(path, "1");
}

static int rescan(void)
{
	return file_write("/sys/bus/pci/rescan", "1") ?: function_bind(function_edu());
}

static int unbind_it(void)
{
	return function_unbind(function_edu());
}

static int bind_it(void)
{
	return function_bind(function_edu());
}

static void works_again(void)
{
	int fd = function_open(function_edu());
	uint32_t value = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &value, 4, function_bar(fd, 0).offset), 4);
	assert_int_equal(value, EDU_IDENTITY);
	close(fd);
}

/* Nobody has come in behind it: opening would have turned the function on. */
static bool is_off(void)
{
	char enabled[16];

	usleep(200);
	return !function_attribute(function_edu(), "enable", enabled, sizeof(enabled)) ||
	       !strcmp(enabled, "0");
}

static void comes_and_goes(int (*take)(void), int (*give)(void), void *(*user)(void *))
{
	pthread_t threads[OPENERS];
	int i, on = 0;
	void *wrong;

	stop = false;
	for (i = 0; i < OPENERS; i++)
		pthread_create(&threads[i], NULL, user, NULL);
	for (i = 0; i < (int)times(ROUNDS); i++) {
		usleep(i * 300);
		assert_int_equal(take(), 0);
		on += user == opener && !is_off();
		usleep(i * 100);
		assert_int_equal(give(), 0);
	}
	stop = true;
	for (i = 0; i < OPENERS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	assert_int_equal(on, 0);
	works_again();
}

static void unbound_while_opened(void **state)
{
	comes_and_goes(unbind_it, bind_it, opener);
}

static void removed_while_opened(void **state)
{
	comes_and_goes(remove_function, rescan, opener);
}

/* Asks for what the other end is just taking back. */
static void *prober(void *arg)
{
	while (!stop) {
		file_write("/sys/bus/pci/drivers/usrpci/bind", function_edu());
		file_write("/sys/bus/pci/drivers_probe", function_edu());
		close(function_open(function_edu()));
	}
	return NULL;
}

/* The prober may have bound it, or not yet let go of it, before its turn. */
static int unbind_if_bound(void)
{
	unbind_it();
	return 0;
}

static int bind_if_unbound(void)
{
	return bind_it() && access("/sys/bus/pci/drivers/usrpci/bind", F_OK);
}

static void unbound_while_probed(void **state)
{
	comes_and_goes(unbind_if_bound, bind_if_unbound, prober);
}

static void removed_while_probed(void **state)
{
	comes_and_goes(remove_function, rescan, prober);
}

static pthread_barrier_t both;

static void *closer(void *arg)
{
	int *fd = arg;

	pthread_barrier_wait(&both);
	close(*fd);
	return NULL;
}

/* Close and remove both want to tear it down: one does. */
static void unbound_while_closed(void **state)
{
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_coherent buffer;
	struct usrpci_ioc_region region;
	pthread_t thread;
	int i, fd;

	pthread_barrier_init(&both, NULL, 2);
	for (i = 0; i < (int)times(ROUNDS); i++) {
		fd = function_open(function_edu());
		assert_true(fd >= 0);
		region = function_region(memory, 4 * PAGE, 0);
		assert_int_equal(function_map(fd, &region), 0);
		assert_int_equal(function_coherent(fd, PAGE, &buffer), 0);
		assert_int_equal(function_irq_setup(fd, USRPCI_IRQ_MSI, 1), 0);
		pthread_create(&thread, NULL, closer, &fd);
		pthread_barrier_wait(&both);
		usleep(i * 20);
		assert_int_equal(unbind_it(), 0);
		pthread_join(thread, NULL);
		assert_int_equal(pages_charged(), 0);
		assert_int_equal(bind_it(), 0);
	}
	works_again();
	pages_free(memory, 4);
}

/* --- pin --- */

static unsigned char *file_pages(int file, size_t nr)
{
	unsigned char *memory;

	assert_int_equal(ftruncate(file, nr * PAGE), 0);
	memory = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	memset(memory, 0x5a, nr * PAGE);
	return memory;
}

static void punch(int file, unsigned char *memory)
{
	assert_int_equal(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE),
			 0);
}

static void truncate_away(int file, unsigned char *memory)
{
	assert_int_equal(ftruncate(file, 0), 0);
}

static void remove_pages(int file, unsigned char *memory)
{
	assert_int_equal(madvise(memory, 8 * PAGE, MADV_REMOVE), 0);
}

static void drop(int file, unsigned char *memory)
{
	assert_int_equal(madvise(memory, 8 * PAGE, MADV_DONTNEED), 0);
}

static void page_out(int file, unsigned char *memory)
{
	madvise(memory, 8 * PAGE, MADV_PAGEOUT);
}

static void put_others_there(int file, unsigned char *memory)
{
	assert_ptr_equal(mmap(memory, 8 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), memory);
}

/* Whatever is done to the memory, its pages stay the device's till the unmap. */
static void memory_taken_away_stays_pinned(void **state)
{
	static void (*const ways[])(int, unsigned char *) = {
		punch, truncate_away, remove_pages, drop, page_out, put_others_there,
	};
	int fd = fd_of(state), file;
	struct usrpci_ioc_region r;
	long before = pages_pinned();
	unsigned char *memory;
	unsigned int i;

	for (i = 0; i < 3 * ARRAY_SIZE(ways); i++) {
		file = memfd_create("t", 0);
		memory = file_pages(file, 8);
		r = function_region(memory, 8 * PAGE, i % 3);
		assert_int_equal(function_map(fd, &r), 0);
		ways[i / 3](file, memory);
		assert_int_equal(pages_pinned(), before + 8);
		assert_int_equal(pages_charged(), 8);
		assert_int_equal(function_sync(fd, r.handle, USRPCI_SYNC_FOR_CPU, 0, 8 * PAGE), 0);
		assert_int_equal(function_unmap_one(fd, r.handle), 0);
		assert_int_equal(pages_pinned(), before);
		pages_free(memory, 8);
		close(file);
	}
}

/* A page for edu to write to, or a skip; its bus address. */
static uint64_t map_for_edu(struct edu_hw *edu, void *page, struct usrpci_ioc_region *r)
{
	struct usrpci_ioc_sg run;

	if (function_info(edu->fd).isolation < USRPCI_ISOLATION_LAZY)
		skip();
	edu_hw_start(edu);
	*r = function_region(page, PAGE, USRPCI_FROM_DEVICE);
	r->sg = (uintptr_t)&run;
	r->nr_sg = 1;
	assert_int_equal(function_map(edu->fd, r), 0);
	return run.bus_addr;
}

static void device_writes_no_page_that_came_after_a_hole(void **state)
{
	struct edu_hw *edu = *state;
	int file = memfd_create("t", 0);
	unsigned char *memory = file_pages(file, 8);
	struct usrpci_ioc_region r;
	uint64_t bus;

	bus = map_for_edu(edu, memory, &r);
	punch(file, memory);
	assert_int_equal(memory[0], 0);
	memset(memory, 0x66, 8 * PAGE);
	edu_hw_write(edu, bus, 64);
	assert_int_equal(memory[0], 0x66);
	assert_int_equal(memory[63], 0x66);
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	pages_free(memory, 8);
	close(file);
}

/* The parent writes first, so that it would be the one to get a copy. */
static void parent_sees_what_is_written_after_fork(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *page = pages_new(1, 0x11);
	struct usrpci_ioc_region r;
	uint64_t bus;
	pid_t pid;

	bus = map_for_edu(edu, page, &r);
	pid = fork();
	if (!pid)
		pause();
	page[100] = 0x22;
	memset(page, 0x33, 64);
	edu_hw_write(edu, bus, 64);
	assert_int_equal(function_sync(edu->fd, r.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_not_equal(page[0], 0x33);
	assert_int_equal(page[100], 0x22);
	assert_int_equal(function_unmap_one(edu->fd, r.handle), 0);
	pages_free(page, 1);
}

static void put(unsigned char *at, int prot, int flags, int file, off_t offset)
{
	assert_ptr_equal(mmap(at, PAGE, prot, flags | MAP_FIXED, file, offset), at);
}

/* 32 pages, of which the one in the middle can't be pinned, for a reason of its own. */
static void fails_midway(int fd, unsigned char *memory, const char *what)
{
	struct usrpci_ioc_region r[2];
	long before = pages_pinned();
	unsigned int i;
	int err;

	for (i = 0; i < 3; i++) {
		r[0] = function_region(memory, 32 * PAGE, i);
		err = function_map(fd, r);
		if (err != -EFAULT)
			print_error("%s, direction %u: %d\n", what, i, err);
		assert_int_equal(err, -EFAULT);
		/* As the second of two regions, whose first is mapped by then. */
		r[0] = function_region(memory, 8 * PAGE, i);
		r[1] = function_region(memory + 8 * PAGE, 24 * PAGE, i);
		assert_int_equal(function_map_regions(fd, r, 2, NULL), -EFAULT);
		assert_int_equal(pages_pinned(), before);
		nothing_is_held();
	}
}

static void ranges_that_fail_midway_leave_nothing(void **state)
{
	unsigned char *memory = pages_new(32, 1), *middle = memory + 16 * PAGE;
	int fd = fd_of(state), file = memfd_create("t", 0);
	int secret = syscall(447 /* memfd_secret */, 0);

	put(middle, PROT_READ | PROT_WRITE, MAP_SHARED, fd, function_bar(fd, 0).offset);
	fails_midway(fd, memory, "registers");
	put(middle, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fails_midway(fd, memory, "no access");
	put(middle, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	fails_midway(fd, memory, "past the file's end");
	if (secret >= 0 && !ftruncate(secret, PAGE)) {
		put(middle, PROT_READ | PROT_WRITE, MAP_SHARED, secret, 0);
		fails_midway(fd, memory, "secret");
		close(secret);
	}
	assert_int_equal(munmap(middle, PAGE), 0);
	fails_midway(fd, memory, "hole");
	close(file);
	munmap(memory, 32 * PAGE);
}

static void hugetlb_hole_stays_the_devices(void **state)
{
	int fd = fd_of(state), file;
	struct usrpci_ioc_region r;
	long before = pages_pinned();
	unsigned char *memory;

	file_write("/proc/sys/vm/nr_hugepages", "3");
	file = memfd_create("t", MFD_HUGETLB);
	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, HUGE), 0);
	memory = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		skip();
	memory[0] = 1;
	r = function_region(memory + PAGE, 100 * PAGE, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_map(fd, &r), 0);
	assert_int_equal(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, HUGE), 0);
	assert_int_equal(pages_pinned(), before + 100);
	assert_int_equal(memory[0], 0);
	assert_int_equal(function_unmap_one(fd, r.handle), 0);
	munmap(memory, HUGE);
	close(file);
	file_write("/proc/sys/vm/nr_hugepages", "0");
}

/* --- two threads --- */

struct pair {
	int fd;
	uint32_t handle;
	int result;
};

static void *unmapper(void *arg)
{
	struct pair *pair = arg;
	int i;

	for (i = 0; i < (int)times(3000); i++) {
		pthread_barrier_wait(&both);
		pair->result = function_unmap_one(pair->fd, pair->handle);
		pthread_barrier_wait(&both);
	}
	return NULL;
}

static void of_two_that_unmap_a_handle_one_does(void **state)
{
	struct pair pair = { .fd = fd_of(state) };
	unsigned char *memory = pages_new(2, 1);
	struct usrpci_ioc_coherent buffer;
	struct usrpci_ioc_region r;
	pthread_t thread;
	int i, mine;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&thread, NULL, unmapper, &pair);
	for (i = 0; i < (int)times(3000); i++) {
		r = function_region(memory + 1, PAGE, 0);
		assert_int_equal(i % 2 ? function_coherent(pair.fd, PAGE, &buffer) :
				 function_map(pair.fd, &r), 0);
		pair.handle = i % 2 ? buffer.handle : r.handle;
		pthread_barrier_wait(&both);
		mine = function_unmap_one(pair.fd, pair.handle);
		pthread_barrier_wait(&both);
		assert_int_equal(mine + pair.result, -EINVAL);
	}
	pthread_join(thread, NULL);
	nothing_is_held();
	pages_free(memory, 2);
}

static uint64_t offset_to_map;

/* Maps the buffer that the other thread unmaps; what it gets is memory till it lets go. */
static void *buffer_mapper(void *arg)
{
	int fd = *(int *)arg;
	unsigned char *memory;
	intptr_t wrong = 0;

	while (!stop) {
		memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      *(volatile uint64_t *)&offset_to_map);
		if (memory == MAP_FAILED)
			continue;
		wrong += touch_write(memory, 1) != 0;
		munmap(memory, PAGE);
	}
	return (void *)wrong;
}

static void buffer_mapped_while_unmapped(void **state)
{
	int i, fd = fd_of(state);
	struct usrpci_ioc_coherent buffer;
	pthread_t thread;
	void *wrong;

	stop = false;
	pthread_create(&thread, NULL, buffer_mapper, &fd);
	for (i = 0; i < (int)times(3000); i++) {
		assert_int_equal(function_coherent(fd, PAGE, &buffer), 0);
		offset_to_map = buffer.mmap_offset;
		if (i % 2)
			usleep(10);
		assert_int_equal(function_unmap_one(fd, buffer.handle), 0);
	}
	stop = true;
	pthread_join(thread, &wrong);
	assert_null(wrong);
	nothing_is_held();
}

static unsigned char *shifting;

static void *shifter(void *arg)
{
	while (!stop) {
		put(shifting + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
		madvise(shifting, 4 * PAGE, MADV_DONTNEED);
		munmap(shifting + 2 * PAGE, PAGE);
	}
	return NULL;
}

/* All of it is mapped or nothing, whatever the memory does meanwhile. */
static void memory_shifts_while_it_is_mapped(void **state)
{
	struct usrpci_ioc_region r;
	long before = pages_pinned();
	int i, err, fd = fd_of(state);
	pthread_t thread;

	shifting = pages_new(4, 1);
	stop = false;
	pthread_create(&thread, NULL, shifter, NULL);
	for (i = 0; i < (int)times(3000); i++) {
		r = function_region(shifting, 4 * PAGE, i % 3);
		err = function_map(fd, &r);
		assert_true(!err || err == -EFAULT);
		if (!err)
			assert_int_equal(function_unmap_one(fd, r.handle), 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(pages_pinned(), before);
	nothing_is_held();
	munmap(shifting, 4 * PAGE);
}

/* --- accounting --- */

static void send_fd(int sock, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static int receive_fd(int sock)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* A user with room for 10 pages: tells the handle of those, and waits for it to be unmapped. */
static int limited_receiver(int sock)
{
	const struct rlimit ten = { 10 * PAGE, 10 * PAGE };
	unsigned char *memory = pages_new(11, 1);
	struct usrpci_ioc_region r = function_region(memory, 10 * PAGE, 0);
	struct usrpci_ioc_region more = function_region(memory, 1, 0);
	uint64_t missing = 0;
	int fd = receive_fd(sock);
	char byte;

	if (fd < 0 || setrlimit(RLIMIT_MEMLOCK, &ten) || setgid(1000) || setuid(1000))
		return 1;
	if (function_map(fd, &r) || pages_charged() != 10)
		return 2;
	if (function_map_regions(fd, &more, 1, &missing) != -ENOMEM || missing != PAGE)
		return 3;
	if (write(sock, &r.handle, 4) != 4 || read(sock, &byte, 1) != 1)
		return 4;
	return pages_charged() || function_map(fd, &more) || function_unmap_one(fd, more.handle);
}

static void passed_descriptor_charges_who_maps(void **state)
{
	int sock[2], status, fd = fd_of(state);
	uint32_t handle = 0;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	pid = fork();
	if (!pid) {
		/* What it inherits is another number for the same; it uses what it was sent. */
		close(fd);
		_exit(limited_receiver(sock[1]));
	}
	send_fd(sock[0], fd);
	close(sock[1]);
	assert_int_equal(read(sock[0], &handle, 4), 4);
	assert_int_equal(pages_charged(), 0);
	assert_int_equal(function_unmap_one(fd, handle), 0);
	assert_int_equal(write(sock[0], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(sock[0]);
	nothing_is_held();
}

/* A test that failed may have left the function unbound. */
static int bound_setup(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	if (access(path, F_OK))
		rescan();
	return nothing_held_setup(state);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, edu_hw_setup, edu_hw_teardown)
#define TEST_ALONE(_f) cmocka_unit_test_setup_teardown(_f, bound_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arrays_across_the_end_fault),
		TEST(arrays_that_end_at_the_end_of_addresses_fault),
		TEST_ALONE(integers_at_their_edges),
		TEST(tracers_cannot_reach_a_map),
		TEST(mremap_makes_no_more_of_a_map),
		TEST_ALONE(bar_smaller_than_a_page_does_not_map),
		TEST_ALONE(calls_in_d3hot_fail),
		TEST(intx_rewired_while_firing),
		TEST(touches_without_decode_are_quiet),
		TEST_ALONE(calls_after_removal_are_quiet),
		TEST_ALONE(refused_opens_are_quiet),
		TEST_ALONE(unbound_while_opened),
		TEST_ALONE(removed_while_opened),
		TEST_ALONE(unbound_while_probed),
		TEST_ALONE(removed_while_probed),
		TEST_ALONE(unbound_while_closed),
		TEST(memory_taken_away_stays_pinned),
		TEST(device_writes_no_page_that_came_after_a_hole),
		TEST(parent_sees_what_is_written_after_fork),
		TEST(ranges_that_fail_midway_leave_nothing),
		TEST(hugetlb_hole_stays_the_devices),
		TEST(of_two_that_unmap_a_handle_one_does),
		TEST(buffer_mapped_while_unmapped),
		TEST(memory_shifts_while_it_is_mapped),
		TEST(passed_descriptor_charges_who_maps),
	};

	function_require();
	return cmocka_run_group_tests_name("bad_input", tests, NULL, NULL);
}
