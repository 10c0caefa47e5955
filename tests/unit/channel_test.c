// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Messages over a socket, whose other end does as it likes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "vfio-user/channel.h"

#define PATIENCE_MS	100

/**
 * struct ends - Of a socket.
 * @ours: what is tested
 * @theirs: the peer's
 * @message: what has come
 * @nr_fds: descriptors of this process before the test
 */
struct ends {
	int ours;
	int theirs;
	struct vfio_user_message message;
	unsigned int nr_fds;
};

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static int setup(void **state)
{
	struct ends *ends = calloc(1, sizeof(*ends));
	int sockets[2];

	ends->nr_fds = count_fds();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -1;
	ends->ours = sockets[0];
	ends->theirs = sockets[1];
	usrpci_message_set_patience(ends->ours, PATIENCE_MS);
	*state = ends;
	return 0;
}

static int teardown(void **state)
{
	struct ends *ends = *state;
	unsigned int nr_fds = ends->nr_fds;

	usrpci_message_free(&ends->message);
	close(ends->ours);
	if (ends->theirs >= 0)
		close(ends->theirs);
	free(ends);
	return count_fds() == nr_fds ? 0 : -1;
}

static void hang_up(struct ends *ends)
{
	close(ends->theirs);
	ends->theirs = -1;
}

static void put(struct ends *ends, const void *data, size_t len)
{
	assert_int_equal(send(ends->theirs, data, len, MSG_NOSIGNAL), len);
}

/* With as many descriptors, more than usrpci_message_send() would. */
static void put_with_fds(struct ends *ends, const void *data, size_t len, unsigned int nr)
{
	union {
		char room[CMSG_SPACE(64 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	unsigned int i;

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(nr * sizeof(int));
	for (i = 0; i < nr; i++)
		((int *)CMSG_DATA(head))[i] = STDERR_FILENO;
	assert_int_equal(sendmsg(ends->theirs, &msg, 0), len);
}

static struct vfio_user_header header(size_t payload)
{
	return (struct vfio_user_header){
		.id = 7, .command = VFIO_USER_VERSION,
		.size = (uint32_t)(sizeof(struct vfio_user_header) + payload),
	};
}

static int64_t receive(struct ends *ends, int err)
{
	int64_t start = usrpci_message_now_ms();

	assert_int_equal(usrpci_message_receive(ends->ours, &ends->message), err);
	return usrpci_message_now_ms() - start;
}

/* --- whole messages --- */

static void test_there_and_back(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_part parts[] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
	struct vfio_user_header h = header(0);
	int fds[VFIO_USER_FDS], fd;
	unsigned int i;

	for (i = 0; i < VFIO_USER_FDS; i++)
		fds[i] = STDERR_FILENO;
	assert_int_equal(usrpci_message_send(ends->theirs, &h, parts, 3, fds, VFIO_USER_FDS), 0);
	receive(ends, 0);
	assert_int_equal(ends->message.header.id, 7);
	assert_int_equal(ends->message.len, 5);
	assert_memory_equal(ends->message.payload, "abcde", 5);
	assert_int_equal(ends->message.nr_fds, VFIO_USER_FDS);
	fd = usrpci_message_take_fd(&ends->message, 3);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(usrpci_message_take_fd(&ends->message, 3), -1);
	assert_int_equal(usrpci_message_take_fd(&ends->message, VFIO_USER_FDS), -1);
	usrpci_message_drop_fds(&ends->message);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

static void test_largest(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(VFIO_USER_MAX_PAYLOAD);
	static char payload[VFIO_USER_MAX_PAYLOAD];
	pid_t pid = fork();

	if (!pid) {
		close(ends->ours);
		send(ends->theirs, &h, sizeof(h), 0);
		send(ends->theirs, payload, sizeof(payload), 0);
		_exit(0);
	}
	receive(ends, 0);
	waitpid(pid, NULL, 0);
	assert_int_equal(ends->message.len, VFIO_USER_MAX_PAYLOAD);
}

static void test_two_at_once(void **state)
{
	struct ends *ends = *state;
	struct {
		struct vfio_user_header first;
		char data[4];
		struct vfio_user_header second;
	} both = { header(4), "abc", header(0) };

	both.second.id = 8;
	put(ends, &both, sizeof(both));
	receive(ends, 0);
	assert_int_equal(ends->message.header.id, 7);
	receive(ends, 0);
	assert_int_equal(ends->message.header.id, 8);
	assert_int_equal(ends->message.len, 0);
}

struct dribble {
	int channel;
	const void *data;
	size_t len;
	useconds_t pause;
};

static void *dribble(void *arg)
{
	const struct dribble *d = arg;
	size_t i;

	for (i = 0; i < d->len; i++) {
		if (send(d->channel, (const char *)d->data + i, 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(d->pause);
	}
	return NULL;
}

static void test_byte_at_a_time(void **state)
{
	struct ends *ends = *state;
	struct {
		struct vfio_user_header header;
		char data[8];
	} whole = { header(8), "slowly." };
	struct dribble d = { ends->theirs, &whole, sizeof(whole), 500 };
	pthread_t thread;

	usrpci_message_set_patience(ends->ours, 100 * PATIENCE_MS);
	pthread_create(&thread, NULL, dribble, &d);
	receive(ends, 0);
	pthread_join(thread, NULL);
	assert_memory_equal(ends->message.payload, "slowly.", 8);
}

/* --- no messages --- */

static void test_nobody(void **state)
{
	struct ends *ends = *state;

	hang_up(ends);
	receive(ends, -EPIPE);
}

static void test_half_closed(void **state)
{
	struct ends *ends = *state;

	shutdown(ends->theirs, SHUT_WR);
	receive(ends, -EPIPE);
}

static void test_truncated_header(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(0);

	put(ends, &h, sizeof(h) - 1);
	hang_up(ends);
	receive(ends, -EPIPE);
}

static void test_truncated_payload(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(10);

	put_with_fds(ends, &h, sizeof(h), 2);
	put(ends, "123456789", 9);
	hang_up(ends);
	receive(ends, -EPIPE);
	assert_int_equal(ends->message.len, 0);
}

static void test_silence(void **state)
{
	struct ends *ends = *state;

	assert_in_range(receive(ends, -ETIMEDOUT), PATIENCE_MS / 2, 50 * PATIENCE_MS);
}

static void ignore(int sig)
{
}

/* Of a program with a timer, as profilers have one, a wait is interrupted again and again. */
static void test_silence_amid_signals(void **state)
{
	const struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, PATIENCE_MS * 100 }, { 0, PATIENCE_MS * 100 } };
	const struct itimerval never = { 0 };
	struct ends *ends = *state;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_in_range(receive(ends, -ETIMEDOUT), PATIENCE_MS / 2, 50 * PATIENCE_MS);
	setitimer(ITIMER_REAL, &never, NULL);
}

static void test_stalled(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(10);

	put(ends, &h, sizeof(h));
	put(ends, "12345", 5);
	assert_in_range(receive(ends, -ETIMEDOUT), PATIENCE_MS / 2, 50 * PATIENCE_MS);
}

/* Never silent for so long, and yet never done. */
static void test_dribbled(void **state)
{
	struct ends *ends = *state;
	static char data[1000];
	struct dribble d = { ends->theirs, data, sizeof(data), PATIENCE_MS * 1000 / 5 };
	const struct vfio_user_header h = header(sizeof(data));
	pthread_t thread;

	put(ends, &h, sizeof(h));
	pthread_create(&thread, NULL, dribble, &d);
	assert_in_range(receive(ends, -ETIMEDOUT), PATIENCE_MS / 2, 50 * PATIENCE_MS);
	shutdown(ends->ours, SHUT_RDWR);
	pthread_join(thread, NULL);
}

static void test_bad_header(void **state)
{
	struct ends *ends = *state;
	struct vfio_user_header h = header(VFIO_USER_MAX_PAYLOAD);

	h.size++;
	put(ends, &h, sizeof(h));
	receive(ends, -EPROTO);
	h.size = 3;
	put(ends, &h, sizeof(h));
	receive(ends, -EPROTO);
}

static void test_17_fds(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(0);

	put_with_fds(ends, &h, sizeof(h), VFIO_USER_FDS + 1);
	receive(ends, -EPROTO);
}

/* Here and there, one too many. */
static void test_fds_spread(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(2);

	put_with_fds(ends, &h, sizeof(h), 10);
	put_with_fds(ends, "a", 1, 6);
	put_with_fds(ends, "b", 1, 1);
	receive(ends, -EPROTO);
}

/* What nobody dropped isn't lost when the next one comes. */
static void test_fds_left(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_header h = header(0);

	put_with_fds(ends, &h, sizeof(h), 5);
	put_with_fds(ends, &h, sizeof(h), 1);
	receive(ends, 0);
	assert_int_equal(ends->message.nr_fds, 5);
	receive(ends, 0);
	assert_int_equal(ends->message.nr_fds, 1);
}

/* --- sending --- */

static void test_send_too_much(void **state)
{
	struct ends *ends = *state;
	const struct vfio_user_part parts[4] = { { "a", 1 } };
	struct vfio_user_header h = header(0);
	int fds[VFIO_USER_FDS + 1] = { 0 };

	assert_int_equal(usrpci_message_send(ends->ours, &h, parts, 4, NULL, 0), -EINVAL);
	assert_int_equal(usrpci_message_send(ends->ours, &h, NULL, 0, fds, VFIO_USER_FDS + 1),
			 -EINVAL);
}

static void test_send_to_nobody(void **state)
{
	struct ends *ends = *state;
	struct vfio_user_header h = header(0);

	hang_up(ends);
	assert_int_equal(usrpci_message_send(ends->ours, &h, NULL, 0, NULL, 0), -EPIPE);
}

static int64_t send_much(struct ends *ends)
{
	static char payload[VFIO_USER_TRANSFER];
	const struct vfio_user_part part = { payload, sizeof(payload) };
	struct vfio_user_header h = header(0);
	int64_t start = usrpci_message_now_ms();

	assert_int_equal(usrpci_message_send(ends->ours, &h, &part, 1, NULL, 0), -ETIMEDOUT);
	return usrpci_message_now_ms() - start;
}

static void test_send_unread(void **state)
{
	struct ends *ends = *state;

	assert_in_range(send_much(ends), PATIENCE_MS / 2, 50 * PATIENCE_MS);
}

static void *sip(void *arg)
{
	const struct ends *ends = arg;
	static char some[16384];

	while (recv(ends->theirs, some, sizeof(some), 0) > 0)
		usleep(PATIENCE_MS * 1000 / 5);
	return NULL;
}

/* Somebody reads, but in no hurry. */
static void test_send_sipped(void **state)
{
	struct ends *ends = *state;
	pthread_t thread;

	pthread_create(&thread, NULL, sip, ends);
	assert_in_range(send_much(ends), PATIENCE_MS / 2, 20 * PATIENCE_MS);
	shutdown(ends->theirs, SHUT_RDWR);
	pthread_join(thread, NULL);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_there_and_back),
		TEST(test_largest),
		TEST(test_two_at_once),
		TEST(test_byte_at_a_time),
		TEST(test_nobody),
		TEST(test_half_closed),
		TEST(test_truncated_header),
		TEST(test_truncated_payload),
		TEST(test_silence),
		TEST(test_silence_amid_signals),
		TEST(test_stalled),
		TEST(test_dribbled),
		TEST(test_bad_header),
		TEST(test_17_fds),
		TEST(test_fds_spread),
		TEST(test_fds_left),
		TEST(test_send_too_much),
		TEST(test_send_to_nobody),
		TEST(test_send_unread),
		TEST(test_send_sipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
