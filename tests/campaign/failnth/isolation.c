// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Who may only have a function that's isolated strictly: anybody without a capability, or all. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

static int allow_rawio(bool allow)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps))
		return -errno;
	caps[0].effective &= ~(1U << CAP_SYS_RAWIO);
	if (allow)
		caps[0].effective |= caps[0].permitted & 1U << CAP_SYS_RAWIO;
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

static bool is_isolated(struct scene *s)
{
	return s->info.isolation == USRPCI_ISOLATION_STRICT &&
	       s->info.caps & USRPCI_CAP_IRQ_REMAP;
}

/* What is demanded: by the module's parameter, or else by the lack of a capability. */
static int setup_demand(struct scene *s)
{
	int err = setup_open(s);

	close_it(s);
	return err ?: s->q->kind ? module_parameter("require_strict", "Y") : allow_rawio(false);
}

static void end_demand(struct scene *s)
{
	end_unmap_close(s);
	must(s, "require_strict", module_parameter("require_strict", "N"));
	must(s, "CAP_SYS_RAWIO", allow_rawio(true));
}

static int act_open(struct scene *s)
{
	int err = open_it(s);

	if (is_isolated(s))
		return err;
	return err == -EPERM ? 0 : err ?: -EBADMSG;
}

static int setup_demand_open(struct scene *s)
{
	return setup_demand(s) ?: act_open(s);
}

/* What is looked at again, on a function that one got. */
static int act_use(struct scene *s)
{
	int err;

	if (s->fd < 0)
		return 0;
	err = act_coherent(s);
	if (err)
		return err;
	err = function_master(s->fd, 1) ?: act_map(s);
	if (err && function_master(s->fd, 0))
		must(s, "master off", -EBADMSG);
	if (act_free(s))
		must(s, "free", act_free(s));
	return err;
}

static const struct sequence sequences[] = {
	{ "open, strict is required", EDU, .kind = true, .setup = setup_demand, .act = act_open,
	  .undo = close_it, .end = end_demand },
	{ "open, strict is required, nvme", NVME, .kind = true, .setup = setup_demand,
	  .act = act_open, .undo = close_it, .end = end_demand },
	{ "open without CAP_SYS_RAWIO", EDU, .setup = setup_demand, .act = act_open,
	  .undo = close_it, .end = end_demand },
	{ "use, strict is required", EDU, .n = 3, .kind = true, .setup = setup_demand_open,
	  .act = act_use, .end = end_demand },
	{ "use without CAP_SYS_RAWIO", NVME, .n = 2, .setup = setup_demand_open, .act = act_use,
	  .end = end_demand },
};

const struct group isolation_group = GROUP(sequences);
