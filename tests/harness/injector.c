// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "function.h"
#include "injector.h"

#define HOOK	"/sys/kernel/debug/usrpci-fault/fail_nth"
#define ANY	"/sys/kernel/debug/usrpci-fault/fail_nth_of_any"
#define SITES	"/sys/kernel/debug/usrpci-fault/sites"
#define PARAM	"/sys/module/usrpci/parameters/fail_nth"
#define KERNEL	"/proc/self/fail-nth"
#define KNOBS	"/sys/kernel/debug/"

static int hook = -1;
static int any = -1;
static int kernel = -1;

static ssize_t put(int fd, unsigned int n)
{
	char text[16];

	return pwrite(fd, text, snprintf(text, sizeof(text), "%u", n), 0);
}

/* What a file says, or -errno. */
static long get(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	return strtol(text, NULL, 10);
}

static long get_from(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long value = fd < 0 ? -errno : get(fd);

	if (fd >= 0)
		close(fd);
	return value;
}

static bool hook_exists(void)
{
	return !access(HOOK, W_OK);
}

static bool hook_open(void)
{
	if (hook < 0)
		hook = open(HOOK, O_RDWR | O_CLOEXEC);
	if (any < 0)
		any = open(ANY, O_RDWR | O_CLOEXEC);
	return hook >= 0 && any >= 0;
}

static void hook_close(void)
{
	close(hook);
	hook = -1;
	close(any);
	any = -1;
}

static bool take_off(int fd)
{
	bool failed = !get(fd);

	put(fd, 0);
	return failed;
}

static void hook_arm(unsigned int nth)
{
	put(hook, nth);
}

static bool hook_disarm(void)
{
	return take_off(hook);
}

static void hook_arm_any(unsigned int nth)
{
	put(any, nth);
}

static bool hook_disarm_any(void)
{
	return take_off(any);
}

/* The open file is shared with the child that wrote to it. */
static bool hook_has_failed(pid_t child)
{
	return !get(hook);
}

static void hook_arm_load(unsigned int nth, char *args, size_t len)
{
	snprintf(args, len, nth ? "fail_nth=%u" : "", nth);
}

/* A module that's loaded tells what was left; one that isn't has failed. */
static bool hook_disarm_load(void)
{
	return get_from(PARAM) <= 0;
}

static bool kernel_exists(void)
{
	return !access(KERNEL, W_OK);
}

static bool kernel_open(void)
{
	static const struct {
		const char *file, *value;
	} knobs[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[96];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), KNOBS "%s", knobs[i].file);
		if (file_write(path, knobs[i].value))
			return false;
	}
	return true;
}

static void kernel_close(void)
{
}

/* The file is of the process that opens it. */
static void kernel_arm(unsigned int nth)
{
	kernel = open(KERNEL, O_RDWR | O_CLOEXEC);
	put(kernel, nth);
}

/* To ask is to copy from and to this process, which may be what fails. */
static bool kernel_disarm(void)
{
	bool failed = !get(kernel);

	while (put(kernel, 0) < 0)
		;
	close(kernel);
	return failed;
}

static bool kernel_has_failed(pid_t child)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", child);
	return !get_from(path);
}

static void kernel_arm_load(unsigned int nth, char *args, size_t len)
{
	*args = 0;
	kernel_arm(nth);
}

static const struct injector injectors[] = {
	{
		.name = "the module's hook",
		.exists = hook_exists,
		.open = hook_open,
		.close = hook_close,
		.arm = hook_arm,
		.disarm = hook_disarm,
		.arm_any = hook_arm_any,
		.disarm_any = hook_disarm_any,
		.has_failed = hook_has_failed,
		.arm_load = hook_arm_load,
		.disarm_load = hook_disarm_load,
	},
	{
		.name = "/proc/self/fail-nth",
		.of_kernel = true,
		.exists = kernel_exists,
		.open = kernel_open,
		.close = kernel_close,
		.arm = kernel_arm,
		.disarm = kernel_disarm,
		.has_failed = kernel_has_failed,
		.arm_load = kernel_arm_load,
		.disarm_load = kernel_disarm,
	},
};

const struct injector *injector_find(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(injectors); i++)
		if (injectors[i].exists())
			return injectors[i].open() ? &injectors[i] : NULL;
	return NULL;
}

/* "FILE:LINE FUNCTION REACHED INJECTED CALL" */
void injector_sites(unsigned int *all, unsigned int *never, bool show)
{
	FILE *file = fopen(SITES, "r");
	long reached, injected;
	char line[256];

	*all = 0;
	*never = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %ld %ld", &reached, &injected) != 2)
			continue;
		++*all;
		*never += !injected;
		if (show && !injected)
			fprintf(stderr, "never failed: %s", line);
	}
	if (file)
		fclose(file);
}
