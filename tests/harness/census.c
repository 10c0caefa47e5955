// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "census.h"
#include "function.h"
#include "memory.h"

#define COMMAND		4
#define MASTER		4

/* Lines of a file that hold @text; -1 if it isn't there. */
static long lines_with(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	long nr = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		nr += !!strstr(line, text);
	fclose(file);
	return nr;
}

static long number_in(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static long entries_of(const char *path)
{
	DIR *dir = opendir(path);
	long nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	/* Less the folder itself and the one it's in. */
	return nr > 2 ? nr - 2 : 0;
}

static const char *in_sysfs(const char *bdf, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return path;
}

static const char *in_debugfs(const char *bdf)
{
	static char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/usrpci/%s", bdf);
	return path;
}

static long pinned(const char *bdf)
{
	return pages_pinned();
}

static long charged(const char *bdf)
{
	return pages_charged();
}

static long mappings(const char *bdf)
{
	return lines_with(in_debugfs(bdf), "mapping ");
}

static long buffers(const char *bdf)
{
	return lines_with(in_debugfs(bdf), "coherent ");
}

static long spaces(const char *bdf)
{
	return lines_with(in_debugfs(bdf), "space ");
}

static long openers(const char *bdf)
{
	return lines_with(in_debugfs(bdf), "opener ");
}

static long handlers(const char *bdf)
{
	return lines_with("/proc/interrupts", "usrpci-");
}

static long vectors(const char *bdf)
{
	return entries_of(in_sysfs(bdf, "msi_irqs"));
}

static long regions(const char *bdf)
{
	return lines_with("/proc/iomem", "usrpci") + lines_with("/proc/ioports", "usrpci");
}

static long enabled(const char *bdf)
{
	return number_in(in_sysfs(bdf, "enable"));
}

static long is_master(const char *bdf)
{
	FILE *file = fopen(in_sysfs(bdf, "config"), "r");
	unsigned char config[64] = {};
	size_t n;

	if (!file)
		return -1;
	n = fread(config, 1, sizeof(config), file);
	fclose(file);
	return n == sizeof(config) ? !!(config[COMMAND] & MASTER) : -1;
}

static long users(const char *bdf)
{
	return number_in("/sys/module/usrpci/refcnt");
}

static long descriptors(const char *bdf)
{
	return entries_of("/proc/self/fd");
}

static long held(const char *what)
{
	FILE *file = fopen("/sys/kernel/debug/usrpci-fault/held", "r");
	char name[32];
	long nr, found = -1;

	while (file && fscanf(file, "%31s %ld", name, &nr) == 2)
		if (!strcmp(name, what))
			found = nr;
	if (file)
		fclose(file);
	return found;
}

/* What a module built with FAULT=y says that it holds. */
static long memory(const char *bdf)
{
	return held("memory");
}

static long free_pages(const char *bdf)
{
	return held("pages");
}

static long coherent(const char *bdf)
{
	return held("coherent");
}

static long eventfds(const char *bdf)
{
	return held("eventfds");
}

static long mms(const char *bdf)
{
	return held("mms");
}

static long pids(const char *bdf)
{
	return held("pids");
}

static const struct {
	const char *name;
	long (*count)(const char *bdf);
} counters[CENSUS_COUNTS] = {
	{ "pages pinned", pinned },
	{ "pages charged", charged },
	{ "mappings", mappings },
	{ "coherent buffers", buffers },
	{ "spaces", spaces },
	{ "openers", openers },
	{ "interrupt handlers", handlers },
	{ "interrupt vectors", vectors },
	{ "regions of addresses", regions },
	{ "enables", enabled },
	{ "bus master", is_master },
	{ "users of the module", users },
	{ "descriptors", descriptors },
	{ "objects in memory", memory },
	{ "free pages taken", free_pages },
	{ "coherent memory", coherent },
	{ "eventfds", eventfds },
	{ "references to an mm", mms },
	{ "references to a pid", pids },
};

struct census census_take(const char *bdf)
{
	struct census census;
	size_t i;

	for (i = 0; i < CENSUS_COUNTS; i++)
		census.counts[i] = counters[i].count(bdf);
	return census;
}

const char *census_differs(const struct census *a, const struct census *b)
{
	static char text[96];
	size_t i;

	for (i = 0; i < CENSUS_COUNTS; i++) {
		if (a->counts[i] == b->counts[i])
			continue;
		snprintf(text, sizeof(text), "%s: %ld, then %ld", counters[i].name, a->counts[i],
			 b->counts[i]);
		return text;
	}
	return NULL;
}
