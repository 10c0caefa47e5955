// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A simulator in a process of its own, and programs that don't keep to the rules, or to those
 * that we would think of: the next one is served.
 */
#include <edu/registers.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "server.h"
#include "vfio-user/channel.h"
#include "vfio-user/version.h"

/* The simulator's own patience is 10 s. */
#define PATIENCE_MS	5000
#define MOST_MS		20000
#define MEMORY		0x1000U

/**
 * struct rig - A simulator.
 * @pid: it
 * @path: where it listens
 * @answer: the last one
 */
static struct rig {
	pid_t pid;
	char path[64];
	struct vfio_user_message answer;
} rig;

static void serve(int listener)
{
	struct sim_server server = { .listener = listener, .visitor = -1, .stop = -1 };
	char device[] = "edu,dma-us=0";
	const char *why;

	alarm(2 * MOST_MS / 1000);
	sim_control_open(&server.control, NULL);
	server.sim = sim_create(device, &why);
	if (server.sim)
		sim_server_run(&server, -1);
	_exit(1);
}

static int setup(void **state)
{
	int listener;

	snprintf(rig.path, sizeof(rig.path), "/tmp/hostile-client.%d", getpid());
	listener = sim_listen(rig.path);
	rig.pid = fork();
	if (!rig.pid)
		serve(listener);
	close(listener);
	alarm(2 * MOST_MS / 1000);
	return 0;
}

/* It is still there, or it has crashed. */
static int teardown(void **state)
{
	int status = 0, gone = waitpid(rig.pid, &status, WNOHANG);

	kill(rig.pid, SIGKILL);
	waitpid(rig.pid, &status, 0);
	unlink(rig.path);
	usrpci_message_free(&rig.answer);
	return gone;
}

static int reach(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int channel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, rig.path);
	assert_int_equal(connect(channel, (struct sockaddr *)&address, sizeof(address)), 0);
	usrpci_message_set_patience(channel, PATIENCE_MS);
	return channel;
}

static int say(int channel, unsigned int command, const void *data, size_t len)
{
	struct vfio_user_header header = { .id = 7, .command = (uint16_t)command };
	const struct vfio_user_part part = { data, len };

	return usrpci_message_send(channel, &header, &part, 1, NULL, 0);
}

/* What the simulator says to a command. */
static int ask(int channel, unsigned int command, const void *data, size_t len)
{
	assert_int_equal(say(channel, command, data, len), 0);
	assert_int_equal(usrpci_message_receive(channel, &rig.answer), 0);
	assert_int_equal(rig.answer.header.command, command);
	assert_true(rig.answer.header.flags & VFIO_USER_REPLY);
	return rig.answer.header.flags & VFIO_USER_ERROR ? (int)rig.answer.header.error : 0;
}

static int ask_version(int channel)
{
	unsigned char payload[VFIO_USER_TEXT];

	return ask(channel, VFIO_USER_VERSION, payload,
		   usrpci_version_format(payload, false, -1));
}

static int map(int channel, uint64_t address)
{
	const struct vfio_user_dma_map what = {
		.argsz = sizeof(what), .flags = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE,
		.address = address, .size = MEMORY,
	};

	return ask(channel, VFIO_USER_DMA_MAP, &what, sizeof(what));
}

static int unmap(int channel, uint32_t flags, uint64_t address, uint64_t size)
{
	const struct vfio_user_dma_unmap what = {
		.argsz = sizeof(what), .flags = flags, .address = address, .size = size,
	};

	return ask(channel, VFIO_USER_DMA_UNMAP, &what, sizeof(what));
}

static void test_unmap_flags(void **state)
{
	int channel = reach();

	assert_int_equal(ask_version(channel), 0);
	assert_int_equal(map(channel, 0x1000), 0);
	assert_int_equal(map(channel, 0x10000), 0);
	assert_int_equal(unmap(channel, VFIO_USER_DMA_UNMAP_ALL, 0, MEMORY), EINVAL);
	assert_int_equal(unmap(channel, VFIO_USER_DMA_UNMAP_ALL, 0x1000, 0), EINVAL);
	assert_int_equal(unmap(channel, 0, 0, 0), EINVAL);
	/* It would have to tell which pages were written. */
	assert_int_equal(unmap(channel, 1, 0x1000, MEMORY), EINVAL);
	assert_int_equal(map(channel, 0x1000), EEXIST);
	assert_int_equal(unmap(channel, VFIO_USER_DMA_UNMAP_ALL, 0, 0), 0);
	assert_int_equal(map(channel, 0x1000), 0);
	assert_int_equal(map(channel, 0x10000), 0);
	close(channel);
}

static void put(int channel, unsigned int region, uint64_t offset, uint64_t value,
		unsigned int width)
{
	struct {
		struct vfio_user_region_access access;
		uint64_t value;
	} what = { { .offset = offset, .region = region, .count = width }, value };

	assert_int_equal(say(channel, VFIO_USER_REGION_WRITE, &what, sizeof(what.access) + width),
			 0);
}

/* Sets a DMA going from memory that the program has to be asked for. */
static void start_dma(int channel)
{
	assert_int_equal(map(channel, 0x1000), 0);
	put(channel, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	put(channel, 0, EDU_DMA_SOURCE, 0x1000, 8);
	put(channel, 0, EDU_DMA_DESTINATION, EDU_BUFFER, 8);
	put(channel, 0, EDU_DMA_COUNT, 4, 8);
	put(channel, 0, EDU_DMA_COMMAND, EDU_DMA_RUN, 8);
}

/* Those that can't wait are served while the simulator waits for an answer: not for ever. */
static void test_reads_in_place_of_an_answer(void **state)
{
	const struct vfio_user_region_access access = { .count = 4 };
	int channel = reach(), err = 0;
	int64_t start;

	assert_int_equal(ask_version(channel), 0);
	start_dma(channel);
	start = usrpci_message_now_ms();
	while (!err && usrpci_message_now_ms() - start < MOST_MS) {
		err = say(channel, VFIO_USER_REGION_READ, &access, sizeof(access));
		if (!err)
			err = usrpci_message_receive(channel, &rig.answer);
		usleep(10000);
	}
	assert_int_equal(err, -EPIPE);
	close(channel);
	channel = reach();
	assert_int_equal(ask_version(channel), 0);
	close(channel);
}

/* Who came while another had the device, and said nothing, is in nobody's way later. */
static void test_silent_visitor(void **state)
{
	int first = reach(), visitor, next;

	assert_int_equal(ask_version(first), 0);
	visitor = reach();
	usleep(100000);
	close(first);
	usleep(100000);
	next = reach();
	assert_int_equal(ask_version(next), EBUSY);
	close(next);
	assert_int_equal(ask_version(visitor), 0);
	close(visitor);
	next = reach();
	assert_int_equal(ask_version(next), 0);
	close(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unmap_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads_in_place_of_an_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_visitor, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
