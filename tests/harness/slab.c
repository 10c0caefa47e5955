// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slab.h"

/*
 * A line "COUNT FUNCTION age=…" and, where the kernel keeps stacks, more lines with
 * whom it was called by, down to an empty one.
 */
static long objects_of(FILE *file, const char *cache, bool show)
{
	char line[512], head[512] = "";
	long count = 0, total = 0;
	bool ours = false;

	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, " age=")) {
			count = strtol(line, NULL, 10);
			snprintf(head, sizeof(head), "%s", line);
			ours = false;
		}
		if (ours || !strstr(line, "[usrpci]"))
			continue;
		ours = true;
		total += count;
		if (show)
			fprintf(stderr, "%s: %s", cache, head);
	}
	return total;
}

static long slab_walk(bool show)
{
	long total = 0;
	glob_t caches;
	FILE *file;
	size_t i;

	if (glob("/sys/kernel/debug/slab/*/alloc_traces", 0, NULL, &caches))
		return -1;
	for (i = 0; i < caches.gl_pathc; i++) {
		file = fopen(caches.gl_pathv[i], "r");
		if (!file)
			continue;
		total += objects_of(file, caches.gl_pathv[i] + 23, show);
		fclose(file);
	}
	globfree(&caches);
	return total;
}

long slab_objects(void)
{
	return slab_walk(false);
}

void slab_show(void)
{
	slab_walk(true);
}
