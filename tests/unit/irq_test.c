// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Waiting for an eventfd. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fire(int fd, uint64_t times)
{
	assert_int_equal(write(fd, &times, sizeof(times)), sizeof(times));
}

static void test_count(void **state)
{
	int fd = eventfd(3, EFD_CLOEXEC);

	assert_int_equal(usrpci_irq_wait(fd, 0), 3);
	assert_int_equal(usrpci_irq_wait(fd, 0), -ETIMEDOUT);
	fire(fd, 1);
	fire(fd, 1);
	assert_int_equal(usrpci_irq_wait(fd, -1), 2);
	fire(fd, UINT64_MAX - 1);
	assert_int_equal(usrpci_irq_wait(fd, 10), INT64_MAX);
	close(fd);
}

static void test_timeout(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int64_t start = now_ms();

	assert_int_equal(usrpci_irq_wait(fd, 50), -ETIMEDOUT);
	assert_in_range(now_ms() - start, 49, 5000);
	close(fd);
}

static void test_bad_descriptors(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), pipes[2];

	close(fd);
	assert_int_equal(usrpci_irq_wait(fd, 0), -EBADF);
	assert_int_equal(usrpci_irq_wait(-1, 0), -EBADF);
	assert_int_equal(usrpci_irq_wait(INT_MIN, -1), -EBADF);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(write(pipes[1], "abc", 3), 3);
	assert_int_equal(usrpci_irq_wait(pipes[0], 0), -EINVAL);
	assert_int_equal(close(pipes[1]), 0);
	assert_int_equal(usrpci_irq_wait(pipes[0], 0), -EINVAL);
	close(pipes[0]);
}

static void on_alarm(int signal)
{
}

static void test_signal(void **state)
{
	const struct itimerval soon = { .it_value.tv_usec = 5000 };
	const struct sigaction action = { .sa_handler = on_alarm };
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(usrpci_irq_wait(fd, 10000), -EINTR);
	close(fd);
}

struct race {
	int fd;
	int taken;
	int late;
};

static void *take_one(void *arg)
{
	struct race *race = arg;
	int64_t start = now_ms();

	if (usrpci_irq_wait(race->fd, 40) > 0)
		__atomic_add_fetch(&race->taken, 1, __ATOMIC_RELAXED);
	if (now_ms() - start > 5000)
		__atomic_add_fetch(&race->late, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void fire_at_two(struct race *race)
{
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_one, race), 0);
	/* Both are to be asleep by then. */
	usleep(5000);
	fire(race->fd, 1);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/*
 * One interrupt wakes two waiters of a blocking eventfd: one takes it, the other
 * doesn't sleep past its timeout. A watchdog ends a run that hangs.
 */
static void test_two_waiters(void **state)
{
	struct race race = { .fd = eventfd(0, EFD_CLOEXEC) };
	int i;

	signal(SIGALRM, SIG_DFL);
	alarm(120);
	for (i = 0; i < 50; i++)
		fire_at_two(&race);
	alarm(0);
	assert_int_equal(race.taken, 50);
	assert_int_equal(race.late, 0);
	close(race.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_two_waiters),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
