// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "vfio-user.h"

#define SIMULATOR	"usrpci-sim"
/* Where the simulator finds its socket. */
#define SIMULATOR_FD	3

/* Of the program itself: where dynamic linking and tests put things doesn't matter. */
extern char **environ;

/* Who listens and doesn't accept has room for a few, and the next one waits: SO_SNDTIMEO goes. */
static int connect_in_time(int fd, const struct sockaddr_un *address, unsigned int patience_ms)
{
	const int64_t end = usrpci_message_now_ms() + patience_ms;

	usrpci_message_set_patience(fd, patience_ms);
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address))) {
		if (errno == EAGAIN)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		if (usrpci_message_now_ms() >= end)
			return -ETIMEDOUT;
	}
	return 0;
}

int usrpci_socket_connect(const char *path, unsigned int patience_ms, int *channel)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int err, fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -EINVAL;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = connect_in_time(fd, &address, patience_ms);
	if (err) {
		close(fd);
		return err;
	}
	*channel = fd;
	return 0;
}

/* Beside this program or its neighbours in ../bin, or on the PATH. */
static const char *find_simulator(char path[PATH_MAX])
{
	static const char *const places[] = { SIMULATOR, "../bin/" SIMULATOR };
	ssize_t len;
	size_t i;

	len = readlink("/proc/self/exe", path, PATH_MAX);
	while (len > 0 && path[len - 1] != '/')
		len--;
	for (i = 0; i < 2 && len > 0; i++) {
		if ((size_t)len + strlen(places[i]) >= PATH_MAX)
			break;
		strcpy(path + len, places[i]);
		if (!access(path, X_OK))
			return path;
	}
	return SIMULATOR;
}

/* It ends when this end of the socket is closed, so with the program. */
static int spawn(const char *device, int theirs, pid_t *pid)
{
	char number[] = { '0' + SIMULATOR_FD, '\0' }, path[PATH_MAX];
	char *const argv[] = { SIMULATOR, "--fd", number, "--", (char *)device, NULL };
	const char *program = find_simulator(path);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	posix_spawnattr_init(&attr);
	/* What the terminal sends is for the program, which may have more to do with its device. */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	err = posix_spawn_file_actions_adddup2(&actions, theirs, SIMULATOR_FD);
	if (!err)
		err = posix_spawnp(pid, program, &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	/* The device's own ENOENT says something else. */
	return err == ENOENT ? -ENOEXEC : -err;
}

int usrpci_socket_spawn(const char *device, int *channel, pid_t *pid)
{
	int sockets[2], theirs, err;

	if (!*device)
		return -EINVAL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	/* dup2() onto itself would leave it closed on exec. */
	theirs = fcntl(sockets[1], F_DUPFD_CLOEXEC, SIMULATOR_FD + 1);
	err = theirs < 0 ? -errno : spawn(device, theirs, pid);
	if (theirs >= 0)
		close(theirs);
	close(sockets[1]);
	if (err) {
		close(sockets[0]);
		return err;
	}
	*channel = sockets[0];
	return 0;
}

/* It ends at once, unless it's stopped, or waits for a file that nobody reads. */
static bool await_end(pid_t pid, unsigned int patience_ms, int *status)
{
	int64_t end = usrpci_message_now_ms() + patience_ms;
	struct timespec nap = { .tv_nsec = 100000 };
	pid_t ended;

	while (!(ended = waitpid(pid, status, WNOHANG))) {
		if (usrpci_message_now_ms() >= end) {
			kill(pid, SIGKILL);
			end = INT64_MAX;
		}
		nanosleep(&nap, NULL);
		nap.tv_nsec = nap.tv_nsec < 10000000 ? 2 * nap.tv_nsec : nap.tv_nsec;
	}
	return ended == pid;
}

int usrpci_socket_reap(pid_t pid, unsigned int patience_ms)
{
	int status;

	if (!pid || !await_end(pid, patience_ms, &status) || !WIFEXITED(status))
		return 0;
	switch (WEXITSTATUS(status)) {
	case 2:
		return -ENOENT;
	case 127:
		return -ENOEXEC;
	}
	return 0;
}
