// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A program, and a server in a process of its own that doesn't keep to the rules at one point:
 * an error, in time, and nothing of it is left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "backend/vfio-user/vfio-user.h"

#define PATIENCE_MS	300
/* Of a test; then it hangs. */
#define MOST_MS		6000
#define BAR_LEN		0x10000U
#define MEMORY		8192U

/* --- the server --- */

struct server;

/**
 * struct misdeed - What a server does wrong.
 * @act: looks at each command before it's carried out; true: it has seen to it
 * @twin: it has one
 * @patience_ms: of the program; 0: PATIENCE_MS
 * @bar: makes what BAR 0 can be mapped from; NULL: nothing
 */
struct misdeed {
	bool (*act)(struct server *server);
	bool twin;
	unsigned int patience_ms;
	int (*bar)(void);
};

/**
 * struct server - A server.
 * @misdeed: of it
 * @channel: to the program
 * @twin: for its own commands; -1: over @channel
 * @message: from the program
 * @eventfd: the first that came
 * @memory: what came with a DMA map
 * @address: where the last memory was mapped
 */
struct server {
	const struct misdeed *misdeed;
	int channel;
	int twin;
	struct vfio_user_message message;
	int eventfd;
	int memory;
	uint64_t address;
};

/* In the server nothing is asserted: how it ends tells. */
static void want(bool good)
{
	if (!good)
		_exit(1);
}

static void reply_with(struct server *s, const void *data, size_t len, int fd)
{
	struct vfio_user_header header = {
		.id = s->message.header.id, .command = s->message.header.command,
		.flags = VFIO_USER_REPLY,
	};
	const struct vfio_user_part part = { data, len };

	usrpci_message_send(s->channel, &header, &part, 1, &fd, fd >= 0);
}

static void reply_error(struct server *s, int error)
{
	struct vfio_user_header header = {
		.id = s->message.header.id, .command = s->message.header.command,
		.flags = VFIO_USER_REPLY | VFIO_USER_ERROR, .error = (uint32_t)error,
	};

	usrpci_message_send(s->channel, &header, NULL, 0, NULL, 0);
}

static void do_version(struct server *s)
{
	unsigned char payload[VFIO_USER_TEXT];
	int sockets[2] = { -1, -1 };

	if (s->misdeed->twin) {
		want(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		s->twin = sockets[0];
	}
	reply_with(s, payload, usrpci_version_format(payload, s->twin >= 0, s->twin >= 0 ? 0 : -1),
		   sockets[1]);
	close(sockets[1]);
}

static void do_region_info(struct server *s)
{
	struct vfio_region_info info;
	int fd = -1;

	memcpy(&info, s->message.payload, sizeof(info));
	info.argsz = sizeof(info);
	info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info.size = info.index == VFIO_PCI_CONFIG_REGION_INDEX ? 256 :
		    info.index == 0 ? BAR_LEN : 0;
	if (info.index == 0 && s->misdeed->bar) {
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		fd = s->misdeed->bar();
	}
	reply_with(s, &info, sizeof(info), fd);
}

static void do_irq_info(struct server *s)
{
	struct vfio_irq_info info;

	memcpy(&info, s->message.payload, sizeof(info));
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = info.index == VFIO_PCI_MSI_IRQ_INDEX;
	reply_with(s, &info, sizeof(info), -1);
}

static void do_region_read(struct server *s)
{
	struct {
		struct vfio_user_region_access access;
		char data[64];
	} reply = { 0 };

	memcpy(&reply.access, s->message.payload, sizeof(reply.access));
	want(reply.access.count <= sizeof(reply.data));
	reply_with(s, &reply, sizeof(reply.access) + reply.access.count, -1);
}

static void carry_out(struct server *s)
{
	const struct vfio_user_device_info device = {
		.argsz = sizeof(device), .flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VFIO_PCI_NUM_REGIONS, .num_irqs = VFIO_PCI_NUM_IRQS,
	};

	switch (s->message.header.command) {
	case VFIO_USER_VERSION:
		do_version(s);
		break;
	case VFIO_USER_DEVICE_GET_INFO:
		reply_with(s, &device, sizeof(device), -1);
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		do_region_info(s);
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		do_irq_info(s);
		break;
	case VFIO_USER_REGION_READ:
		do_region_read(s);
		break;
	case VFIO_USER_REGION_WRITE:
		reply_with(s, s->message.payload, sizeof(struct vfio_user_region_access), -1);
		break;
	default:
		reply_with(s, NULL, 0, -1);
	}
}

static void remember(struct server *s)
{
	const unsigned int command = s->message.header.command;
	struct vfio_user_dma_map map;

	if (command == VFIO_USER_DMA_MAP) {
		memcpy(&map, s->message.payload, sizeof(map));
		s->address = map.address;
		s->memory = usrpci_message_take_fd(&s->message, 0);
	} else if (command == VFIO_USER_DEVICE_SET_IRQS && s->message.nr_fds && s->eventfd < 0) {
		s->eventfd = usrpci_message_take_fd(&s->message, 0);
	}
}

static void serve(const struct misdeed *misdeed, int channel)
{
	struct server s = {
		.misdeed = misdeed, .channel = channel, .twin = -1, .eventfd = -1, .memory = -1,
	};

	alarm(2 * MOST_MS / 1000);
	while (!usrpci_message_receive(channel, &s.message)) {
		remember(&s);
		if (!misdeed->act || !misdeed->act(&s))
			carry_out(&s);
		usrpci_message_drop_fds(&s.message);
	}
	_exit(0);
}

/* Until the program has gone. */
static void linger(struct server *s)
{
	struct pollfd p = { .fd = s->channel, .events = POLLRDHUP };

	poll(&p, 1, -1);
	_exit(0);
}

/* --- the program --- */

/**
 * struct session - A server and the program's side.
 * @pid: the server
 * @dev: its device, if it could be opened
 * @err: why it couldn't
 * @nr_fds: descriptors before
 * @start: when it began
 */
struct session {
	pid_t pid;
	struct usrpci_device *dev;
	int err;
	unsigned int nr_fds;
	int64_t start;
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

static struct session begin(const struct misdeed *misdeed)
{
	struct session s = { .nr_fds = count_fds(), .start = usrpci_message_now_ms() };
	int sockets[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	s.pid = fork();
	if (!s.pid) {
		close(sockets[0]);
		serve(misdeed, sockets[1]);
	}
	close(sockets[1]);
	s.err = usrpci_socket_open_channel(&s.dev, "vfio-user:hostile", sockets[0],
					   misdeed->patience_ms ?: PATIENCE_MS);
	return s;
}

static void end(struct session *s)
{
	int status;

	if (!s->err)
		usrpci_close(s->dev);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_fds(), s->nr_fds);
	assert_in_range(usrpci_message_now_ms() - s->start, 0, MOST_MS);
}

static void *make_memory(void)
{
	void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	memset(memory, 0x5a, MEMORY);
	return memory;
}

static int map_for(struct session *s, void *memory, enum usrpci_dma_direction direction,
		   uint32_t *handle)
{
	struct usrpci_mapping map = { .addr = memory, .len = MEMORY, .direction = direction };
	int err = usrpci_map(s->dev, &map, 1);

	*handle = map.handle;
	return err;
}

static void assert_gone(struct session *s)
{
	struct usrpci_event event;
	uint32_t value;

	assert_int_equal(s->err, 0);
	assert_int_equal(usrpci_config_read(s->dev, 0, 4, &value), -ENODEV);
	assert_int_equal(usrpci_event(s->dev, &event), 0);
	assert_int_equal(event.kind, USRPCI_VANISHED);
	assert_int_equal(usrpci_event(s->dev, &event), -ENODEV);
}

/* --- it keeps to the rules --- */

static void test_none(void **state)
{
	struct session s;
	uint32_t value;
	int twin;

	for (twin = 0; twin < 2; twin++) {
		s = begin(&(struct misdeed){ .twin = twin });
		assert_int_equal(s.err, 0);
		assert_int_equal(usrpci_config_read(s.dev, 0, 4, &value), 0);
		end(&s);
	}
}

/* A child has no thread that answers, and shares the socket with who has one. */
static void test_child_lets_go(void **state)
{
	struct session s = begin(&(struct misdeed){ .patience_ms = MOST_MS });
	struct usrpci_coherent buf;
	void *memory = make_memory();
	uint32_t handle, value;
	int status;
	pid_t pid;

	assert_int_equal(s.err, 0);
	assert_int_equal(map_for(&s, memory, USRPCI_DMA_BOTH, &handle), 0);
	assert_int_equal(usrpci_coherent_alloc(s.dev, MEMORY, &buf), 0);
	pid = fork();
	if (!pid) {
		alarm(MOST_MS / 1000);
		want(usrpci_config_read(s.dev, 0, 4, &value) == -ENODEV);
		usrpci_close(s.dev);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(usrpci_config_read(s.dev, 0, 4, &value), 0);
	assert_int_equal(usrpci_coherent_free(s.dev, &buf), 0);
	end(&s);
	munmap(memory, MEMORY);
}

/* --- while it's opened --- */

static bool is_command(const struct server *s, unsigned int command)
{
	return s->message.header.command == command;
}

static bool close_at_once(struct server *s)
{
	_exit(0);
}

static bool half_close(struct server *s)
{
	shutdown(s->channel, SHUT_WR);
	linger(s);
	return true;
}

static bool never_answer(struct server *s)
{
	linger(s);
	return true;
}

static bool say(struct server *s, const char *text, unsigned int major)
{
	unsigned char payload[256] = { (unsigned char)major };

	strcpy((char *)payload + 4, text);
	reply_with(s, payload, 4 + strlen(text) + 1, -1);
	return true;
}

static bool other_major(struct server *s)
{
	return say(s, "{}", 1);
}

static bool garbage(struct server *s)
{
	return say(s, "{\"capabilities\":{\"max_msg_fds\":\"many\"}}", 0);
}

static bool twin_without_fd(struct server *s)
{
	return say(s, "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}",
		   0);
}

static bool twin_is_no_socket(struct server *s)
{
	unsigned char payload[VFIO_USER_TEXT];

	reply_with(s, payload, usrpci_version_format(payload, true, 0),
		   open("/dev/null", O_RDWR));
	return true;
}

static bool twin_is_datagrams(struct server *s)
{
	unsigned char payload[VFIO_USER_TEXT];

	reply_with(s, payload, usrpci_version_format(payload, true, 0),
		   socket(AF_UNIX, SOCK_DGRAM, 0));
	return true;
}

static bool wrong_id(struct server *s)
{
	s->message.header.id++;
	return false;
}

static bool wrong_command(struct server *s)
{
	s->message.header.command++;
	reply_with(s, NULL, 0, -1);
	return true;
}

static bool too_long(struct server *s)
{
	struct vfio_user_header header = s->message.header;

	header.flags = VFIO_USER_REPLY;
	header.size = UINT32_MAX;
	send(s->channel, &header, sizeof(header), 0);
	linger(s);
	return true;
}

static bool error_with_payload(struct server *s)
{
	struct vfio_user_header header = s->message.header;
	const struct vfio_user_part part = { "payload", 8 };

	header.flags = VFIO_USER_REPLY | VFIO_USER_ERROR;
	header.error = EIO;
	usrpci_message_send(s->channel, &header, &part, 1, NULL, 0);
	return true;
}

static bool half_a_header(struct server *s)
{
	send(s->channel, &s->message.header, 7, 0);
	linger(s);
	return true;
}

static bool half_a_header_and_dies(struct server *s)
{
	send(s->channel, &s->message.header, 7, 0);
	_exit(0);
}

static bool dribble(struct server *s)
{
	while (send(s->channel, "", 1, MSG_NOSIGNAL) == 1)
		usleep(PATIENCE_MS * 1000 / 10);
	linger(s);
	return true;
}

static bool ask(struct server *s, int channel, uint64_t address, uint64_t count)
{
	struct vfio_user_header header = { .command = VFIO_USER_DMA_READ };
	const struct vfio_user_dma_access access = { address, count };
	const struct vfio_user_part part = { &access, sizeof(access) };

	return !usrpci_message_send(channel, &header, &part, 1, NULL, 0);
}

/* In place of an answer, and again and again. */
static bool ask_for_ever(struct server *s)
{
	struct vfio_user_message answer = { 0 };

	while (ask(s, s->channel, 0x1000, 4) && !usrpci_message_receive(s->channel, &answer))
		usleep(PATIENCE_MS * 1000 / 10);
	linger(s);
	return true;
}

static bool no_pci(struct server *s)
{
	const struct vfio_user_device_info device = { .argsz = sizeof(device) };

	if (!is_command(s, VFIO_USER_DEVICE_GET_INFO))
		return false;
	reply_with(s, &device, sizeof(device), -1);
	return true;
}

static bool short_info(struct server *s)
{
	if (!is_command(s, VFIO_USER_DEVICE_GET_REGION_INFO))
		return false;
	reply_with(s, "", 1, -1);
	return true;
}

static bool read_too_much(struct server *s)
{
	struct vfio_user_region_access *access = (void *)s->message.payload;

	if (is_command(s, VFIO_USER_REGION_READ))
		access->count += 4;
	return false;
}

static bool fds_unasked(struct server *s)
{
	if (!is_command(s, VFIO_USER_DEVICE_GET_INFO))
		return false;
	reply_with(s, "0123456789abcdef", 16, STDERR_FILENO);
	return true;
}

/* In time, each time. */
static bool answer_late(struct server *s)
{
	usleep(PATIENCE_MS * 1000 * 3 / 4);
	return false;
}

/* None of them is about the path. */
static bool say_einval(struct server *s)
{
	reply_error(s, EINVAL);
	return true;
}

static bool say_enoent(struct server *s)
{
	if (is_command(s, VFIO_USER_DEVICE_GET_INFO))
		reply_error(s, ENOENT);
	return is_command(s, VFIO_USER_DEVICE_GET_INFO);
}

/* No misdeed: VFIO does so. */
static bool has_no_vga(struct server *s)
{
	const struct vfio_region_info *info = (void *)s->message.payload;

	if (!is_command(s, VFIO_USER_DEVICE_GET_REGION_INFO) ||
	    info->index != VFIO_PCI_VGA_REGION_INDEX)
		return false;
	reply_error(s, EINVAL);
	return true;
}

static bool has_no_config(struct server *s)
{
	const struct vfio_region_info *info = (void *)s->message.payload;

	if (!is_command(s, VFIO_USER_DEVICE_GET_REGION_INFO) ||
	    info->index != VFIO_PCI_CONFIG_REGION_INDEX)
		return false;
	reply_error(s, EINVAL);
	return true;
}

static const struct {
	const char *name;
	bool (*act)(struct server *server);
	int err;
} openings[] = {
	{ "closes", close_at_once, -ENODEV },
	{ "closes half", half_close, -ENODEV },
	{ "never answers", never_answer, -ENODEV },
	{ "another major version", other_major, -EPROTONOSUPPORT },
	{ "garbage for a version", garbage, -EPROTO },
	{ "a twin without a descriptor", twin_without_fd, -EPROTO },
	{ "a twin that is no socket", twin_is_no_socket, -EPROTO },
	{ "a twin of datagrams", twin_is_datagrams, -EPROTO },
	{ "wrong id", wrong_id, -ENODEV },
	{ "wrong command", wrong_command, -ENODEV },
	{ "too long", too_long, -ENODEV },
	{ "an error with a payload", error_with_payload, -ENODEV },
	{ "half a header", half_a_header, -ENODEV },
	{ "half a header, and dies", half_a_header_and_dies, -ENODEV },
	{ "a byte now and then", dribble, -ENODEV },
	{ "asks for ever", ask_for_ever, -ENODEV },
	{ "answers late", answer_late, -ENODEV },
	{ "says EINVAL", say_einval, -EPROTO },
	{ "says ENOENT", say_enoent, -EPROTO },
	{ "isn't PCI", no_pci, -ENOTSUP },
	{ "has no VGA", has_no_vga, 0 },
	{ "has no configuration space", has_no_config, -EPROTO },
	{ "a reply that's too short", short_info, -ENODEV },
	{ "more than was read", read_too_much, -EIO },
	{ "a descriptor unasked", fds_unasked, -ENODEV },
};

static void test_openings(void **state)
{
	struct session s;
	size_t i;

	for (i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		print_message("# %s\n", openings[i].name);
		s = begin(&(struct misdeed){
			.act = openings[i].act,
			.patience_ms = openings[i].err == -ENODEV ? 0 : MOST_MS,
		});
		assert_int_equal(s.err, openings[i].err);
		end(&s);
	}
}

/* It listens, has room for one who waits, and takes nobody. */
static void test_nobody_accepts(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const unsigned int nr_fds = count_fds();
	int64_t start = usrpci_message_now_ms();
	int listener, first, channel;

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/hostile.%d", getpid());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(usrpci_socket_connect(address.sun_path, PATIENCE_MS, &first), 0);
	assert_int_equal(usrpci_socket_connect(address.sun_path, PATIENCE_MS, &channel),
			 -ETIMEDOUT);
	assert_int_equal(count_fds(), nr_fds + 2);
	close(first);
	close(listener);
	unlink(address.sun_path);
	assert_in_range(usrpci_message_now_ms() - start, PATIENCE_MS / 2, MOST_MS);
}

/* As a simulator that waits till somebody reads its trace. */
static void test_stays(void **state)
{
	int64_t start = usrpci_message_now_ms();
	pid_t pid = fork();

	while (!pid)
		pause();
	assert_int_equal(usrpci_socket_reap(pid, PATIENCE_MS), 0);
	assert_in_range(usrpci_message_now_ms() - start, PATIENCE_MS, MOST_MS);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(usrpci_socket_reap(pid, PATIENCE_MS), 0);
}

/* --- what it asks for --- */

/* Sends a command of its own; what the answer says. */
static int converse(struct server *s, unsigned int command, uint64_t address, uint64_t count,
		    const char *data)
{
	const int channel = s->twin >= 0 ? s->twin : s->channel;
	struct vfio_user_header header = { .id = 99, .command = (uint16_t)command };
	const struct vfio_user_dma_access access = { address, count };
	const struct vfio_user_part parts[] = {
		{ &access, sizeof(access) }, { data, data ? count : 0 },
	};
	struct vfio_user_message answer = { 0 };
	int said;

	want(!usrpci_message_send(channel, &header, parts, 2, NULL, 0));
	want(!usrpci_message_receive(channel, &answer));
	want(answer.header.id == 99 && answer.header.command == command);
	want(answer.header.flags & VFIO_USER_REPLY);
	said = answer.header.flags & VFIO_USER_ERROR ? (int)answer.header.error : 0;
	want(said || command != VFIO_USER_DMA_READ ||
	     (answer.len == sizeof(access) + count && answer.payload[sizeof(access)] == 0x5a));
	usrpci_message_free(&answer);
	return said;
}

/* When the reset comes, of memory that the device may read. */
static bool reach_out(struct server *s)
{
	if (!is_command(s, VFIO_USER_DEVICE_RESET) || !s->address)
		return false;
	want(converse(s, VFIO_USER_DMA_READ, s->address, 64, NULL) == 0);
	want(converse(s, VFIO_USER_DMA_READ, s->address + MEMORY - 64, 64, NULL) == 0);
	want(converse(s, VFIO_USER_DMA_READ, s->address + MEMORY - 63, 64, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, s->address - 1, 2, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, 0, 64, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, UINT64_MAX - 63, 64, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, UINT64_MAX - 62, 64, NULL) == EINVAL);
	want(converse(s, VFIO_USER_DMA_READ, s->address, 0, NULL) == EINVAL);
	want(converse(s, VFIO_USER_DMA_READ, s->address, UINT64_MAX, NULL) == EINVAL);
	want(converse(s, VFIO_USER_DMA_WRITE, s->address, 4, "junk") == EACCES);
	want(converse(s, VFIO_USER_DEVICE_RESET, 0, 0, NULL) == EINVAL);
	want(converse(s, 77, 0, 0, NULL) == ENOTSUP);
	want(converse(s, VFIO_USER_DMA_READ, s->address, 64, NULL) == 0);
	return false;
}

static void test_reach_out(void **state)
{
	char *memory = make_memory();
	struct session s;
	uint32_t handle;
	int twin;

	for (twin = 0; twin < 2; twin++) {
		s = begin(&(struct misdeed){ .act = reach_out, .twin = twin });
		assert_int_equal(s.err, 0);
		assert_int_equal(map_for(&s, memory, USRPCI_DMA_TO_DEVICE, &handle), 0);
		assert_int_equal(usrpci_reset(s.dev), 0);
		assert_int_equal(memory[0], 0x5a);
		assert_int_equal(usrpci_unmap(s.dev, &handle, 1), 0);
		end(&s);
	}
	munmap(memory, MEMORY);
}

/* In the same pages as what was mapped, but not in that. */
static bool reach_beside(struct server *s)
{
	if (!is_command(s, VFIO_USER_DEVICE_RESET) || !s->address)
		return false;
	want(converse(s, VFIO_USER_DMA_READ, s->address, 64, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, s->address + 63, 2, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, s->address + 64, MEMORY - 128, NULL) == 0);
	want(converse(s, VFIO_USER_DMA_READ, s->address + 64, MEMORY - 127, NULL) == EFAULT);
	want(converse(s, VFIO_USER_DMA_READ, s->address + MEMORY - 64, 1, NULL) == EFAULT);
	return false;
}

static void test_reach_beside(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = reach_beside, .twin = true });
	char *memory = make_memory();
	struct usrpci_mapping map = {
		.addr = memory + 64, .len = MEMORY - 128, .direction = USRPCI_DMA_BOTH,
	};

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_map(s.dev, &map, 1), 0);
	assert_int_equal(usrpci_reset(s.dev), 0);
	end(&s);
	munmap(memory, MEMORY);
}

/* Its command register is as after power-on, as that of a server's of QEMU. */
static bool reset_command(struct server *s)
{
	static uint16_t command;
	struct {
		struct vfio_user_region_access access;
		uint16_t value;
	} *m = (void *)s->message.payload;

	if (is_command(s, VFIO_USER_DEVICE_RESET))
		command = 0;
	if (!is_command(s, VFIO_USER_REGION_READ) && !is_command(s, VFIO_USER_REGION_WRITE))
		return false;
	if (m->access.region != VFIO_PCI_CONFIG_REGION_INDEX || m->access.offset != PCI_COMMAND)
		return false;
	if (is_command(s, VFIO_USER_REGION_WRITE)) {
		command = m->value;
		return false;
	}
	s->message.payload = realloc(s->message.payload, sizeof(*m));
	m = (void *)s->message.payload;
	m->value = command;
	reply_with(s, m, sizeof(m->access) + m->access.count, -1);
	return true;
}

static void test_command_survives_reset(void **state)
{
	const uint32_t wanted = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct session s = begin(&(struct misdeed){ .act = reset_command });
	uint32_t command;

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_config_read(s.dev, PCI_COMMAND, 2, &command), 0);
	assert_int_equal(command, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(usrpci_set_master(s.dev, true), 0);
	assert_int_equal(usrpci_reset(s.dev), 0);
	assert_int_equal(usrpci_config_read(s.dev, PCI_COMMAND, 2, &command), 0);
	assert_int_equal(command, wanted);
	end(&s);
}

/* The program has unmapped it without a word. */
static bool reach_nothing(struct server *s)
{
	if (is_command(s, VFIO_USER_DEVICE_RESET) && s->address)
		want(converse(s, VFIO_USER_DMA_READ, s->address, 64, NULL) == EFAULT);
	return false;
}

static void test_unmapped_by_program(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = reach_nothing });
	void *memory = make_memory();
	uint32_t handle;

	assert_int_equal(s.err, 0);
	assert_int_equal(map_for(&s, memory, USRPCI_DMA_TO_DEVICE, &handle), 0);
	munmap(memory, MEMORY);
	assert_int_equal(usrpci_reset(s.dev), 0);
	end(&s);
}

/* --- later --- */

static bool die_at_map(struct server *s)
{
	if (is_command(s, VFIO_USER_DMA_MAP))
		_exit(0);
	return false;
}

static bool refuse_map(struct server *s)
{
	if (!is_command(s, VFIO_USER_DMA_MAP))
		return false;
	reply_error(s, ENOMEM);
	return true;
}

static bool silent_at_map(struct server *s)
{
	if (is_command(s, VFIO_USER_DMA_MAP))
		linger(s);
	return false;
}

static void test_map(void **state)
{
	bool (*const acts[])(struct server *s) = { die_at_map, silent_at_map };
	void *memory = make_memory();
	struct usrpci_coherent buf;
	struct session s;
	uint32_t handle;
	size_t i;

	for (i = 0; i < 4; i++) {
		s = begin(&(struct misdeed){ .act = acts[i / 2], .twin = i % 2 });
		assert_int_equal(s.err, 0);
		assert_int_equal(map_for(&s, memory, USRPCI_DMA_BOTH, &handle), -ENODEV);
		assert_int_equal(usrpci_coherent_alloc(s.dev, MEMORY, &buf), -ENODEV);
		assert_gone(&s);
		end(&s);
	}
	s = begin(&(struct misdeed){ .act = refuse_map });
	assert_int_equal(map_for(&s, memory, USRPCI_DMA_BOTH, &handle), -ENOMEM);
	assert_int_equal(usrpci_coherent_alloc(s.dev, MEMORY, &buf), -ENOMEM);
	assert_int_equal(usrpci_reset(s.dev), 0);
	end(&s);
	munmap(memory, MEMORY);
}

static bool stall_on_twin(struct server *s)
{
	if (is_command(s, VFIO_USER_DEVICE_RESET))
		want(send(s->twin, &s->message.header, 7, 0) == 7);
	return false;
}

/* Closing doesn't wait for what a server will never send. */
static void test_stalled_twin(void **state)
{
	struct session s = begin(&(struct misdeed){
		.act = stall_on_twin, .twin = true, .patience_ms = MOST_MS,
	});
	int64_t start = usrpci_message_now_ms();

	assert_int_equal(s.err, 0);
	usrpci_close(s.dev);
	assert_in_range(usrpci_message_now_ms() - start, 0, MOST_MS / 2);
	s.err = -ENODEV;
	end(&s);
}

static bool keep_irqs(struct server *s)
{
	const struct vfio_irq_set *set = (void *)s->message.payload;

	if (!is_command(s, VFIO_USER_DEVICE_SET_IRQS) || set->count)
		return false;
	reply_error(s, EBUSY);
	return true;
}

static void test_irqs_kept(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = keep_irqs });

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_irq_setup(s.dev, USRPCI_MSI, 1), 0);
	assert_int_equal(usrpci_irq_setup(s.dev, USRPCI_NO_IRQ, 0), -EBUSY);
	end(&s);
}

/* The flags of a descriptor belong to all who have it. */
static bool make_it_wait(struct server *s)
{
	if (s->eventfd >= 0)
		fcntl(s->eventfd, F_SETFL, 0);
	return false;
}

static void test_eventfd_that_waits(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = make_it_wait });
	int event = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_irq_setup(s.dev, USRPCI_MSI, 1), 0);
	assert_int_equal(usrpci_irq_wire(s.dev, 0, 1, &event), 0);
	close(event);
	end(&s);
}

static bool shorten_memory(struct server *s)
{
	if (is_command(s, VFIO_USER_DEVICE_RESET) && s->address) {
		want(s->memory >= 0);
		want(ftruncate(s->memory, 0) && errno == EPERM);
		want(ftruncate(s->memory, 1 << 30) && errno == EPERM);
		want(pwrite(s->memory, "x", 1, MEMORY - 1) == 1);
	}
	return false;
}

static void test_coherent_stays(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = shorten_memory });
	struct usrpci_coherent buf;

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_coherent_alloc(s.dev, MEMORY, &buf), 0);
	assert_int_equal(usrpci_reset(s.dev), 0);
	assert_int_equal(((char *)buf.addr)[MEMORY - 1], 'x');
	end(&s);
}

static bool unmap_late(struct server *s)
{
	if (is_command(s, VFIO_USER_DMA_UNMAP))
		usleep(PATIENCE_MS * 1000 * 3 / 4);
	return false;
}

/* All of it would take twice as long as a test may. */
static void test_late_at_close(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = unmap_late });
	void *memory = make_memory();
	uint32_t handle;
	int i;

	assert_int_equal(s.err, 0);
	for (i = 0; i < 2 * MOST_MS / (PATIENCE_MS * 3 / 4); i++)
		assert_int_equal(map_for(&s, memory, USRPCI_DMA_BOTH, &handle), 0);
	end(&s);
	munmap(memory, MEMORY);
}

/* It shortens what it gets of the program's own memory. */
static bool shorten_what_came(struct server *s)
{
	if (is_command(s, VFIO_USER_DEVICE_RESET) && s->address) {
		if (s->memory >= 0)
			want(ftruncate(s->memory, 0) && errno == EPERM);
		else
			want(converse(s, VFIO_USER_DMA_READ, s->address, MEMORY, NULL) == 0);
	}
	return false;
}

static void test_shared_memory_stays(void **state)
{
	static const int seals[] = { 0, F_SEAL_SHRINK };
	struct session s;
	uint32_t handle;
	char *memory;
	size_t i;
	int fd;

	for (i = 0; i < 2; i++) {
		s = begin(&(struct misdeed){ .act = shorten_what_came });
		assert_int_equal(s.err, 0);
		fd = memfd_create("shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(fd, MEMORY), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(memory, MAP_FAILED);
		memset(memory, 0x5a, MEMORY);
		assert_int_equal(map_for(&s, memory, USRPCI_DMA_BOTH, &handle), 0);
		assert_int_equal(usrpci_reset(s.dev), 0);
		assert_int_equal(memory[MEMORY - 1], 0x5a);
		munmap(memory, MEMORY);
		close(fd);
		end(&s);
	}
}

/* Amid usrpci_close(), which has unmapped it, but not told the server yet. */
static bool read_at_close(struct server *s)
{
	if (is_command(s, VFIO_USER_REGION_WRITE) && s->address)
		want(converse(s, VFIO_USER_DMA_READ, s->address, MEMORY, NULL) == 0);
	return false;
}

static void test_coherent_at_close(void **state)
{
	struct session s = begin(&(struct misdeed){ .act = read_at_close });
	struct usrpci_coherent buf;

	assert_int_equal(s.err, 0);
	assert_int_equal(usrpci_coherent_alloc(s.dev, MEMORY, &buf), 0);
	memset(buf.addr, 0x5a, MEMORY);
	end(&s);
}

static int bar_of(size_t len, int seals)
{
	int fd = memfd_create("bar", MFD_ALLOW_SEALING);

	want(fd >= 0 && !ftruncate(fd, (off_t)len) && !fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

static int bar_unsealed(void)
{
	return bar_of(BAR_LEN, 0);
}

static int bar_short(void)
{
	return bar_of(BAR_LEN - 1, F_SEAL_SHRINK);
}

static int bar_sealed(void)
{
	return bar_of(BAR_LEN, F_SEAL_SHRINK);
}

/* It can't be made shorter, but who has it can make a hole that nothing is left to fill. */
static int bar_huge(void)
{
	int fd = memfd_create("bar", MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (fd < 0)
		return bar_of(BAR_LEN, 0);
	want(!ftruncate(fd, 2 << 20) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	return fd;
}

static void test_bars(void **state)
{
	static const struct {
		int (*bar)(void);
		unsigned int nr_windows;
	} bars[] = { { bar_unsealed, 0 }, { bar_short, 0 }, { bar_huge, 0 }, { bar_sealed, 1 } };
	struct usrpci_bar info;
	volatile void *regs;
	struct session s;
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		s = begin(&(struct misdeed){ .bar = bars[i].bar });
		assert_int_equal(s.err, 0);
		assert_int_equal(usrpci_bar_info(s.dev, 0, &info), 0);
		assert_int_equal(info.nr_windows, bars[i].nr_windows);
		assert_int_equal(usrpci_bar_read(s.dev, 0, 0, 4, &value), 0);
		if (info.nr_windows) {
			assert_int_equal(usrpci_bar_map(s.dev, 0, 0, BAR_LEN, 0, &regs), 0);
			assert_int_equal(((volatile char *)regs)[BAR_LEN - 1], 0);
		}
		end(&s);
	}
}

static int setup(void **state)
{
	/* A hang ends here, if nowhere else. */
	alarm(120);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_child_lets_go),
		cmocka_unit_test(test_openings),
		cmocka_unit_test(test_nobody_accepts),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_reach_out),
		cmocka_unit_test(test_reach_beside),
		cmocka_unit_test(test_command_survives_reset),
		cmocka_unit_test(test_unmapped_by_program),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_stalled_twin),
		cmocka_unit_test(test_irqs_kept),
		cmocka_unit_test(test_eventfd_that_waits),
		cmocka_unit_test(test_coherent_stays),
		cmocka_unit_test(test_late_at_close),
		cmocka_unit_test(test_shared_memory_stays),
		cmocka_unit_test(test_coherent_at_close),
		cmocka_unit_test(test_bars),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
