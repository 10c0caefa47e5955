// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* nbdkit with usrpci's plugin, $NBD_PLUGIN, on simulated disks, as clients see it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <libnbd.h>

#include <cmocka.h>

#define SKIPPED		77
#define SIZE		(64UL << 20)
#define CLIENTS		4U
#define PAGE		4096UL
#define PART		(2UL << 20)

static const char *plugin;
static char folder[32];
static char path[64], disk_file[64];
static pid_t server;
static struct nbd_handle *clients[CLIENTS];
static unsigned char out[PART], in[PART];

/* --- the server --- */

static void start(const char *device, const char *more, const char *option)
{
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("nbdkit", "nbdkit", "-f", option, "-U", path, plugin, device, more,
		       (char *)NULL);
		_exit(127);
	}
	assert_true(server > 0);
}

static void end(int sig)
{
	kill(server, sig);
	waitpid(server, NULL, 0);
	unlink(path);
}

static struct nbd_handle *make_client(void)
{
	struct nbd_handle *nbd = nbd_create();

	assert_non_null(nbd);
	/* What's wrong is for the server to say. */
	nbd_set_strict_mode(nbd, 0);
	return nbd;
}

/* A server that starts isn't there at once. */
static struct nbd_handle *connect_client(void)
{
	struct nbd_handle *nbd;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		nbd = make_client();
		if (!nbd_connect_unix(nbd, path))
			return nbd;
		nbd_close(nbd);
		usleep(20000);
	}
	fail_msg("nobody serves at %s", path);
	return NULL;
}

static void connect_all(void)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		clients[i] = connect_client();
}

static int stop(void **state)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		nbd_close(clients[i]);
		clients[i] = NULL;
	}
	end(SIGTERM);
	return 0;
}

static int serve(void **state)
{
	start("device=sim:nvme,size=64M,mdts=5", "queues=4", "--threads=8");
	connect_all();
	return 0;
}

static int serve_large_blocks(void **state)
{
	start("device=sim:nvme,size=64M,block=4096", "irq=poll", "--threads=8");
	connect_all();
	return 0;
}

static int serve_read_only(void **state)
{
	start("sim:nvme,size=64M", "namespace=1", "--readonly");
	connect_all();
	return 0;
}

static int serve_faulty(void **state)
{
	start("sim:nvme,size=64M,command-held=1", "timeout=1", "--threads=8");
	connect_all();
	return 0;
}

/* --- tests --- */

static void test_facts(void **state)
{
	struct nbd_handle *nbd = clients[0];

	assert_int_equal(nbd_get_size(nbd), SIZE);
	assert_int_equal(nbd_is_read_only(nbd), 0);
	assert_int_equal(nbd_can_multi_conn(nbd), 1);
	assert_int_equal(nbd_can_flush(nbd), 1);
	assert_int_equal(nbd_can_fua(nbd), 1);
	assert_int_equal(nbd_can_zero(nbd), 1);
	assert_int_equal(nbd_can_fast_zero(nbd), 1);
	assert_int_equal(nbd_can_trim(nbd), 1);
	assert_int_equal(nbd_get_block_size(nbd, LIBNBD_SIZE_MINIMUM), 512);
	assert_int_equal(nbd_get_block_size(nbd, LIBNBD_SIZE_PREFERRED), 4096);
	assert_int_equal(nbd_get_block_size(nbd, LIBNBD_SIZE_MAXIMUM), 32 << 20);
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)((seed + i) * 2654435761U >> 13);
}

static void test_one_writes_another_reads(void **state)
{
	const uint64_t block = nbd_get_block_size(clients[0], LIBNBD_SIZE_MINIMUM);

	fill(out, PART, 1);
	assert_int_equal(nbd_pwrite(clients[0], out, PART, block, 0), 0);
	assert_int_equal(nbd_flush(clients[1], 0), 0);
	assert_int_equal(nbd_pread(clients[2], in, PART, block, 0), 0);
	assert_memory_equal(in, out, PART);
	fill(out, PAGE, 2);
	assert_int_equal(nbd_pwrite(clients[3], out, PAGE, SIZE - PAGE, LIBNBD_CMD_FLAG_FUA), 0);
	assert_int_equal(nbd_pread(clients[0], in, PAGE, SIZE - PAGE, 0), 0);
	assert_memory_equal(in, out, PAGE);
}

/* Whether a page holds nothing but @what. */
static bool is_all(uint64_t at, int what)
{
	unsigned char page[PAGE];
	size_t i;

	assert_int_equal(nbd_pread(clients[1], page, PAGE, at, 0), 0);
	for (i = 0; i < PAGE; i++)
		if (page[i] != what)
			return false;
	return true;
}

static void test_zero_and_trim(void **state)
{
	struct nbd_handle *nbd = clients[0];

	memset(out, 0x5a, PART);
	assert_int_equal(nbd_pwrite(nbd, out, PART, 0, 0), 0);
	assert_int_equal(nbd_zero(nbd, PAGE, PAGE, 0), 0);
	assert_int_equal(nbd_zero(nbd, PAGE, 3 * PAGE, LIBNBD_CMD_FLAG_NO_HOLE), 0);
	assert_int_equal(nbd_zero(nbd, PAGE, 5 * PAGE, LIBNBD_CMD_FLAG_FAST_ZERO), 0);
	assert_int_equal(nbd_zero(nbd, PAGE, 7 * PAGE, LIBNBD_CMD_FLAG_FUA), 0);
	assert_true(is_all(0, 0x5a) && is_all(PAGE, 0) && is_all(2 * PAGE, 0x5a));
	assert_true(is_all(3 * PAGE, 0) && is_all(5 * PAGE, 0) && is_all(7 * PAGE, 0));
	assert_int_equal(nbd_trim(nbd, PAGE, 9 * PAGE, 0), 0);
	assert_int_equal(nbd_trim(nbd, PAGE, 11 * PAGE, LIBNBD_CMD_FLAG_FUA), 0);
	assert_true(is_all(8 * PAGE, 0x5a) && is_all(10 * PAGE, 0x5a) && is_all(12 * PAGE, 0x5a));
	/* The simulated disk gives trimmed blocks as zeroes. */
	assert_true(is_all(9 * PAGE, 0) && is_all(11 * PAGE, 0));
	assert_int_equal(nbd_zero(nbd, SIZE - PART, PART, 0), 0);
	assert_true(is_all(SIZE - PAGE, 0) && is_all(PART - PAGE, 0x5a));
}

static void test_refusals(void **state)
{
	struct nbd_handle *nbd = clients[0];
	const uint64_t block = nbd_get_block_size(nbd, LIBNBD_SIZE_MINIMUM);

	assert_int_equal(nbd_pread(nbd, in, 1, 0, 0), -1);
	assert_int_equal(nbd_get_errno(), EINVAL);
	assert_int_equal(nbd_pwrite(nbd, out, block, 1, 0), -1);
	assert_int_equal(nbd_get_errno(), EINVAL);
	assert_int_equal(nbd_zero(nbd, block + 1, 0, 0), -1);
	assert_int_equal(nbd_get_errno(), EINVAL);
	assert_int_equal(nbd_trim(nbd, block / 2, block, 0), -1);
	assert_int_equal(nbd_get_errno(), EINVAL);
	assert_int_equal(nbd_pread(nbd, in, PAGE, SIZE, 0), -1);
	assert_int_equal(nbd_pread(nbd, in, PAGE, 0, 0), 0);
}

/* Those that have succeeded; how many. */
static unsigned int retire_all(struct nbd_handle *nbd)
{
	unsigned int nr = 0;
	int64_t cookie;

	while ((cookie = nbd_aio_peek_command_completed(nbd)) > 0) {
		assert_int_equal(nbd_aio_command_completed(nbd, (uint64_t)cookie), 1);
		nr++;
	}
	return nr;
}

/* Requests in parallel, of a client that waits for none of them. */
static void test_many_at_once(void **state)
{
	struct nbd_handle *nbd = clients[2];
	const unsigned int nr = PART / (16 * PAGE);
	unsigned int i;

	fill(out, PART, 3);
	for (i = 0; i < nr; i++)
		assert_true(nbd_aio_pwrite(nbd, out + i * 16 * PAGE, 16 * PAGE,
					   (nr - i) * 32 * PAGE, NBD_NULL_COMPLETION, 0) > 0);
	while (nbd_aio_in_flight(nbd))
		assert_true(nbd_poll(nbd, 30000) >= 0);
	assert_int_equal(retire_all(nbd), nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(nbd_pread(clients[0], in, 16 * PAGE, (nr - i) * 32 * PAGE, 0), 0);
		assert_memory_equal(in, out + i * 16 * PAGE, 16 * PAGE);
	}
}

/* A client with a part of the disk of its own; the error is 1 where data is wrong. */
static void *write_and_read(void *arg)
{
	const unsigned int which = (unsigned int)(uintptr_t)arg;
	const size_t len = 300 * 512;
	unsigned char *mine = malloc(len), *back = malloc(len);
	uint64_t at = which * PART;
	unsigned int i;
	long wrong = 0;

	for (i = 0; i < 100 && !wrong; i++) {
		fill(mine, len, i * CLIENTS + which);
		wrong = nbd_pwrite(clients[which], mine, len, at + i * 512, 0) ||
			nbd_pread(clients[which], back, len, at + i * 512, 0) ||
			memcmp(mine, back, len);
	}
	free(mine);
	free(back);
	return (void *)wrong;
}

static void test_clients_at_once(void **state)
{
	pthread_t threads[CLIENTS];
	unsigned int i;
	void *wrong;

	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_and_read,
						(void *)(uintptr_t)i), 0);
	for (i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

static void test_block_size(void **state)
{
	assert_int_equal(nbd_get_block_size(clients[0], LIBNBD_SIZE_MINIMUM), 4096);
	assert_int_equal(nbd_pread(clients[0], in, 512, 0, 0), -1);
	assert_int_equal(nbd_get_errno(), EINVAL);
	test_one_writes_another_reads(state);
}

static void test_read_only(void **state)
{
	assert_int_equal(nbd_is_read_only(clients[0]), 1);
	assert_int_equal(nbd_pread(clients[0], in, PAGE, 0, 0), 0);
	assert_int_equal(nbd_pwrite(clients[0], out, PAGE, 0, 0), -1);
}

/* The server goes on, and so does the connection. */
static void test_disk_errors(void **state)
{
	time_t begin = time(NULL);

	assert_int_equal(nbd_pread(clients[0], in, PAGE, 0, 0), -1);
	assert_int_equal(nbd_get_errno(), EIO);
	assert_int_equal(nbd_pwrite(clients[1], out, PAGE, 0, 0), -1);
	assert_int_equal(nbd_get_errno(), EIO);
	assert_int_equal(nbd_flush(clients[0], 0), -1);
	assert_int_equal(nbd_get_errno(), EIO);
	assert_in_range(time(NULL) - begin, 2, 20);
}

/* What was flushed is there when another serves the disk, however the first one ended. */
static void test_killed_and_started_again(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	char device[100];
	unsigned int turn;
	int file = open(disk_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0 && !ftruncate(file, SIZE));
	close(file);
	snprintf(device, sizeof(device), "device=sim:nvme,file=%s", disk_file);
	for (turn = 0; turn < 4; turn++) {
		start(device, "queues=8", "--threads=4");
		clients[0] = connect_client();
		if (turn) {
			fill(out, PART, turn - 1);
			assert_int_equal(nbd_pread(clients[0], in, PART, 0, 0), 0);
			assert_memory_equal(in, out, PART);
		}
		fill(out, PART, turn);
		assert_int_equal(nbd_pwrite(clients[0], out, PART, 0, LIBNBD_CMD_FLAG_FUA), 0);
		if (turn % 2 == 0)
			end(SIGKILL);
		nbd_close(clients[0]);
		/* nbdkit waits for its clients. */
		if (turn % 2)
			end(SIGTERM);
		/* The simulated disk lives as long as it takes it to see that. */
		nanosleep(&pause, NULL);
	}
	clients[0] = NULL;
}

static void test_bad_parameters(void **state)
{
	static const char *const cases[][2] = {
		{ "", "which disk? give device=ADDRESS" },
		{ "device=", "which disk?" },
		{ "nonsense", "isn't the name of a PCI function" },
		{ "sim:edu", "is no NVMe disk" },
		{ "sim:nvme namespace=3", "no namespace 3" },
		{ "sim:nvme namespace=0", "namespace takes 1 to" },
		{ "sim:nvme queues=0", "queues takes 1 to 1024, not \"0\"" },
		{ "sim:nvme depth=1025", "depth takes 1 to 1024" },
		{ "sim:nvme depth=many", "depth" },
		{ "sim:nvme copy=129K", "copy takes 0 to 128K, not \"129K\"" },
		{ "sim:nvme copy=-1", "negative" },
		{ "sim:nvme timeout=0", "timeout takes 1 to 3600" },
		{ "sim:nvme irq=rtc", "irq takes best, msix, msi, intx or poll, not \"rtc\"" },
		{ "sim:nvme size=1", "no parameter \"size\"" },
		{ "0000:00:1c.7", "there is no PCI function" },
	};
	char command[512], said[1024];
	unsigned int i;
	FILE *pipe;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(command, sizeof(command), "nbdkit -U %s %s %s --run true 2>&1", path,
			 plugin, cases[i][0]);
		pipe = popen(command, "r");
		said[fread(said, 1, sizeof(said) - 1, pipe)] = '\0';
		assert_int_not_equal(pclose(pipe), 0);
		if (!strstr(said, cases[i][1]))
			fail_msg("of \"%s\" it said: %s", cases[i][0], said);
	}
}

#define TEST(test, setup)	cmocka_unit_test_setup_teardown(test, setup, stop)

static int clean_up(void **state)
{
	unlink(disk_file);
	rmdir(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_facts, serve),
		TEST(test_one_writes_another_reads, serve),
		TEST(test_zero_and_trim, serve),
		TEST(test_refusals, serve),
		TEST(test_many_at_once, serve),
		TEST(test_clients_at_once, serve),
		TEST(test_block_size, serve_large_blocks),
		TEST(test_refusals, serve_large_blocks),
		TEST(test_read_only, serve_read_only),
		TEST(test_disk_errors, serve_faulty),
		cmocka_unit_test(test_killed_and_started_again),
		cmocka_unit_test(test_bad_parameters),
	};

	plugin = getenv("NBD_PLUGIN");
	if (!plugin) {
		fputs("NBD_PLUGIN names no plugin: skipped\n", stderr);
		return SKIPPED;
	}
	strcpy(folder, "/tmp/nbd_plugin.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(disk_file, sizeof(disk_file), "%s/disk", folder);
	return cmocka_run_group_tests_name("nbdkit", tests, NULL, clean_up);
}
