// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "campaign.h"
#include "function.h"
#include "injection.h"

#define PCI		"/sys/bus/pci/"

/* Of allocations and copies while it binds. */
#define BIND_WITHIN	60

static int injector = -1;

static void write_attribute(const char *bdf, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "devices/%s/%s", bdf, name);
	file_write(path, text);
}

static void read_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void read_attribute(const char *bdf, uint64_t *random)
{
	static const char * const all[] = {
		"/sys/kernel/debug/usrpci/%s", "/sys/class/usrpci/%s/isolation",
		"/sys/class/usrpci/%s/opener", PCI "devices/%s/config", PCI "devices/%s/resource",
		PCI "devices/%s/uevent", PCI "devices/%s/reset_method",
	};
	char path[128];

	snprintf(path, sizeof(path), all[random_below(random, ARRAY_SIZE(all))], bdf);
	read_file(path);
}

static void override(const char *bdf, uint64_t *random)
{
	static const char * const names[] = { "usrpci\n", "\n", "usrpc", "vfio-pci", "usrpci" };

	write_attribute(bdf, "driver_override", names[random_below(random, ARRAY_SIZE(names))]);
}

static void reset(const char *bdf, uint64_t *random)
{
	write_attribute(bdf, "reset", "1");
}

static void set_storm_rate(const char *bdf, uint64_t *random)
{
	module_parameter("storm_rate", random_below(random, 2) ? "1" : STORM_RATE);
}

static void set_require_strict(const char *bdf, uint64_t *random)
{
	module_parameter("require_strict", random_below(random, 2) ? "Y" : "N");
}

/* Where the kernel can, it may fail. */
static void unbind(const char *bdf, uint64_t *random)
{
	function_unbind(bdf);
	if (random_below(random, 2) && injector >= 0)
		injection_arm(injector, 1 + random_below(random, BIND_WITHIN));
	if (random_below(random, 4))
		function_bind(bdf);
	if (injector >= 0)
		injection_disarm(injector);
}

static void remove_function(const char *bdf, uint64_t *random)
{
	write_attribute(bdf, "remove", "1");
	if (random_below(random, 2))
		file_write(PCI "rescan", "1");
}

void admin_start(bool inject)
{
	if (inject)
		injector = injection_open();
	file_write(PCI "drivers_autoprobe", "0");
}

void admin_act(const char *bdf, uint64_t *random, bool rough)
{
	static void (* const gentle[])(const char *bdf, uint64_t *random) = {
		read_attribute, read_attribute, read_attribute, read_attribute, override, reset,
		set_storm_rate, set_require_strict,
	};

	if (!rough)
		gentle[random_below(random, ARRAY_SIZE(gentle))](bdf, random);
	else if (random_below(random, 3))
		unbind(bdf, random);
	else
		remove_function(bdf, random);
}

bool admin_restore(const char *bdf)
{
	char path[96];

	module_parameter("storm_rate", STORM_RATE);
	module_parameter("require_strict", "N");
	snprintf(path, sizeof(path), PCI "devices/%s", bdf);
	if (access(path, F_OK))
		file_write(PCI "rescan", "1");
	snprintf(path, sizeof(path), "/dev/usrpci/%s", bdf);
	if (access(path, F_OK)) {
		/* Without its override another driver may have got it. */
		write_attribute(bdf, "driver/unbind", bdf);
		function_bind(bdf);
	}
	/* Users may try. */
	return !chmod(path, 0666);
}
