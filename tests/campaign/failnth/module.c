// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

static int load(const char *args)
{
	struct utsname name;
	char path[256];
	int fd, err;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/usrpci.ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, args, 0) ? -errno : 0;
	close(fd);
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "usrpci", O_NONBLOCK) ? -errno : 0;
}

static int setup_unloaded(struct scene *s)
{
	const char *const all[] = { function_edu(), function_nvme() };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		err = all[i] && is_bound(all[i]) ? function_unbind(all[i]) : 0;
		if (err)
			return err;
	}
	s->injector->close();
	return unload();
}

static void end_loaded(struct scene *s)
{
	must(s, "load", load(""));
	s->injector->open();
	must(s, "bind", function_bind(function_edu()));
	if (function_nvme())
		must(s, "bind", function_bind(function_nvme()));
}

static int act_load(struct scene *s)
{
	char args[32] = "";
	int err;

	if (s->nth)
		s->injector->arm_load(s->nth, args, sizeof(args));
	err = load(args);
	s->failed = s->nth && s->injector->disarm_load();
	return err;
}

static void undo_load(struct scene *s)
{
	must(s, "unload", unload());
}

static int setup_loaded(struct scene *s)
{
	return setup_unloaded(s) ?: load("");
}

static int act_unload(struct scene *s)
{
	return unload();
}

static void end_unloaded(struct scene *s)
{
	unload();
	end_loaded(s);
}

static const struct sequence sequences[] = {
	/* These come first, since what the module counts of its failures begins again then. */
	{ "load", EDU, .setup = setup_unloaded, .act = act_load, .undo = undo_load,
	  .end = end_loaded, .arms = true, .once = true },
	{ "unload", EDU, .setup = setup_loaded, .act = act_unload, .end = end_unloaded,
	  .kernel_only = true, .once = true },
};

const struct group module_group = GROUP(sequences);
