// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/io.h>
#include <unistd.h>

#include "function.h"
#include "memory.h"
#include "monitor.h"

#define CONSOLE		0xe9
#define CONSOLE_IS	0xe9
/* The scratch register of the last serial port, which nothing else uses. */
#define DONE		0x2ef
#define PATIENCE_MS	20000

static bool reach_ports(void)
{
	static bool reached;

	if (!reached)
		reached = !ioperm(CONSOLE, 1, 1) && !ioperm(DONE, 1, 1);
	return reached;
}

bool monitor_present(void)
{
	return reach_ports() && inb(CONSOLE) == CONSOLE_IS;
}

/* One at a time, whatever threads and processes give commands. */
static int lock(void)
{
	int fd = open("/run/monitor.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	flock(fd, LOCK_EX);
	return fd;
}

static void say(const char *text)
{
	while (*text)
		outb(*text++, CONSOLE);
}

/* The monitor takes one command after the other: when this one is done, so are all before. */
static int await(void)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	uint8_t number = inb(DONE) + 1;
	char command[32];

	snprintf(command, sizeof(command), "o /b 0x%x 0x%x\n", DONE, number);
	say(command);
	while (inb(DONE) != number) {
		if (now_ms() > until)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

int monitor_command(const char *fmt, ...)
{
	char command[512];
	va_list args;
	int len, err, locked;

	if (!monitor_present())
		return -ENODEV;
	va_start(args, fmt);
	len = vsnprintf(command, sizeof(command) - 1, fmt, args);
	va_end(args);
	assert_true(len >= 0 && len < (int)sizeof(command) - 1);
	locked = lock();
	if (locked < 0)
		return locked;
	say(command);
	say("\n");
	err = await();
	close(locked);
	return err;
}

int monitor_plug(const char *id, const char *bus, const char *device)
{
	return monitor_command("device_add %s,id=%s,bus=%s", device, id, bus);
}
