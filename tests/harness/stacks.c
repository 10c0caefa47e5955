// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stacks.h"

static void tell(const char *task, const char *what)
{
	char path[PATH_MAX], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", task, what);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strcmp(what, "stack") || !strncmp(line, "State", 5))
			fprintf(stderr, "%s: %s", task, line);
	if (file)
		fclose(file);
}

static int is_ours(const char *task, const char *program)
{
	char path[PATH_MAX], target[PATH_MAX] = "";

	snprintf(path, sizeof(path), "%s/exe", task);
	return readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, program);
}

void stacks_tell(void)
{
	char program[PATH_MAX] = "";
	glob_t tasks;
	size_t i;

	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0 ||
	    glob("/proc/[0-9]*/task/[0-9]*", 0, NULL, &tasks))
		return;
	for (i = 0; i < tasks.gl_pathc; i++) {
		if (!is_ours(tasks.gl_pathv[i], program))
			continue;
		tell(tasks.gl_pathv[i], "status");
		tell(tasks.gl_pathv[i], "stack");
	}
	globfree(&tasks);
}
