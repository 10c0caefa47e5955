// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"

#define ROUNDS	200
#define RACERS	8

static unsigned long attribute(const char *bdf, const char *name)
{
	char text[64];

	assert_non_null(function_attribute(bdf, name, text, sizeof(text)));
	return strtoul(text, NULL, 0);
}

static void check_ids(const char *bdf, const struct usrpci_ioc_info *info)
{
	char text[64];

	snprintf(text, sizeof(text), "%04x:%02x:%02x.%u", info->domain, info->bus, info->slot,
		 info->function);
	assert_string_equal(text, bdf);
	assert_int_equal(info->vendor, attribute(bdf, "vendor"));
	assert_int_equal(info->device, attribute(bdf, "device"));
	assert_int_equal(info->subvendor, attribute(bdf, "subsystem_vendor"));
	assert_int_equal(info->subdevice, attribute(bdf, "subsystem_device"));
	assert_int_equal(info->class_code, attribute(bdf, "class"));
	assert_int_equal(info->revision, attribute(bdf, "revision"));
	/* A kernel without NUMA says nothing. */
	if (function_attribute(bdf, "numa_node", text, sizeof(text)))
		assert_int_equal(info->numa_node, atoi(text));
	else
		assert_int_equal(info->numa_node, -1);
	assert_int_equal(info->abi, USRPCI_ABI_VERSION);
	assert_int_equal(info->flags, 0);
	assert_int_equal(info->size, sizeof(*info));
}

static void check_platform(const char *bdf, const struct usrpci_ioc_info *info)
{
	static const char * const levels[] = { "none", "passthrough", "lazy", "strict" };
	char name[64], path[128], text[64] = "", link[256] = "";
	struct stat st;

	assert_true(info->isolation < 4);
	snprintf(name, sizeof(name), "usrpci/%s/isolation", bdf);
	function_attribute(bdf, name, text, sizeof(text));
	assert_string_equal(text, levels[info->isolation]);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(info->config_size, st.st_size);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		assert_int_equal(info->iommu_group, -1);
	else
		assert_int_equal(info->iommu_group, atoi(strrchr(link, '/') + 1));
	assert_int_equal(info->dma_mask, 0xffffffffU);
	assert_int_equal(info->coherent_mask, 0xffffffffU);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", bdf);
	assert_int_equal(!!(info->caps & USRPCI_CAP_RESET), !access(path, F_OK));
}

static void check_info(const char *bdf)
{
	struct usrpci_ioc_info info;
	int fd = function_open(bdf);

	assert_true(fd >= 0);
	info = function_info(fd);
	check_ids(bdf, &info);
	check_platform(bdf, &info);
	close(fd);
}

static void info_is_true_of_edu(void **state)
{
	int fd = function_open(function_edu());

	assert_true(fd >= 0);
	assert_int_equal(function_info(fd).nr_intx, 1);
	assert_int_equal(function_info(fd).nr_msi, 1);
	assert_int_equal(function_info(fd).nr_msix, 0);
	close(fd);
	check_info(function_edu());
}

static void info_is_true_of_nvme(void **state)
{
	int fd;

	if (!function_nvme())
		skip();
	fd = function_open(function_nvme());
	assert_true(fd >= 0);
	assert_true(function_info(fd).nr_msix > 0);
	assert_true(function_info(fd).caps & USRPCI_CAP_RESET);
	close(fd);
	check_info(function_nvme());
}

static void resources_are_true(const char *bdf)
{
	unsigned long long start, end, flags;
	char path[128];
	struct usrpci_ioc_bar bar;
	int i, fd = function_open(bdf);
	FILE *file;

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(path, "r");
	assert_non_null(file);
	for (i = 0; i < USRPCI_NR_BARS; i++) {
		assert_int_equal(fscanf(file, "%llx %llx %llx", &start, &end, &flags), 3);
		bar = function_bar(fd, i);
		assert_int_equal(bar.addr, start);
		assert_int_equal(bar.len, end ? end - start + 1 : 0);
		assert_int_equal(bar.kind, !end ? USRPCI_BAR_NONE :
				 flags & 0x200 ? USRPCI_BAR_MEM : USRPCI_BAR_IO);
		assert_int_equal(!!(bar.attrs & USRPCI_BAR_PREFETCH), !!(flags & 0x2000));
	}
	fclose(file);
	close(fd);
}

static void bars_are_true(void **state)
{
	resources_are_true(function_edu());
	if (function_nvme())
		resources_are_true(function_nvme());
}

static void second_opener_is_busy(void **state)
{
	int fd = function_open(function_edu());

	assert_true(fd >= 0);
	assert_int_equal(function_open(function_edu()), -EBUSY);
	close(fd);
	fd = function_open(function_edu());
	assert_true(fd >= 0);
	close(fd);
}

static void refused_opener_changes_nothing(void **state)
{
	struct edu_hw *edu = *state;
	uint32_t before, after;

	assert_int_equal(function_mask(edu->fd, 30), 0);
	assert_int_equal(function_master(edu->fd, 1), 0);
	assert_int_equal(config_read(edu->fd, 4, 4, &before), 0);
	assert_int_equal(function_open(function_edu()), -EBUSY);
	assert_int_equal(config_read(edu->fd, 4, 4, &after), 0);
	assert_int_equal(after, before);
	assert_int_equal(function_info(edu->fd).dma_mask, (1 << 30) - 1);
	assert_int_equal(edu->regs[EDU_ID / 4], EDU_IDENTITY);
}

static pthread_barrier_t start, done;
static int opened[RACERS];

static void *racer(void *arg)
{
	int i, *mine = arg;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		*mine = function_open(function_edu());
		pthread_barrier_wait(&done);
		if (*mine >= 0)
			close(*mine);
	}
	return NULL;
}

static int winners(void)
{
	int i, won = 0;

	for (i = 0; i < RACERS; i++) {
		won += opened[i] >= 0;
		if (opened[i] < 0)
			assert_int_equal(opened[i], -EBUSY);
	}
	return won;
}

static void of_threads_that_race_one_wins(void **state)
{
	pthread_t threads[RACERS];
	int i, wrong = 0;

	pthread_barrier_init(&start, NULL, RACERS + 1);
	pthread_barrier_init(&done, NULL, RACERS + 1);
	for (i = 0; i < RACERS; i++)
		pthread_create(&threads[i], NULL, racer, &opened[i]);
	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&done);
		wrong += winners() != 1;
	}
	for (i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(wrong, 0);
}

static int open_and_tell(int go, int hold)
{
	char byte;
	int fd;

	if (read(go, &byte, 1) < 0)
		return 2;
	fd = function_open(function_edu());
	if (fd == -EBUSY)
		return 1;
	if (fd < 0)
		return 2;
	/* Hold it till all others have tried. */
	return read(hold, &byte, 1) < 0 ? 2 : 0;
}

static int race_of_processes(void)
{
	int go[2], hold[2], i, status, won = 0, lost = 0;
	pid_t pids[RACERS];

	assert_int_equal(pipe(go) | pipe(hold), 0);
	for (i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(go[1]);
			close(hold[1]);
			_exit(open_and_tell(go[0], hold[0]));
		}
	}
	close(go[1]);
	while (lost < RACERS - 1 && wait(&status) > 0)
		lost += WEXITSTATUS(status) == 1;
	close(hold[1]);
	while (wait(&status) > 0)
		won += status == 0;
	close(go[0]);
	close(hold[0]);
	return won;
}

static void of_processes_that_race_one_wins(void **state)
{
	int i;

	for (i = 0; i < 10; i++)
		assert_int_equal(race_of_processes(), 1);
}

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

/* Works with what it was sent, and keeps it till told to go. */
static int borrower(int sock)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int fd = receive_fd(sock);
	char byte = function_call(fd, USRPCI_INFO, &info) || info.vendor != 0x1234;

	if (write(sock, &byte, 1) != 1 || read(sock, &byte, 1) != 1)
		return 1;
	return function_call(fd, USRPCI_INFO, &info) != 0;
}

static void passed_descriptor_works_and_keeps_it_open(void **state)
{
	int sock[2], status, fd = function_open(function_edu());
	char byte;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	pid = fork();
	if (!pid) {
		close(fd);
		_exit(borrower(sock[1]));
	}
	send_fd(sock[0], fd);
	assert_int_equal(read(sock[0], &byte, 1), 1);
	assert_int_equal(byte, 0);
	close(fd);
	assert_int_equal(function_open(function_edu()), -EBUSY);
	assert_int_equal(write(sock[0], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(sock[0]);
	close(sock[1]);
	fd = function_open(function_edu());
	assert_true(fd >= 0);
	close(fd);
}

static void fork_inherits_it(void **state)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int go[2], status, fd = function_open(function_edu());
	char byte;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) || function_call(fd, USRPCI_INFO, &info));
	}
	close(fd);
	assert_int_equal(function_open(function_edu()), -EBUSY);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(go[0]);
	fd = function_open(function_edu());
	assert_true(fd >= 0);
	close(fd);
}

static void needs_rawio_unless_strict(void **state)
{
	char path[64], level[64], name[64];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(255);
		_exit(-function_open(function_edu()) & 0x7f);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(name, sizeof(name), "usrpci/%s/isolation", function_edu());
	function_attribute(function_edu(), name, level, sizeof(level));
	if (strcmp(level, "strict"))
		assert_int_equal(WEXITSTATUS(status), EPERM);
	else
		assert_true(WEXITSTATUS(status) > EPERM && WEXITSTATUS(status) != EACCES);
}

static bool is_strict(void)
{
	char level[64], name[64];

	snprintf(name, sizeof(name), "usrpci/%s/isolation", function_edu());
	function_attribute(function_edu(), name, level, sizeof(level));
	return !strcmp(level, "strict");
}

/* Root, too. */
static void strictness_can_be_required(void **state)
{
	int fd;

	assert_int_equal(module_parameter("require_strict", "1"), 0);
	fd = function_open(function_edu());
	assert_int_equal(module_parameter("require_strict", "0"), 0);
	if (is_strict())
		assert_true(fd >= 0);
	else
		assert_int_equal(fd, -EPERM);
	close(fd);
}

static int set_group_type(const char *type)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", function_edu());
	return file_write(path, type);
}

/* What an opener that was let in for strictness is given, once that is gone. */
static int given(int fd)
{
	struct usrpci_ioc_region region = function_region(pages_new(1, 1), PAGE, 0);
	struct usrpci_ioc_coherent buffer;
	int result = 0;

	if (function_map(fd, &region) != -EPERM)
		result |= 1;
	if (function_coherent(fd, PAGE, &buffer) != -EPERM)
		result |= 2;
	if (function_master(fd, 1) != -EPERM)
		result |= 4;
	return result;
}

/* Linux 6.1 makes a group lazy under its driver's feet, but not strict. */
static void isolation_lost_is_memory_refused(void **state)
{
	int go[2], status;
	char byte, path[64];
	pid_t pid;
	int fd;

	if (!is_strict())
		skip();
	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(100);
		fd = function_open(function_edu());
		if (fd < 0 || function_master(fd, 1) || function_master(fd, 0))
			_exit(101);
		raise(SIGSTOP);
		_exit(read(go[0], &byte, 1) == 1 ? given(fd) : 102);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(set_group_type("DMA-FQ"), 0);
	kill(pid, SIGCONT);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(function_unbind(function_edu()), 0);
	assert_int_equal(set_group_type("DMA"), 0);
	assert_int_equal(function_bind(function_edu()), 0);
	assert_int_equal(status, 0);
	assert_true(is_strict());
	close(go[0]);
	close(go[1]);
}

static void node_is_roots_alone(void **state)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, 0);
}

static void opener_is_told(void **state)
{
	char name[64], text[64] = "", want[64];
	int fd;

	snprintf(name, sizeof(name), "usrpci/%s/opener", function_edu());
	function_attribute(function_edu(), name, text, sizeof(text));
	assert_string_equal(text, "");
	fd = function_open(function_edu());
	function_attribute(function_edu(), name, text, sizeof(text));
	snprintf(want, sizeof(want), "%d open_test", getpid());
	assert_string_equal(text, want);
	close(fd);
	function_attribute(function_edu(), name, text, sizeof(text));
	assert_string_equal(text, "");
}

static void debugfs_shows_what_is_held(void **state)
{
	struct edu_hw *edu = *state;
	unsigned char *memory = pages_new(3, 1);
	struct usrpci_ioc_region region = function_region(memory + 8, 2 * PAGE, USRPCI_TO_DEVICE);
	struct usrpci_ioc_coherent buffer;
	char *text, want[128];

	assert_int_equal(function_nr_held(function_edu()), 0);
	assert_int_equal(function_map(edu->fd, &region), 0);
	assert_int_equal(function_coherent(edu->fd, 1, &buffer), 0);
	assert_int_equal(function_nr_held(function_edu()), 2);
	text = function_holders(function_edu());
	snprintf(want, sizeof(want), "mapping %u addr %#lx len %lu pages 3", region.handle,
		 (unsigned long)region.addr, 2 * PAGE);
	assert_non_null(strstr(text, want));
	snprintf(want, sizeof(want), "coherent %u bus %#llx len %lu", buffer.handle,
		 (unsigned long long)buffer.bus_addr, PAGE);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, "master 0"));
	free(text);
	assert_int_equal(function_unmap_one(edu->fd, region.handle), 0);
	assert_int_equal(function_unmap_one(edu->fd, buffer.handle), 0);
	assert_int_equal(function_nr_held(function_edu()), 0);
	pages_free(memory, 3);
}

static void master_is_off_at_open(void **state)
{
	struct edu_hw *edu = *state;
	uint32_t command;

	assert_int_equal(config_read(edu->fd, 4, 2, &command), 0);
	assert_int_equal(command & 4, 0);
	assert_int_equal(command & 2, 2);
	assert_int_equal(function_master(edu->fd, 1), 0);
	assert_int_equal(config_read(edu->fd, 4, 2, &command), 0);
	assert_int_equal(command & 4, 4);
	assert_int_equal(function_master(edu->fd, 0), 0);
	assert_int_equal(config_read(edu->fd, 4, 2, &command), 0);
	assert_int_equal(command & 4, 0);
	assert_int_equal(function_master(edu->fd, 2), -EINVAL);
}

static void read_only_descriptor_writes_nothing(void **state)
{
	char path[64];
	uint32_t value = 0;
	struct usrpci_ioc_bar bar;
	int fd;

	snprintf(path, sizeof(path), "/dev/usrpci/%s", function_edu());
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	bar = function_bar(fd, 0);
	assert_int_equal(pwrite(fd, &value, 4, bar.offset), -1);
	assert_int_equal(errno, EBADF);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, bar.offset), MAP_FAILED);
	assert_int_equal(pread(fd, &value, 4, bar.offset), 4);
	assert_int_equal(value, EDU_IDENTITY);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_is_true_of_edu),
		cmocka_unit_test(info_is_true_of_nvme),
		cmocka_unit_test(bars_are_true),
		cmocka_unit_test(second_opener_is_busy),
		cmocka_unit_test_setup_teardown(refused_opener_changes_nothing, edu_hw_setup,
						edu_hw_teardown),
		cmocka_unit_test(of_threads_that_race_one_wins),
		cmocka_unit_test(of_processes_that_race_one_wins),
		cmocka_unit_test(passed_descriptor_works_and_keeps_it_open),
		cmocka_unit_test(fork_inherits_it),
		cmocka_unit_test(needs_rawio_unless_strict),
		cmocka_unit_test(strictness_can_be_required),
		cmocka_unit_test(isolation_lost_is_memory_refused),
		cmocka_unit_test(node_is_roots_alone),
		cmocka_unit_test(opener_is_told),
		cmocka_unit_test_setup_teardown(debugfs_shows_what_is_held, edu_hw_setup,
						edu_hw_teardown),
		cmocka_unit_test_setup_teardown(master_is_off_at_open, edu_hw_setup,
						edu_hw_teardown),
		cmocka_unit_test(read_only_descriptor_writes_nothing),
	};

	function_require();
	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
