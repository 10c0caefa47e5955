// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Each sequence of calls is swept: its first call into the kernel that can fail does,
 * then its second, and so on till it gets through with nothing failed. After each
 * failure all is as before, and the same sequence succeeds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "census.h"
#include "edu.h"
#include "function.h"
#include "injector.h"
#include "memory.h"

#define COMMAND		0x04
#define COMMAND_MEMORY	0x02
#define CAP_PM		0x01
#define PM_CTRL		4
#define D3HOT		3

#define POOL_PAGES	640
#define MAX_REGIONS	64
#define MAX_VECTORS	16
#define MAX_NTH		4000
#define LONG_RUN	500	/* in which the module is loaded again, too */

enum on { EDU, NVME };

/**
 * struct scene - What a sequence works with.
 * @c: the campaign
 * @injector: what makes calls fail
 * @q: the sequence
 * @bdf: the function
 * @nth: the call that fails, for a sequence that arms the injector itself
 * @failed: it did, for such a one
 * @skew: a random offset, the same for the whole sweep
 * @fd: the function's file, or -1
 * @info: what it said when it was opened
 * @bar: its first BAR
 * @pool: memory to map, as in @pristine but for what a device writes
 * @pristine: see @pool
 * @regions: of it
 * @nr: how many
 * @handles: theirs
 * @runs: room for bus addresses
 * @buffer: a coherent buffer
 * @map: a map of the file
 * @map_len: bytes
 * @coherent: a map of the buffer
 * @events: eventfds
 */
struct scene {
	struct campaign *c;
	const struct injector *injector;
	const struct sequence *q;
	const char *bdf;
	unsigned int nth;
	bool failed;
	size_t skew;
	int fd;
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar bar;
	unsigned char *pool;
	unsigned char *pristine;
	struct usrpci_ioc_region regions[MAX_REGIONS];
	unsigned int nr;
	uint32_t handles[MAX_REGIONS];
	struct usrpci_ioc_sg runs[POOL_PAGES + 2];
	struct usrpci_ioc_coherent buffer;
	unsigned char *map;
	size_t map_len;
	unsigned char *coherent;
	int events[MAX_VECTORS];
};

/**
 * struct sequence - What is swept.
 * @name: its name
 * @on: the function
 * @n: how much of it: pages, regions, vectors
 * @kind: of what
 * @setup: nothing fails in it; 0 or -errno
 * @act: what is to fail; 0 or -errno, and then all is as after @setup
 * @undo: after @act got through
 * @end: undoes @setup
 * @arms: @act arms the injector itself, at @scene->nth
 * @hook_only: too much of the kernel's own isn't up to failures there
 * @kernel_only: the module's hook isn't there then
 * @once: not in each round; where there are hundreds of calls of the kernel's own in it,
 *	and each takes seconds, only some of them fail
 */
struct sequence {
	const char *name;
	enum on on;
	unsigned int n;
	unsigned int kind;
	int (*setup)(struct scene *s);
	int (*act)(struct scene *s);
	void (*undo)(struct scene *s);
	void (*end)(struct scene *s);
	bool arms;
	bool hook_only;
	bool kernel_only;
	bool once;
};

/* --- what sequences are made of --- */

static void must(struct scene *s, const char *what, int err)
{
	if (err)
		campaign_fault(s->c, "%s: %s, with nothing failed: %s", s->q->name, what,
			       strerror(-err));
}

static int open_it(struct scene *s)
{
	int fd = function_open(s->bdf);

	s->fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static void close_it(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int setup_open(struct scene *s)
{
	uint32_t id;
	int err = open_it(s);

	if (err)
		return err;
	s->info = function_info(s->fd);
	s->bar = function_bar(s->fd, 0);
	/* It asks once where configuration space lies, and not while calls fail. */
	return config_read(s->fd, 0, 4, &id);
}

/* Also where a call that was to fail is what takes the map away. */
static void unmap_memory(void *addr, size_t len)
{
	while (munmap(addr, len) && errno == ENOMEM)
		;
}

static int map_file(struct scene *s, size_t len, uint64_t offset, unsigned char **map)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, offset);

	*map = addr == MAP_FAILED ? NULL : addr;
	return addr == MAP_FAILED ? -errno : 0;
}

static int map_bar(struct scene *s)
{
	s->map_len = s->bar.windows[0].len;
	return map_file(s, s->map_len, s->bar.offset + s->bar.windows[0].offset, &s->map);
}

static void unmap_bar(struct scene *s)
{
	if (s->map)
		unmap_memory(s->map, s->map_len);
	s->map = NULL;
}

static int map_coherent(struct scene *s)
{
	return map_file(s, s->buffer.len, s->buffer.mmap_offset, &s->coherent);
}

static void unmap_coherent(struct scene *s)
{
	if (s->coherent)
		unmap_memory(s->coherent, s->buffer.len);
	s->coherent = NULL;
}

static int touch_all(volatile unsigned char *addr, size_t len)
{
	size_t at;

	for (at = 0; at < len; at += PAGE)
		if (touch(addr + at))
			return -EFAULT;
	return 0;
}

/* @nr regions of @pages each, one after the other in the pool, that begin inside a page. */
static void choose_regions(struct scene *s, unsigned int nr, size_t pages, unsigned int direction)
{
	size_t skew = pages * nr < POOL_PAGES ? s->skew : 0;
	unsigned int i;

	s->nr = nr;
	for (i = 0; i < nr; i++)
		s->regions[i] = function_region(s->pool + skew + i * pages * PAGE, pages * PAGE,
						direction);
}

static bool regions_are_mapped(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		s->handles[i] = s->regions[i].handle;
		if (!s->handles[i] || function_sync(s->fd, s->handles[i], USRPCI_SYNC_FOR_CPU, 0,
						    s->regions[i].len))
			return false;
	}
	return true;
}

static int map_regions(struct scene *s)
{
	return function_map_regions(s->fd, s->regions, s->nr, NULL);
}

static int map_and_note(struct scene *s, unsigned int nr, size_t pages)
{
	int err;

	choose_regions(s, nr, pages, USRPCI_BIDIRECTIONAL);
	err = map_regions(s);
	return err ?: regions_are_mapped(s) ? 0 : -EBADMSG;
}

static void undo_map(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		s->handles[i] = s->regions[i].handle;
	must(s, "unmap", function_unmap(s->fd, s->handles, s->nr));
}

static unsigned int vectors(struct scene *s)
{
	if (s->q->kind != USRPCI_IRQ_MSIX)
		return 1;
	return s->q->n < MAX_VECTORS ? s->q->n : MAX_VECTORS;
}

/* --- open, info, control --- */

static int act_open_close(struct scene *s)
{
	int err = open_it(s);

	close_it(s);
	return err;
}

static int act_info(struct scene *s)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int err = function_call(s->fd, USRPCI_INFO, &info);

	return err ?: memcmp(&info, &s->info, sizeof(info)) ? -EBADMSG : 0;
}

static int act_bar(struct scene *s)
{
	struct usrpci_ioc_bar bar = { .size = sizeof(bar) };
	int err = function_call(s->fd, USRPCI_BAR, &bar);

	return err ?: memcmp(&bar, &s->bar, sizeof(bar)) ? -EBADMSG : 0;
}

static int ask_bar(struct scene *s)
{
	s->bar = (struct usrpci_ioc_bar){ .size = sizeof(s->bar) };
	return function_call(s->fd, USRPCI_BAR, &s->bar);
}

static int act_mask(struct scene *s)
{
	return function_mask(s->fd, s->q->n);
}

static void undo_mask(struct scene *s)
{
	must(s, "mask", function_mask(s->fd, 32));
}

static int act_master(struct scene *s)
{
	return function_master(s->fd, 1);
}

static void undo_master(struct scene *s)
{
	must(s, "master off", function_master(s->fd, 0));
}

static int setup_master(struct scene *s)
{
	return setup_open(s) ?: function_master(s->fd, 1);
}

static int act_master_off(struct scene *s)
{
	return function_master(s->fd, 0);
}

static int act_reset(struct scene *s)
{
	return function_reset(s->fd);
}

static int act_poll(struct scene *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int n = poll(&p, 1, 0);

	return n < 0 ? -errno : p.revents ? -EBADMSG : 0;
}

/* --- coherent buffers --- */

static int act_coherent(struct scene *s)
{
	return function_coherent(s->fd, s->q->n * PAGE, &s->buffer);
}

static void undo_coherent(struct scene *s)
{
	must(s, "free", function_unmap_one(s->fd, s->buffer.handle));
}

static int setup_coherent(struct scene *s)
{
	return setup_open(s) ?: act_coherent(s);
}

/* The first touch of each page is what brings it in. */
static int act_coherent_map(struct scene *s)
{
	int err = map_coherent(s) ?: touch_all(s->coherent, s->buffer.len);

	if (err)
		unmap_coherent(s);
	return err;
}

static int setup_coherent_mapped(struct scene *s)
{
	return setup_coherent(s) ?: act_coherent_map(s);
}

static int act_free(struct scene *s)
{
	return function_unmap_one(s->fd, s->buffer.handle);
}

static void end_unmap_close(struct scene *s)
{
	unmap_bar(s);
	unmap_coherent(s);
	close_it(s);
}

/* All the way there and back. */
static int act_coherent_whole(struct scene *s)
{
	int err = act_coherent(s);

	if (err)
		return err;
	err = act_coherent_map(s);
	unmap_coherent(s);
	/* If that is what fails it doesn't again. */
	if (act_free(s))
		undo_coherent(s);
	return err;
}

static int act_move(struct scene *s)
{
	void *room = mmap(NULL, s->buffer.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved;
	int err;

	if (room == MAP_FAILED)
		return -errno;
	moved = mremap(s->coherent, s->buffer.len, s->buffer.len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       room);
	err = moved == MAP_FAILED ? -errno : 0;
	if (err)
		unmap_memory(room, s->buffer.len);
	else
		s->coherent = moved;
	return err ?: touch_all(s->coherent, s->buffer.len);
}

/* --- fork --- */

static int reap(pid_t pid, int wanted)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status == wanted ? 0 : -ECHILD;
}

static int setup_held(struct scene *s);

static int act_fork(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	return reap(pid, 0);
}

static int act_fork_unmap(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		unmap_coherent(s);
		close(s->fd);
		_exit(0);
	}
	return reap(pid, 0);
}

/* The child's touches may fail as well; it's the child then that's told. */
static int act_fork_touch(struct scene *s)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(touch_all(s->coherent, s->buffer.len) ? 1 : 0);
	return reap(pid, 0);
}

/* --- streaming mappings --- */

static int act_map(struct scene *s)
{
	choose_regions(s, 1, s->q->n, s->q->kind);
	return map_regions(s);
}

static int act_map_many(struct scene *s)
{
	choose_regions(s, s->q->n, 2, s->q->kind);
	return map_regions(s);
}

/* A few bytes, some of them in the next page. */
static int act_map_bytes(struct scene *s)
{
	s->nr = 1;
	s->regions[0] = function_region(s->pool + PAGE - 3, s->q->n, s->q->kind);
	return map_regions(s);
}

static int act_map_runs(struct scene *s)
{
	uint64_t total = 0;
	unsigned int i;
	int err;

	choose_regions(s, 1, s->q->n, s->q->kind);
	memset(s->runs, 0, sizeof(s->runs));
	s->regions[0].sg = (uintptr_t)s->runs;
	s->regions[0].nr_sg = ARRAY_SIZE(s->runs);
	err = map_regions(s);
	if (err)
		return err;
	for (i = 0; i < s->regions[0].nr_sg; i++)
		total += s->runs[i].len;
	return total == s->regions[0].len ? 0 : -EBADMSG;
}

/* Too little room is what it should say; enough, where an IOMMU makes one run of all. */
static int act_map_short(struct scene *s)
{
	unsigned int i;
	int err;

	choose_regions(s, s->q->n, 8, s->q->kind);
	for (i = 0; i < s->nr; i++) {
		s->regions[i].sg = (uintptr_t)s->runs;
		s->regions[i].nr_sg = 1;
	}
	err = map_regions(s);
	if (err == -ENOSPC)
		s->nr = 0;
	return err == -ENOSPC ? 0 : err;
}

static void undo_map_short(struct scene *s)
{
	if (s->nr)
		undo_map(s);
}

static int act_map_no_bounce(struct scene *s)
{
	int err;

	choose_regions(s, 1, s->q->n, s->q->kind);
	s->regions[0].flags = USRPCI_MAP_NO_BOUNCE;
	err = map_regions(s);
	if (err == -ERANGE)
		s->nr = 0;
	return err == -ERANGE ? 0 : err;
}

/* Where a page lies that the process may read and not write. */
static int setup_read_only(struct scene *s)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	s->map_len = s->q->n * PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return s->map == MAP_FAILED ? -EIO : setup_open(s) ?: touch_all(s->map, s->map_len);
}

static int act_map_there(struct scene *s)
{
	s->nr = 1;
	s->regions[0] = function_region(s->map, s->map_len, USRPCI_TO_DEVICE);
	return map_regions(s);
}

/* A shared map whose owner wants to know of each write: a ring of the kernel's. */
static int setup_noted(struct scene *s)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	s->map_len = 2 * PAGE;
	s->map = mmap(NULL, s->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return s->map == MAP_FAILED ? -EIO : setup_open(s) ?: touch_all(s->map, s->map_len);
}

static int setup_mapped(struct scene *s)
{
	return setup_open(s) ?: map_and_note(s, s->q->n, 2);
}

static int act_unmap(struct scene *s)
{
	return function_unmap(s->fd, s->handles, s->nr);
}

static int setup_mapped_both(struct scene *s)
{
	int err = setup_open(s) ?: map_and_note(s, s->q->n, 2) ?:
		  function_coherent(s->fd, PAGE, &s->buffer);

	s->handles[s->nr++] = s->buffer.handle;
	return err;
}

static int act_sync(struct scene *s)
{
	return function_sync(s->fd, s->handles[0], s->q->kind, 0, s->regions[0].len);
}

static int act_sync_part(struct scene *s)
{
	return function_sync(s->fd, s->handles[0], s->q->kind, 100, PAGE);
}

/* --- interrupts --- */

static int act_irq(struct scene *s)
{
	return function_irq_setup(s->fd, s->q->kind, vectors(s));
}

static int act_irq_none(struct scene *s)
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

static int act_wire(struct scene *s)
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

static int act_unmask(struct scene *s)
{
	return function_irq_unmask(s->fd, 0);
}

static int setup_regs(struct scene *s)
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

/* --- configuration space and registers --- */

static int act_config_read(struct scene *s)
{
	uint32_t value;
	int err = config_read(s->fd, 0, 4, &value);

	return err ?: value != (s->info.vendor | (uint32_t)s->info.device << 16) ? -EBADMSG : 0;
}

static int decode(struct scene *s, bool on)
{
	uint32_t command;
	int err = config_read(s->fd, COMMAND, 2, &command);

	command = on ? command | COMMAND_MEMORY : command & ~COMMAND_MEMORY;
	return err ?: config_write(s->fd, COMMAND, 2, command);
}

static int act_decode_off(struct scene *s)
{
	return decode(s, false);
}

static void undo_decode(struct scene *s)
{
	must(s, "decode", decode(s, true));
}

static int power(struct scene *s, unsigned int state)
{
	unsigned int at = s->q->n + PM_CTRL;
	uint32_t control;
	int err = config_read(s->fd, at, 2, &control);

	return err ?: config_write(s->fd, at, 2, (control & ~3U) | state);
}

/* Where the capability lies is found first; the table can't say. */
static int setup_power(struct scene *s)
{
	static struct sequence at;
	int err = setup_open(s);

	if (err)
		return err;
	at = *s->q;
	at.n = config_capability(s->fd, CAP_PM);
	s->q = &at;
	return at.n ? 0 : -ENOENT;
}

static int act_sleep(struct scene *s)
{
	return power(s, D3HOT);
}

static void undo_sleep(struct scene *s)
{
	must(s, "power", power(s, 0));
}

static int act_wake(struct scene *s)
{
	return power(s, 0);
}

static int setup_asleep(struct scene *s)
{
	return setup_power(s) ?: power(s, D3HOT);
}

static int act_bar_read(struct scene *s)
{
	uint64_t value = 0;

	if (pread(s->fd, &value, s->q->n, s->bar.offset) != (ssize_t)s->q->n)
		return -errno;
	return !value ? -EBADMSG : 0;
}

static int act_bar_write(struct scene *s)
{
	uint32_t value = 0;

	/* Registers that may be written at any time: edu's check, NVMe's interrupt mask. */
	if (pwrite(s->fd, &value, 4, s->bar.offset + s->q->n) != 4)
		return -errno;
	return 0;
}

static int act_bar_map(struct scene *s)
{
	int err = map_bar(s) ?: touch_all(s->map, s->map_len);

	if (err)
		unmap_bar(s);
	return err;
}

static int act_bar_first_touch(struct scene *s)
{
	return touch(s->map) ? -EFAULT : 0;
}

static int setup_bar_mapped(struct scene *s)
{
	return setup_open(s) ?: map_bar(s);
}

/* --- the ends --- */

/* All that one can hold. */
static int hold(struct scene *s)
{
	return map_bar(s) ?: touch_all(s->map, PAGE) ?: act_coherent_map(s) ?:
	       map_and_note(s, 4, s->q->n) ?: act_irq(s) ?: act_wire(s) ?:
	       function_master(s->fd, 1);
}

static int setup_held(struct scene *s)
{
	return setup_coherent(s) ?: hold(s);
}

static int act_close(struct scene *s)
{
	close_it(s);
	return 0;
}

static int act_close_all(struct scene *s)
{
	end_unmap_close(s);
	return 0;
}

/* A child holds it all, and then ends in @how. */
static int end_of_child(struct scene *s, void (*how)(void), int wanted)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (setup_held(s))
			_exit(1);
		if (s->nth)
			s->injector->arm(s->nth);
		how();
	}
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		return -errno;
	s->failed = s->nth && s->injector->has_failed(pid);
	return reap(pid, wanted);
}

static void exit_now(void)
{
	_exit(0);
}

static void die_now(void)
{
	kill(getpid(), SIGKILL);
}

static int act_exit(struct scene *s)
{
	return end_of_child(s, exit_now, 0);
}

static int act_die(struct scene *s)
{
	return end_of_child(s, die_now, SIGKILL);
}

/* --- bind, unbind, remove, load --- */

static bool is_bound(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/usrpci/%s", bdf);
	return !access(path, F_OK);
}

/* A node of the name that it should have; in need the kernel gives it another. */
static bool has_node(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/usrpci/%s", bdf);
	return !access(path, F_OK);
}

static int unbind(struct scene *s)
{
	return is_bound(s->bdf) ? function_unbind(s->bdf) : 0;
}

static int bind(struct scene *s)
{
	return is_bound(s->bdf) ? 0 : function_bind(s->bdf);
}

static void undo_unbind(struct scene *s)
{
	must(s, "bind", bind(s));
}

static int act_unbind(struct scene *s)
{
	return function_unbind(s->bdf);
}

/* Writing to the driver's bind says how the probe went. */
static int bind_direct(struct scene *s)
{
	return file_write("/sys/bus/pci/drivers/usrpci/bind", s->bdf);
}

static int bind_by_probe(struct scene *s)
{
	int err = file_write("/sys/bus/pci/drivers_probe", s->bdf);

	return err ?: is_bound(s->bdf) ? 0 : -ENODEV;
}

static int bound_or_undone(struct scene *s, int (*how)(struct scene *s))
{
	int err = how(s);

	if (!err && !has_node(s->bdf))
		err = -ENOENT;
	while (err && is_bound(s->bdf))
		unbind(s);
	return err;
}

static int act_bind(struct scene *s)
{
	return bound_or_undone(s, bind_direct);
}

static int act_probe(struct scene *s)
{
	return bound_or_undone(s, bind_by_probe);
}

static void undo_bind(struct scene *s)
{
	must(s, "unbind", unbind(s));
}

static void end_bind(struct scene *s)
{
	must(s, "bind", bind(s));
}

static int act_override(struct scene *s)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", s->bdf);
	return file_write(path, "usrpci");
}

static bool is_there(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	return !access(path, F_OK);
}

static int remove_it(struct scene *s)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", s->bdf);
	return file_write(path, "1");
}

static int rescan(struct scene *s)
{
	int err = is_there(s->bdf) ? 0 : file_write("/sys/bus/pci/rescan", "1");

	return err ?: bind(s);
}

static void undo_remove(struct scene *s)
{
	must(s, "rescan", rescan(s));
}

static int act_rescan(struct scene *s)
{
	int err = remove_it(s);

	if (err)
		return err;
	err = file_write("/sys/bus/pci/rescan", "1") ?: function_bind(s->bdf) ?:
	      has_node(s->bdf) ? 0 : -ENOENT;
	if (err)
		unbind(s);
	if (err)
		undo_remove(s);
	return err;
}

static int load(const char *args)
{
	struct utsname name;
	char path[256];
	int fd, err;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/usrpci.ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, args, 0) ? -errno : 0;
	close(fd);
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "usrpci", O_NONBLOCK) ? -errno : 0;
}

static int setup_unloaded(struct scene *s)
{
	const char *const all[] = { function_edu(), function_nvme() };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		err = all[i] && is_bound(all[i]) ? function_unbind(all[i]) : 0;
		if (err)
			return err;
	}
	s->injector->close();
	return unload();
}

static void end_loaded(struct scene *s)
{
	must(s, "load", load(""));
	s->injector->open();
	must(s, "bind", function_bind(function_edu()));
	if (function_nvme())
		must(s, "bind", function_bind(function_nvme()));
}

static int act_load(struct scene *s)
{
	char args[32] = "";
	int err;

	if (s->nth)
		s->injector->arm_load(s->nth, args, sizeof(args));
	err = load(args);
	s->failed = s->nth && s->injector->disarm_load();
	return err;
}

static void undo_load(struct scene *s)
{
	must(s, "unload", unload());
}

static int setup_loaded(struct scene *s)
{
	return setup_unloaded(s) ?: load("");
}

static int act_unload(struct scene *s)
{
	return unload();
}

static void end_unloaded(struct scene *s)
{
	unload();
	end_loaded(s);
}

/* --- longer ones --- */

static int read_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	int err = n < 0 ? -errno : n ? 0 : -EBADMSG;

	if (fd >= 0)
		close(fd);
	return err;
}

static int act_look(struct scene *s)
{
	char holders[96], isolation[96], opener[96];

	snprintf(holders, sizeof(holders), "/sys/kernel/debug/usrpci/%s", s->bdf);
	snprintf(isolation, sizeof(isolation), "/sys/class/usrpci/%s/isolation", s->bdf);
	snprintf(opener, sizeof(opener), "/sys/class/usrpci/%s/opener", s->bdf);
	return read_file(holders) ?: read_file(isolation) ?: read_file(opener);
}

/* What a driver does from its start to its end. */
static int act_life(struct scene *s)
{
	int err = open_it(s);

	if (err)
		return err;
	err = ask_bar(s) ?: function_mask(s->fd, 32) ?: act_coherent(s) ?: hold(s) ?:
	      act_unmap(s) ?: act_irq_none(s) ?: act_free(s);
	end_unmap_close(s);
	return err;
}

/* The same, and nothing is given back by call. */
static int act_short_life(struct scene *s)
{
	int err = open_it(s);

	if (err)
		return err;
	err = ask_bar(s) ?: act_coherent(s) ?: hold(s);
	close_it(s);
	end_unmap_close(s);
	return err;
}

#define OPENED	.setup = setup_open, .end = close_it
#define BOTH	USRPCI_BIDIRECTIONAL
#define TO	USRPCI_TO_DEVICE
#define FROM	USRPCI_FROM_DEVICE
#define INTX	USRPCI_IRQ_INTX
#define MSI	USRPCI_IRQ_MSI
#define MSIX	USRPCI_IRQ_MSIX
#define CPU	USRPCI_SYNC_FOR_CPU
#define DEVICE	USRPCI_SYNC_FOR_DEVICE

static const struct sequence sequences[] = {
	/* These come first, since what the module counts of its failures begins again then. */
	{ "load", EDU, .setup = setup_unloaded, .act = act_load, .undo = undo_load,
	  .end = end_loaded, .arms = true, .once = true },
	{ "unload", EDU, .setup = setup_loaded, .act = act_unload, .end = end_unloaded,
	  .kernel_only = true, .once = true },

	{ "open", EDU, .act = open_it, .undo = close_it },
	{ "open, nvme", NVME, .act = open_it, .undo = close_it },
	{ "open and close", EDU, .act = act_open_close },
	{ "open and close, nvme", NVME, .act = act_open_close },
	{ "info", EDU, OPENED, .act = act_info },
	{ "info, nvme", NVME, OPENED, .act = act_info },
	{ "bar", EDU, OPENED, .act = act_bar },
	{ "mask", EDU, .n = 28, OPENED, .act = act_mask, .undo = undo_mask },
	{ "mask, nvme", NVME, .n = 64, OPENED, .act = act_mask, .undo = undo_mask },
	{ "master", EDU, OPENED, .act = act_master, .undo = undo_master },
	{ "master off", EDU, .setup = setup_master, .end = close_it, .act = act_master_off },
	{ "reset", NVME, OPENED, .act = act_reset },
	{ "poll", EDU, OPENED, .act = act_poll },
	{ "look", EDU, OPENED, .act = act_look },

	{ "coherent", EDU, .n = 1, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent, some", EDU, .n = 40, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent, many", EDU, .n = 1024, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent map", EDU, .n = 16, .setup = setup_coherent, .act = act_coherent_map,
	  .undo = unmap_coherent, .end = end_unmap_close },
	{ "coherent map, many", EDU, .n = 1024, .setup = setup_coherent,
	  .act = act_coherent_map, .undo = unmap_coherent, .end = end_unmap_close },
	{ "coherent whole", EDU, .n = 5, OPENED, .act = act_coherent_whole },
	{ "coherent move", EDU, .n = 2, .setup = setup_coherent_mapped, .act = act_move,
	  .end = end_unmap_close },
	{ "free", EDU, .n = 3, .setup = setup_coherent, .act = act_free, .end = end_unmap_close },
	{ "free while mapped", EDU, .n = 3, .setup = setup_coherent_mapped, .act = act_free,
	  .end = end_unmap_close },

	{ "map to device", EDU, .n = 1, .kind = TO, OPENED, .act = act_map, .undo = undo_map },
	{ "map from device", EDU, .n = 1, .kind = FROM, OPENED, .act = act_map, .undo = undo_map },
	{ "map both ways", EDU, .n = 3, .kind = BOTH, OPENED, .act = act_map, .undo = undo_map },
	{ "map some", EDU, .n = 40, .kind = TO, OPENED, .act = act_map, .undo = undo_map },
	{ "map many", EDU, .n = 600, .kind = FROM, OPENED, .act = act_map, .undo = undo_map },
	{ "map bytes", EDU, .n = 7, .kind = BOTH, OPENED, .act = act_map_bytes, .undo = undo_map },
	{ "map read-only", EDU, .n = 3, .setup = setup_read_only, .act = act_map_there,
	  .undo = undo_map, .end = end_unmap_close },
	{ "map a noted file", EDU, .setup = setup_noted, .act = act_map_there, .undo = undo_map,
	  .end = end_unmap_close },
	{ "map regions", EDU, .n = 8, .kind = TO, OPENED, .act = act_map_many, .undo = undo_map },
	{ "map many regions", EDU, .n = MAX_REGIONS, .kind = FROM, OPENED, .act = act_map_many,
	  .undo = undo_map },
	{ "map for runs", EDU, .n = 70, .kind = BOTH, OPENED, .act = act_map_runs,
	  .undo = undo_map },
	{ "map with too little room", EDU, .n = 5, .kind = TO, OPENED, .act = act_map_short,
	  .undo = undo_map_short },
	{ "map with no bounce", EDU, .n = 9, .kind = FROM, OPENED, .act = act_map_no_bounce,
	  .undo = undo_map_short },
	{ "unmap", EDU, .n = 1, .setup = setup_mapped, .act = act_unmap,
	  .end = close_it },
	{ "unmap many", EDU, .n = 30, .setup = setup_mapped, .act = act_unmap,
	  .end = close_it },
	{ "unmap both kinds", EDU, .n = 3, .setup = setup_mapped_both,
	  .act = act_unmap, .end = close_it },
	{ "sync for the CPU", EDU, .n = 1, .kind = CPU, .setup = setup_mapped, .act = act_sync,
	  .end = close_it },
	{ "sync for the device", EDU, .n = 1, .kind = DEVICE, .setup = setup_mapped,
	  .act = act_sync_part, .end = close_it },

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

	{ "config read", EDU, OPENED, .act = act_config_read },
	{ "config write", EDU, OPENED, .act = act_decode_off, .undo = undo_decode },
	{ "power off", NVME, .setup = setup_power, .act = act_sleep, .undo = undo_sleep,
	  .end = close_it },
	{ "power on", NVME, .setup = setup_asleep, .act = act_wake, .end = close_it },
	{ "register read", EDU, .n = 4, OPENED, .act = act_bar_read },
	{ "register read, wide", NVME, .n = 8, OPENED, .act = act_bar_read },
	{ "register write", EDU, .n = 4, OPENED, .act = act_bar_write },
	{ "register write, nvme", NVME, .n = 12, OPENED, .act = act_bar_write },
	{ "bar map", EDU, OPENED, .act = act_bar_map, .undo = unmap_bar },
	{ "bar map, nvme", NVME, OPENED, .act = act_bar_map, .undo = unmap_bar },
	{ "first touch", EDU, .setup = setup_bar_mapped, .act = act_bar_first_touch,
	  .end = end_unmap_close },

	{ "close", EDU, .n = 3, .kind = MSI, .setup = setup_held, .act = act_close,
	  .end = end_unmap_close },
	{ "close, nvme", NVME, .n = 3, .kind = MSIX, .setup = setup_held, .act = act_close,
	  .end = end_unmap_close },
	{ "unmap and close", NVME, .n = 20, .kind = INTX, .setup = setup_held,
	  .act = act_close_all },
	{ "exit", EDU, .n = 2, .kind = INTX, .act = act_exit, .arms = true },
	{ "exit, nvme", NVME, .n = 6, .kind = MSIX, .act = act_exit, .arms = true },
	{ "killed", EDU, .n = 4, .kind = MSI, .act = act_die, .arms = true },
	{ "fork", EDU, .n = 4, .kind = MSI, .setup = setup_held, .act = act_fork,
	  .end = end_unmap_close },
	{ "fork, the child unmaps", EDU, .n = 7, .setup = setup_coherent_mapped,
	  .act = act_fork_unmap, .end = end_unmap_close },
	{ "fork, the child touches", NVME, .n = 9, .setup = setup_coherent_mapped,
	  .act = act_fork_touch, .end = end_unmap_close },

	{ "bind", EDU, .setup = unbind, .act = act_bind, .undo = undo_bind, .end = end_bind },
	{ "bind, nvme", NVME, .setup = unbind, .act = act_bind, .undo = undo_bind,
	  .end = end_bind },
	{ "probe", EDU, .setup = unbind, .act = act_probe, .undo = undo_bind, .end = end_bind },
	{ "driver_override", EDU, .act = act_override },
	{ "unbind", EDU, .act = act_unbind, .undo = undo_unbind },
	{ "unbind, nvme", NVME, .act = act_unbind, .undo = undo_unbind },
	{ "unbind while held", EDU, .n = 3, .kind = MSI, .setup = setup_held, .act = act_unbind,
	  .undo = undo_unbind, .end = end_unmap_close },
	{ "unbind while held, nvme", NVME, .n = 3, .kind = MSIX, .setup = setup_held,
	  .act = act_unbind, .undo = undo_unbind, .end = end_unmap_close },
	{ "remove", EDU, .act = remove_it, .undo = undo_remove },
	{ "remove while held", EDU, .n = 5, .kind = INTX, .setup = setup_held, .act = remove_it,
	  .undo = undo_remove, .end = end_unmap_close },
	{ "remove and rescan", EDU, .act = act_rescan, .hook_only = true },

	{ "life", EDU, .n = 2, .kind = MSI, .act = act_life },
	{ "life, intx", EDU, .n = 30, .kind = INTX, .act = act_life },
	{ "life, nvme", NVME, .n = 12, .kind = MSIX, .act = act_life },
	{ "short life", EDU, .n = 3, .kind = MSI, .act = act_short_life },
	{ "short life, nvme", NVME, .n = 3, .kind = MSIX, .act = act_short_life },
};

/* --- the sweep --- */

static void compare(struct scene *s, const char *when, const struct census *before)
{
	struct census now = census_take(s->bdf);
	const char *what = census_differs(before, &now);

	if (what)
		campaign_fault(s->c, "%s, call %u: %s %s", s->q->name, s->nth, when, what);
}

/* What a failed call must have left alone besides what can be counted. */
static void look_after_failure(struct scene *s, bool was_open)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int err;

	if (memcmp(s->pool, s->pristine, POOL_PAGES * PAGE))
		campaign_fault(s->c, "%s, call %u: memory was written", s->q->name, s->nth);
	if (!was_open)
		return;
	err = function_call(s->fd, USRPCI_INFO, &info);
	if (err || memcmp(&info, &s->info, sizeof(info)))
		campaign_fault(s->c, "%s, call %u: info isn't what it was", s->q->name, s->nth);
}

/* Runs the sequence with its @nth call failing; false if it doesn't get there. */
static bool run(struct scene *s, unsigned int nth)
{
	bool was_open = s->fd >= 0, failed;
	struct census before = census_take(s->bdf);
	int err;

	s->nth = nth;
	if (!s->q->arms)
		s->injector->arm(nth);
	err = s->q->act(s);
	failed = s->q->arms ? s->failed : s->injector->disarm();
	if (err && !failed)
		must(s, "it", err);
	if (!err || !failed)
		return failed;
	compare(s, "after it failed,", &before);
	look_after_failure(s, was_open);
	campaign_tally(s->c, "told", 1);
	s->nth = 0;
	must(s, "the same again", s->q->act(s));
	s->nth = nth;
	return true;
}

/* All of one pass; false once nothing failed. */
static bool pass(struct scene *s, const struct sequence *q, unsigned int nth)
{
	struct census before = census_take(q->on == NVME ? function_nvme() : function_edu());
	bool failed;
	int err;

	s->q = q;
	s->bdf = q->on == NVME ? function_nvme() : function_edu();
	s->fd = -1;
	s->nth = nth;
	err = q->setup ? q->setup(s) : 0;
	must(s, "setup", err);
	failed = !err && run(s, nth);
	if (q->undo && !err)
		q->undo(s);
	if (q->end)
		q->end(s);
	compare(s, "at its end,", &before);
	return failed;
}

static bool is_for(const struct sequence *q, const struct injector *injector)
{
	if (q->on == NVME && !function_nvme())
		return false;
	return injector->of_kernel ? !q->hook_only : !q->kernel_only;
}

/* Fails each call of the sequence once. */
static void sweep(struct scene *s, const struct sequence *q)
{
	unsigned int nth = 1, nr = 0;

	s->skew = campaign_below(s->c, PAGE);
	while (pass(s, q, nth)) {
		campaign_step(s->c, 1);
		nr++;
		nth += q->once && s->injector->of_kernel ? 1 + campaign_below(s->c, 64) : 1;
		if (nth > MAX_NTH) {
			campaign_fault(s->c, "%s: no end to what fails", q->name);
			break;
		}
	}
	campaign_tally(s->c, "sweeps", 1);
	if (getenv("FAILNTH_VERBOSE"))
		fprintf(stderr, "%s: %u calls failed, %d ms\n", q->name, nr,
			(int)(now_ms() - s->c->started_ms));
}

static void shuffle(struct campaign *c, unsigned int *order, unsigned int nr)
{
	unsigned int i, j, other;

	for (i = 0; i < nr; i++)
		order[i] = i;
	for (i = nr - 1; i > 0; i--) {
		j = campaign_below(c, i + 1);
		other = order[i];
		order[i] = order[j];
		order[j] = other;
	}
}

/* In any order, again and again with other offsets, till as many failed as were asked for. */
static void sweep_all(struct scene *s)
{
	unsigned int order[ARRAY_SIZE(sequences)];
	bool first = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sequences) && s->c->goal >= LONG_RUN; i++)
		if (sequences[i].once && is_for(&sequences[i], s->injector))
			sweep(s, &sequences[i]);
	while (first || !campaign_is_done(s->c)) {
		shuffle(s->c, order, ARRAY_SIZE(order));
		for (i = 0; i < ARRAY_SIZE(order) && !campaign_is_done(s->c); i++) {
			const struct sequence *q = &sequences[order[i]];

			if (!q->once && is_for(q, s->injector))
				sweep(s, q);
		}
		first = false;
	}
}

/* One of them, by its name. */
static void sweep_one(struct scene *s, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sequences); i++)
		if (!strcmp(sequences[i].name, name) && is_for(&sequences[i], s->injector))
			sweep(s, &sequences[i]);
}

/* Memory that nobody points to, where the kernel looks for it. */
static void look_for_leaks(struct campaign *c)
{
	char line[256];
	FILE *file;
	int i;

	/* What is younger than some seconds isn't told of. */
	for (i = 0; i < 2; i++) {
		if (file_write("/sys/kernel/debug/kmemleak", "scan"))
			return;
		sleep(6);
	}
	file = fopen("/sys/kernel/debug/kmemleak", "r");
	while (file && fgets(line, sizeof(line), file)) {
		fprintf(stderr, "%s", line);
		if (!strncmp(line, "unreferenced", 12))
			campaign_fault(c, "kmemleak found one");
	}
	if (file)
		fclose(file);
}

static void scene_new(struct scene *s, struct campaign *c)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->c = c;
	s->injector = injector_find();
	s->pool = pages_new(POOL_PAGES, 0);
	s->pristine = pages_new(POOL_PAGES, 0);
	for (i = 0; i < POOL_PAGES * PAGE; i++)
		s->pool[i] = campaign_random(c);
	memcpy(s->pristine, s->pool, POOL_PAGES * PAGE);
	for (i = 0; i < MAX_VECTORS; i++)
		s->events[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static const char *argument(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return NULL;
}

int main(int argc, char **argv)
{
	static struct scene s;
	const char *only = argument(argc, argv, "--only");
	unsigned int sites, never;
	struct campaign c;

	function_require();
	campaign_start(&c, argc, argv, "failnth", "injections", only ? 0 : 1500);
	scene_new(&s, &c);
	if (!s.injector) {
		fprintf(stderr, "failnth: neither this kernel nor this module can fail calls\n");
		return SKIPPED;
	}
	fprintf(stderr, "failnth: by %s\n", s.injector->name);
	file_write("/sys/kernel/debug/kmemleak", "clear");
	if (only)
		sweep_one(&s, only);
	else
		sweep_all(&s);
	look_for_leaks(&c);
	injector_sites(&sites, &never, true);
	if (sites) {
		campaign_tally(&c, "sites", sites);
		campaign_tally(&c, "sites that never failed", never);
	}
	return campaign_end(&c);
}
