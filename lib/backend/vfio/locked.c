// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <ctype.h>
#include <dirent.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "kvfio.h"

/* What stands after @name in the status of @process; 0 if it isn't there. */
static uint64_t status(const char *process, const char *name, int base)
{
	const size_t len = strlen(name);
	uint64_t value = 0;
	char line[300];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%s/status", process);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		value = strtoull(line + len + 1, NULL, base);
		break;
	}
	if (file)
		fclose(file);
	return value;
}

/* The kernel doesn't tell what it holds against a user, but what each process has of it. */
static uint64_t sum_of_user(const char *name)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir))) {
		if (isdigit(*entry->d_name) && status(entry->d_name, "Uid", 10) == getuid())
			sum += status(entry->d_name, name, 10);
	}
	if (dir)
		closedir(dir);
	return sum;
}

uint64_t usrpci_kvfio_missing(const struct usrpci_kvfio_memory *memory, uint64_t len)
{
	const char *name = memory->accounted;
	struct rlimit limit;
	uint64_t wanted;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    status("self", "CapEff", 16) & (1ULL << CAP_IPC_LOCK))
		return 0;
	wanted = memory->by_user ? sum_of_user(name) : status("self", name, 10);
	wanted = wanted * 1024 + len;
	return wanted > limit.rlim_cur ? wanted - limit.rlim_cur : 0;
}
