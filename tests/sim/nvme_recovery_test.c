// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The NVMe driver's queues and threads, and what it makes of a disk whose commands don't end: on
 * one that usrpci-sim plays at a socket, whose knobs are turned meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <nvme/nvme.h>

#include <cmocka.h>

#define PAGE		4096UL
#define BLOCKS		8U	/* of a page */
#define QUEUES		4U
#define TIMEOUT_MS	400U
/* Far more than a reset takes, and far less than waiting for nothing would. */
#define SOON_MS		5000

static char folder[32];
static char address[100];
static struct sockaddr_un control_at = { .sun_family = AF_UNIX };
static pid_t server;

/* Each group has its own. */
static enum nvme_irq irq;
static unsigned int timeout_ms = TIMEOUT_MS;
static struct nvme *disk;
static struct usrpci_mapping map;
static struct usrpci_sg sg[64];

/* --- the simulator --- */

static int connect_control(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		if (!connect(fd, (struct sockaddr *)&control_at, sizeof(control_at)))
			return fd;
		usleep(10000);
	}
	fail_msg("nobody listens at %s", control_at.sun_path);
	return -1;
}

static void ask(const char *line, char *answer, size_t len)
{
	int fd = connect_control();
	ssize_t got;

	dprintf(fd, "%s\n", line);
	got = read(fd, answer, len - 1);
	close(fd);
	answer[got > 0 ? got : 0] = '\0';
}

static void turn(const char *knob)
{
	char answer[100];

	ask(knob, answer, sizeof(answer));
	assert_string_equal(answer, "ok\n");
}

/* Of the function, which the driver does only when the controller doesn't stop. */
static unsigned int resets(void)
{
	char answer[4096], *at;

	ask("status", answer, sizeof(answer));
	at = strstr(answer, "\"resets\":");
	assert_non_null(at);
	return (unsigned int)strtoul(at + strlen("\"resets\":"), NULL, 10);
}

static int start_server(void **state)
{
	char path[50];

	snprintf(path, sizeof(path), "%s/nvme", folder);
	snprintf(address, sizeof(address), "vfio-user:%s", path);
	snprintf(control_at.sun_path, sizeof(control_at.sun_path), "%s/control", folder);
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("usrpci-sim", "usrpci-sim", "nvme,size=16M,mdts=10", "--socket", path,
		       "--control", control_at.sun_path, (char *)NULL);
		_exit(127);
	}
	close(connect_control());
	return 0;
}

static int stop_server(void **state)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return 0;
}

/* --- the disk --- */

static struct nvme_options options_of(void)
{
	return (struct nvme_options){ .queues = QUEUES, .irq = irq, .timeout_ms = timeout_ms };
}

static int open_disk(void **state)
{
	const struct nvme_options options = options_of();
	int err = nvme_open(&disk, address, &options);

	map = (struct usrpci_mapping){
		.len = 32 * PAGE, .direction = USRPCI_DMA_BOTH, .sg = sg,
		.nr_sg = sizeof(sg) / sizeof(sg[0]),
	};
	map.addr = mmap(NULL, map.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return err ? err : usrpci_map(nvme_device(disk), &map, 1);
}

static int close_disk(void **state)
{
	turn("command-held=0");
	turn("command-lost=0");
	nvme_close(disk);
	munmap(map.addr, map.len);
	timeout_ms = TIMEOUT_MS;
	return 0;
}

/* Some order of things is only so if the host isn't too busy. */
static int open_patient(void **state)
{
	timeout_ms = 5 * TIMEOUT_MS;
	return open_disk(state);
}

static int open_very_patient(void **state)
{
	timeout_ms = 100 * TIMEOUT_MS;
	return open_disk(state);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct nvme_queue *queue(unsigned int index)
{
	return nvme_queue(disk, index);
}

/* A page of the map's, and of the disk. */
static int submit(unsigned int index, enum nvme_op op, unsigned int page)
{
	const struct nvme_command command = {
		.op = op, .lba = page * BLOCKS, .blocks = BLOCKS, .map = &map,
		.offset = page * PAGE, .cookie = page,
	};

	return nvme_submit(queue(index), &command);
}

/* The one command that is under way in a queue ends so. */
static void ends(unsigned int index, uint64_t cookie, int error)
{
	struct nvme_completion done = { 0 };

	assert_int_equal(nvme_wait(queue(index), &done, 1, SOON_MS), 1);
	assert_int_equal(done.cookie, cookie);
	assert_int_equal(done.error, error);
}

/* Each queue writes something, and reads it. */
static void all_work(unsigned char what)
{
	unsigned char *buf = malloc(PAGE), *back = malloc(PAGE);
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		memset(buf, what + (int)i, PAGE);
		assert_int_equal(nvme_write(queue(i), (100 + i) * PAGE, buf, PAGE, NVME_FUA), 0);
	}
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(nvme_read(queue(QUEUES - 1 - i), (100 + i) * PAGE, back, PAGE), 0);
		memset(buf, what + (int)i, PAGE);
		assert_memory_equal(back, buf, PAGE);
	}
	free(buf);
	free(back);
}

/* --- queues --- */

static void test_counts(void **state)
{
	struct nvme_options options = { .queues = 1000, .depth = 5000, .irq = NVME_MSIX };

	assert_int_equal(nvme_info(disk)->queues, QUEUES);
	assert_non_null(queue(QUEUES - 1));
	assert_null(queue(QUEUES));
	assert_null(queue(UINT32_MAX));
	close_disk(state);
	assert_int_equal(nvme_open(&disk, address, &options), 0);
	assert_int_equal(nvme_info(disk)->queues, 8);
	assert_int_equal(nvme_info(disk)->depth, 1024);
	assert_int_equal(nvme_info(disk)->max_transfer, 512 * PAGE);
	nvme_close(disk);
	options.irq = NVME_INTX;
	options.depth = 64;
	assert_int_equal(nvme_open(&disk, address, &options), 0);
	assert_int_equal(nvme_info(disk)->queues, 1);
	assert_int_equal(nvme_info(disk)->depth, 64);
	/* A list that goes on in a second page. */
	assert_int_equal(nvme_info(disk)->max_transfer, 1024 * PAGE);
	assert_int_equal(nvme_queue_eventfd(queue(0)), -1);
	nvme_close(disk);
	options.irq = NVME_MSI;
	assert_int_equal(nvme_open(&disk, address, &options), 0);
	assert_int_equal(nvme_info(disk)->queues, 8);
	nvme_close(disk);
	assert_int_equal(open_disk(state), 0);
}

static void test_events_of_each_queue(void **state)
{
	struct pollfd fds[QUEUES];
	unsigned int i, j;
	uint64_t count;

	for (i = 0; i < QUEUES; i++)
		fds[i] = (struct pollfd){ nvme_queue_eventfd(queue(i)), POLLIN, 0 };
	if (irq == NVME_POLLED) {
		assert_int_equal(fds[0].fd, -1);
		skip();
	}
	/* The first one's vector is the admin queue's too, which has worked. */
	poll(fds, 1, 0);
	if (fds[0].revents)
		assert_int_equal(read(fds[0].fd, &count, sizeof(count)), sizeof(count));
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(submit(i, NVME_READ, i), 0);
		assert_int_equal(poll(fds, QUEUES, SOON_MS), 1);
		for (j = 0; j < QUEUES; j++)
			assert_int_equal(fds[j].revents, j == i ? POLLIN : 0);
		assert_int_equal(read(fds[i].fd, &count, sizeof(count)), sizeof(count));
		ends(i, i, 0);
	}
}

/**
 * struct worker - A thread with a queue.
 * @thread: it
 * @index: its queue, and its part of the disk
 * @turns: how often it does something
 * @errors: how many commands ended with what a reset gives them
 * @wrong: how often it saw what mustn't be
 */
struct worker {
	pthread_t thread;
	unsigned int index;
	unsigned int turns;
	unsigned int errors;
	unsigned int wrong;
};

static bool was_ended(struct worker *w, int err)
{
	if (err == -ETIMEDOUT || err == -ECANCELED) {
		w->errors++;
		return true;
	}
	w->wrong += err != 0;
	return false;
}

/* As long as it takes: a write that was ended may or may not have been done. */
static void write_page(struct worker *w, uint64_t at, unsigned char what)
{
	unsigned char buf[PAGE];

	memset(buf, what, PAGE);
	while (was_ended(w, nvme_write(queue(w->index), at, buf, PAGE, 0)))
		;
}

static void check_page(struct worker *w, uint64_t at, unsigned char what)
{
	unsigned char buf[PAGE], expected[PAGE];

	memset(expected, what, PAGE);
	while (was_ended(w, nvme_read(queue(w->index), at, buf, PAGE)))
		;
	w->wrong += !!memcmp(buf, expected, PAGE);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t place;
	unsigned int i;

	for (i = 0; i < w->turns && !w->wrong; i++) {
		place = (200 + 100 * w->index + i % 50) * PAGE;
		write_page(w, place, (unsigned char)(i + w->index));
		check_page(w, place, (unsigned char)(i + w->index));
	}
	return NULL;
}

/* All threads at once; how many commands were ended. */
static unsigned int work_all(unsigned int turns)
{
	struct worker workers[QUEUES] = { { 0 } };
	unsigned int i, errors = 0;

	for (i = 0; i < QUEUES; i++) {
		workers[i].index = i;
		workers[i].turns = turns;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < QUEUES; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
		errors += workers[i].errors;
	}
	return errors;
}

static void test_threads(void **state)
{
	assert_int_equal(work_all(500), 0);
}

/* --- commands that don't end --- */

static void test_aborted(void **state)
{
	int64_t start = now_ms();

	turn("command-held=1");
	assert_int_equal(submit(0, NVME_READ, 3), 0);
	usleep(TIMEOUT_MS / 2 * 1000);
	assert_int_equal(submit(1, NVME_READ, 4), 0);
	assert_int_equal(submit(1, NVME_WRITE, 5), 0);
	ends(0, 3, -ETIMEDOUT);
	assert_in_range(now_ms() - start, TIMEOUT_MS, SOON_MS);
	/* Had it taken a reset, these would be ended by that. */
	ends(1, 4, -ETIMEDOUT);
	ends(1, 5, -ETIMEDOUT);
	turn("command-held=0");
	all_work(1);
}

static void test_many_aborted(void **state)
{
	struct nvme_completion done[5];
	unsigned int i, left = 30;
	int got;

	turn("command-held=1");
	for (i = 0; i < left; i++)
		assert_int_equal(submit(2, NVME_READ, i), 0);
	while (left) {
		got = nvme_wait(queue(2), done, 5, SOON_MS);
		assert_in_range(got, 1, 5);
		while (got--) {
			assert_int_equal(done[got].error, -ETIMEDOUT);
			left--;
		}
	}
	turn("command-held=0");
	all_work(2);
}

static void test_reset(void **state)
{
	const unsigned int before = resets();
	int64_t start = now_ms();

	turn("command-lost=1");
	assert_int_equal(submit(0, NVME_READ, 3), 0);
	/* Too young to be aborted when the first one is given up. */
	usleep((timeout_ms - 50) * 1000);
	assert_int_equal(submit(1, NVME_WRITE, 4), 0);
	assert_int_equal(submit(1, NVME_WRITE, 5), 0);
	ends(0, 3, -ETIMEDOUT);
	assert_in_range(now_ms() - start, timeout_ms, SOON_MS);
	turn("command-lost=0");
	assert_int_equal(submit(1, NVME_READ, 6), -EAGAIN);
	assert_int_equal(nvme_read(queue(1), 0, map.addr, PAGE), -EBUSY);
	ends(1, 4, -ECANCELED);
	assert_int_equal(submit(1, NVME_READ, 6), -EAGAIN);
	ends(1, 5, -ECANCELED);
	assert_int_equal(submit(1, NVME_READ, 6), 0);
	ends(1, 6, 0);
	all_work(3);
	assert_int_equal(resets(), before);
}

/* nvme_read() and its like tell of it as well, and so does what moves no data. */
static void test_calls(void **state)
{
	unsigned char byte;

	turn("command-lost=1");
	assert_int_equal(nvme_read(queue(0), 0, map.addr, PAGE), -ETIMEDOUT);
	assert_int_equal(nvme_read(queue(0), 5, &byte, 1), -ETIMEDOUT);
	assert_int_equal(nvme_write(queue(3), 0, map.addr, 3 * PAGE, 0), -ETIMEDOUT);
	assert_int_equal(nvme_flush(queue(1)), -ETIMEDOUT);
	turn("command-lost=0");
	turn("command-held=1");
	assert_int_equal(nvme_zero(queue(1), 0, PAGE, 0), -ETIMEDOUT);
	assert_int_equal(nvme_discard(queue(1), 0, PAGE), -ETIMEDOUT);
	turn("command-held=0");
	all_work(4);
}

static void *poll_till_done(void *arg)
{
	struct nvme_completion done = { 0 };
	int *error = arg;

	while (!nvme_poll(queue(3), &done, 1))
		;
	*error = done.error;
	return NULL;
}

/* Who sleeps, and who polls, learn of a reset that another one did. */
static void test_others_learn_of_it(void **state)
{
	pthread_t poller;
	int error = 0;

	turn("command-lost=1");
	assert_int_equal(submit(0, NVME_READ, 1), 0);
	usleep((timeout_ms - 50) * 1000);
	assert_int_equal(submit(3, NVME_READ, 3), 0);
	assert_int_equal(pthread_create(&poller, NULL, poll_till_done, &error), 0);
	ends(0, 1, -ETIMEDOUT);
	pthread_join(poller, NULL);
	assert_int_equal(error, -ECANCELED);
	turn("command-lost=0");
	all_work(5);
}

/* Every now and then one goes wrong, of many threads' at once. */
static void test_threads_with_resets(void **state)
{
	turn("command-lost=400");
	assert_true(work_all(100) > 0);
	turn("command-lost=0");
	turn("command-held=200");
	assert_true(work_all(100) > 0);
	turn("command-held=0");
	all_work(6);
}

static void test_closed_amid(void **state)
{
	unsigned int i;

	turn("command-lost=1");
	for (i = 0; i < QUEUES; i++)
		assert_int_equal(submit(i, NVME_READ, i), 0);
	nvme_close(disk);
	memset(map.addr, 0x77, map.len);
	turn("command-lost=0");
	assert_int_equal(open_disk(state), 0);
	all_work(7);
}

/* --- a controller that can't be brought back --- */

/* After what the driver writes to stop the controller was lost, and before it has given that up. */
static void *let_go_midway(void *arg)
{
	sleep(9);
	turn("hang=0");
	return NULL;
}

/* It doesn't stop, but obeys PCI: that's found out after 5 s for an abort, and 10 s more. */
static void test_hung(void **state)
{
	unsigned int before = resets();
	pthread_t helper;

	turn("hang=1");
	assert_int_equal(pthread_create(&helper, NULL, let_go_midway, NULL), 0);
	assert_int_equal(nvme_read(queue(0), 0, map.addr, PAGE), -ETIMEDOUT);
	pthread_join(helper, NULL);
	assert_int_equal(resets(), before + 1);
	all_work(8);
}

/* That's seen long before any command has taken too long. */
static void test_gone(void **state)
{
	int64_t start = now_ms();
	struct nvme_completion done;
	unsigned int i;

	assert_int_equal(submit(1, NVME_READ, 1), 0);
	turn("all-ones=1");
	for (i = 0; i < 2; i++) {
		assert_int_equal(nvme_read(queue(0), 0, map.addr, PAGE), -ENODEV);
		assert_int_equal(submit(2, NVME_READ, 1), -ENODEV);
		assert_int_equal(nvme_poll(queue(1), &done, 1), -ENODEV);
		assert_int_equal(nvme_wait(queue(3), &done, 1, SOON_MS), -ENODEV);
		assert_int_equal(nvme_zero(queue(3), 0, PAGE, 0), -ENODEV);
	}
	assert_in_range(now_ms() - start, 0, SOON_MS);
	turn("all-ones=0");
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, open_disk, close_disk)

static int run(enum nvme_irq with, const char *name)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts),
		TEST(test_events_of_each_queue),
		TEST(test_threads),
		TEST(test_aborted),
		TEST(test_many_aborted),
		cmocka_unit_test_setup_teardown(test_reset, open_patient, close_disk),
		TEST(test_calls),
		cmocka_unit_test_setup_teardown(test_others_learn_of_it, open_patient,
						close_disk),
		TEST(test_threads_with_resets),
		TEST(test_closed_amid),
		cmocka_unit_test_setup_teardown(test_gone, open_very_patient, close_disk),
	};

	irq = with;
	return cmocka_run_group_tests_name(name, tests, start_server, stop_server);
}

static int run_once(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hung),
	};

	irq = NVME_MSIX;
	return cmocka_run_group_tests_name("a disk that hangs", tests, start_server, stop_server);
}

int main(void)
{
	char command[50];
	int status;

	strcpy(folder, "/tmp/nvme_recovery.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	status = run(NVME_MSIX, "recovery, MSI-X") | run(NVME_POLLED, "recovery, polled") |
		 run_once();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : status;
}
