// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Whatever takes a function away, or its user, leaves nothing behind. */
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "stall.h"

#define MASTER	4

/* All that one can hold of a function. */
struct holder {
	int fd;
	volatile uint32_t *regs;
	unsigned char *memory;
	struct usrpci_ioc_region region;
	struct usrpci_ioc_coherent buffer;
	unsigned char *coherent;
	int event;
	uint64_t bar_offset;
	uint64_t config_offset;
};

/* Nothing waits for a user: a second is plenty, but for a kernel that checks each access. */
static uint64_t patience_ms(void)
{
	return kernel_is_slow() ? 20000 : 1000;
}

static void hold(struct holder *h, const char *bdf)
{
	h->fd = function_open(bdf);
	assert_true(h->fd >= 0);
	h->bar_offset = function_bar(h->fd, 0).offset;
	h->config_offset = function_info(h->fd).config_offset;
	h->regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, h->bar_offset);
	assert_ptr_not_equal(h->regs, MAP_FAILED);
	h->memory = pages_new(8, 1);
	h->region = function_region(h->memory, 8 * PAGE, USRPCI_BIDIRECTIONAL);
	assert_int_equal(function_map(h->fd, &h->region), 0);
	assert_int_equal(function_coherent(h->fd, 3 * PAGE, &h->buffer), 0);
	h->coherent = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd,
			   h->buffer.mmap_offset);
	assert_ptr_not_equal(h->coherent, MAP_FAILED);
	/* A map is filled by touching it. */
	assert_int_equal(touch(h->regs), 0);
	assert_int_equal(touch_write(h->coherent, 1), 0);
	h->event = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(function_irq_setup(h->fd, USRPCI_IRQ_INTX, 1), 0);
	assert_int_equal(function_irq_wire(h->fd, 0, 1, &h->event), 0);
	assert_int_equal(function_master(h->fd, 1), 0);
}

static void let_go(struct holder *h)
{
	assert_int_equal(munmap((void *)h->regs, PAGE), 0);
	assert_int_equal(munmap(h->coherent, 3 * PAGE), 0);
	assert_int_equal(close(h->fd), 0);
	pages_free(h->memory, 8);
	close(h->event);
}

static void opens_clean(const char *bdf)
{
	int fd = function_open(bdf);

	assert_true(fd >= 0);
	assert_int_equal(function_nr_held(bdf), 0);
	assert_int_equal(function_command(bdf) & MASTER, 0);
	close(fd);
}

static void killed(const char *bdf, bool moving)
{
	long before = pages_pinned();
	struct holder h;
	int ready[2], i;
	char byte;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		assert_int_equal(pipe(ready), 0);
		pid = fork();
		if (!pid) {
			hold(&h, bdf);
			if (moving)
				edu_hw_raise(&(struct edu_hw){ .fd = h.fd, .regs = h.regs }, 1);
			if (write(ready[1], "", 1) == 1)
				pause();
			_exit(1);
		}
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		assert_int_equal(function_command(bdf) & MASTER, MASTER);
		assert_int_equal(pages_pinned(), before + 8);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(ready[0]);
		assert_int_equal(function_command(bdf) & MASTER, 0);
		assert_int_equal(pages_pinned(), before);
		opens_clean(bdf);
	}
}

static void killed_holder_of_edu_leaves_nothing(void **state)
{
	killed(function_edu(), true);
}

static void killed_holder_of_nvme_leaves_nothing(void **state)
{
	if (!function_nvme())
		skip();
	killed(function_nvme(), false);
}

static void exit_with_all_held_leaves_nothing(void **state)
{
	struct holder h;
	int status;
	pid_t pid = fork();

	if (!pid) {
		hold(&h, function_edu());
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(function_command(function_edu()) & MASTER, 0);
	opens_clean(function_edu());
}

static void *poller(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	return (void *)(uintptr_t)(poll(&p, 1, 60000) == 1 ? p.revents : 0);
}

/* The function is no longer this file's: nothing works, and nothing hangs. */
static void is_revoked(struct holder *h)
{
	static const uint32_t sizes[] = { 104, 80, 24, 16, 48, 32, 24, 32, 16, 24, 16, 8, 24 };
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	unsigned char arg[256];
	uint32_t value = 0;
	unsigned int i;

	assert_int_equal(touch(h->regs), SIGBUS);
	assert_int_equal(touch_write(h->regs + 1, 0), SIGBUS);
	assert_int_equal(touch(h->coherent), 0);
	assert_int_equal(*(volatile uint32_t *)h->coherent, 1);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(arg, 0, sizeof(arg));
		*(uint32_t *)arg = sizes[i];
		assert_int_equal(function_call(h->fd, _IO(USRPCI_IOC_TYPE, i), arg), -ENODEV);
	}
	assert_int_equal(pread(h->fd, &value, 4, h->bar_offset), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(pwrite(h->fd, &value, 4, h->bar_offset + 4), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(pread(h->fd, &value, 4, h->config_offset), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(pwrite(h->fd, &value, 4, h->config_offset), -1);
	assert_int_equal(errno, ENODEV);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, h->fd, h->bar_offset), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, h->fd, h->buffer.mmap_offset),
			 MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLERR | POLLHUP);
}

static int take_away_by_unbind(const char *bdf)
{
	return function_unbind(bdf);
}

static int take_away_by_remove(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	return file_write(path, "1");
}

static int give_back_by_rescan(const char *bdf)
{
	return file_write("/sys/bus/pci/rescan", "1") ?: function_bind(bdf);
}

/* The kernel's own driver may have been quicker. */
static int give_back_nvme(const char *bdf)
{
	char path[96];
	int err = file_write("/sys/bus/pci/rescan", "1");

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", bdf);
	file_write(path, bdf);
	return err ?: function_bind(bdf);
}

static void taken_away(const char *bdf, int (*take)(const char *), int (*give)(const char *))
{
	long before = pages_pinned();
	struct holder h, next;
	uint64_t start, took;
	pthread_t thread;
	void *events;

	hold(&h, bdf);
	pthread_create(&thread, NULL, poller, &h.fd);
	usleep(20000);
	start = now_ms();
	assert_int_equal(take(bdf), 0);
	took = now_ms() - start;
	pthread_join(thread, &events);
	assert_int_equal((uintptr_t)events, POLLERR | POLLHUP);
	assert_true(took < patience_ms());
	/* Woken, and not only when its time was up. */
	assert_true(now_ms() - start < patience_ms() + 2000);
	assert_int_equal(pages_pinned(), before);
	is_revoked(&h);
	assert_int_equal(function_open(bdf), -ENOENT);
	assert_int_equal(give(bdf), 0);
	/* The old one is open yet. */
	hold(&next, bdf);
	is_revoked(&h);
	let_go(&h);
	assert_int_equal(next.regs[0], *next.regs);
	assert_int_equal(function_nr_held(bdf), 2);
	let_go(&next);
	opens_clean(bdf);
	assert_int_equal(pages_charged(), 0);
}

static void unbound_while_held(void **state)
{
	taken_away(function_edu(), take_away_by_unbind, function_bind);
}

static void removed_while_held(void **state)
{
	taken_away(function_edu(), take_away_by_remove, give_back_by_rescan);
}

static void nvme_unbound_while_held(void **state)
{
	if (!function_nvme())
		skip();
	taken_away(function_nvme(), take_away_by_unbind, function_bind);
}

static void nvme_removed_while_held(void **state)
{
	if (!function_nvme())
		skip();
	taken_away(function_nvme(), take_away_by_remove, give_back_nvme);
}

static void unbound_function_has_no_master(void **state)
{
	struct holder h;

	hold(&h, function_edu());
	assert_int_equal(function_command(function_edu()) & MASTER, MASTER);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(function_command(function_edu()) & MASTER, 0);
	let_go(&h);
	assert_int_equal(function_bind(function_edu()), 0);
	opens_clean(function_edu());
}

/* --- calls, while it's taken away --- */

static volatile bool stop;

static void *caller(void *arg)
{
	int fd = *(int *)arg;
	unsigned char *memory = pages_new(4, 1);
	struct usrpci_ioc_region region;
	struct usrpci_ioc_coherent buffer;
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	uint32_t value;

	while (!stop) {
		region = function_region(memory, 4 * PAGE, 0);
		if (!function_map(fd, &region)) {
			function_sync(fd, region.handle, USRPCI_SYNC_FOR_CPU, 1, PAGE);
			function_unmap_one(fd, region.handle);
		}
		if (!function_coherent(fd, PAGE, &buffer))
			function_unmap_one(fd, buffer.handle);
		function_call(fd, USRPCI_INFO, &info);
		function_irq_setup(fd, USRPCI_IRQ_MSI, 1);
		function_irq_setup(fd, USRPCI_IRQ_NONE, 0);
		function_master(fd, 1);
		if (pread(fd, &value, 4, 7ULL << 44) != 4)
			usleep(100);
	}
	pages_free(memory, 4);
	return NULL;
}

static void unbound_while_called(void **state)
{
	long before = pages_pinned();
	pthread_t threads[3];
	int round, i, fd;

	for (round = 0; round < (int)times(30); round++) {
		fd = function_open(function_edu());
		assert_true(fd >= 0);
		stop = false;
		for (i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, caller, &fd);
		usleep(round * 700);
		assert_int_equal(function_unbind(function_edu()), 0);
		stop = true;
		for (i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(pages_pinned(), before);
		assert_int_equal(function_command(function_edu()) & MASTER, 0);
		assert_int_equal(function_bind(function_edu()), 0);
		close(fd);
	}
}

/* --- nothing waits for a user --- */

struct stuck {
	struct stall stall;
	struct usrpci_ioc_region region;
	int fd;
	int result;
};

static void *stuck_call(void *arg)
{
	struct stuck *stuck = arg;

	stuck->result = function_map(stuck->fd, &stuck->region);
	return NULL;
}

/* A call waits for its user: to bring its memory in, or to take the answer. */
static void unbound_while_stuck(struct stuck *stuck)
{
	long before = pages_pinned();
	pthread_t thread;
	uint64_t start;

	stuck->fd = function_open(function_edu());
	assert_true(stuck->fd >= 0);
	pthread_create(&thread, NULL, stuck_call, stuck);
	if (!stall_wait(&stuck->stall)) {
		/* Before 6.2 memory is pinned for long only if nobody waits for it. */
		pthread_join(thread, NULL);
		close(stuck->fd);
		assert_int_equal(stuck->result, -EFAULT);
		skip();
	}
	start = now_ms();
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_true(now_ms() - start < patience_ms());
	assert_int_equal(pages_pinned(), before);
	assert_int_equal(function_bind(function_edu()), 0);
	opens_clean(function_edu());
	stall_end(&stuck->stall);
	pthread_join(thread, NULL);
	assert_int_equal(stuck->result, -ENODEV);
	close(stuck->fd);
	stall_free(&stuck->stall);
}

static void unbind_does_not_wait_for_memory(void **state)
{
	struct stuck stuck;

	if (!stall_new(&stuck.stall))
		skip();
	stuck.region = function_region(stuck.stall.page, PAGE, USRPCI_BIDIRECTIONAL);
	unbound_while_stuck(&stuck);
}

static void unbind_does_not_wait_for_an_answer(void **state)
{
	unsigned char *memory = pages_new(1, 1);
	struct stuck stuck;

	if (!stall_new(&stuck.stall))
		skip();
	stuck.region = function_region(memory, PAGE, USRPCI_BIDIRECTIONAL);
	stuck.region.sg = (uintptr_t)stuck.stall.page;
	stuck.region.nr_sg = 1;
	unbound_while_stuck(&stuck);
	pages_free(memory, 1);
}

/* --- maps, while it's taken away --- */

#define MAPPERS		2
#define MAPS		20000

struct maps {
	volatile bool go;
	volatile bool gone;
};

/* Maps as fast as it can till the function has gone; then touches all it got. */
static int map_and_touch(struct maps *shared, int fd, uint64_t bar, uint64_t buffer)
{
	static void *maps[MAPS];
	int i, nr = 0, wrong = 0;

	while (!shared->go)
		;
	while (!shared->gone && nr < MAPS) {
		maps[nr] = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, nr & 1 ? buffer : bar);
		if (maps[nr] == MAP_FAILED)
			break;
		touch(maps[nr++]);
	}
	while (!shared->gone)
		usleep(100);
	/* A buffer's maps keep a copy of it; a BAR's reach nothing any more. */
	for (i = 0; i < nr; i++)
		if ((touch(maps[i]) == 0) != (i & 1))
			wrong++;
	if (wrong)
		print_error("%d of %d maps aren't what they should be\n", wrong, nr);
	return wrong;
}

static int race_of_maps(struct maps *shared, unsigned int delay)
{
	int fd = function_open(function_edu()), i, status, failed = 0;
	struct usrpci_ioc_coherent buffer;
	uint64_t bar;

	assert_true(fd >= 0);
	bar = function_bar(fd, 0).offset;
	assert_int_equal(function_coherent(fd, PAGE, &buffer), 0);
	memset(shared, 0, sizeof(*shared));
	for (i = 0; i < MAPPERS; i++) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(map_and_touch(shared, fd, bar, buffer.mmap_offset));
		}
	}
	shared->go = true;
	usleep(delay);
	assert_int_equal(function_unbind(function_edu()), 0);
	shared->gone = true;
	while (wait(&status) > 0)
		failed += status != 0;
	close(fd);
	assert_int_equal(function_bind(function_edu()), 0);
	return failed;
}

/* A map must not slip in between the end of mmap's call and the zap. */
static void no_map_outlives_an_unbind(void **state)
{
	struct maps *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, failed = 0;

	for (i = 0; i < (int)times(60); i++)
		failed += race_of_maps(shared, 1000 + i * 500);
	assert_int_equal(failed, 0);
	pages_free(shared, 1);
}

/* --- reset --- */

static void edu_has_no_reset(void **state)
{
	int fd = function_open(function_edu());

	assert_int_equal(function_reset(fd), -EOPNOTSUPP);
	close(fd);
}

static void still_works(struct holder *h, const char *bdf)
{
	assert_int_equal(touch(h->regs), 0);
	assert_int_equal(touch(h->coherent), 0);
	assert_int_equal(function_command(bdf) & (MASTER | 2), MASTER | 2);
	assert_int_equal(function_nr_held(bdf), 2);
	assert_int_equal(function_sync(h->fd, h->region.handle, USRPCI_SYNC_FOR_CPU, 0, PAGE), 0);
}

static void reset_keeps_what_is_held(void **state)
{
	struct holder h;
	long pinned;
	int i;

	if (!function_nvme())
		skip();
	hold(&h, function_nvme());
	pinned = pages_pinned();
	for (i = 0; i < 3; i++) {
		assert_int_equal(function_reset(h.fd), 0);
		still_works(&h, function_nvme());
	}
	assert_int_equal(pages_pinned(), pinned);
	let_go(&h);
}

static void reset_resets_registers(void **state)
{
	struct holder h;
	uint32_t configuration;

	if (!function_nvme())
		skip();
	hold(&h, function_nvme());
	/* CC: the size of queue entries (NVMe 1.4, 3.1.5) */
	configuration = h.regs[0x14 / 4];
	h.regs[0x14 / 4] = configuration ^ 6 << 16;
	assert_int_equal(h.regs[0x14 / 4], configuration ^ 6 << 16);
	assert_int_equal(function_reset(h.fd), 0);
	assert_int_equal(h.regs[0x14 / 4], 0);
	let_go(&h);
}

static void reset_by_root_while_in_use(void **state)
{
	struct holder h;
	char path[96];
	pthread_t thread;
	int i;

	if (!function_nvme())
		skip();
	hold(&h, function_nvme());
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", function_nvme());
	stop = false;
	pthread_create(&thread, NULL, caller, &h.fd);
	for (i = 0; i < 3; i++)
		assert_int_equal(file_write(path, "1"), 0);
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(touch(h.regs), 0);
	let_go(&h);
}

/* --- the module --- */

static int unload(void)
{
	return syscall(SYS_delete_module, "usrpci", O_NONBLOCK) < 0 ? -errno : 0;
}

static void module_stays_while_open(void **state)
{
	struct holder h;

	hold(&h, function_edu());
	assert_int_equal(unload(), -EWOULDBLOCK);
	close(h.fd);
	/* The maps hold it yet. */
	assert_int_equal(unload(), -EWOULDBLOCK);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(unload(), -EWOULDBLOCK);
	assert_int_equal(function_bind(function_edu()), 0);
	assert_int_equal(munmap((void *)h.regs, PAGE), 0);
	assert_int_equal(munmap(h.coherent, 3 * PAGE), 0);
	pages_free(h.memory, 8);
	close(h.event);
	opens_clean(function_edu());
}

static void bound_by_name_only(void **state)
{
	char path[128];

	assert_int_equal(function_unbind(function_edu()), 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", function_edu());
	assert_int_equal(file_write(path, "\n"), 0);
	file_write("/sys/bus/pci/drivers/usrpci/new_id", "1234 11e8");
	file_write("/sys/bus/pci/drivers_probe", function_edu());
	assert_int_equal(function_open(function_edu()), -ENOENT);
	assert_int_equal(file_write("/sys/bus/pci/drivers/usrpci/remove_id", "1234 11e8"), 0);
	assert_int_equal(function_bind(function_edu()), 0);
	opens_clean(function_edu());
}

/* A test that failed may have left a function unbound. */
static int bound_setup(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	if (access(path, F_OK))
		function_bind(function_edu());
	return nothing_held_setup(state);
}

#define TEST(_f) cmocka_unit_test_setup_teardown(_f, bound_setup, nothing_held_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_holder_of_edu_leaves_nothing),
		TEST(killed_holder_of_nvme_leaves_nothing),
		TEST(exit_with_all_held_leaves_nothing),
		TEST(unbound_while_held),
		TEST(removed_while_held),
		TEST(nvme_unbound_while_held),
		TEST(nvme_removed_while_held),
		TEST(unbound_function_has_no_master),
		TEST(unbound_while_called),
		TEST(unbind_does_not_wait_for_memory),
		TEST(unbind_does_not_wait_for_an_answer),
		TEST(no_map_outlives_an_unbind),
		TEST(edu_has_no_reset),
		TEST(reset_keeps_what_is_held),
		TEST(reset_resets_registers),
		TEST(reset_by_root_while_in_use),
		TEST(module_stays_while_open),
		TEST(bound_by_name_only),
	};

	function_require();
	return cmocka_run_group_tests_name("teardown", tests, NULL, NULL);
}
