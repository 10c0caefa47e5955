// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "kvfio.h"

/* What stands after @name in /proc/self/status; 0 if it isn't there. */
static uint64_t status(const char *name, int base)
{
	FILE *file = fopen("/proc/self/status", "re");
	const size_t len = strlen(name);
	uint64_t value = 0;
	char line[256];

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

uint64_t usrpci_kvfio_missing(const char *line, uint64_t len)
{
	struct rlimit limit;
	uint64_t wanted;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    status("CapEff", 16) & (1ULL << CAP_IPC_LOCK))
		return 0;
	wanted = status(line, 10) * 1024 + len;
	return wanted > limit.rlim_cur ? wanted - limit.rlim_cur : 0;
}
