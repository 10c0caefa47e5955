// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "function.h"
#include "injection.h"

#define KNOBS	"/sys/kernel/debug/"

bool injection_prepare(void)
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
	return !access("/proc/thread-self/fail-nth", W_OK);
}

int injection_open(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

void injection_arm(int fd, unsigned int nth)
{
	char text[16];

	/* To tell is to copy from this process, which may be what fails. */
	while (pwrite(fd, text, snprintf(text, sizeof(text), "%u", nth), 0) < 0)
		;
}

bool injection_disarm(int fd)
{
	char text[16] = "";
	bool failed = pread(fd, text, sizeof(text) - 1, 0) < 0 || !strtol(text, NULL, 10);

	injection_arm(fd, 0);
	return failed;
}
